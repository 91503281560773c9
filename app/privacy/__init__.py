"""People who are to be forgotten.

Words: an erasure is the forgetting of one person in every table, in one transaction; a trace is a value by which they
could be told in rows that do not name their id; a tombstone is the empty row of nobody that what must be counted still
belongs to; an acknowledgement is another system's word that it has forgotten them, too.
Owns: erasures, erasure_acks, the order in which everybody forgets.
Does NOT own: what each slice knows of a person and how it forgets that, the suppressions that block a return (consent),
the pages where a person asks for it (pages).
"""
