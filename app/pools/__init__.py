"""Pools: who belongs together, by which criteria, and whom of them to contact now.

Words: a *pool* has criteria, required fields and a threshold; a *member* is in it by the criteria or by hand; an
*override* includes or excludes one person by hand and beats the criteria; the *approach list* is the members at or
above the threshold, the most interested first, each with the answer of the contact gate; *readiness* counts them.

Owns: pools, their members, the overrides, and when a membership changes by the mere passing of time.

Does NOT own: the criteria's grammar, the scores it orders by, the contact decisions and leases it shows, nor what is
fitting to send.
"""
