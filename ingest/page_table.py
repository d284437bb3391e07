"""A table as cells, and how it is written: as Markdown rows, the first one above a row of dashes.

Pure; knows neither how tables are found nor pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.lines import holds_middle
from ingest.types import Bbox, Span

COLUMN_MARK = " | "
"""Between the cells of a row, wherever a table is text."""

_DASHES = "---"
# More rows of names than these are not a header.
_MOST_HEADER_ROWS = 3
_LONGEST_HEADER = 400
_FIGURE = re.compile(r"[\s\d.,'’%‰+\-–—−()$€£¥￥/*]*\d[\s\d.,'’%‰+\-–—−()$€£¥￥/*]*")
_YEAR = re.compile(r"(?:19|20)\d\d(?:\s*[-–/]\s*\d{2,4})?")


@dataclass(frozen=True, slots=True)
class TableOnPage:
    """A table's rows, each cell with its box. Cells that a span covers are empty.

    `spans` holds row, column, number of rows and number of columns of each cell that takes more than one place.
    """

    bbox: Bbox
    rows: tuple[tuple[str, ...], ...]
    cell_boxes: tuple[tuple[Bbox, ...], ...]
    spans: tuple[Span, ...] = ()

    def contains(self, box: Bbox) -> bool:
        """Whether the middle of the box lies inside the table."""
        return holds_middle(self.bbox, box)

    def mirrored(self) -> TableOnPage:
        """The table with its last column first."""
        width = len(self.rows[0])
        spans = tuple((row, width - column - columns, rows, columns) for row, column, rows, columns in self.spans)
        rows = [list(row) for row in self.rows]
        boxes = [list(row) for row in self.cell_boxes]
        for row, first, _, columns in self.spans:  # a cell stands at the first of its places
            last = first + columns - 1
            rows[row][first], rows[row][last] = rows[row][last], rows[row][first]
            boxes[row][first], boxes[row][last] = boxes[row][last], boxes[row][first]
        turned = tuple(tuple(reversed(row)) for row in rows), tuple(tuple(reversed(row)) for row in boxes)
        return TableOnPage(self.bbox, *turned, spans)


def dashes_below(row: Sequence[str]) -> str:
    """The row that stands below the first row of a table in Markdown."""
    return COLUMN_MARK.join(_DASHES for _ in row)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """The table as its text on a page."""
    written = [COLUMN_MARK.join(row) for row in rows]
    return "\n".join([*written[:1], *(dashes_below(row) for row in rows[:1]), *written[1:]])


def is_dashes(row: str) -> bool:
    """Whether the written row is one of dashes."""
    return set(row.split(COLUMN_MARK)) == {_DASHES}


def header_row_count(rows: Sequence[Sequence[str]]) -> int:
    """How many of the first rows name the columns: two names or more in the last of them, and no figure but a year; 0 where there
    is none, or nothing else."""
    count = 0
    for row in rows[:_MOST_HEADER_ROWS]:
        filled = [cell for cell in row if cell]
        if any(is_figure(cell) and not is_year(cell) for cell in filled):
            break
        count += 1
        if len(filled) > 1 and len(filled) >= len(row) - 1:
            break
    if count == 0 or count == len(rows) or sum(bool(cell) for cell in rows[count - 1]) < 2:
        return 0
    return count


def is_figure(cell: str) -> bool:
    """Whether the cell holds a number and no word."""
    return _FIGURE.fullmatch(cell) is not None


def is_year(cell: str) -> bool:
    """Whether the cell holds a year or a span of years."""
    return _YEAR.fullmatch(cell) is not None


def header_text(rows: Sequence[Sequence[str]]) -> str:
    """The header rows in one line, empty where there are none, or where they are too long to be names."""
    text = COLUMN_MARK.join(_names(rows[: header_row_count(rows)]))
    return text if len(text) <= _LONGEST_HEADER else ""


def _names(header: Sequence[Sequence[str]]) -> Iterator[str]:
    """For each column what stands above it, from top to bottom."""
    for column in range(len(header[0]) if header else 0):
        yield " ".join(row[column] for row in header if row[column])
