"""Ruled tables of a page as rows of cells. Knows nothing of how the page's text is put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pymupdf

from ingest.layout import is_wide
from ingest.lines import PrintedLine, holds_middle
from ingest.page_table import TableOnPage
from ingest.types import Bbox

TEXT_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP
"""How text is taken from a page: spaces kept, ligatures spelled out, nothing from outside the page."""

# A page with fewer ruling strokes than a 2 × 2 table needs is not searched: the search costs 20 to 100 ms a page.
_LEAST_STROKES = 6
# What fewer cells fill than a 2 × 2 table has, or fewer than this share, is a frame around ordinary text.
_LEAST_FILLED = 4
_LEAST_SHARE_FILLED = 0.4


def find_tables(page: Any, lines: Sequence[PrintedLine]) -> list[TableOnPage]:
    """The ruled tables of a PyMuPDF page, from top to bottom."""
    strokes = sum(len(drawing["items"]) for drawing in page.get_cdrawings())
    if strokes < _LEAST_STROKES:
        return []
    grids = page.find_tables(strategy="lines_strict", use_layout=False).tables
    words = page.get_text("words", flags=TEXT_FLAGS) if grids else []
    found = [_table(grid, words) for grid in grids]
    return sorted((table for table in found if table is not None), key=lambda table: table.bbox[1])


def _table(grid: Any, words: list[Any]) -> TableOnPage | None:
    grid_rows = _without_frame(grid.rows)
    boxes = tuple(tuple(cell or row.bbox for cell in row.cells) for row in grid_rows)
    if len(boxes) < 2 or max(map(len, boxes)) < 2:
        return None
    rows = tuple(tuple("" if cell is None else _cell_text(cell, words) for cell in row.cells) for row in grid_rows)
    filled = sum(bool(cell) for row in rows for cell in row)
    if filled < _LEAST_FILLED or filled < _LEAST_SHARE_FILLED * sum(map(len, rows)):
        return None  # lines around ordinary text
    x0, y0, x1, y1 = zip(*(row.bbox for row in grid_rows), strict=True)
    return TableOnPage(bbox=(min(x0), min(y0), max(x1), max(y1)), rows=rows, cell_boxes=boxes)


def _without_frame(rows: list[Any]) -> list[Any]:
    """The rows between the first and the last that has more than one cell: a frame drawn around the page, or a line across
    it, joins onto a table as rows of one cell above and below."""
    divided = [number for number, row in enumerate(rows) if sum(cell is not None for cell in row.cells) > 1]
    return rows[divided[0] : divided[-1] + 1] if divided else []


def _cell_text(cell: Bbox, words: list[Any]) -> str:
    """The words whose middle lies in the cell, as printed. PyMuPDF's own `extract` pulls "21,012" apart into "21012 ,"."""
    inside = [word for word in words if holds_middle(cell, word[:4])]
    text = ""
    for _, _, _, _, word, *_ in inside:
        text += word if not text or (is_wide(text[-1]) and is_wide(word[0])) else f" {word}"
    return text
