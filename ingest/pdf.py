"""A PDF file → pages of text with the place of every line, by PyMuPDF.

Invariants. Those of `ingest.composition`.
Boxes are where a reader sees the text (a page's own rotation is applied), and lie within the page.
Nothing here is safe against hostile files by itself: `ingest.isolation` runs it in a process of its own, with limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymupdf

from ingest.composition import compose
from ingest.errors import BrokenFile, LimitPassed, PasswordNeeded
from ingest.layout import turned_clockwise
from ingest.ocr.base import OcrEngine
from ingest.ocr.page import as_printed, with_words
from ingest.ocr.pictures import Pictures
from ingest.pdf_text import PageText
from ingest.settings import ReadLimits
from ingest.tables import find_tables
from ingest.types import Bbox, Page

# What MuPDF raises on a damaged page, in its own types and in Python's.
_DAMAGED = (pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError, IndexError, MemoryError)


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


def read_pages(document: Any, *, limits: ReadLimits, ocr: OcrEngine | None = None) -> Iterator[Page]:
    """Each page in turn; with an engine, also what its picture says where its text layer does not.

    Raises:
        BrokenFile, LimitPassed: a page cannot be read, or needs too much memory.
    """
    pictures = Pictures(ocr, limits=limits) if ocr else None
    for index in range(document.page_count):
        try:
            page = _read_page(_upright(document[index]), number=index + 1, pictures=pictures)
        except _DAMAGED as error:
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


def _read_page(page: Any, *, number: int, pictures: Pictures | None) -> Page:
    text = PageText(page)
    if text.turned:
        read = _read_turned(page, text.turned, number=number, pictures=pictures)
    else:
        read = _composed(page, text, number=number, pictures=pictures)
    return replace(read, hidden=text.hidden) if text.hidden else read


def _read_turned(page: Any, turned: int, *, number: int, pictures: Pictures | None) -> Page:
    """The page read as one reads it who turns it until the text stands upright; boxes lie where they are displayed."""
    page.set_rotation(360 - turned)
    page = _upright(page)
    upright = _composed(page, PageText(page), number=number, pictures=pictures)
    page.set_rotation(turned)  # looks as before
    return turned_clockwise(upright, turned)


def _composed(page: Any, text: PageText, *, number: int, pictures: Pictures | None) -> Page:
    """The page of its text layer and what was read from pictures on it, or of its picture alone."""
    width, height = round(float(page.rect.width), 1), round(float(page.rect.height), 1)
    seen = pictures.read(page, text.lines) if pictures else None
    if seen is None:
        return compose(text.lines, find_tables(page, text), number=number, width=width, height=height)
    read = as_printed(seen.lines).lines
    if not seen.whole:
        together = compose([*text.lines, *read], find_tables(page, text), number=number, width=width, height=height)
        return with_words(together, seen.lines)
    if seen.turn in (90, 270):
        width, height = height, width
    upright = with_words(compose(read, seen.tables, number=number, width=width, height=height), seen.lines)
    return turned_clockwise(upright, 360 - seen.turn) if seen.turn else upright
