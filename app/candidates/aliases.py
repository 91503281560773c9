"""Whom ids mean now, as a part of a statement."""

from typing import Final

MEANT: Final = """(
  select asked.id as asked, coalesce((select a.candidate_id from aliases a where a.old_id = asked.id), asked.id) as id
  from unnest(cast(:ids as uuid[])) as asked(id) offset 0
) as live"""
"""Rows (asked, id) for the parameter `ids`. The offset keeps the expression out of the join with `candidates`: under
row-level security only a bare column is looked up in an index."""

WHO: Final = """(
  select coalesce((select a.candidate_id from aliases a where a.old_id = :id), cast(:id as uuid)) as id offset 0
) as live"""
"""The same of the one parameter `id`."""
