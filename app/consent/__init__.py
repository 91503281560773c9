"""Whether a person may be contacted, and the proof.

Words: a consent is a statement, kept for ever, that a person allowed or withdrew one purpose on one channel; a
suppression is an address that must not be written to, kept as a keyed hash; a contact decision answers "may I contact
this person now, on this channel, for this purpose?" with all reasons; a use is one contact that counts against the
frequency cap; a lease is one recruiter's claim on a person for a while.
Owns: consents, suppressions, contact_decisions, contact_uses, leases, the gate and its rules.
Does NOT own: candidates and their addresses, retention dates, the tenant's window and caps (it reads them), sending.
"""
