"""A tall picture (a receipt, a page of a screen, a log) as strips that are read one by one.

A detector of lines looks at a picture of a fixed size: what is much taller than a page is shrunk until nothing can be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.ocr.base import Pixels

# A strip is at most this many times as high as it is wide, as a page is; a picture little taller than that is left whole.
_TALLEST = 1.5
_LEFT_WHOLE = 2.0
# A strip ends at the row with the least ink in its last part, so that no line is cut.
_LAST_PART = 0.3


def strips_of(pixels: Pixels) -> Iterator[tuple[int, Pixels]]:
    """The strips from top to bottom, each with the row of the picture at which it begins; the whole picture where it is no taller
    than a page."""
    height, width = pixels.shape[:2]
    longest = int(width * _TALLEST) + 1
    top = 0
    while height - top > width * _LEFT_WHOLE:
        end = _emptiest_row(pixels, top + 1 + int(longest * (1 - _LAST_PART)), top + 1 + longest)
        yield top, pixels[top:end]
        top = end
    yield top, pixels[top:]


def _emptiest_row(pixels: Pixels, first: int, last: int) -> int:
    """The row from `first` on and before `last` in which the least changes from left to right; of equal ones the middle of the
    first run, far from the print on both sides."""
    import numpy

    green = pixels[first:last, :, 1].astype(numpy.int16)
    changes = numpy.abs(numpy.diff(green, axis=1)).sum(axis=1)
    emptiest = numpy.flatnonzero(changes == changes.min())
    run = emptiest[: 1 + next((n for n, gap in enumerate(numpy.diff(emptiest)) if gap > 1), len(emptiest) - 1)]
    return first + int(run[len(run) // 2])
