"""Connectors: what e-mail tools, event tools and other systems tell us by webhook, by poll or by file.

Words: a *connection* is one tenant's account at a *provider*; a *delivery* is one call of its hook, kept as it came;
a *signal* is one thing that a delivery says; a *refusal* is a call that could not be believed.

Owns: connections, deliveries, dead letters, refusals, and one pure file a provider that verifies and parses.

Does NOT own: touchpoints, into which signals are turned, nor people: an unknown person's signal waits unmatched; only
where a connection says so, who registers for an event comes in, by `intake`. Nor the reading of files (`imports`).
"""
