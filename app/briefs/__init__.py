"""Briefs: one page of facts about a person before a call.

Words: a *line* is one fact in one sentence; it *cites* the records or touchpoints that say so.

Owns: no table; how facts are put into sentences.

Does NOT own: the profile, the timeline, the score and the contact decision that it puts together.
"""
