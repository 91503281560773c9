"""Everybody compared with everybody at once: what the doors had to leave open is merged or paired.

Words: a sweep looks at all pairs that share a key; an edge is a pair of candidates with what it weighs; an engine finds
the pairs worth judging (PostgreSQL always, Splink on DuckDB or Spark where their extras are installed).
Owns: the sweep and its engines, the counts of the pool's values, the judging anew of links whose value became generic.
Does NOT own: the rules (dedup), merging and detaching (merges).
"""
