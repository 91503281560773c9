"""Where the weights of matching come from: people made up with the truth about them, training by Splink, evaluation.

Words: a recipe is the comparisons and blocking rules for one kind of file; truth is which records are one person.
Owns: the generator of people, Splink's settings for the comparisons of app.dedup, the training of the shipped model,
the figures of evaluation. Does NOT own: what the comparisons are (dedup), the sweep of a tenant's pool.
Needs the extra `bulk`; only the command line and the sweep by DuckDB load it.
"""
