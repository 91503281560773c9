"""Touchpoints: what happened between the company and a person, at a time; append-only.

Words: a *touchpoint* has a type, a time and a source; its *actor* is human, machine or unknown, with reasons;
*unmatched* is one whose person is not known yet.

Owns: the timeline, its idempotency by (source, external id), and the judgement of actors.

Does NOT own: people, nor what a touchpoint is worth (scores), nor how a provider says it (connectors).
"""
