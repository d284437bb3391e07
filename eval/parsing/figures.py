"""Figures with their n and 95 % intervals: shares, means over files, and ratios of sums.

Shares have Wilson intervals. Means and ratios have bootstrap intervals over files, because the pages and tables of one file are
alike. The same values give the same interval.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Figure = dict[str, float | int]
"""value, low, high, n."""

_RESAMPLES = 2000
_SEED = 20130825


def mean(values: Sequence[float]) -> Figure | None:
    """The mean of one value a file; None where there is none."""
    return ratio(values, [1.0] * len(values))


def ratio(above: Sequence[float], below: Sequence[float], *, n: int | None = None, digits: int = 4) -> Figure | None:
    """The sum of `above` by the sum of `below`, one pair a file; None where there is nothing to divide by. `n` is that of the
    figure where it is not the number of files."""
    parts = np.array([above, below], dtype=np.float64)
    if parts.size == 0 or parts[1].sum() == 0:
        return None
    files = parts.shape[1]
    weights = np.random.default_rng(_SEED).multinomial(files, np.full(files, 1 / files), size=_RESAMPLES)
    sums: NDArray[np.float64] = weights @ parts.T
    drawn = sums[sums[:, 1] > 0]
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    value = parts[0].sum() / parts[1].sum()
    return {
        "value": round(float(value), digits),
        "low": round(float(low), digits),
        "high": round(float(high), digits),
        "n": files if n is None else n,
    }
