"""Criteria: the questions that pools, searches, branches and fit rules ask about one candidate.

Words: a *tree* is made of `all`, `any`, `not` and *leaves*; a leaf asks one *field* with one *op* and one
*value*; *facts* are the plain mapping of one candidate that a field reads.

Owns: the tree's grammar, its two-valued logic, its Python predicate, its SQL compiler and how text is folded.
Does NOT own: any field (each slice declares its own: its name, how it is read, which SQL it is), a table, a route.
"""
