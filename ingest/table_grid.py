"""Words of a region and its rules → a table's rows, columns and spans, where no grid is drawn around every cell.

Columns are parted by strips in which no row of the body has a word, and by vertical rules; rows are lines of text, parted by
horizontal rules where there are any, and joined where a cell goes on in the line below.

Invariants. Every word is in one cell, as printed. Pure; whether a region is worth trying is for the caller to know, whether what
came of it is a table is decided here, by what its cells hold.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.cell_text import joined
from ingest.lines import PrintedWord, is_right_to_left, rows_of, union
from ingest.page_table import TableOnPage, is_figure, is_year
from ingest.rulings import Rule, Rules
from ingest.types import Bbox, Span

Interval = tuple[float, float]

# Words of one cell stand closer than this many type sizes; a strip between columns is at least as wide as the second figure,
# where there are many rows as the third.
_WORD_GAP = 0.5
_GUTTER = 0.6
_GUTTER_OF_MANY = 0.4
_MANY_ROWS = 5
# Running text in two columns has longer cells than a table, and hardly a figure.
_LONGEST_CELL = 45
_SHARE_OF_FIGURES = 0.3
_LEAST_FILLED = 0.35
# A row with a cell wider than this share of the table does not tell where its columns are.
_WIDEST_CELL = 0.6
_MARK_WIDTH = 0.15
# A single cell that stands this many line heights from the others is no part of the table.
_FAR_OFF = 2.0
# The rules over two columns end and begin no further from each other than this, in points.
_BETWEEN_COLUMNS = 12.0
# Words in columns without a rule are a table where this many columns and rows are lined up, to this many points.
_LEAST_COLUMNS_OF_WORDS = 3
_LEAST_ROWS_OF_WORDS = 4
_SHARE_LINED_UP = 0.8
_ONE_PLACE = 3.0
_SIGNS_BEFORE = frozenset("$ € £ ¥ ￥ US$ A$ C$ RMB HK$".split())
_SIGNS_BEHIND = frozenset("% ‰ ) )%".split())
_NOTHING = frozenset("- – — ―".split())
# Lines that reach into each other by this share of their height stand beside each other; rows closer than this share of the
# usual distance belong together.
_OVERLAP = 0.25
_TIGHT = 0.85


@dataclass(frozen=True, slots=True)
class _Segment:
    """Words of one row that stand close together."""

    text: str
    bbox: Bbox


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of text: its words, a sign and its figure as one, and these as segments."""

    words: tuple[_Segment, ...]
    segments: tuple[_Segment, ...]

    @property
    def top(self) -> float:
        return min(word.bbox[1] for word in self.words)

    @property
    def bottom(self) -> float:
        return max(word.bbox[3] for word in self.words)


@dataclass(frozen=True, slots=True)
class _Cell:
    first: int
    last: int
    text: str
    bbox: Bbox


def grid_of(words: Sequence[PrintedWord], rules: Rules, *, ruled: bool) -> TableOnPage | None:
    """The table that the words make, None where they make none. `ruled` says that rules mark the region as a table."""
    if not words:
        return None
    box = union(word.bbox for word in words)
    size = statistics.median(word.bbox[3] - word.bbox[1] for word in words)
    lines = [_with_signs([words[n] for n in row]) for row in rows_of([word.bbox for word in words])]
    upright = [(rule.at, rule.at) for rule in rules.vertical]
    rough = [_row(line, upright, size) for line in lines]
    text = [_is_running_text(row, box) or _is_far_off(rough, number, size) for number, row in enumerate(rough)]
    if False not in text:
        return None
    first, last = text.index(False), len(text) - text[::-1].index(False)
    separators = _separators(rough[first:last], rules, box, size)
    if not separators:
        return None
    lines = lines[first:last]
    rows = [_row(line, separators, size) for line in lines]
    columns = _columns(box, separators)
    header_end = _header_end(rows, rules)
    placed = [_placed(row, columns, rules, header_end) for row in rows]
    levels = _merged_rows(rows, placed, rules, size)
    return _table(levels, columns=len(columns), ruled=ruled)


def _is_running_text(row: _Row, box: Bbox) -> bool:
    """Whether the row is a line of text that begins at the left, perhaps after a note's mark: at a table's end it is no row."""
    widest = max(row.segments, key=lambda segment: segment.bbox[2] - segment.bbox[0])
    width = box[2] - box[0]
    return widest.bbox[2] - widest.bbox[0] > _WIDEST_CELL * width and widest.bbox[0] - box[0] < _MARK_WIDTH * width


def _is_far_off(rows: list[_Row], number: int, size: float) -> bool:
    """Whether the row is the first or the last, with one cell, and stands far from the others: a page number or a title."""
    if 0 < number < len(rows) - 1 or len(rows) == 1 or len(rows[number].segments) > 1:
        return False
    upper, lower = (rows[0], rows[1]) if number == 0 else (rows[-2], rows[-1])
    return lower.top - upper.bottom > _FAR_OFF * size


def _with_signs(words: list[PrintedWord]) -> list[_Segment]:
    """The words of a line, a sign and its figure as one."""
    groups: list[list[PrintedWord]] = []
    for word in words:
        if groups and _is_unit(groups[-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    return [_Segment(joined([word.text for word in group]), union(word.bbox for word in group)) for group in groups]


def _row(words: list[_Segment], separators: Sequence[Interval], size: float) -> _Row:
    """The line as a row: words as segments that stand close together, with no separator between."""
    groups: list[list[_Segment]] = []
    for word in words:
        last = groups[-1][-1].bbox[2] if groups else float("-inf")
        parted = any(last <= start + 0.1 and end <= word.bbox[0] + 0.1 for start, end in separators)
        if word.bbox[0] - last < _WORD_GAP * size and not parted:
            groups[-1].append(word)
        else:
            groups.append([word])
    return _Row(tuple(words), tuple(map(_segment, groups)))


def _is_unit(before: list[PrintedWord], word: PrintedWord) -> bool:
    """Whether a sign and a figure, which accountants set far apart, are one cell."""
    if before[-1].text in _SIGNS_BEFORE and len(before) == 1:
        return is_figure(word.text) or word.text in _NOTHING
    return word.text in _SIGNS_BEHIND and is_figure(before[-1].text)


def _segment(words: list[_Segment]) -> _Segment:
    backwards = is_right_to_left("".join(word.text for word in words))
    return _Segment(joined([word.text for word in (reversed(words) if backwards else words)]), union(word.bbox for word in words))


def _separators(rows: list[_Row], rules: Rules, box: Bbox, size: float) -> list[Interval]:
    """The strips between columns, from left to right."""
    body = [row for row in rows if len(row.segments) > 1]
    if len(body) < 2:
        return []
    header_end = _header_end(rows, rules)
    below = [row for row in body if row.top >= header_end]
    considered = [row for row in (below if len(below) > 1 else body) if _widest(row) < _WIDEST_CELL * (box[2] - box[0])]
    if len(considered) < 2:
        return []
    least = size * (_GUTTER_OF_MANY if len(considered) >= _MANY_ROWS else _GUTTER)
    taken = sorted((word.bbox[0], word.bbox[2]) for row in considered for word in row.words)
    strips: list[Interval] = []
    end = taken[0][1]
    for start, stop in taken[1:]:
        if start - end >= least:
            strips.append((end, start))
        end = max(end, stop)
    for at in [*(rule.at for rule in rules.vertical), *_between_rules(rules.horizontal)]:
        inside = box[0] + size / 2 < at < box[2] - size / 2
        crossed = any(start < at < stop for start, stop in [*strips, *taken])
        if inside and not crossed:
            strips.append((at, at))
    return sorted(set(strips))


def _widest(row: _Row) -> float:
    return max(segment.bbox[2] - segment.bbox[0] for segment in row.segments)


def _between_rules(horizontal: Sequence[Rule]) -> Iterator[float]:
    """The middles of the gaps between rules in one line, each of which is drawn under a column."""
    for one, after in pairwise(horizontal):
        if one.at == after.at and 0 < after.start - one.end < _BETWEEN_COLUMNS:
            yield (one.end + after.start) / 2


def _header_end(rows: list[_Row], rules: Rules) -> float:
    """Where the header ends: at the last horizontal rule above the first row with a figure that is no year; at the first rule
    where no row has one; above that row where there is no rule."""
    top, bottom = rows[0].bottom - 2, rows[-1].top + 2
    inside = [rule.at for rule in rules.horizontal if top <= rule.at <= bottom]
    figures = (row.top for row in rows if any(is_figure(one.text) and not is_year(one.text) for one in row.segments[1:]))
    first = next(figures, None)
    if first is None:
        return inside[0] if inside else rows[0].top
    return max((at for at in inside if at <= first + 2), default=first)


def _columns(box: Bbox, separators: list[Interval]) -> list[Interval]:
    starts = [box[0], *(stop for _, stop in separators)]
    ends = [*(start for start, _ in separators), box[2]]
    return list(zip(starts, ends, strict=True))


def _placed(row: _Row, columns: list[Interval], rules: Rules, header_end: float) -> list[_Cell]:
    """The row's segments in their columns; one that reaches over a strip takes the columns on both sides."""
    cells: list[_Cell] = []
    for segment, (left, right) in zip(row.segments, _frames(row, rules, header_end), strict=True):
        x0, _, x1, _ = segment.bbox
        touched = [n for n, (start, end) in enumerate(columns) if x0 < end and start < x1]
        touched = [n for n, (start, end) in enumerate(columns) if left < (start + end) / 2 < right] or touched
        if not touched:
            touched = [min(range(len(columns)), key=lambda n: abs(sum(columns[n]) - x0 - x1))]
        first, last = touched[0], touched[-1]
        if cells and cells[-1].last >= first:
            before = cells.pop()
            cells.append(
                _Cell(
                    before.first, max(last, before.last), joined([before.text, segment.text]), union([before.bbox, segment.bbox])
                )
            )
        else:
            cells.append(_Cell(first, last, segment.text, segment.bbox))
    return cells


def _frames(row: _Row, rules: Rules, header_end: float) -> list[Interval]:
    """For each of the row's segments the vertical rules that stand beside it, where it is alone between them and may take more
    than a column; else nothing."""
    middle = (row.top + row.bottom) / 2
    upright = [rule.at for rule in rules.vertical if rule.start < middle < rule.end]
    frames: list[Interval] = []
    for segment in row.segments:
        left = max((at for at in upright if at <= segment.bbox[0] + 1), default=None)
        right = min((at for at in upright if at >= segment.bbox[2] - 1), default=None)
        if left is None or right is None or (row.top >= header_end and is_figure(segment.text)):
            frames.append((0.0, 0.0))
            continue
        alone = sum(left <= one.bbox[0] + 1 and one.bbox[2] - 1 <= right for one in row.segments) == 1
        frames.append((left, right) if alone else (0.0, 0.0))
    return frames


def _merged_rows(rows: list[_Row], placed: list[list[_Cell]], rules: Rules, size: float) -> list[list[_Cell]]:
    """The table's rows: lines of text, those joined in which cells go on."""
    header_end = _header_end(rows, rules)
    steps = [after.top - before.top for before, after in pairwise(rows)]
    usual = statistics.median(steps) if steps else 0.0
    levels: list[list[_Cell]] = [placed[0]]
    for number in range(1, len(rows)):
        above, row = rows[number - 1], rows[number]
        parted = any(above.bottom - 0.4 * size <= rule.at <= row.top + 0.4 * size for rule in rules.horizontal)
        header = row.top < header_end
        beside = row.top < above.bottom - _OVERLAP * size and not _share_columns(levels[-1], placed[number])
        goes_on = _goes_on(levels[-1], placed[number], header=header, tight=steps[number - 1] < _TIGHT * usual)
        if beside or (goes_on and not parted):
            levels[-1] = _stacked(levels[-1], placed[number])
        else:
            levels.append(placed[number])
    return levels


def _goes_on(above: list[_Cell], row: list[_Cell], *, header: bool, tight: bool) -> bool:
    """Whether the row holds the rest of the cells above it."""
    if header:
        return (len(row) > 1 or row[0].first > 0) and not any(cell.last > cell.first for cell in above)
    if any(is_figure(cell.text) for cell in row):
        return False
    taken = {column for cell in above for column in range(cell.first, cell.last + 1)}
    within = all(cell.first in taken for cell in row)
    return within and (row[0].first > 0 or (tight and len(row) < len(above)))


def _share_columns(above: list[_Cell], below: list[_Cell]) -> bool:
    return any(one.first <= other.last and other.first <= one.last for one in above for other in below)


def _stacked(above: list[_Cell], below: list[_Cell]) -> list[_Cell]:
    cells = list(above)
    for cell in below:
        for place, other in enumerate(cells):
            if other.first <= cell.last and cell.first <= other.last:
                text, box = joined([other.text, cell.text]), union([other.bbox, cell.bbox])
                cells[place] = _Cell(min(other.first, cell.first), max(other.last, cell.last), text, box)
                break
        else:
            cells.append(cell)
    return sorted(cells, key=lambda cell: cell.first)


def _table(levels: list[list[_Cell]], *, columns: int, ruled: bool) -> TableOnPage | None:
    """The table of these rows, None where its cells are those of running text or hardly one is filled."""
    cells = [cell for row in levels for cell in row]
    filled = len(cells) / (len(levels) * columns)
    if len(levels) < 2 or columns < 2 or filled < _LEAST_FILLED:
        return None
    lengths = statistics.median(len(cell.text) for cell in cells)
    if lengths > _LONGEST_CELL or not (ruled or _holds_figures(cells) or _is_lined_up(levels, columns)):
        return None
    rows: list[tuple[str, ...]] = []
    boxes: list[tuple[Bbox, ...]] = []
    spans: list[Span] = []
    for number, row in enumerate(levels):
        around = union(cell.bbox for cell in row)
        texts, places = [""] * columns, [around] * columns
        for cell in row:
            texts[cell.first], places[cell.first] = cell.text, cell.bbox
            if cell.last > cell.first:
                spans.append((number, cell.first, 1, cell.last - cell.first + 1))
        rows.append(tuple(texts))
        boxes.append(tuple(places))
    return TableOnPage(union(cell.bbox for cell in cells), tuple(rows), tuple(boxes), tuple(spans))


def _holds_figures(cells: list[_Cell]) -> bool:
    """Whether many of the cells right of the first column are figures."""
    data = [cell for cell in cells if cell.first > 0]
    return sum(is_figure(cell.text) for cell in data) >= _SHARE_OF_FIGURES * len(data)


def _is_lined_up(levels: list[list[_Cell]], columns: int) -> bool:
    """Whether three columns or more, most of them filled, begin each at one place: words in columns, not words in a drawing."""
    if columns < _LEAST_COLUMNS_OF_WORDS or len(levels) < _LEAST_ROWS_OF_WORDS:
        return False
    for column in range(columns):
        lefts = [cell.bbox[0] for row in levels for cell in row if cell.first == column]
        if len(lefts) < _SHARE_LINED_UP * len(levels):
            return False
        usual = statistics.median(lefts)
        if sum(abs(left - usual) < _ONE_PLACE for left in lefts) < _SHARE_LINED_UP * len(lefts):
            return False
    return True
