"""What a company can offer somebody to read, watch or visit.

Words: a content is one item of a kind (article, interview, event, job) with topics; archived, it is offered no more.
Owns: contents.
Does NOT own: which content suits whom (sequences), the page behind its URL (the tenant's web site).
"""
