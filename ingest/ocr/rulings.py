"""The ruled lines of a picture, drawn again as strokes on an empty PDF page: there, tables are found as on any other page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ingest.ocr.base import OcrLine
from ingest.types import Bbox

if TYPE_CHECKING:
    from ingest.ocr.base import Pixels

# In pixels at the resolution in which pages are read. Strokes of large letters are shorter, borders of table cells longer
# (they run on over several rows); borders are thin, and the edges of pictures and filled areas are not.
_LEAST_LENGTH = 60
_MOST_THICKNESS = 8
# Print and scanning leave gaps in a line, between pieces that are longer than the strokes of most letters.
_GAP = 7
_LEAST_PIECE = 30
# How much darker than its surroundings a line is, of 255.
_DARKER = 12


def page_of_rulings(pixels: Pixels, lines: Sequence[OcrLine], *, scale: float) -> Any:
    """A PDF page with the picture's ruled lines, a pixel `scale` points wide.

    In the middle of each line of text, which is in points, stands one letter: a frame around nothing is no table.
    """
    across, down = _strokes(pixels)
    import pymupdf

    height, width = pixels.shape[:2]
    page = pymupdf.open().new_page(width=width * scale, height=height * scale)
    for x0, y0, x1, y1 in across:
        page.draw_line((x0 * scale, (y0 + y1) / 2 * scale), (x1 * scale, (y0 + y1) / 2 * scale))
    for x0, y0, x1, y1 in down:
        page.draw_line(((x0 + x1) / 2 * scale, y0 * scale), ((x0 + x1) / 2 * scale, y1 * scale))
    for line in lines:
        page.insert_text(((line.bbox[0] + line.bbox[2]) / 2, (line.bbox[1] + line.bbox[3]) / 2), "x", fontsize=2)
    return page


def _strokes(pixels: Pixels) -> tuple[list[Bbox], list[Bbox]]:
    """The boxes of all lines that run across, and of all that run down."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    dark = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, _DARKER)
    found: list[list[Bbox]] = []
    for axis in (0, 1):
        lines = dark
        for step, length in ((cv2.MORPH_OPEN, _LEAST_PIECE), (cv2.MORPH_CLOSE, _GAP), (cv2.MORPH_OPEN, _LEAST_LENGTH)):
            shape = (length, 1) if axis == 0 else (1, length)
            lines = cv2.morphologyEx(lines, step, cv2.getStructuringElement(cv2.MORPH_RECT, shape))
        _, _, boxes, _ = cv2.connectedComponentsWithStats(lines)
        found.append([(x, y, x + w, y + h) for x, y, w, h, _ in boxes[1:].tolist() if (h, w)[axis] <= _MOST_THICKNESS])
    return found[0], found[1]
