"""The people: one candidate per real person, the records that say so, and what points at them.

Words: a record is one incoming statement, kept as it came; a candidate's profile is computed from its records; an
identifier (e-mail, phone, profile URL) or an external id points at a person; an alias is an id that a person once had.
Owns: candidates, records, identifiers, external_ids, aliases, terms, field definitions; the profile's computation.
Does NOT own: HTTP routes (directory reads, intake writes), who is the same person (dedup), consent, touchpoints,
scores.
"""
