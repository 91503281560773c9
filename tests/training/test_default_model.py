"""The shipped model: whole, bounded, and as good as the contract's promise on the first day."""

from itertools import product

import pytest

from app.dedup.frequencies import FILE, share
from app.dedup.levels import LEVELS, NAME
from app.dedup.model import CAP, FLOOR, default_model, frequency, prior, probability
from app.dedup.sides import SEPARATOR
from app.training.corpus import Corpus
from app.training.names import frequencies_text
from app.training.statements import records
from app.training.train import PINNED, bounded, train

_POOLS = (0, 5_000, 100_000, 1_000_000)


def test_every_level_has_a_weight_within_the_bounds() -> None:
    weights = default_model().weights
    assert set(weights) == set(LEVELS)
    assert all(FLOOR - 1e-4 <= weight.bits <= CAP + 1e-4 for weight in weights.values())
    assert {key: weights[key].counted for key in weights} == {key: LEVELS[key].counted for key in LEVELS}


def test_verdicts_and_weights_point_the_same_way() -> None:
    for key, weight in default_model().weights.items():
        verdict = LEVELS[key].verdict
        assert weight.bits < 0 if verdict == "disagree" else weight.bits > 0, key


def _most_common() -> dict[str, float]:
    """The share of the most common full name among all that ship, by column."""
    rows = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines()]
    parts = {
        of: [value for part, column, value, _ in rows if (part, column) == of]
        for of in product(("family", "given"), ("kanji", "key"))
    }
    kanji = max(
        share("name_kanji", a + b) for a, b in product(parts["family", "kanji"][:60], parts["given", "kanji"][:60])
    )
    keys = product(parts["family", "key"], parts["given", "key"])
    return {"name_kanji": kanji, "name_key": max(share("name_key", SEPARATOR.join(sorted(pair))) for pair in keys)}


def test_name_and_mailbox_are_enough_for_every_shipped_name_in_pools_up_to_a_million() -> None:
    model, most = default_model(), _most_common()
    agreeing = [level for level in NAME if level.verdict == "agree" and level.counted]
    for level, pool in product(agreeing, _POOLS):
        shipped = most[level.counted or ""]
        held = frequency(round(shipped * pool), shipped, pool)
        weight = prior(pool) + model.bits("name", level.name, held) + model.bits("email", "shared")
        assert probability(weight) >= 0.99, (level.name, pool)


def test_a_shared_contact_alone_is_never_enough() -> None:
    model = default_model()
    for feature, pool in product(("email", "mobile", "profile_url", "fixed_phone"), _POOLS):
        weight = prior(pool) + model.bits(feature, "shared") + model.bits("name", "given_differs")
        assert probability(weight) < 0.99, (feature, pool)


def test_the_shipped_frequencies_are_those_of_the_people_it_was_trained_on() -> None:
    assert FILE.read_text(encoding="utf-8") == frequencies_text()


def test_a_level_that_was_never_met_weighs_nothing() -> None:
    weights = bounded({("email", "shared"): 0.9}, {("email", "shared"): 0.0})
    assert weights["birth_date", "near"] == (1.0, 1.0)
    assert weights["external_id", "shared"] == PINNED["external_id", "shared"]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_same_seed_makes_the_same_model() -> None:
    corpus = Corpus.of_payloads(record.payload for record in records(400, 5))
    assert train(corpus, 5) == train(corpus, 5)
