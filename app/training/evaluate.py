"""Evaluation of a file with the truth in it: what our scorer finds, beside what Splink finds with the same weights."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from app.training.files import Source, Stated
from app.training.measure import BCubed, Figures, Scored, b_cubed, clusters_of, of_clusters, of_pairs

THRESHOLDS: Final = (0.5, 0.95, 0.99)
AUTOMATIC: Final = "automatic"
_SEED: Final = 1


class Line(NamedTuple):
    """The figures at one threshold: of pairs as they are scored, and of the clusters that they make."""

    threshold: str
    pairs: Figures
    clusters: Figures
    b_cubed: BCubed


@dataclass(frozen=True)
class Evaluated:
    """Scored pairs of a file."""

    source: Source
    scored: Sequence[Scored]

    def lines(self) -> Iterator[Line]:
        """Yield the figures at each threshold, then those of the automatic rule where the file is of candidates."""
        for threshold in THRESHOLDS:
            least = math.log2(threshold / (1 - threshold))
            yield self._line(f"{threshold:g}", [each for each in self.scored if each.weight >= least])
        if linked := [each for each in self.scored if each.is_automatic]:
            yield self._line(AUTOMATIC, linked)

    def _line(self, threshold: str, found: Sequence[Scored]) -> Line:
        truth, most = self.source.truth, self.source.most
        clusters = clusters_of(found, len(truth.people), most, self.source.contradict)
        return Line(threshold, of_pairs(found, truth), of_clusters(clusters, truth), b_cubed(clusters, truth))


class Evaluation(NamedTuple):
    """What our scorer found and, where it was asked for, what Splink found."""

    ours: Evaluated
    splinks: Evaluated | None


def evaluate(source: Source, stated: Stated | None, *, with_splink: bool) -> Evaluation:
    """Score a file by a model; without one by the shipped one, or one that is trained on it with the truth unseen."""
    model = stated or source.shipped() or source.train(_SEED, lambda _: None)
    ours = _asked(source, source.score(model))
    return Evaluation(ours, _asked(source, source.score_by_splink(model)) if with_splink else None)


def _asked(source: Source, scored: Iterator[Scored]) -> Evaluated:
    """Leave out pairs within a file, where two files are matched against each other."""
    return Evaluated(source, [each for each in scored if source.truth.is_asked(each.left, each.right)])
