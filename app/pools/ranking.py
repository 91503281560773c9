"""Who of a pool is first by score, at one moment.

Within one fit the index of scores holds people in the order of their value, whatever the time: the best of everybody
are the heads of a few of its ranges, and the first of a large pool are among them. Where too few of them are, or the
pool is small, the value of every member is computed. Both ways compute it alike, so that pages may go from one to the
other.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.kit.db import Session
from app.pools.models import Pool
from app.scores.curve import Curve
from app.scores.ranking import elapsed, height

Ranked = tuple[float, UUID]
"""A score, and whose it is."""
LARGE: Final = 2_000
"""The values of so many members are computed in some milliseconds."""
LOOKED_AT: Final = 5_000
"""So many of everybody are looked at before every member's value is computed."""
YIELD: Final = 20
"""A page is worth the look while one in so many of them is enough for it."""
FITS: Final = 20
_TOLERANCE: Final = 1e-9
"""In points: two ways of computing one value are not so far apart. A threshold is inclusive for whoever is so near."""

_VERSION: Final = """select coalesce(
  (select version from score_models where key = :model and state = 'published'), 1)"""
"""A value of its own: under row-level security no index is searched by what a part of the statement finds."""
_SERVING: Final = "s.model_key = :model and s.model_version = :version"
_VALUE: Final = height(":days / s.half_life_days", "s.")
_AFTER: Final = """(cast(:last as uuid) is null or value < :last_value
  or (value = :last_value and candidate_id > :last))"""
_EVERY: Final = f"""
select value, candidate_id from (
  select m.candidate_id, coalesce({_VALUE}, 0) as value
  from pool_members m left join scores s on s.candidate_id = m.candidate_id and {_SERVING}
  where m.pool_id = :pool
) as ranked where (cast(:threshold as float8) is null or value >= :threshold) and {_AFTER}
"""  # noqa: S608 (constants)
_PAGE: Final = f"{_EVERY} order by value desc, candidate_id limit :limit"
_COUNT: Final = f"select count(*) from ({_EVERY} limit :limit) as counted"  # noqa: S608 (constants)
_FITS: Final = f"""
with recursive fits as (
  (select s.fit, s.half_life_days from scores s where {_SERVING} order by s.fit limit 1)
  union all
  select next.fit, next.half_life_days from fits cross join lateral (
    select s.fit, s.half_life_days from scores s where {_SERVING} and s.fit > fits.fit order by s.fit limit 1
  ) as next
)
select fit, half_life_days from fits limit :most
"""  # noqa: S608 (constants)
_BEST: Final = f"""
with best as materialized (
  select s.candidate_id, {_VALUE} as value
  from unnest(cast(:fits as float8[]), cast(:half_lives as float8[]), cast(:tops as float8[]))
    as f(fit, half_life_days, top)
  cross join lateral (
    select s.candidate_id, s.fit, s.rank_key, f.half_life_days from scores s
    where {_SERVING} and s.fit = f.fit and s.rank_key <= f.top
    order by s.rank_key desc, s.candidate_id limit :looked_at
  ) as s order by value desc, s.candidate_id limit :looked_at
)
select value, candidate_id, (select min(value) from best having count(*) = :looked_at) as floor
from best where {_AFTER}
  and exists (select from pool_members m where m.pool_id = :pool and m.candidate_id = best.candidate_id)
order by value desc, candidate_id limit :limit
"""  # noqa: S608 (constants)


class RankedRepository:
    """The members of a pool at or above its threshold, the highest score first, then by id."""

    def __init__(self, session: Session, pool: Pool, as_of: datetime) -> None:
        self.session = session
        self.as_of = as_of
        self.threshold = None if pool.threshold is None else pool.threshold - _TOLERANCE
        self.asked: dict[str, Any] = {
            "pool": pool.id,
            "model": pool.score_model,
            "days": elapsed(as_of, half_life_days=1),
        }

    async def page(self, after: Ranked | None, limit: int) -> list[Ranked]:
        """Return the next `limit` of them."""
        await self._find_version()
        if limit * YIELD <= LOOKED_AT and await self._is_large():
            found = await self._among_the_best(after, limit)
            if found is not None:
                return found
        rows = await self.session.rows(_PAGE, **self._from(after), limit=limit)
        return [(row.value, row.candidate_id) for row in rows]

    async def count(self, at_most: int) -> int:
        """Count them, up to one more than `at_most`."""
        await self._find_version()
        return int(await self.session.value(_COUNT, **self._from(None), limit=at_most + 1))

    async def _find_version(self) -> None:
        """Find out which version of the model serves; the default model's first one is no row."""
        if "version" not in self.asked:
            self.asked["version"] = await self.session.value(_VERSION, **self.asked)

    async def _is_large(self) -> bool:
        counted = "select count(*) from (select from pool_members where pool_id = :pool limit :large) as counted"
        return bool(await self.session.value(counted, **self.asked, large=LARGE) == LARGE)

    async def _among_the_best(self, after: Ranked | None, limit: int) -> list[Ranked] | None:
        """Return the next `limit` if they are among the best of everybody, None if that cannot be said.

        Whoever is not scored has a value of 0, and is not among them.
        """
        fits = await self.session.rows(_FITS, **self.asked, most=FITS + 1)
        if len(fits) > FITS:
            return None
        rows = await self.session.rows(
            _BEST,
            **self._from(after),
            fits=[row.fit for row in fits],
            half_lives=[row.half_life_days for row in fits],
            tops=[self._top(row, after) for row in fits],
            looked_at=LOOKED_AT,
            limit=limit,
        )
        return self._certain(rows, limit)

    def _certain(self, rows: Sequence[Any], limit: int) -> list[Ranked] | None:
        least = self.threshold if self.threshold is not None else float("-inf")
        floor = max(0.0, rows[0].floor or 0.0) if rows else float("inf")
        found = [(row.value, row.candidate_id) for row in rows if row.value > floor and row.value >= least]
        return found if len(found) == limit or least > floor else None

    def _top(self, fit: Any, after: Ranked | None) -> float:  # noqa: ANN401 (a row)
        """Return the key from which on people of this fit can come after that place."""
        if after is None:
            return float("inf")
        return Curve(fit.fit, after[0] - fit.fit + _TOLERANCE, self.as_of, fit.half_life_days).rank_key

    def _from(self, after: Ranked | None) -> dict[str, Any]:
        value, candidate_id = after or (0.0, None)
        return {**self.asked, "threshold": self.threshold, "last": candidate_id, "last_value": value}
