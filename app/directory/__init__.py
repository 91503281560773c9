"""The directory: finding and reading candidates.

Words: a *filter* is a flat parameter, *criteria* are a tree, `q` is what somebody types into a search box; a *facet*
counts the values of one field over what was found.

Owns: no table; the one function that assembles a candidate as it is answered, over everything below it.

Does NOT own: any write; people come in, change and leave through intake.
"""
