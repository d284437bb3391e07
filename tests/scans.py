"""Printed pages, as text or as pictures of it, made by PyMuPDF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
import pymupdf
from numpy.typing import NDArray

from ingest.ocr.base import OcrLine, OcrWord

Pixels = NDArray[numpy.uint8]

ENGLISH = ("Annual leave is 15 days a year.", "It must be asked for in writing,", "and never on the phone.")
CHINESE = ("年假为每年十五天，须书面申请，", "不得以电话方式提出。")


def printed(*lines: str, size: tuple[float, float] = (300, 120), points: float = 12) -> Any:
    """A document of one page with these lines under each other."""
    document = pymupdf.open()
    page = document.new_page(width=size[0], height=size[1])
    for number, line in enumerate(lines):
        page.insert_text(
            (30, 36 + 1.5 * points * number), line, fontsize=points, fontname="helv" if line.isascii() else "china-s"
        )
    return document


def photographed(document: Any, *, dpi: int = 150, turn: int = 0) -> Pixels:
    """The picture of a document's first page, turned clockwise."""
    drawn = document[0].get_pixmap(dpi=dpi, alpha=False)
    pixels = numpy.frombuffer(drawn.samples, numpy.uint8).reshape(drawn.height, drawn.width, 3)
    return numpy.ascontiguousarray(numpy.rot90(pixels, k=-turn // 90))


def scanned(document: Any, *, dpi: int = 150, turn: int = 0) -> Any:
    """A document of one page that is nothing but the picture of another's first one."""
    pixels = photographed(document, dpi=dpi, turn=turn)
    height, width = pixels.shape[:2]
    scan = pymupdf.open()
    page = scan.new_page(width=width * 72 / dpi, height=height * 72 / dpi)
    page.insert_image(page.rect, stream=png_of(pixels))
    return scan


def png_of(pixels: Pixels) -> bytes:
    """The picture as a file."""
    height, width = pixels.shape[:2]
    return bytes(pymupdf.Pixmap(pymupdf.csRGB, width, height, pixels.tobytes(), False).tobytes("png"))


def line(text: str, x0: float, y0: float, x1: float, y1: float, confidence: float = 0.99) -> OcrLine:
    """A read line of one word."""
    return OcrLine(text, (x0, y0, x1, y1), (OcrWord(0, len(text), confidence),))


class ScriptedEngine:
    """Reads the lines it was told, whatever the picture; keeps the sizes of the pictures it was given."""

    def __init__(self, *lines: OcrLine) -> None:
        self._lines = lines
        self.asked: list[tuple[int, int]] = []

    def read(self, pixels: Pixels, /) -> Sequence[OcrLine]:
        self.asked.append((pixels.shape[1], pixels.shape[0]))
        return self._lines
