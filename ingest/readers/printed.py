"""PDF: the pages as `ingest.pdf` reads them, each with its picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest.ocr.base import OcrEngine
from ingest.readers.base import Reading, Source
from ingest.readers.parts import within
from ingest.settings import ReadLimits
from ingest.types import Bbox, Page


def read(source: Source) -> Reading:
    """The title of its metadata, and its pages one after another."""
    from ingest import pdf  # loads the PDF library, which only the worker needs

    document = pdf.open_pdf(source.path, limits=source.limits)
    return reading_of(document, limits=source.limits, ocr=source.ocr)


def reading_of(document: Any, *, limits: ReadLimits, ocr: OcrEngine | None) -> Reading:
    """An opened PDF, which is closed when its last page was read."""
    from ingest import pdf

    def pages() -> Iterator[Page]:
        with document:
            yield from within(pdf.read_pages(document, limits=limits, ocr=ocr), limits)

    return Reading(pdf.read_title(document), document.page_count, pages())


def draw(path: Path, number: int, *, boxes: list[Bbox], dpi: int, limits: ReadLimits) -> bytes:
    """One page as PNG with the boxes marked."""
    from ingest import pdf

    with pdf.open_pdf(path, limits=limits) as document:
        return pdf.render_png(document, number, boxes=boxes, dpi=dpi, limits=limits)
