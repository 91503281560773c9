"""Figures by hand, and a picture that a reader of XML can read."""

from xml.etree import ElementTree as ET

import pytest

from app.training.measure import Scored, Truth, b_cubed, clusters_of, curve, of_clusters, of_pairs
from app.training.picture import draw

_TRUTH = Truth(["ann", "ann", "ann", "bob", "bob"], [0] * 5)
_FOUND = [Scored(0, 1, 9.0), Scored(1, 2, 7.0), Scored(2, 3, 5.0)]


def test_pairs_are_counted_against_all_pairs_of_one_person() -> None:
    figures = of_pairs(_FOUND, _TRUTH)
    assert figures == (2, 1, 4)
    assert figures.precision == pytest.approx(2 / 3)
    assert figures.recall == 0.5
    assert figures.f1 == pytest.approx(4 / 7)


def test_between_two_files_pairs_within_one_do_not_count() -> None:
    truth = Truth(["ann", "ann", "ann", "bob"], [0, 0, 1, 1])
    assert truth.pairs == 2
    assert not truth.is_asked(0, 1)


def test_clusters_by_pairs_and_by_records() -> None:
    clusters = clusters_of(_FOUND, 5)
    assert clusters == [0, 0, 0, 0, 4]
    assert of_clusters(clusters, _TRUTH) == (3, 3, 4)
    found = b_cubed(clusters, _TRUTH)
    assert found.precision == pytest.approx((3 * 3 / 4 + 1 / 4 + 1) / 5)
    assert found.recall == pytest.approx((3 + 2 * 1 / 2) / 5)


def test_the_curve_goes_from_the_heaviest_pair_down() -> None:
    points = [(point.weight, round(point.precision, 3), point.recall) for point in curve(_FOUND, _TRUTH)]
    assert points == [(9.0, 1.0, 0.25), (7.0, 1.0, 0.5), (5.0, 0.667, 0.5)]


@pytest.mark.parametrize("found", [[], _FOUND])
def test_the_picture_shows_the_curve_and_right_beside_wrong(found: list[Scored]) -> None:
    picture = ET.fromstring(draw("A & B", found, _TRUTH))  # noqa: S314 (our own)
    text = "".join(picture.itertext())
    assert "A & B" in text
    assert "recall" in text
    assert ("two people" in text) is bool(found)
