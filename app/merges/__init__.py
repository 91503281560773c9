"""Two candidates become one person, and two again.

Words: the survivor keeps their id, the loser becomes part of them; the plan says before what a merge will do; what came
in between is what was written after a merge and before its undoing; a record is detached when it was never about them.
Owns: merges; the order of locks when people become one or two; what goes back where; decisions on pairs.
Does NOT own: who may be one person (dedup), what a profile is (candidates), how the rows of a slice move (each slice's
merging.py).
"""
