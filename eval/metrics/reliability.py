"""How far probabilities can be taken at their word: Brier score, calibration error, the bins of a reliability diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """The items whose probability lies in [low, high): their mean probability, and the share of them that are 1."""

    low: float
    high: float
    mean: float
    share: float
    n: int


def brier(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """The mean squared distance of probability and label: 0 is perfect, .25 is what always saying .5 gets."""
    return float(np.mean((np.asarray(probabilities, dtype=np.float64) - np.asarray(labels, dtype=np.float64)) ** 2))


def reliability(labels: ArrayLike, probabilities: ArrayLike, *, bins: int = BINS) -> list[Bin]:
    """Bins of equal width that hold anything, from low to high; 1 itself belongs to the last."""
    y, p = np.asarray(labels, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    places = np.minimum((p * bins).astype(int), bins - 1)
    found = []
    for place in np.unique(places):
        inside = places == place
        mean, share = float(p[inside].mean()), float(y[inside].mean())
        found.append(Bin(float(place / bins), float((place + 1) / bins), mean, share, int(inside.sum())))
    return found


def calibration_error(bins: Sequence[Bin]) -> float:
    """The mean distance of a bin's probability and its share of 1, weighted by its items (Guo 2017, `ECE`)."""
    return sum(one.n * abs(one.mean - one.share) for one in bins) / sum(one.n for one in bins)
