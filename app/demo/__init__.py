"""The demo tenant: invented people and half a year of what happened with them, loaded through the public API.

Words: nobody here exists; addresses are of `example` domains (RFC 2606).
Owns: the names and the story that the demo, the journeys and the benchmarks are made from.
Does NOT own: anything that the service needs.
"""
