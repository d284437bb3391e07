"""Printed lines and tables of a page → the page: its text in reading order, with its blocks and the place of every line.

Invariants. Page text is the printed text: the lines of a paragraph joined by one space (nothing between Chinese characters),
paragraphs by a blank line, the cells of a table row by ` | `; a row of dashes below a table's first row makes it Markdown.
Offsets of blocks and lines index into it. Boxes lie within the page. Knows neither PDF nor OCR: both give lines.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.layout import is_wide
from ingest.lines import PrintedLine, is_right_to_left
from ingest.page_table import COLUMN_MARK, TableOnPage, dashes_below
from ingest.paragraphs import LIST_MARK, Paragraph, Row, body_size, paragraphs_of
from ingest.reading_order import columns_in_order
from ingest.types import Bbox, Block, BlockKind, Line, Page

# A line that ends this share of its block's width before the edge was broken there on purpose.
_ENDS_EARLY = 0.25
# Where a page tells no size of type, as one of pictures does.
_USUAL_SIZE = 10.0


def compose(
    lines: Sequence[PrintedLine], tables: Sequence[TableOnPage] = (), *, number: int, width: float, height: float
) -> Page:
    """The page that these lines and tables make; lines that lie in a table are not read a second time."""
    free = [line for line in lines if not any(table.contains(line.bbox) for table in tables)]
    outside = [line for line in free if not line.aslant]
    body = body_size(lines)
    items: list[PrintedLine | TableOnPage] = [*outside, *tables]
    backwards = sum(len(line.text) if is_right_to_left(line.text) else -len(line.text) for line in lines) > 0
    writer = _PageWriter(width, height)
    for column in columns_in_order([item.bbox for item in items], size=body or _USUAL_SIZE, right_to_left=backwards):
        rows: list[Row] = []
        for row in column.rows:
            rows.append(tuple(item for item in (items[n] for n in row) if isinstance(item, PrintedLine)))
            for table in (item for item in (items[n] for n in row) if isinstance(item, TableOnPage)):
                writer.paragraphs(paragraphs_of([row for row in rows if row], body=body, page_height=height))
                writer.table(table)
                rows = []
        writer.paragraphs(paragraphs_of([row for row in rows if row], body=body, page_height=height))
    writer.paragraphs([Paragraph(BlockKind.TEXT, ((line,),), line.size, line.bold) for line in free if line.aslant])
    return Page(number, width, height, writer.text, tuple(writer.blocks), tuple(writer.lines))


class _PageWriter:
    """Builds a page's text and remembers where each block and line of it stands."""

    def __init__(self, width: float, height: float) -> None:
        self._width, self._height = width, height
        self.blocks: list[Block] = []
        self.lines: list[Line] = []
        self._parts: list[str] = []
        self._length = 0

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def paragraphs(self, paragraphs: Sequence[Paragraph]) -> None:
        for paragraph in paragraphs:
            start = self._begin_block()
            box = paragraph.bbox
            previous: PrintedLine | None = None
            for row in paragraph.rows:
                for line in row:
                    if previous is not None:
                        self._append(_joint(previous, line, block=box, same_row=line is not row[0]))
                    self.lines.append(Line(*self._append(line.text), self._within(line.bbox)))
                    previous = line
            kind, size, bold = paragraph.kind, round(paragraph.size, 1), paragraph.bold
            self.blocks.append(Block(kind, start, self._length, self._within(box), size=size, bold=bold))

    def table(self, table: TableOnPage) -> None:
        start = self._begin_block()
        for number, row in enumerate(table.rows):
            if number:
                self._append("\n")
            for column, cell in enumerate(row):
                if column:
                    self._append(COLUMN_MARK)
                if cell:
                    self.lines.append(Line(*self._append(cell), self._within(table.cell_boxes[number][column])))
            if number == 0:
                self._append("\n" + dashes_below(row))
        self.blocks.append(Block(BlockKind.TABLE, start, self._length, self._within(table.bbox), table.rows, spans=table.spans))

    def _append(self, text: str) -> tuple[int, int]:
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        return start, self._length

    def _begin_block(self) -> int:
        if self._parts:
            self._append("\n\n")
        return self._length

    def _within(self, box: Bbox) -> Bbox:
        """The box within the page: a letter that is cut by the page's edge reaches past it."""
        x0, x1 = (round(min(max(float(x), 0.0), self._width), 1) for x in (box[0], box[2]))
        y0, y1 = (round(min(max(float(y), 0.0), self._height), 1) for y in (box[1], box[3]))
        return x0, y0, x1, y1


def _joint(previous: PrintedLine, line: PrintedLine, *, block: Bbox, same_row: bool) -> str:
    """What stands between two printed lines of a block: nothing, a space, or a line break where the print meant one."""
    before, after = previous.text, line.text
    if not same_row:
        ends = previous.bbox[0] - block[0] if is_right_to_left(before) else block[2] - previous.bbox[2]
        if LIST_MARK.match(after) or ends > _ENDS_EARLY * (block[2] - block[0]):
            return "\n"
        if before.endswith("-") and after[:1].islower():
            return "\n"  # a hyphenated word: kept as printed, joined for the search terms only
    return "" if is_wide(before[-1]) and is_wide(after[0]) else " "
