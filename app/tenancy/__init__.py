"""Tenants, their API keys, and who is calling.

Words: a tenant is the client company; a key belongs to one tenant and holds scopes; the audit says who did what to
whom.
Owns: tenants, api_keys, audit, the tenant's settings, the answer to "who is calling".
Does NOT own: what a scope protects (each slice says that of its operations), the tenant's candidates.
"""
