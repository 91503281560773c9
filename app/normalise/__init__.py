"""Words: folded text, reading, romaji key, name features, verdict, match key, blocking key, search term.

Owns: how names, e-mails, phone numbers, profile URLs, companies and dates are read, folded and compared.
All of it is pure: the same input gives the same output for one version of the normaliser.
Does not own: what is stored, which values are generic in a pool, weights and decisions about people.
"""
