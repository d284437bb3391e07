"""Reading order of printed lines that come in none, and which of them make a paragraph.

Lines are read in rows from the top, each from the left, unless they stand in columns of running text: then column by
column, between the lines that go across. A table's columns are no such columns: its cells are short for the room they have.
This is the one seam where OCR meets layout: another ordering needs these two functions and nothing else.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from ingest.ocr.base import OcrLine

# A column of running text: so many lines, so many line heights wide, and lines that fill so much of it.
_LEAST_LINES = 3
_LEAST_WIDTH = 9.0
_LEAST_FILLED = 0.6
# Titles and footers go across the gutter between two columns; text that is set in one column does so everywhere.
_MOST_ACROSS = 0.3
# Lines of a paragraph stand closer than this, in line heights from one's foot to the next one's head.
_WIDEST_GAP = 0.75


def in_reading_order(lines: Sequence[OcrLine]) -> list[OcrLine]:
    """All the lines, in the order in which they are read."""
    gutter = _gutter(lines)
    if gutter is None:
        return _by_rows(lines)
    ordered: list[OcrLine] = []
    rest = [line for line in lines if not _crosses(line, gutter)]
    for across in sorted((line for line in lines if _crosses(line, gutter)), key=_middle):
        above = [line for line in rest if _middle(line) < _middle(across)]
        rest = [line for line in rest if _middle(line) >= _middle(across)]
        ordered += [*_columns(above, gutter), across]
    return ordered + _columns(rest, gutter)


def paragraphs(ordered: Sequence[OcrLine]) -> list[list[OcrLine]]:
    """The lines, in the order given, parted where the print leaves room or a column ends."""
    parted: list[list[OcrLine]] = []
    for line in ordered:
        if parted and _goes_on(parted[-1][-1], line):
            parted[-1].append(line)
        else:
            parted.append([line])
    return parted


def _columns(lines: Sequence[OcrLine], gutter: float) -> list[OcrLine]:
    left = [line for line in lines if line.bbox[2] <= gutter]
    right = [line for line in lines if line.bbox[2] > gutter]
    return in_reading_order(left) + in_reading_order(right)


def _gutter(lines: Sequence[OcrLine]) -> float | None:
    """Where a column of running text ends and another is to its right; None where there is no such place."""
    if len(lines) < 2 * _LEAST_LINES:
        return None
    best: tuple[int, float] | None = None
    for edge in sorted({line.bbox[2] for line in lines}):
        across = sum(_crosses(line, edge) for line in lines)
        if (best is None or across < best[0]) and across <= _MOST_ACROSS * len(lines):
            left = [line for line in lines if line.bbox[2] <= edge]
            right = [line for line in lines if line.bbox[0] >= edge]
            if _is_column(left) and (_is_column(right) or _gutter(right) is not None) and _side_by_side(left, right):
                best = across, edge
    return best[1] if best else None


def _is_column(lines: Sequence[OcrLine]) -> bool:
    if len(lines) < _LEAST_LINES:
        return False
    width = max(line.bbox[2] for line in lines) - min(line.bbox[0] for line in lines)
    height = statistics.median(line.height for line in lines)
    return width >= _LEAST_WIDTH * height and statistics.median(line.width for line in lines) >= _LEAST_FILLED * width


def _side_by_side(left: Sequence[OcrLine], right: Sequence[OcrLine]) -> bool:
    """Whether the two stand next to each other for more than half of the shorter one's height."""
    top, foot = zip(
        *((min(line.bbox[1] for line in side), max(line.bbox[3] for line in side)) for side in (left, right)), strict=True
    )
    return bool(min(foot) - max(top) > 0.5 * min(foot[0] - top[0], foot[1] - top[1]))


def _by_rows(lines: Sequence[OcrLine]) -> list[OcrLine]:
    rows: list[list[OcrLine]] = []
    for line in sorted(lines, key=_middle):
        if rows and _same_row(rows[-1][-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda one: one.bbox[0])]


def _same_row(one: OcrLine, other: OcrLine) -> bool:
    return abs(_middle(one) - _middle(other)) < 0.5 * min(one.height, other.height)


def _goes_on(before: OcrLine, line: OcrLine) -> bool:
    if _same_row(before, line):
        return before.bbox[0] < line.bbox[0]
    gap = line.bbox[1] - before.bbox[3]
    return bool(_middle(line) > _middle(before) and gap < _WIDEST_GAP * min(before.height, line.height))


def _crosses(line: OcrLine, x: float) -> bool:
    return line.bbox[0] < x < line.bbox[2]


def _middle(line: OcrLine) -> float:
    return (line.bbox[1] + line.bbox[3]) / 2
