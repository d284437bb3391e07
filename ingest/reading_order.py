"""The order in which boxes on a page are read: columns one after the other, what spans them before or after.

The page is cut into bands: rows from top to bottom as long as one gutter, a strip without ink, runs through all of them. A band
with a gutter between columns is read column by column, each of them in the same way again; all else row by row. A table that was
not recognised and a form have gutters too: their rows stand beside each other and are short, and are read as rows.

Invariants. Every box is in the order once. Pure; knows boxes and type size, not text.
"""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.lines import rows_of
from ingest.types import Bbox

Interval = tuple[float, float]

# A gutter is at least this wide, in type sizes; journals set 10 points between columns of 9 or 10 point type.
_NARROWEST_GUTTER = 0.9
# Columns of running text are at least this wide, in type sizes: 20 characters. What is narrower may be a label or a figure.
_NARROWEST_PROSE = 10
# Boxes beside each other that begin within this many type sizes of the same height stand in one row.
_SAME_HEIGHT = 0.35
# Rows no further above columns than this many type sizes may be theirs.
_CLOSE = 2
# Of a form's or table's narrower side, at least this share has a partner beside it.
_SHARE_BESIDE = 0.6
# Deeper nesting of columns than this is not on paper.
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Column:
    """Rows of boxes that are read from top to bottom: the boxes' numbers, each row from its beginning to its end."""

    rows: tuple[tuple[int, ...], ...]
    left: float
    right: float


@dataclass(slots=True)
class _Band:
    rows: list[list[int]]
    free: list[Interval]
    first_end: float
    last_start: float

    def gutters(self, free: list[Interval]) -> list[Interval]:
        """Those of the strips that have something on both sides."""
        return [one for one in free if self.first_end <= one[0] and one[1] <= self.last_start]


def columns_in_order(boxes: Sequence[Bbox], *, size: float, right_to_left: bool = False) -> list[Column]:
    """The page's columns in the order in which they are read; `size` is that of the body's type, in points."""
    if not boxes:
        return []
    numbers = list(range(len(boxes)))
    return _columns(boxes, numbers, size=size, right_to_left=right_to_left, depth=0)


def _columns(boxes: Sequence[Bbox], numbers: list[int], *, size: float, right_to_left: bool, depth: int) -> list[Column]:
    found: list[Column] = []
    plain: list[list[int]] = []  # rows since the last columns
    for band in _bands(boxes, numbers, narrowest=_NARROWEST_GUTTER * size):
        inside = [number for row in band.rows for number in row]
        gutter = max(band.gutters(band.free), key=lambda one: one[1] - one[0], default=None)
        if gutter is None or depth == _DEEPEST or not _parts_columns(boxes, inside, gutter, size):
            plain.extend(band.rows)
            continue
        while plain and _leads_into(boxes, plain[-1], inside, gutter, size):
            inside = [*plain.pop(), *inside]
        found.extend(_column(boxes, plain, right_to_left=right_to_left))
        plain = []
        sides = [[n for n in inside if boxes[n][2] <= gutter[0]], [n for n in inside if boxes[n][0] >= gutter[1]]]
        for side in reversed(sides) if right_to_left else sides:
            found.extend(_columns(boxes, side, size=size, right_to_left=right_to_left, depth=depth + 1))
    return [*found, *_column(boxes, plain, right_to_left=right_to_left)]


def _leads_into(boxes: Sequence[Bbox], row: list[int], below: list[int], gutter: Interval, size: float) -> bool:
    """Whether a row close above columns leaves their gutter free: their first lines, where one column begins higher."""
    clear = all(boxes[n][2] <= gutter[0] or boxes[n][0] >= gutter[1] for n in row)
    return clear and min(boxes[n][1] for n in below) - max(boxes[n][3] for n in row) < _CLOSE * size


def _column(boxes: Sequence[Bbox], rows: list[list[int]], *, right_to_left: bool) -> list[Column]:
    """The rows as one column, or none where there are none."""
    if not rows:
        return []
    left, right = min(boxes[n][0] for row in rows for n in row), max(boxes[n][2] for row in rows for n in row)
    return [Column(tuple(tuple(reversed(row)) if right_to_left else tuple(row) for row in rows), left, right)]


def _bands(boxes: Sequence[Bbox], numbers: list[int], *, narrowest: float) -> list[_Band]:
    """Runs of rows through which the same gutters pass, from top to bottom."""
    left, right = min(boxes[n][0] for n in numbers), max(boxes[n][2] for n in numbers)
    bands: list[_Band] = []
    for row in ([numbers[i] for i in row] for row in rows_of([boxes[n] for n in numbers])):
        free = _free([(boxes[n][0], boxes[n][2]) for n in row], left, right, narrowest)
        alone = _Band([row], free, min(boxes[n][2] for n in row), max(boxes[n][0] for n in row))
        if bands and (together := _together(bands[-1], alone, narrowest)):
            bands[-1] = together
        else:
            bands.append(alone)
    return bands


def _together(band: _Band, row: _Band, narrowest: float) -> _Band | None:
    """The band with the row added, or None where that leaves no gutter."""
    shared = _intersection(band.free, row.free, narrowest)
    had = band.gutters(band.free)
    longer = _Band(band.rows, shared, min(band.first_end, row.first_end), max(band.last_start, row.last_start))
    if not shared or (had and not longer.gutters(shared)):
        return None
    band.rows.extend(row.rows)
    return longer


def _free(taken: list[Interval], left: float, right: float, narrowest: float) -> list[Interval]:
    """What is not taken between left and right, in strips that are wide enough."""
    free, at = [], left
    for start, end in sorted(taken):
        if start - at >= narrowest:
            free.append((at, start))
        at = max(at, end)
    if right - at >= narrowest:
        free.append((at, right))
    return free


def _intersection(one: list[Interval], other: list[Interval], narrowest: float) -> list[Interval]:
    pairs = ((max(a[0], b[0]), min(a[1], b[1])) for a in one for b in other)
    return [(start, end) for start, end in pairs if end - start >= narrowest]


def _parts_columns(boxes: Sequence[Bbox], inside: list[int], gutter: Interval, size: float) -> bool:
    """Whether what stands on both sides of the gutter is read one side after the other, and not row by row."""
    left = [boxes[n] for n in inside if boxes[n][2] <= gutter[0]]
    right = [boxes[n] for n in inside if boxes[n][0] >= gutter[1]]
    if min(box[1] for box in left) >= max(box[3] for box in right) or min(box[1] for box in right) >= max(box[3] for box in left):
        return False  # one below the other
    if all(len(side) > 1 and _typical_width(side) >= _NARROWEST_PROSE * size for side in (left, right)):
        return True
    fewer, more = sorted((left, right), key=len)
    middles = sorted((box[1] + box[3]) / 2 for box in more)
    beside = sum(_has_near(middles, (box[1] + box[3]) / 2, within=_SAME_HEIGHT * size) for box in fewer)
    return beside < _SHARE_BESIDE * len(fewer)


def _has_near(ordered: list[float], value: float, *, within: float) -> bool:
    place = bisect_left(ordered, value - within)
    return place < len(ordered) and ordered[place] <= value + within


def _typical_width(boxes: list[Bbox]) -> float:
    return statistics.median(box[2] - box[0] for box in boxes)
