"""What of a PDF page must be read from its picture, and that read: the whole page, some images on it, or nothing.

A page is read whole where it has no text layer, or one that cannot be what the page shows. On others, images of some size
are read that hold next to none of the layer's text; what a line of the layer covers is not read twice. Boxes are PDF points
of the page, turned upright where `turn` says so. Nothing is known here of how lines become a page's text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.lines import PrintedLine, holds_middle, union
from ingest.ocr.base import OcrEngine, OcrLine, confidence_of
from ingest.ocr.direction import read_upright, turned
from ingest.ocr.page import as_printed
from ingest.ocr.rulings import page_of_rulings
from ingest.page_table import TableOnPage
from ingest.settings import ReadLimits
from ingest.tables import find_tables
from ingest.text_layer import is_garbage, says_the_same
from ingest.types import Bbox

if TYPE_CHECKING:
    from ingest.ocr.base import Pixels

# Prints read as well at 110 dpi, and take as long: the recogniser scales every line to one height. Small type does not.
_DPI = 150
# A blank page is told by its picture at this resolution, in a millisecond.
_BLANK_DPI = 24
# An image smaller than this share of the page is a logo or an ornament: reading it costs more than it tells.
_LEAST_SHARE = 0.02
_LEAST_SIDE_POINTS = 24.0
# The words of a searchable scan cover a tenth of it and more; a page number printed over a scan covers a thousandth.
_MOST_COVERED = 0.02
# Pieces of one scan lie edge to edge.
_SEAM_POINTS = 2.0
# A garbage layer is kept where its picture cannot be read either, as in a script that the engine does not know.
_LEAST_CONFIDENCE = 0.5


@dataclass(frozen=True, slots=True)
class PictureText:
    """Lines that were read from a page's picture. `whole`: they are all that the page says.

    `turn` is by how many degrees, clockwise, the page is turned before its lines stand where their boxes say; `tables` are the
    tables that the lines make. Both only where the page was read whole.
    """

    lines: Sequence[OcrLine]
    whole: bool
    turn: int = 0
    tables: Sequence[TableOnPage] = ()


class Pictures:
    """Reads the pictures of one document; an image that stands on many pages is read once."""

    def __init__(self, engine: OcrEngine, *, limits: ReadLimits) -> None:
        self._engine = engine
        self._limits = limits
        self._read: dict[tuple[int, int, int], Sequence[OcrLine]] = {}

    def read(self, page: Any, layer: Sequence[PrintedLine]) -> PictureText | None:
        """What the page's picture says beyond the lines of its text layer; None where that is nothing."""
        text = " ".join(line.text for line in layer)
        if not text:
            return None if page.get_pixmap(dpi=_BLANK_DPI).is_unicolor else self._whole(page)
        if is_garbage(text):
            found = self._whole(page)
            if found is None or confidence_of(w for line in found.lines for w in line.words) < _LEAST_CONFIDENCE:
                return None
            return None if says_the_same(text, " ".join(line.text for line in found.lines)) else found
        boxes = [line.bbox for line in layer]
        lines = [line for region, xref in _regions(page, boxes) for line in self._region(page, region, xref)]
        beyond = [line for line in lines if not any(_is_same(line.bbox, box) for box in boxes)]
        return PictureText(beyond, whole=False) if beyond else None

    def _whole(self, page: Any) -> PictureText | None:
        pixels, scale = _pixels(page, None, self._limits)
        turn, found = read_upright(pixels, self._engine)
        if not found:
            return None
        lines = [line.placed(scale=scale) for line in found]
        rules = page_of_rulings(turned(pixels, turn), lines, scale=scale)
        return PictureText(lines, whole=True, turn=turn, tables=find_tables(rules, as_printed(lines)))

    def _region(self, page: Any, region: Bbox, xref: int) -> Sequence[OcrLine]:
        """The lines of a part of the page; an image is known again by its number and its size."""
        x, y = region[:2]
        key = xref, round(region[2] - x), round(region[3] - y)
        if not xref or key not in self._read:
            pixels, scale = _pixels(page, region, self._limits)
            self._read[key] = [line.placed(scale=scale) for line in self._engine.read(pixels)]
        return [line.placed(x=x, y=y) for line in self._read[key]]


def _regions(page: Any, layer: Sequence[Bbox]) -> list[tuple[Bbox, int]]:
    """The parts of the page that images cover and the text layer does not, each with the image's number if it is only one."""
    if not page.get_images():
        return []
    width, height = float(page.rect.width), float(page.rect.height)
    joined: list[tuple[Bbox, int]] = []
    for image in page.get_image_info(xrefs=True):
        x0, y0, x1, y1 = image["bbox"]
        box = max(0.0, x0), max(0.0, y0), min(width, x1), min(height, y1)
        xref = image["xref"]
        while touched := next((other for other in joined if _touch(other[0], box)), None):
            joined.remove(touched)
            box, xref = union([touched[0], box]), 0
        joined.append((box, xref))
    return [
        (box, xref) for box, xref in joined if _is_worth_reading(box, width * height) and _covered(box, layer) <= _MOST_COVERED
    ]


def _is_worth_reading(box: Bbox, page_area: float) -> bool:
    width, height = box[2] - box[0], box[3] - box[1]
    return min(width, height) >= _LEAST_SIDE_POINTS and width * height >= _LEAST_SHARE * page_area


def _covered(box: Bbox, layer: Sequence[Bbox]) -> float:
    """The share of the box that lines of the text layer cover."""
    inside = sum((line[2] - line[0]) * (line[3] - line[1]) for line in layer if holds_middle(box, line))
    return inside / ((box[2] - box[0]) * (box[3] - box[1]))


def _pixels(page: Any, region: Bbox | None, limits: ReadLimits) -> tuple[Pixels, float]:
    """The picture of the page or a part of it, and how many points a pixel is wide; within the pixel limit."""
    import numpy
    import pymupdf

    clip = pymupdf.Rect(region) if region else page.rect
    wanted = clip.width * clip.height * (_DPI / 72) ** 2
    zoom = _DPI / 72 * min(1.0, (limits.image_pixels / wanted) ** 0.5)
    drawn = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), clip=clip, colorspace=pymupdf.csRGB, alpha=False)
    return numpy.frombuffer(drawn.samples, numpy.uint8).reshape(drawn.height, drawn.width, 3), 1 / zoom


def _is_same(one: Bbox, other: Bbox) -> bool:
    """Whether two boxes are those of the same printed line."""
    return holds_middle(one, other) or holds_middle(other, one)


def _touch(one: Bbox, other: Bbox) -> bool:
    return (
        one[0] - _SEAM_POINTS <= other[2]
        and other[0] - _SEAM_POINTS <= one[2]
        and one[1] - _SEAM_POINTS <= other[3]
        and other[1] - _SEAM_POINTS <= one[3]
    )
