"""The rows of a column → paragraphs, and what kind of block each is: text, heading, list item, caption or footnote.

Invariants. Every line is in one paragraph, in the order in which the column has it. Pure; what spans pages (running heads, the
levels of headings) is found out where all pages are known.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.lines import PrintedLine, is_right_to_left, union
from ingest.types import Bbox, BlockKind

Row = tuple[PrintedLine, ...]

LIST_MARK = re.compile(
    r"\s*(?:[•●▪◦■◆□☐☒‣·\uf0b7\uf0a7–-]\s|\(?\d{1,2}[.)、）]\s?\D|[（(][一二三四五六七八九十\d]{1,3}[)）]|[a-z][.)]\s)"
)
_MARK_ALONE = re.compile(r"[•●▪◦■◆□☐☒‣·\uf0b7\uf0a7–-]|\(?(?:\d{1,2}|[a-z])[.)、）]|[（(][一二三四五六七八九十\d]{1,3}[)）]")
_CAPTION = re.compile(
    r"(?:(?:figure|fig\.|table|tab\.|chart|exhibit|listing|abbildung|abb\.|tabelle|tableau|diagram|box)\s*[A-Z]?[\d.]+[A-Za-z]?\s*"
    r"(?:$|[:.|–—-]|(?=[A-Z(]))|[图表圖]\s*[\d一二三四五六七八九十][\d.\-－—]*(?:$|[\s:：.、]))",
    re.IGNORECASE,
)
_CAPTION_STARTS_PROSE = re.compile(r"\S+\s*\S*\d\S*\s+[a-z]")
_CHAPTER = re.compile(r"第[一二三四五六七八九十百零\d]+[章节条篇部编]\s?|[一二三四五六七八九十]{1,3}、")
_HEADING_NUMBER = re.compile(r"\d{1,2}(?:\.\d{1,2})*\.?\s+\D")
_FOOTNOTE_MARK = re.compile(r"(?:\d{1,3}|[*†‡§¶]{1,3}|[①-⑳])[.)]?\s*\D")
_SENTENCE_ENDS = ".!?:;。！？：；…"
_NOT_AT_A_HEADINGS_END = (".", "。", "；", ";", "，", ",")
# A heading is set at least this much larger than the body, or bold and no longer than this.
_HEADING_SIZE_RATIO = 1.12
_HEADING_CHARACTERS = 120
# A Chinese chapter's number begins a heading of ordinary type where nothing long follows it.
_CHAPTER_CHARACTERS = 40
_CAPTION_CHARACTERS = 400
# From one line of a paragraph to the next, in type sizes; paragraphs stand further apart than double spacing.
_WIDEST_LINE_SPACING = 2.2
# What a few lines' distance may be where it is not known to be that of a paragraph's lines.
_USUAL_LINE_SPACING = 1.4
_FEW_STEPS = 4
# Lines of a paragraph stand no further apart than this many times the usual distance of the column's lines.
_LINE_SPACING_RATIO = 1.3
_SAME_SIZE = 0.5
# Footnotes are smaller than the body, and in the lower part of the page.
_FOOTNOTE_SIZE_RATIO = 0.92
_FOOTNOTE_TOP = 0.5


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Rows that belong together; `size` and `bold` are those of its type."""

    kind: BlockKind
    rows: tuple[Row, ...]
    size: float
    bold: bool

    @property
    def bbox(self) -> Bbox:
        """The box around all lines."""
        return union(line.bbox for row in self.rows for line in row)


@dataclass(frozen=True, slots=True)
class _Edges:
    left: float
    right: float
    step: float


def body_size(lines: Iterable[PrintedLine]) -> float:
    """The size in which most of the characters are set, 0 where there are none."""
    weights: dict[float, int] = {}
    for line in lines:
        weights[line.size] = weights.get(line.size, 0) + len(line.text)
    passed, half = 0, sum(weights.values()) / 2
    for size in sorted(weights):
        passed += weights[size]
        if passed >= half:
            return size
    return 0.0


def paragraphs_of(rows: Sequence[Row], *, body: float, page_height: float) -> list[Paragraph]:
    """The column's paragraphs from top to bottom; `body` is the type size of the page's body."""
    edges = _edges(rows)
    groups: list[list[Row]] = []
    kinds: list[BlockKind] = []
    for row in rows:
        kind = _kind(row, body)
        if groups and _belongs(groups[-1], kinds[-1], row, kind, edges):
            groups[-1].append(row)
        else:
            groups.append([row])
            kinds.append(kind)
    return [_paragraph(group, kind, body=body, page_height=page_height) for group, kind in zip(groups, kinds, strict=True)]


def row_text(row: Row) -> str:
    """The row as printed, its parts a space apart."""
    return " ".join(line.text for line in row)


def row_box(row: Row) -> Bbox:
    """The box around the row."""
    return row[0].bbox if len(row) == 1 else union(line.bbox for line in row)


def _paragraph(rows: list[Row], kind: BlockKind, *, body: float, page_height: float) -> Paragraph:
    text = " ".join(row_text(row) for row in rows)
    size = max(line.size for line in rows[0])
    if len(text) <= _CAPTION_CHARACTERS and _is_caption(text):
        kind = BlockKind.CAPTION
    elif size < body * _FOOTNOTE_SIZE_RATIO and row_box(rows[0])[1] > page_height * _FOOTNOTE_TOP and _FOOTNOTE_MARK.match(text):
        kind = BlockKind.FOOTNOTE
    return Paragraph(kind, tuple(rows), size, all(line.bold for row in rows for line in row))


def _edges(rows: Sequence[Row]) -> _Edges:
    boxes = [row_box(row) for row in rows]
    steps = [after[1] - before[1] for before, after in pairwise(boxes) if after[1] > before[1]]
    near = sorted(steps)[: max(1, len(steps) * 3 // 4)]  # the widest are those between paragraphs
    if len(steps) < _FEW_STEPS:  # which may all be between paragraphs
        near = [min(step, _USUAL_LINE_SPACING * row[-1].size) for step, row in zip(near, rows, strict=False)]
    return _Edges(
        left=min((box[0] for box in boxes), default=0.0),
        right=max((box[2] for box in boxes), default=0.0),
        step=statistics.median(near) if near else 0.0,
    )


def _kind(row: Row, body: float) -> BlockKind:
    text = row_text(row)
    size = max(line.size for line in row)
    short = len(text) <= _HEADING_CHARACTERS and not text.endswith(_NOT_AT_A_HEADINGS_END)
    letters = any(character.isalpha() for character in text)
    if short and letters and (size >= body * _HEADING_SIZE_RATIO or all(line.bold for line in row)) and not _is_mark(row[0]):
        return BlockKind.HEADING
    if short and len(text) <= _CHAPTER_CHARACTERS and _CHAPTER.match(text) and text[-1] not in _SENTENCE_ENDS:
        return BlockKind.HEADING
    return BlockKind.LIST if LIST_MARK.match(text) else BlockKind.TEXT


def _is_caption(text: str) -> bool:
    return _CAPTION.match(text) is not None and _CAPTION_STARTS_PROSE.match(text) is None


def _is_mark(line: PrintedLine) -> bool:
    """Whether the line is a bullet or an item's number alone."""
    return _MARK_ALONE.fullmatch(line.text) is not None and not line.text[0].isalnum()


def _belongs(group: list[Row], group_kind: BlockKind, row: Row, kind: BlockKind, edges: _Edges) -> bool:
    """Whether the row goes on with the paragraph above it."""
    before = group[-1]
    above, below = row_box(before), row_box(row)
    size = before[-1].size
    step = below[1] - above[1]
    same_type = abs(size - row[0].size) < _SAME_SIZE and before[-1].bold == row[0].bold
    if (kind is BlockKind.HEADING) != (group_kind is BlockKind.HEADING):
        return False
    if step <= 0 or _is_caption(row_text(row)):
        return False
    if kind is BlockKind.LIST:
        return group_kind is BlockKind.LIST and step < _WIDEST_LINE_SPACING * size
    if kind is BlockKind.HEADING and (not same_type or _HEADING_NUMBER.match(row_text(row))):
        return False
    if step > _LINE_SPACING_RATIO * max(edges.step, size):
        return same_type and step < _WIDEST_LINE_SPACING * size and _runs_on(before, above, edges)
    if abs(size - row[0].size) > max(_SAME_SIZE, 0.12 * size) and len(row_text(row)) > 2:
        return False
    return not _begins_indented(group, above, below, edges)


def _runs_on(row: Row, box: Bbox, edges: _Edges) -> bool:
    """Whether the row goes to the end of the line without ending a sentence."""
    text = row_text(row)
    rest = box[0] - edges.left if is_right_to_left(text) else edges.right - box[2]
    return text[-1] not in _SENTENCE_ENDS and rest < 2 * row[-1].size


def _begins_indented(group: list[Row], above: Bbox, below: Bbox, edges: _Edges) -> bool:
    """Whether the row begins further in than the one above, which ended a sentence: a paragraph without space above it."""
    text = row_text(group[-1])
    size = group[-1][-1].size
    if text[-1] not in _SENTENCE_ENDS:
        return False
    if is_right_to_left(text):
        return above[2] - below[2] > size
    first = row_box(group[0])
    hanging = LIST_MARK.match(row_text(group[0])) is not None
    return below[0] - above[0] > size and not hanging and below[0] - first[0] > -size and edges.right - above[2] >= 0
