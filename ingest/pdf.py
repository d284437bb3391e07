"""A PDF file → pages of text with the place of every line, by PyMuPDF.

Invariants. Page text is the printed text in reading order: the lines of a paragraph joined by one space (nothing between
Chinese characters), paragraphs by a blank line, the cells of a table row by ` | `. Offsets of blocks and lines index into it.
Boxes are where a reader sees the text (a page's own rotation is applied), and lie within the page.
Nothing here is safe against hostile files by itself: `ingest.isolation` runs it in a process of its own, with limits.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymupdf

from ingest.errors import BrokenFile, LimitPassed, PasswordNeeded
from ingest.layout import is_wide
from ingest.settings import ReadLimits
from ingest.tables import TEXT_FLAGS, TableOnPage, find_tables
from ingest.types import Bbox, Block, BlockKind, Line, Page

_LIST_MARK = re.compile(
    r"\s*(?:[•●▪◦■◆‣·\uf0b7–-]\s|\(?\d{1,2}[.)、）]\s?\D|[（(][一二三四五六七八九十\d]{1,3}[)）]|[a-z][.)]\s)"
)
_BOLD = 1 << 4
# A heading is set at least this much larger than the body, or bold and no longer than this.
_HEADING_SIZE_RATIO = 1.12
_HEADING_CHARACTERS = 120
_SENTENCE_ENDS = ".!?:;。！？：；…"
# From one line of a paragraph to the next, in type sizes; paragraphs stand further apart than double spacing.
_WIDEST_LINE_SPACING = 2.2


def open_pdf(path: Path, *, limits: ReadLimits) -> Any:
    """The opened document.

    Raises:
        BrokenFile, PasswordNeeded, LimitPassed: it is broken or without pages, encrypted, or has too many pages.
    """
    try:
        document = pymupdf.open(path, filetype="pdf")
    except pymupdf.FileDataError as error:
        raise BrokenFile("the PDF is broken: its structure cannot be read. Export or print it again") from error
    if document.needs_pass:
        raise PasswordNeeded("the PDF is encrypted and needs a password: give it with --password, or in the password field")
    if document.page_count == 0:
        raise BrokenFile("the PDF has no pages")
    if document.page_count > limits.pages:
        raise LimitPassed(
            f"the PDF has {document.page_count} pages; at most {limits.pages} are read: split it, or raise the setting read.pages"
        )
    return document


def read_title(document: Any) -> str:
    """The title that the PDF's metadata give, or an empty string."""
    return " ".join(((document.metadata or {}).get("title") or "").split())


def read_pages(document: Any, *, limits: ReadLimits) -> Iterator[Page]:
    """Each page in turn.

    Raises:
        BrokenFile, LimitPassed: a page cannot be read, or needs too much memory.
    """
    for index in range(document.page_count):
        try:
            page = _read_page(_upright(document[index]), number=index + 1)
        except (RuntimeError, ValueError, IndexError, MemoryError) as error:  # what MuPDF raises on a damaged page
            if is_out_of_memory(error):
                raise LimitPassed(
                    f"page {index + 1} needs more than {limits.memory_mib} MiB of memory (setting read.memory_mib)"
                ) from error
            raise BrokenFile(f"page {index + 1} is broken and cannot be read ({error})") from error
        yield page


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether the error says that the process may take no more memory; MuPDF says so in its own words."""
    return isinstance(error, MemoryError) or "alloc" in str(error)


def render_png(document: Any, number: int, *, boxes: list[Bbox], dpi: int, limits: ReadLimits) -> bytes:
    """The page as PNG with the boxes marked; the resolution is lowered where the page would pass the pixel limit."""
    page = _upright(document[number - 1])
    for box in boxes:
        mark = page.add_highlight_annot(pymupdf.Rect(box))
        mark.set_colors(stroke=(1.0, 0.85, 0.2))
        mark.update(opacity=0.55)
    if boxes:
        frame = pymupdf.Rect(boxes[0])
        for box in boxes[1:]:
            frame |= pymupdf.Rect(box)
        page.draw_rect(pymupdf.Rect(frame.x0 - 3, frame.y0 - 3, frame.x1 + 3, frame.y1 + 3), color=(0.85, 0.2, 0.1), width=1.2)
    wanted = page.rect.width * page.rect.height * (dpi / 72) ** 2
    if wanted > limits.image_pixels:
        dpi = max(1, int(dpi * (limits.image_pixels / wanted) ** 0.5))
    return bytes(page.get_pixmap(dpi=dpi).tobytes("png"))


def _upright(page: Any) -> Any:
    """The page, looking as before, with its rotation put into its content: then all coordinates are those a reader sees."""
    if page.rotation:
        crop, top = page.cropbox, page.mediabox.y1
        page.set_mediabox(pymupdf.Rect(crop.x0, top - crop.y1, crop.x1, top - crop.y0))  # `remove_rotation` forgets the crop box
        page.remove_rotation()
    return page


def _read_page(page: Any, *, number: int) -> Page:
    content = page.get_text("dict", flags=TEXT_FLAGS)
    blocks = _whole_paragraphs([block for block in content["blocks"] if block["type"] == 0 and _lines_of(block)])
    tables = find_tables(page)
    body_size = _body_size(blocks)
    width, height = round(float(page.rect.width), 1), round(float(page.rect.height), 1)
    writer = _PageWriter(width, height)
    written: set[int] = set()
    for block in blocks:
        inside = next((i for i, table in enumerate(tables) if table.contains(block["bbox"])), None)
        if inside is None:
            _write_block(writer, block, body_size)
        elif inside not in written:
            written.add(inside)
            writer.table(tables[inside])
    return Page(
        number=number,
        width=width,
        height=height,
        text=writer.text,
        blocks=tuple(writer.blocks),
        lines=tuple(writer.lines),
    )


def _whole_paragraphs(blocks: list[Any]) -> list[Any]:
    """The blocks, with the lines of one paragraph in one block: MuPDF parts widely spaced lines (usual in Chinese) from
    each other. A line goes on when it runs to the right edge of the column without ending a sentence."""
    whole: list[Any] = []
    for block in blocks:
        if whole and _goes_on(whole[-1]["lines"][-1], block["lines"][0], right_edge=_right_edge(blocks, block["bbox"])):
            before = whole.pop()
            block = {**before, "lines": before["lines"] + block["lines"], "bbox": _union([before["bbox"], block["bbox"]])}
        whole.append(block)
    return whole


def _goes_on(line: Any, after: Any, *, right_edge: float) -> bool:
    size = line["spans"][-1]["size"]
    text = _text(line).rstrip()
    return bool(
        text
        and text[-1] not in _SENTENCE_ENDS
        and abs(size - after["spans"][0]["size"]) < 0.5
        and _is_bold(line) == _is_bold(after)
        and 0 < after["bbox"][1] - line["bbox"][1] < _WIDEST_LINE_SPACING * size
        and right_edge - line["bbox"][2] < 2 * size
        and not _LIST_MARK.match(_text(after))
    )


def _right_edge(blocks: list[Any], box: Any) -> float:
    """How far to the right the text goes that stands in the same column as the box."""
    return float(max(block["bbox"][2] for block in blocks if block["bbox"][0] < box[2] and box[0] < block["bbox"][2]))


def _write_block(writer: _PageWriter, block: Any, body_size: float) -> None:
    """Writes a block, headings that stand in one block with their paragraph apart from it."""
    group: list[Any] = []
    kind = BlockKind.TEXT
    for line in _lines_of(block):
        line_kind = _kind(line, body_size)
        if group and (line_kind is BlockKind.HEADING) != (kind is BlockKind.HEADING):
            writer.paragraph(kind, group)
            group = []
        if not group:
            kind = line_kind
        group.append(line)
    writer.paragraph(kind, group)


def _kind(line: Any, body_size: float) -> BlockKind:
    text = _text(line)
    size = max(span["size"] for span in line["spans"])
    short = len(text) <= _HEADING_CHARACTERS and not text.rstrip().endswith((".", "。", "；", ";", "，", ","))
    if short and (size >= body_size * _HEADING_SIZE_RATIO or _is_bold(line)) and any(c.isalpha() for c in text):
        return BlockKind.HEADING
    return BlockKind.LIST if _LIST_MARK.match(text) else BlockKind.TEXT


def _is_bold(line: Any) -> bool:
    return all(span["flags"] & _BOLD or "bold" in span["font"].lower() for span in line["spans"] if span["text"].strip())


def _body_size(blocks: list[Any]) -> float:
    sizes: list[float] = []
    for block in blocks:
        for line in block["lines"]:
            for span in line["spans"]:
                sizes.extend([span["size"]] * len(span["text"].strip()))
    return statistics.median(sizes) if sizes else 0.0


def _lines_of(block: Any) -> list[Any]:
    return [line for line in block["lines"] if _text(line).strip()]


def _text(line: Any) -> str:
    return "".join(span["text"] for span in line["spans"]).replace("\x00", "")


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

    def _append(self, text: str) -> tuple[int, int]:
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        return start, self._length

    def _begin_block(self) -> int:
        if self._parts:
            self._append("\n\n")
        return self._length

    def paragraph(self, kind: BlockKind, lines: list[Any]) -> None:
        start = self._begin_block()
        right = max(line["bbox"][2] for line in lines)
        width = right - min(line["bbox"][0] for line in lines)
        previous: Any = None
        for line in lines:
            text = _text(line).strip()
            if previous is not None:
                self._append(_joint(previous, line, right_edge=right, width=width))
            self.lines.append(Line(*self._append(text), self._bbox(line["bbox"])))
            previous = line
        boxes = [line["bbox"] for line in lines]
        self.blocks.append(Block(kind, start, self._length, self._bbox(_union(boxes))))

    def table(self, table: TableOnPage) -> None:
        start = self._begin_block()
        for number, row in enumerate(table.rows):
            if number:
                self._append("\n")
            for column, cell in enumerate(row):
                if column:
                    self._append(" | ")
                if cell:
                    self.lines.append(Line(*self._append(cell), self._bbox(table.cell_boxes[number][column])))
        self.blocks.append(Block(BlockKind.TABLE, start, self._length, self._bbox(table.bbox), table.rows))

    def _bbox(self, box: Any) -> Bbox:
        """The box within the page: a letter that is cut by the page's edge reaches past it."""
        x0, x1 = (round(min(max(float(x), 0.0), self._width), 1) for x in (box[0], box[2]))
        y0, y1 = (round(min(max(float(y), 0.0), self._height), 1) for y in (box[1], box[3]))
        return x0, y0, x1, y1


def _joint(previous: Any, line: Any, *, right_edge: float, width: float) -> str:
    """What stands between two printed lines of a block: nothing, a space, or a line break where the print meant one."""
    before, after = _text(previous).strip(), _text(line).strip()
    same_row = abs(previous["bbox"][1] - line["bbox"][1]) < 2
    if not same_row and (_LIST_MARK.match(after) or right_edge - previous["bbox"][2] > 0.25 * width):
        return "\n"
    if before.endswith("-") and after[:1].islower():
        return "\n"  # a hyphenated word: kept as printed, joined for the search terms only
    return "" if is_wide(before[-1]) and is_wide(after[0]) else " "


def _union(boxes: list[Any]) -> Bbox:
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)
