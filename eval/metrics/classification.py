"""How well scores or decisions fit binary labels, with bootstrap intervals. Label 1 is what is looked for; high scores mean 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from ingest.errors import InputRefused


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % bootstrap interval and the number of items behind it."""

    value: float
    low: float
    high: float
    n: int


def auroc(labels: ArrayLike, scores: ArrayLike) -> float:
    """The chance that a random 1 scores above a random 0; ties count half.

    Raises InputRefused unless both labels occur.
    """
    y, s = _pair(labels, scores)
    positives = int(y.sum())
    negatives = len(y) - positives
    if not positives or not negatives:
        raise InputRefused(f"AUROC needs both labels; seen: {positives} of label 1, {negatives} of label 0.")
    ranks = rankdata(s)
    return float((ranks[y].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def f1(labels: ArrayLike, decisions: ArrayLike) -> float:
    """The harmonic mean of precision and recall for label 1; 0 where nothing was found rightly."""
    y, d = _pair(labels, decisions)
    found = int((y & (d > 0)).sum())
    return 2 * found / (int(y.sum()) + int((d > 0).sum())) if found else 0.0


def recall(labels: ArrayLike, decisions: ArrayLike) -> float:
    """The share of the 1s that were found.

    Raises InputRefused where there is no 1.
    """
    y, d = _pair(labels, decisions)
    if not y.any():
        raise InputRefused(f"recall needs items of label 1; all {len(y)} are of label 0")
    return float((d[y] > 0).mean())


def precision(labels: ArrayLike, decisions: ArrayLike) -> float:
    """The share of 1s in what was decided to be 1.

    Raises InputRefused where nothing was.
    """
    y, d = _pair(labels, decisions)
    if not (d > 0).any():
        raise InputRefused(f"precision needs decisions for label 1; there is none among {len(y)}")
    return float(y[d > 0].mean())


def recall_at_precision(labels: ArrayLike, scores: ArrayLike, *, wanted: float) -> float:
    """The highest recall of any threshold at which the precision is at least `wanted`; 0 where there is none."""
    y, s = _pair(labels, scores)
    order = np.argsort(-s, kind="stable")
    last = np.flatnonzero(np.diff(s[order], append=-np.inf))  # equal scores are decided alike
    found = np.cumsum(y[order])[last]
    enough = found / (last + 1) >= wanted
    return float(found[enough].max() / y.sum()) if enough.any() and y.any() else 0.0


def balanced_accuracy(labels: ArrayLike, decisions: ArrayLike) -> float:
    """The mean of the shares decided rightly among 1s and among 0s.

    Raises InputRefused unless both labels occur.
    """
    y, d = _pair(labels, decisions)
    if y.all() or not y.any():
        raise InputRefused(f"Balanced accuracy needs both labels; all {len(y)} are the same.")
    decided = d > 0
    return float((decided[y].mean() + (~decided[~y]).mean()) / 2)


def bootstrap(
    metric: Callable[[NDArray[np.float64], NDArray[np.float64]], float],
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    groups: Sequence[str] | None = None,
    rounds: int = 1000,
    seed: int = 0,
) -> Estimate:
    """The metric with its 95 % percentile interval, drawing items, or whole `groups` of items that belong together.

    Draws on which the metric is not defined (one label only) are left out.
    """
    y, s = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    names = np.arange(len(y)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    members = np.argsort(names, kind="stable")  # of one group after the other
    sizes = np.bincount(names)
    starts = np.cumsum(sizes) - sizes
    chooser = np.random.default_rng(seed)
    values = []
    for _ in range(rounds):
        picked = chooser.integers(len(sizes), size=len(sizes))
        ends = np.cumsum(sizes[picked])
        drawn = members[np.arange(ends[-1]) + np.repeat(starts[picked] - ends + sizes[picked], sizes[picked])]
        try:
            values.append(metric(y[drawn], s[drawn]))
        except InputRefused:
            continue
    low, high = np.percentile(values, [2.5, 97.5]) if values else (float("nan"), float("nan"))
    return Estimate(metric(y, s), float(low), float(high), len(y))


def _pair(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    y, s = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if y.shape != s.shape or y.ndim != 1 or not len(y):
        raise InputRefused(f"Labels and scores must be two lists of one length, not empty; seen: {y.shape} and {s.shape}.")
    if not np.isin(y, (0, 1)).all() or not np.isfinite(s).all():
        raise InputRefused("Labels must be 0 or 1 and scores finite numbers.")
    return y == 1, s
