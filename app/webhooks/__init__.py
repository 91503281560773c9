"""How other systems learn what happened: the change feed.

Words: a change is one entry of the gap-free feed; `seq` rises strictly within a tenant.
Owns: reading the feed (`/v1/changes`, its stream) and the list of event types.
Does NOT own: the feed's table and its numbering (`kit.outbox`), the events themselves (each slice's `events.py`).
"""
