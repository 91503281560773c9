"""The weights of the model, estimated by Splink without looking at any truth.

m, the share of a level among records of one person, comes from expectation maximisation over pairs that share a
contact. u, its share among records of two people, comes from random pairs; of levels that random pairs hardly meet it is
counted over all pairs that another feature rules out: those whose names contradict each other (for the name: whose birth
dates differ), so that true matches, which nobody has marked, do not count as chance.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import duckdb
from splink import DuckDBAPI, Linker

from app.dedup.levels import COMPARISONS, CONTRADICTING
from app.dedup.model import CAP, DUPLICATES, FLOOR
from app.training.columns import prepare
from app.training.corpus import Corpus
from app.training.settings import CONDITIONS, KEY_RULE, Weights, settings

PINNED: Final = {
    ("external_id", "shared"): (0.999_999, 0.999_999 * 2.0**-CAP),
    ("external_id", "not_shared"): (2.0**FLOOR, 1.0),
}
"""A source gives an id once: equal ids weigh as much as any level may, other ids in a source of one id each as little."""

_RANDOM_PAIRS: Final = 2e6
_CONTACTS: Final = ("emails[1]", "mobiles[1]", "urls[1]")
"""Records that share the first of these are mostly one person's: on them the other features are learnt."""

_LISTS: Final = {"email": "emails", "mobile": "mobiles", "fixed_phone": "fixed_phones", "profile_url": "urls"}
_RARE_NAMES: Final = ("kanji", "reading", "swapped")
_DIGITS: Final = 6

Say = Callable[[str], None]


def train(corpus: Corpus, seed: int, say: Say = lambda _: None) -> dict[str, Any]:
    """Return a model as JSON for Splink and for app.dedup.model; the same one for the same records and seed."""
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.register("features", corpus.table)
        prepare(connection, "features", "people", generic=corpus.generic, kept=["keys"])
        say("Estimating from random pairs.")
        linker = _linker(connection, len(corpus.statements))
        linker.training.estimate_u_using_random_sampling(max_pairs=_RANDOM_PAIRS, seed=seed)
        found = _levels(linker, "u_probability")
        say("Counting pairs that are ruled out.")
        chance = found | _counted(connection, found)
        _set_chance(linker, chance)
        for contact in _CONTACTS:
            say(f"Expectation maximisation over records that share {contact}.")
            linker.training.estimate_parameters_using_expectation_maximisation(
                f"l.{contact} = r.{contact}", estimate_without_term_frequencies=True
            )
        return settings(bounded(_levels(linker, "m_probability"), chance))


def _linker(connection: duckdb.DuckDBPyConnection, many: int) -> Linker:
    stated = settings()
    stated["comparisons"] = [each for each in stated["comparisons"] if each["output_column_name"] != "external_id"]
    for comparison in stated["comparisons"]:
        for level in comparison["comparison_levels"]:
            level.pop("tf_adjustment_column", None)
            level.pop("disable_tf_exact_match_detection", None)
    stated |= {
        "probability_two_random_records_match": DUPLICATES / many,
        "blocking_rules_to_generate_predictions": [KEY_RULE],
    }
    api = DuckDBAPI(connection=connection)
    return Linker(api.register("people"), stated)
