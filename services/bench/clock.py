"""How long a part may take, how long things took, and the lines that tell how far the benchmark is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock, in seconds."""

    at_s: float

    @staticmethod
    def after(seconds: float) -> Deadline:
        """The moment so many seconds from now."""
        return Deadline(time.monotonic() + seconds)

    def within(self, seconds: float) -> Deadline:
        """The moment so many seconds from now, or this one where it is earlier."""
        return min(self, Deadline.after(seconds), key=lambda deadline: deadline.at_s)

    @property
    def left_s(self) -> float:
        """Seconds until then, at least 0."""
        return max(0.0, self.at_s - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the moment is over."""
        return self.left_s == 0

    def until(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """The items, as long as the moment is not over."""
        for item in items:
            if self.passed:
                return
            yield item


class Progress:
    """Lines on standard error, with the seconds since the beginning."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Prints one line."""
        print(f"[{time.monotonic() - self._began:5.0f} s] {text}", file=sys.stderr, flush=True)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began


def percentiles(values: Sequence[float], *wanted: int, digits: int = 1) -> dict[str, float]:
    """`{"p50": …}` for each wanted percentile; empty without values."""
    if not values:
        return {}
    return {f"p{name}": round(float(found), digits) for name, found in zip(wanted, np.percentile(values, wanted), strict=True)}
