"""The directory: finding and reading candidates.

Words: a *filter* is a flat parameter, *criteria* are a tree, `q` is what somebody types into a search box; a *facet*
counts the values of one field over what was found.

Owns: the one function that assembles a candidate as it is answered, over everything below it; the kept counts of
facets, which are the words in use, too; saved searches.

Does NOT own: people, who come in, change and leave through intake; their fields, whose definitions it only shows.
"""
