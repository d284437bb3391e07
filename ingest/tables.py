"""The tables of a PDF page: those ruled around every cell by PyMuPDF's search, all others by their rules and their columns.

The costly search runs only where a cheap look at strokes and lines says that a table may stand. Knows nothing of how the page's
text is put together.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from ingest.cell_text import are_broken, cell_text, lines_in
from ingest.lines import PrintedLine, PrintedText, PrintedWord, holds_middle, is_right_to_left, rows_of, union
from ingest.page_table import TableOnPage, is_figure
from ingest.reading_order import columns_in_order
from ingest.rulings import Rule, Rules, joined_rules, rules_of, slanted_strokes
from ingest.table_grid import grid_of
from ingest.types import Bbox, Span

# A page with fewer ruling strokes than a 2 × 2 table needs is not searched: the search costs 20 to 100 ms a page.
_LEAST_STROKES = 6
# What fewer cells fill than a 2 × 2 table has, or fewer than this share, is a frame around ordinary text.
_LEAST_FILLED = 4
_LEAST_SHARE_FILLED = 0.4
# Rules of one table begin and end at the same places, in points.
_SAME_PLACE = 4.0
_SHORTEST_RULE = 60.0
# Lines of a table stand no further apart than this many type sizes.
_ROWS_APART = 2.6
_LEAST_ROWS = 3
_LABELS_BETWEEN = 3
# Where this share of a row's cells have the same number of lines, give or take this share for empty ones, these are rows.
_SHARE_ALIKE = 0.7
_LINES_OFF = 0.15
# A cell is narrower than this share of the page's column: what is wider beside a mark is a note or a list item.
_WIDEST_CELL = 0.6
# The rules over the columns of one table stand no further apart than this, in points.
_BETWEEN_COLUMNS = 9.0
# A table holds at least this share of the words of its region; less is its header.
_WHOLE = 0.7
# Drawn lines that run aslant or are curves, as in a chart.
_STROKES_OF_A_CHART = 3
# A caption stands no further from what it names than this, in points.
_CAPTION_WITHIN = 60.0
_FIGURE_CAPTION = re.compile(r"(?:figure|fig\.|chart|graph|diagram|abbildung|abb\.|graphique)\s*[\dA-Z]|图\s*\d", re.IGNORECASE)
_CAPTION = re.compile(rf"{_FIGURE_CAPTION.pattern}|(?:table|tab\.|tabelle|tableau|exhibit|box)\s*[\dA-Z]|表\s*\d", re.IGNORECASE)
# A line that is wider than this share of a table and begins at its left, in this share, may be text between two tables.
_WIDE = 0.5
_MARK_WIDTH = 0.15


def find_tables(page: Any, text: PrintedText) -> list[TableOnPage]:
    """The tables of this text, from top to bottom; their rules are drawn on the PyMuPDF page."""
    lines = [line for line in text.lines if not line.aslant]
    drawings = page.get_cdrawings()
    strokes = sum(len(drawing["items"]) for drawing in drawings)
    rules = rules_of(drawings) if strokes else Rules()
    search = strokes >= _LEAST_STROKES
    runs = list(_aligned_runs(lines))
    regions = [_extended(region, runs) for region in _ruled_regions(rules, lines)]
    drawn = slanted_strokes(drawings) if regions or runs else []
    if not (search or regions or runs):
        return []
    words = text.words
    grids = list(_gridded(page, words)) if search and rules.vertical and rules.horizontal else []
    found = [table for table, coarse in grids if not coarse]
    for region, ruled in [*((region, True) for region in regions), *((region, False) for region in runs)]:
        if _is_figure_region(region, drawn, lines):
            continue
        inside = [word for word in words if holds_middle(region, word.bbox)]
        rivals = [table for table in found if any(table.contains(word.bbox) for word in inside)]
        if rivals and not (ruled and _is_part(rivals, region, inside)):
            continue
        if (table := grid_of(inside, _within(rules, region), ruled=ruled)) is not None:
            found = [one for one in found if one not in rivals] + [table]
    for grid in (table for table, coarse in grids if coarse):  # its rows are those of the text
        inside = [word for word in words if grid.contains(word.bbox)]
        rivals = [table for table in found if any(table.contains(word.bbox) for word in inside)]
        if all(_is_within(table.bbox, grid.bbox) for table in rivals):
            found = [one for one in found if one not in rivals] + [grid_of(inside, _within(rules, grid.bbox), ruled=True) or grid]
    return sorted((_as_read(table) for table in found), key=lambda table: table.bbox[1])


def _as_read(table: TableOnPage) -> TableOnPage:
    """The table with its first column first, which is the right one where it is written from right to left."""
    return table.mirrored() if is_right_to_left("".join(map("".join, table.rows))) else table


def _is_figure_region(region: Bbox, drawn: Sequence[Bbox], lines: Sequence[PrintedLine]) -> bool:
    """Whether the region is a chart: lines are drawn in it that are no rules, or its caption calls it a figure."""
    if sum(holds_middle(region, stroke) for stroke in drawn) >= _STROKES_OF_A_CHART:
        return True
    captions = [line for line in lines if _CAPTION.match(line.text) and line.bbox[0] < region[2] and region[0] < line.bbox[2]]
    near = [line for line in captions if region[1] - _CAPTION_WITHIN < line.bbox[1] < region[3] + _CAPTION_WITHIN / 2]
    if not near:
        return False
    above = [line for line in near if line.bbox[1] <= region[1] + line.size]
    caption = max(above, key=lambda line: line.bbox[1]) if above else min(near, key=lambda line: line.bbox[1])
    return _FIGURE_CAPTION.match(caption.text) is not None


def _is_within(inner: Bbox, outer: Bbox) -> bool:
    return all(one >= other - _SAME_PLACE for one, other in zip(inner[:2], outer[:2], strict=True)) and all(
        one <= other + _SAME_PLACE for one, other in zip(inner[2:], outer[2:], strict=True)
    )


def _is_part(tables: Sequence[TableOnPage], region: Bbox, words: Sequence[PrintedWord]) -> bool:
    """Whether the tables are only a part of what the region holds: a header with a grid above rows without one."""
    if any(table.bbox[0] < region[0] - _SAME_PLACE or table.bbox[2] > region[2] + _SAME_PLACE for table in tables):
        return False
    return sum(any(table.contains(word.bbox) for table in tables) for word in words) < _WHOLE * len(words)


def _gridded(page: Any, words: Sequence[PrintedWord]) -> Iterator[tuple[TableOnPage, bool]]:
    """The tables with a grid, and for each whether a row of its grid holds several rows of text."""
    for grid in page.find_tables(strategy="lines_strict", use_layout=False).tables:
        rows = _without_frame(grid.rows)
        lines = [[lines_in(cell, words) if cell else [] for cell in row.cells] for row in rows]
        if (table := _table(rows, lines)) is not None:
            yield table, any(map(_holds_rows, lines))


def _holds_rows(cells: Sequence[Sequence[str]]) -> bool:
    """Whether most of a row's cells have the same number of lines, and those of one of them are figures. A figure that is broken
    at its cell's edge has several lines too, but not in all cells of its row."""
    filled = [lines for lines in cells if lines]
    for count in {len(lines) for lines in filled if len(lines) > 1 and all(map(is_figure, lines)) and not are_broken(lines)}:
        if sum(abs(len(lines) - count) <= _LINES_OFF * count for lines in filled) >= _SHARE_ALIKE * len(filled):
            return True
    return False


def _ruled_regions(rules: Rules, lines: Sequence[PrintedLine]) -> Iterator[Bbox]:
    """Where two horizontal rules or more begin and end at the same places, from the first to the last of them."""
    groups: list[list[Rule]] = []
    for rule in joined_rules(rules.horizontal, apart=_BETWEEN_COLUMNS):
        if rule.end - rule.start < _SHORTEST_RULE:
            continue
        group = next((one for one in groups if _same_extent(one[-1], rule)), None)
        if group is None:
            groups.append([rule])
        else:
            group.append(rule)
    for group in sorted(groups, key=lambda group: group[0].start - group[0].end):  # the longest first: shorter ones part headers
        first = 0
        for number in range(1, len(group) + 1):
            if number == len(group) or _is_text_between(group[number - 1], group[number], lines):
                if number - first > 1:
                    yield group[first].start - 2, group[first].at - 2, group[first].end + 2, group[number - 1].at + 2
                first = number


def _is_text_between(above: Rule, below: Rule, lines: Sequence[PrintedLine]) -> bool:
    """Whether running text stands between two rules: two wide lines one below the other, or one and nothing in columns."""
    between = [line.bbox for line in lines if above.at < (line.bbox[1] + line.bbox[3]) / 2 < below.at]
    between = [box for box in between if above.start - 2 <= (box[0] + box[2]) / 2 <= above.end + 2]
    rows = rows_of(between)
    wide = [_is_wide([between[n] for n in row], above) for row in rows]
    return any(one and other for one, other in pairwise(wide)) or (any(wide) and all(len(row) == 1 for row in rows))


def _is_wide(row: Sequence[Bbox], rule: Rule) -> bool:
    """Whether a line of running text stands in the row under this rule: wide, and from the left, perhaps after a note's mark."""
    widest = max(row, key=lambda box: box[2] - box[0])
    width = rule.end - rule.start
    return widest[2] - widest[0] > _WIDE * width and widest[0] - rule.start < _MARK_WIDTH * width


def _extended(region: Bbox, runs: Sequence[Bbox]) -> Bbox:
    """The region with the rows that go on above its first rule and below its last."""
    for run in runs:
        if run[1] < region[3] and region[1] < run[3] and run[0] < region[2] and region[0] < run[2]:
            region = union([region, run])
    return region


def _same_extent(one: Rule, other: Rule) -> bool:
    return abs(one.start - other.start) < _SAME_PLACE and abs(one.end - other.end) < _SAME_PLACE


def _within(rules: Rules, region: Bbox) -> Rules:
    x0, y0, x1, y1 = region
    return Rules(
        tuple(rule for rule in rules.horizontal if y0 <= rule.at <= y1 and rule.start < x1 and rule.end > x0),
        tuple(rule for rule in rules.vertical if x0 <= rule.at <= x1 and rule.start < y1 and rule.end > y0),
    )


def _aligned_runs(lines: Sequence[PrintedLine]) -> Iterator[Bbox]:
    """Where several rows of lines that stand beside each other follow one another: what a table without rules looks like.

    Between two such rows a few may stand that reach no further than the first column: labels, and the first lines of long ones.
    """
    if not lines:
        return
    size = statistics.median(line.size for line in lines) or 10.0
    boxes = [line.bbox for line in lines]
    for column in columns_in_order(boxes, size=size):
        run: list[Bbox] = []
        waiting: list[Bbox] = []
        rows, second = 0, float("inf")
        widest = _WIDEST_CELL * (column.right - column.left)
        for row in (*column.rows, ()):
            box = union(boxes[n] for n in row) if row else None
            several = len(row) > 1 and max(boxes[n][2] - boxes[n][0] for n in row) < widest
            near = box is not None and (not run or box[1] - (waiting or run)[-1][1] < _ROWS_APART * size)
            if near and box is not None and several:
                run = [*run, *waiting, box]
                waiting, rows, second = [], rows + 1, min(second, boxes[row[1]][0])
                continue
            if near and run and box is not None and len(row) == 1 and box[2] < second and len(waiting) < _LABELS_BETWEEN:
                waiting.append(box)
                continue
            if rows >= _LEAST_ROWS:
                yield union(run)
            run, waiting, rows, second = [], [], 0, float("inf")
            if box is not None and several:
                run, rows, second = [box], 1, boxes[row[1]][0]


def _table(grid_rows: Sequence[Any], lines: Sequence[Sequence[Sequence[str]]]) -> TableOnPage | None:
    """The table of these rows of a grid with these lines in their cells, None where it is a frame around text."""
    boxes = tuple(tuple(cell or row.bbox for cell in row.cells) for row in grid_rows)
    if len(boxes) < 2 or max(map(len, boxes)) < 2:
        return None
    rows = tuple(tuple(map(cell_text, row)) for row in lines)
    filled = sum(bool(cell) for row in rows for cell in row)
    if filled < _LEAST_FILLED or filled < _LEAST_SHARE_FILLED * sum(map(len, rows)):
        return None  # lines around ordinary text
    x0, y0, x1, y1 = zip(*(row.bbox for row in grid_rows), strict=True)
    return TableOnPage((min(x0), min(y0), max(x1), max(y1)), rows, boxes, _spans(grid_rows))


def _spans(grid_rows: Sequence[Any]) -> tuple[Span, ...]:
    """The cells that reach over more than one row or column of the grid."""
    lefts = sorted({round(cell[0]) for row in grid_rows for cell in row.cells if cell})
    tops = [min(cell[1] for cell in row.cells if cell) for row in grid_rows]
    spans: list[Span] = []
    for number, row in enumerate(grid_rows):
        for column, cell in enumerate(row.cells):
            if cell is None:
                continue
            height = sum(top < cell[3] - 1 for top in tops[number:])
            width = 1
            while column + width < len(row.cells) and row.cells[column + width] is None and _reaches(cell, column + width, lefts):
                width += 1
            if height > 1 or width > 1:
                spans.append((number, column, max(1, height), width))
    return tuple(spans)


def _reaches(cell: Bbox, column: int, lefts: list[int]) -> bool:
    return column < len(lefts) and lefts[column] < cell[2] - 1


def _without_frame(rows: Sequence[Any]) -> list[Any]:
    """The rows between the first and the last that has more than one cell: a frame drawn around the page, or a line across
    it, joins onto a table as rows of one cell above and below."""
    divided = [number for number, row in enumerate(rows) if sum(cell is not None for cell in row.cells) > 1]
    return list(rows[divided[0] : divided[-1] + 1]) if divided else []
