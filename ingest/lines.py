"""Printed lines: what a text layer and OCR both give, and all that layout and tables need to know of a page.

Invariants. A line stands on one baseline and has no gap wider than a word or two, so the cells of a table row are lines of their
own. Boxes are points from the page's top left corner as it is read. This module knows neither PDF nor OCR.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.types import Bbox

# Before Hebrew, no character is written from right to left.
_FIRST_RIGHT_TO_LEFT = "\u0590"


@dataclass(frozen=True, slots=True)
class PrintedWord:
    """A word and where it stands."""

    text: str
    bbox: Bbox


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line without white space around it. `size` is that of its type in points; `aslant` one that is not horizontal."""

    text: str
    bbox: Bbox
    size: float
    bold: bool = False
    aslant: bool = False


class PrintedText(Protocol):
    """What is printed on a page; the words of a line are parts of it, or the line itself where nobody knows their places."""

    @property
    def lines(self) -> Sequence[PrintedLine]:
        """All lines, in no particular order."""
        ...

    @property
    def words(self) -> Sequence[PrintedWord]:
        """The words of all lines."""
        ...


def union(boxes: Iterable[Bbox]) -> Bbox:
    """The smallest box that holds them all."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def holds_middle(outer: Bbox, inner: Bbox) -> bool:
    """Whether the middle of the inner box lies in the outer one."""
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def rows_of(boxes: Sequence[Bbox]) -> list[list[int]]:
    """The boxes' numbers, those that stand beside each other in one row, rows from top to bottom and each from left to right.

    A box stands in the row of another one above it when the middle halves of both touch: line boxes reach into the lines above.
    """
    rows: list[list[int]] = []
    bottom = float("-inf")
    for number in sorted(range(len(boxes)), key=lambda number: _core(boxes[number])):
        top, end = _core(boxes[number])
        if top < bottom:
            rows[-1].append(number)
        else:
            rows.append([number])
            bottom = end
    return [sorted(row, key=lambda number: boxes[number][0]) for row in rows]


def is_right_to_left(text: str) -> bool:
    """Whether more of its letters are written from right to left than from left to right."""
    if text.isascii() or max(text) < _FIRST_RIGHT_TO_LEFT:
        return False
    directions = [unicodedata.bidirectional(character) for character in text]
    return sum(one in ("R", "AL") for one in directions) > directions.count("L")


def _core(box: Bbox) -> tuple[float, float]:
    """The middle half of the box, from top to bottom."""
    quarter = (box[3] - box[1]) / 4
    return box[1] + quarter, box[3] - quarter
