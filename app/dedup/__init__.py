"""Who is who: which records are about one person, decided by rules that name their evidence.

Words: a record key is a hashed value under which a record is filed and looked up; a pair is two candidates that may be
one person; a decision is an edge between two records with its reason; generic is a value that too many people share.
Owns: record_keys, key_stats, link_decisions, candidate_pairs, dedup_policies; the rules; the locks of matching.
Does NOT own: what is stored of a person (candidates), how statements come in (intake).
"""
