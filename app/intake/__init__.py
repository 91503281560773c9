"""The one door: whatever says something about a person comes in here, and is matched on its way.

Words: a statement is what somebody says about one person; its admission is what became of it.
Owns: the routes that write candidates; the order of locks, matching and writing; the outcome of each statement.
Does NOT own: the rules of matching (dedup), what a profile is (candidates), reading (directory).
"""
