"""The weights of the model, estimated by Splink without looking at any truth.

m, the share of a level among records of one person, comes from expectation maximisation over pairs that share a
contact. u, its share among records of two people, comes from random pairs; for levels that random pairs hardly meet,
it is counted over all pairs that another feature rules out: those whose names contradict each other (for the name:
whose birth dates differ), so that true matches, which nobody has marked, do not count as chance.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import duckdb
from splink import Linker

from app.dedup import model
from app.dedup.levels import CONTRADICTING, LEVELS
from app.dedup.model import CAP, DUPLICATES, FLOOR
from app.kit.process import StartError
from app.training.columns import prepare
from app.training.corpus import Corpus, pairs_of
from app.training.engine import Engine
from app.training.name_sql import MISSING
from app.training.settings import Weights, settings

PINNED: Final = {
    ("external_id", "shared"): (0.999_999, 0.999_999 * 2.0**-CAP),
    ("external_id", "not_shared"): (2.0**FLOOR, 1.0),
}
"""A source gives an id once: equal ids weigh the most that a level may, other ids (if each has one) the least."""

_RANDOM_PAIRS: Final = 2e6
_CONTACTS: Final = ("emails[1]", "mobiles[1]", "urls[1]")
"""Records that share the first of these are mostly one person's: on them the other features are learnt."""

_SOME: Final = 1_000
_NAME: Final = "name_level(l.name, r.name, l.spelled, r.spelled)"
_APART: Final = f"{_NAME} in ({', '.join(repr(level) for level in sorted(CONTRADICTING))})"
_OTHER_BIRTH: Final = "damerau_levenshtein(l.birth_date, r.birth_date) > 2"
_LISTS: Final = {"email": "emails", "mobile": "mobiles", "fixed_phone": "fixed_phones", "profile_url": "urls"}
_RARE_NAMES: Final = ("kanji", "reading", "swapped")
_DIGITS: Final = 6

DEFAULT: Final = Path(model.__file__).with_name("default_model.json")
"""The model that ships with the service."""

Key = tuple[str, str]
"""A comparison and its level."""

Say = Callable[[str], None]


def train(corpus: Corpus, seed: int, say: Say = lambda _: None) -> dict[str, Any]:
    """Return a model as JSON for Splink and for app.dedup.model; the same one for the same records and seed.

    `say` is told what is being done. Raises StartError when no two records share a contact.
    """
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.register("features", corpus.table)
        prepare(connection, "features", "people", generic=corpus.generic)
        contacts = [each for each in _CONTACTS if _is_shared(connection, each)]
        if not contacts:
            raise StartError(
                "No two records share an e-mail, a mobile or a profile URL: there is nothing to learn from."
            )
        say("Estimating u from random pairs.")
        linker = _linker(connection, {})
        linker.training.estimate_u_using_random_sampling(max_pairs=_RANDOM_PAIRS, seed=seed)
        sampled = _shares(linker, "u_probability")
        say("Counting pairs that are ruled out.")
        chance = sampled | _counted(connection, seed)
        linker = _linker(connection, chance)
        for contact in contacts:
            say(f"Estimating m from records that share {contact}.")
            linker.training.estimate_parameters_using_expectation_maximisation(
                f"l.{contact} = r.{contact}", estimate_without_term_frequencies=True
            )
        return settings(bounded(_shares(linker, "m_probability"), chance))


def _is_shared(connection: duckdb.DuckDBPyConnection, contact: str) -> bool:
    twice = f"select 1 from people where {contact} is not null group by {contact} having count(*) > 1 limit 1"
    return bool(connection.execute(twice).fetchall())


def _linker(connection: duckdb.DuckDBPyConnection, chance: Mapping[Key, float]) -> Linker:
    """Return Splink with the comparisons that are to be trained and the u that are known."""
    stated = settings()
    stated["comparisons"] = [each for each in stated["comparisons"] if each["output_column_name"] != "external_id"]
    for comparison in stated["comparisons"]:
        for level in comparison["comparison_levels"]:
            level.pop("tf_adjustment_column", None)
            if known := chance.get((comparison["output_column_name"], level["label_for_charts"])):
                level["u_probability"] = known
    people = Engine(connection=connection).register("people")
    stated["probability_two_random_records_match"] = DUPLICATES / people.as_duckdbpyrelation().shape[0]
    return Linker(people, stated)


def _shares(linker: Linker, share: str) -> dict[Key, float]:
    """Return the m or the u of Splink's model; levels that were never met are absent."""
    return {
        (comparison["output_column_name"], level["label_for_charts"]): level[share]
        for comparison in linker.misc.save_model_to_json()["comparisons"]
        for level in comparison["comparison_levels"]
        if share in level
    }


def _counted(connection: duckdb.DuckDBPyConnection, seed: int) -> dict[Key, float]:
    """Return u of equality levels, counted over all pairs that another feature rules out."""
    apart, comparable = connection.execute(
        f"""with few as (select * from people order by hash(record_id, {seed}) limit {_SOME})
        select avg(({_APART})::int), avg(({_NAME} != '{MISSING}')::int) from few as l, few as r
        where l.record_id < r.record_id"""
    ).fetchall()[0]
    found = {("birth_date", "equal"): _share(connection, "birth_date", "[birth_date]", _APART, apart)}
    for comparison, column in _LISTS.items():
        found[comparison, "shared"] = _share(connection, column, column, _APART, apart)
        found[comparison, "not_shared"] = 1 - found[comparison, "shared"]
    for level in _RARE_NAMES:
        names = "list_distinct(list_filter([name_kanji, name_key], lambda x: x is not null))"
        other_birth = f"{_NAME} = '{level}' and {_OTHER_BIRTH}"
        found["name", level] = _share(connection, "birth_date", names, other_birth, comparable)
    return found


def _share(connection: duckdb.DuckDBPyConnection, shown: str, values: str, ruled_out: str, among: float) -> float:
    """Return the share of pairs that have one of `values` in common, of all pairs that are ruled out.

    `shown` is the column that both must show; `among`, in 0..1, is how many of their pairs are ruled out. No such pair
    counts as one.
    """
    met, many = connection.execute(
        f"""with shown as (select * from people where {shown} is not null),
        each_value as (select record_id, unnest({values}) as value from shown),
        pairs as (select distinct a.record_id as left_id, b.record_id as right_id
            from each_value as a join each_value as b on a.value = b.value and a.record_id < b.record_id)
        select count(*) filter ({ruled_out}), (select count(*) from shown)
        from pairs join shown as l on l.record_id = left_id join shown as r on r.record_id = right_id"""
    ).fetchall()[0]
    return float(max(met, 1) / max(pairs_of(many) * among, 1))


def bounded(telling: Mapping[Key, float], chance: Mapping[Key, float]) -> Weights:
    """Return m and u of every level, no weight beyond FLOOR and CAP; a level that was never met weighs nothing.

    Names that contradict each other have one weight, whether or not the family name is equal: relatives share that with
    much else, a telephone, a birthday, so beside another given name it says nothing on its own.
    """
    m, u = ({key: _together(key, shares) for key in LEVELS} for shares in (telling, chance))
    return {key: PINNED.get(key) or bounded_weight(m[key], u[key]) for key in LEVELS}


def _together(key: Key, shares: Mapping[Key, float]) -> float | None:
    if key[0] != "name" or key[1] not in CONTRADICTING:
        return shares.get(key)
    return sum(shares.get(("name", level), 0.0) for level in CONTRADICTING) or None


def bounded_weight(m: float | None, u: float | None) -> tuple[float, float]:
    """Return m and u, in 0..1, of a level so that it weighs FLOOR bits at least and CAP at most; None: never met."""
    u = u or m or 1.0
    m = max(m or u, u * 2.0**FLOOR)
    return _rounded(m), _rounded(max(u, m * 2.0**-CAP))


def _rounded(share: float) -> float:
    return float(f"{share:.{_DIGITS}g}")
