"""Prints a source document as PDF: cover, contents, chapters, ruled tables, page headers and footers.

The same source gives the same bytes with the same PyMuPDF: dates come from the source and the file carries no id. No
paragraph, row or list item is split between pages, so a fact's sentence lies on one page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pymupdf

from eval.sample_corpus import drawings
from eval.sample_corpus.source import SourceBlock, SourceDocument
from eval.sample_corpus.typesetting import break_lines, runs_of, text_width

COMPANY = {"en": "Quillmere Flow Control", "zh": "葵澜流控有限公司"}
_SIZES = {"A4": (595.0, 842.0, 68.0), "A5": (420.0, 595.0, 44.0)}
_FACES = {"sans": ("helv", "hebo"), "serif": ("tiro", "tibo")}
_WORDS = {
    "en": {"contents": "Contents", "number": "Document no.", "version": "Version", "date": "Effective", "owner": "Owner"},
    "zh": {"contents": "目  录", "number": "文件编号", "version": "版本", "date": "生效日期", "owner": "归口部门"},
}
_GREY = (0.38, 0.38, 0.4)
_CELL_PAD = 4.0


@dataclass(frozen=True, slots=True)
class _Table:
    """A table ready to be drawn: each cell's lines, the columns' widths and the rows' heights."""

    rows: list[list[list[str]]]
    widths: list[float]
    heights: list[float]
    size: float
    leading: float

    def needed(self, printer: _Printer) -> float:
        """The room it takes with its caption, or that of its first rows where it is long."""
        whole = printer.leading * 1.3 + sum(self.heights)
        return whole if whole < printer.height * 0.55 else printer.leading * 1.3 + sum(self.heights[:4])


class _Printer:
    """The pages made so far and the place where the next block goes."""

    def __init__(self, source: SourceDocument, contents: list[tuple[int, str, int]]) -> None:
        data = source.data
        self.source = source
        self.contents = contents  # level, text and page of each heading, as found by an earlier printing
        self.pdf: Any = pymupdf.open()
        self.shape: Any = None
        self.y = 0.0
        self.headings: list[tuple[int, str, int]] = []
        self.pages_of: list[int] = []  # the page of each block
        self.width, self.height, self.margin = _SIZES[data.get("size", "A4")]
        self.latin, self.bold = _FACES[data.get("face", "sans")]
        self.size = float(data.get("font", "9.5" if self.width < 500 else "11"))
        self.leading = self.size * (1.75 if source.language == "zh" else 1.45)
        r, g, b = (int(data.get("colour", "1f4e79")[i : i + 2], 16) / 255 for i in (0, 2, 4))
        self.colour = (r, g, b)
        self.words = _WORDS[source.language]

    # ---- places -------------------------------------------------------------------------------------------------

    @property
    def inner(self) -> float:
        return self.width - 2 * self.margin

    @property
    def bottom(self) -> float:
        return self.height - self.margin

    def new_page(self) -> None:
        self.finish_page()
        page = self.pdf.new_page(width=self.width, height=self.height)
        self.shape = page.new_shape()
        self.y = self.margin + 14

    def finish_page(self) -> None:
        if self.shape is not None:
            self.shape.commit()
            self.shape = None

    def room(self, needed: float) -> None:
        if self.shape is None or self.y + needed > self.bottom:
            self.new_page()

    # ---- text ---------------------------------------------------------------------------------------------------

    def write(
        self, text: str, x: float, y: float, *, size: float, bold: bool = False, colour: tuple[float, ...] = (0, 0, 0)
    ) -> None:
        """One line with its base line at y. Bold Chinese is the same glyph with a thin outline."""
        for run in runs_of(text, self.bold if bold else self.latin, size):
            outlined = bold and run.font == "china-s"
            self.shape.insert_text(
                (x, y),
                run.text,
                fontname=run.font,
                fontsize=size,
                color=colour,
                fill=colour,
                render_mode=2 if outlined else 0,
                border_width=0.03,
            )
            x += run.width

    def rule(self, y: float, *, colour: tuple[float, ...], width: float) -> None:
        """A line over the text's width. Each is a path of its own: table finders take the box of a path for a frame."""
        self.shape.draw_line((self.margin, y), (self.margin + self.inner, y))
        self.shape.finish(color=colour, width=width, closePath=False)

    def lines(self, text: str, width: float, *, size: float, bold: bool = False) -> list[str]:
        return break_lines(text, self.bold if bold else self.latin, size, width)

    def paragraph(self, text: str, *, indent: float = 0.0, mark: str = "", after: float = 0.55) -> None:
        lines = self.lines(text, self.inner - indent, size=self.size)
        self.room(len(lines) * self.leading)
        x = self.margin + indent
        if mark:
            shown = "\u2022" if mark == "-" else mark
            self.write(shown, x - text_width(shown, self.latin, self.size) - 5, self.y + self.size, size=self.size)
        for line in lines:
            self.write(line, x, self.y + self.size, size=self.size)
            self.y += self.leading
        self.y += self.leading * after

    # ---- blocks -------------------------------------------------------------------------------------------------

    def block(self, block: SourceBlock, following: list[SourceBlock]) -> None:
        match block.kind:
            case "heading":
                self.heading(block, following)
            case "paragraph":
                self.paragraph(block.text)
            case "item":
                self.paragraph(block.text, indent=26 if block.mark.startswith("（") else 20, mark=block.mark, after=0.2)
            case "note":
                self.note(block.text)
            case "table":
                self.table(block)
            case "drawing":
                self.drawing(block.text)
            case "break":
                self.new_page()
        self.pages_of.append(len(self.pdf))

    def height_of(self, block: SourceBlock) -> float:
        """The room a block takes, or for a table that may be split the room of its beginning."""
        match block.kind:
            case "heading":
                return self.leading * 2.5
            case "drawing":
                return drawings.HEIGHT + 10
            case "table":
                return self.measured(block).needed(self)
            case "break":
                return 0.0
        return len(self.lines(block.text, self.inner - 24, size=self.size)) * self.leading + 12

    def heading(self, block: SourceBlock, following: list[SourceBlock]) -> None:
        size = self.size * (1.55 if block.level == 1 else 1.18)
        lines = self.lines(block.text, self.inner, size=size, bold=True)
        if block.level == 1 and self.source.data.get("chapters") == "new-page" and self.headings:
            self.new_page()
        reserve = 0.0
        for after in following:
            reserve += self.height_of(after)
            if after.kind != "heading":
                break
        self.room(len(lines) * size * 1.3 + self.leading * 1.8 + min(reserve, self.height * 0.55))
        if self.y > self.margin + 20:
            self.y += self.leading * (0.9 if block.level == 1 else 0.45)
        self.headings.append((block.level, block.text, len(self.pdf)))
        for line in lines:
            self.write(line, self.margin, self.y + size, size=size, bold=True, colour=self.colour)
            self.y += size * 1.3
        if block.level == 1:
            self.y += 3
            self.rule(self.y, colour=self.colour, width=0.8)
        self.y += self.leading * 0.45

    def note(self, text: str) -> None:
        lines = self.lines(text, self.inner - 24, size=self.size)
        height = len(lines) * self.leading + 12
        self.room(height + 6)
        self.shape.draw_rect((self.margin, self.y, self.margin + self.inner, self.y + height))
        self.shape.finish(color=None, fill=(0.95, 0.95, 0.92), width=0)
        self.shape.draw_line((self.margin + 1.5, self.y), (self.margin + 1.5, self.y + height))
        self.shape.finish(color=self.colour, width=3, closePath=False)
        y = self.y + 6
        for line in lines:
            self.write(line, self.margin + 14, y + self.size, size=self.size)
            y += self.leading
        self.y += height + self.leading * 0.6

    def drawing(self, name: str) -> None:
        draw: Callable[..., None] = getattr(drawings, name.replace("-", "_"))
        height = drawings.HEIGHT
        self.room(height + 10)
        draw(self.shape, self.margin, self.y, self.inner, write=self.write, size=self.size * 0.8)
        self.y += height + 10

    def measured(self, block: SourceBlock) -> _Table:
        """The table with its cells broken into lines."""
        size = self.size * 0.92
        leading = size * (1.5 if self.source.language == "zh" else 1.3)
        total = sum(block.widths)
        widths = [self.inner * width / total for width in block.widths]
        rows = [
            [
                self.lines(cell, width - 2 * _CELL_PAD, size=size, bold=index == 0) or [""]
                for cell, width in zip(row, widths, strict=True)
            ]
            for index, row in enumerate(block.rows)
        ]
        heights = [max(len(cell) for cell in row) * leading + 2 * _CELL_PAD for row in rows]
        return _Table(rows, widths, heights, size, leading)

    def table(self, block: SourceBlock) -> None:
        table = self.measured(block)
        self.room(table.needed(self))
        if block.text:
            self.write(block.text, self.margin, self.y + self.size, size=self.size * 0.95, bold=True)
            self.y += self.leading * 1.3
        for index, height in enumerate(table.heights):
            if self.y + height > self.bottom:
                self.new_page()
                self.row(table, 0)
            self.row(table, index)
        self.y += self.leading * 0.8

    def row(self, table: _Table, index: int) -> None:
        x, height, head = self.margin, table.heights[index], index == 0
        for cell, width in zip(table.rows[index], table.widths, strict=True):
            self.shape.draw_rect((x, self.y, x + width, self.y + height))
            self.shape.finish(color=(0.45, 0.45, 0.48), fill=(0.88, 0.91, 0.94) if head else None, width=0.6)
            y = self.y + _CELL_PAD
            for line in cell:
                self.write(line, x + _CELL_PAD, y + table.size, size=table.size, bold=head)
                y += table.leading
            x += width
        self.y += height

    # ---- front matter and furniture -----------------------------------------------------------------------------

    def cover(self) -> None:
        data = self.source.data
        tall = data.get("cover") == "page"
        self.new_page()
        if tall:
            self.y = self.height * 0.24
        drawings.logo(self.shape, self.margin, self.y, 30 if tall else 20, self.colour)
        name = COMPANY[self.source.language] + (" Co., Ltd." if self.source.language == "en" else "")
        self.write(name, self.margin + (40 if tall else 28), self.y + (20 if tall else 14), size=self.size * 1.1, bold=True)
        self.y += 58 if tall else 36
        for line in self.lines(data["title"], self.inner, size=self.size * 2.2, bold=True):
            self.write(line, self.margin, self.y + self.size * 2.2, size=self.size * 2.2, bold=True, colour=self.colour)
            self.y += self.size * 3
        if "subtitle" in data:
            self.y += 4
            for line in self.lines(data["subtitle"], self.inner, size=self.size * 1.15):
                self.write(line, self.margin, self.y + self.size * 1.15, size=self.size * 1.15, colour=_GREY)
                self.y += self.size * 1.7
        self.y += self.leading * (2.5 if tall else 0.6)
        for key in ("number", "version", "date", "owner"):
            if key in data:
                label = 76.0 if self.source.language == "en" else 60.0
                self.write(self.words[key], self.margin, self.y + self.size, size=self.size * 0.92, colour=_GREY)
                self.write(data[key], self.margin + label, self.y + self.size, size=self.size * 0.92)
                self.y += self.leading
        self.y += self.leading
        if tall:
            self.table_of_contents()

    def table_of_contents(self) -> None:
        self.new_page()
        self.write(self.words["contents"], self.margin, self.y + 18, size=self.size * 1.55, bold=True, colour=self.colour)
        self.y += 40
        for level, text, page in self.contents:
            if level > 2:
                continue
            x, right = self.margin + (level - 1) * 16, self.margin + self.inner
            number = str(page)
            at = right - text_width(number, self.latin, self.size)
            step = self.leading * (1.05 if level == 1 else 0.95)
            self.room(step)
            self.write(text, x, self.y + self.size, size=self.size, bold=level == 1)
            start = x + text_width(text, self.bold, self.size) + 6
            self.shape.draw_line((start, self.y + self.size - 1), (at - 6, self.y + self.size - 1))
            self.shape.finish(color=_GREY, width=0.5, dashes="[1 3] 0")
            self.write(number, at, self.y + self.size, size=self.size)
            self.y += step
        self.new_page()

    def furniture(self) -> None:
        """Headers and footers, once the number of pages is known."""
        self.finish_page()
        data, size = self.source.data, self.size * 0.78
        count = len(self.pdf)
        for index, page in enumerate(self.pdf):
            if index == 0 and data.get("cover") == "page":
                continue
            self.shape = page.new_shape()
            top, foot = self.margin - 14, self.height - self.margin + 22
            left, right = self.margin, self.margin + self.inner
            self.write(COMPANY[self.source.language], left, top, size=size, colour=_GREY)
            title = data.get("short", data["title"])
            self.write(title, right - text_width(title, self.latin, size), top, size=size, colour=_GREY)
            self.rule(top + 5, colour=_GREY, width=0.4)
            self.rule(foot - size - 4, colour=_GREY, width=0.4)
            if self.source.language == "en":
                mark, number = f"{data['number']}  Version {data['version']}", f"Page {index + 1} of {count}"
            else:
                mark, number = f"{data['number']}  版本{data['version']}", f"第{index + 1}页 共{count}页"
            if "mark" in data:
                mark += "   " + data["mark"]
            self.write(mark, left, foot, size=size, colour=_GREY)
            self.write(number, right - text_width(number, self.latin, size), foot, size=size, colour=_GREY)
            self.finish_page()


@dataclass(frozen=True, slots=True)
class Printed:
    """The bytes of a PDF and the page, from 1, of each block of its source."""

    content: bytes
    block_pages: tuple[int, ...]
    page_count: int


def _print_once(source: SourceDocument, contents: list[tuple[int, str, int]]) -> _Printer:
    printer = _Printer(source, contents)
    printer.cover()
    for index, block in enumerate(source.blocks):
        printer.block(block, list(source.blocks[index + 1 : index + 4]))
    printer.furniture()
    return printer


def print_document(source: SourceDocument) -> Printed:
    """The source as PDF. It is printed twice, so that the table of contents knows the pages."""
    first = _print_once(source, [])
    first = _print_once(source, first.headings)
    printer = _print_once(source, first.headings)
    day = source.data["day"].replace("-", "")
    stamp = f"D:{day}090000Z"
    printer.pdf.set_metadata(
        {
            "title": source.data["title"],
            "author": COMPANY[source.language],
            "subject": source.data["number"],
            "creator": "Graft sample corpus",
            "producer": "PyMuPDF",
            "creationDate": stamp,
            "modDate": stamp,
        }
    )
    outline = [[level, text, page] for level, text, page in printer.headings]
    printer.pdf.set_toc([[1 if i == 0 else level, text, page] for i, (level, text, page) in enumerate(outline)])
    content: bytes = printer.pdf.tobytes(garbage=4, deflate=True, use_objstms=1, no_new_id=True)
    return Printed(content, tuple(printer.pages_of), len(printer.pdf))
