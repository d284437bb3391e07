"""Text that a PDF page carries and shows to nobody: white on white, a hair high, painted with nothing, under a box.

Invariants. What counts is what is to be seen where the text stands, in the page as it is drawn. So the invisible words over a
scan, by which it is searched, are no hidden text: there is print where they stand. Nor is white type on a dark ground. The page
is drawn only where something asks for a look: type that is faint or painted with nothing, or stands where something else is
painted too. Words under or over a photograph or other print pass for seen, and so do those that a clipping path or an
annotation hides where nothing else asks for a look. What a font or an `ActualText` says other than it shows is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pymupdf

from ingest.types import Bbox

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Pixels = NDArray[numpy.uint8]

# Type of fewer points cannot be read. In 320,000 characters of 164 PDFs the smallest had 3.5 (docs/decisions/0025).
_LEAST_POINTS = 2.0
# `char_flags` of a span that a reader sees: filled or drawn in outline.
_PAINTED = pymupdf.mupdf.FZ_STEXT_FILLED | pymupdf.mupdf.FZ_STEXT_STROKED
_LEAST_ALPHA = 26  # of 255: a tenth
# Colours that are this bright in red, green and blue may be lost on paper.
_FAINT = 224
# Drawn at this resolution, type of 3.5 points is a mark of some pixels. A page larger than A0 is drawn smaller: a black letter is
# told from paper where it is one grey pixel.
_DPI = 100
_MOST_PIXELS = 20_000_000
# Two colours that differ by less in red, green and blue are one to the eye (of 255; a contrast of 1.1 to 1).
_LEAST_CONTRAST = 12
# Of the places of single characters, those with something to be seen: a rule that crosses the text is in one of them.
_LEAST_SEEN = 0.25
_WIDE_PIXELS = 8
# What reaches above and below the type's box belongs to its neighbours.
_EDGE = 0.15

Place = tuple[int, int, int]
"""Block, line and span of the extracted text, each counted from 0."""


class _Span(NamedTuple):
    place: Place
    text: str
    bbox: Bbox


def hidden_spans(page: Any, content: Any) -> dict[Place, int]:
    """The spans of the page's text (`extractDICT`) that no reader sees, each with its number of characters but spaces."""
    hidden: list[_Span] = []
    doubtful: list[_Span] = []
    plain: list[_Span] = []
    for place, span in _spans(content):
        one = _Span(place, span["text"], span["bbox"])
        if span["size"] < _LEAST_POINTS:
            hidden.append(one)
        else:
            (plain if _is_painted(span) and not _is_faint(span) else doubtful).append(one)
    behind = _within(doubtful, [_core(other.bbox) for other in plain])
    hidden += behind
    known = {one.place for one in behind}
    asked = [one for one in doubtful if one.place not in known] + _within(filter(_has_words, plain), _filled(page))
    if asked:
        pixels, zoom = _drawn(page)
        hidden += [one for one in asked if not _is_seen(one, pixels, zoom)]
    return {one.place: sum(not character.isspace() for character in one.text) for one in hidden}


def _spans(content: Any) -> Iterator[tuple[Place, Any]]:
    for b, block in enumerate(content["blocks"]):
        for n, line in enumerate(block.get("lines", ())):
            for s, span in enumerate(line["spans"]):
                if span["text"].strip():
                    yield (b, n, s), span


def _is_painted(span: Any) -> bool:
    return bool(span["char_flags"] & _PAINTED) and span["alpha"] >= _LEAST_ALPHA


def _is_faint(span: Any) -> bool:
    return bool(min(span["color"].to_bytes(3, "big")) >= _FAINT)


def _has_words(span: _Span) -> bool:
    """Whether it has a letter or a figure; a dot or a dash is too small a mark to look for, and hides nothing."""
    return any(character.isalnum() for character in span.text)


def _filled(page: Any) -> list[Bbox]:
    """Where the page is filled with a colour or an image."""
    return [box for kind, box in page.get_bboxlog() if kind.startswith("fill-") and kind != "fill-text"]


def _within(spans: Iterable[_Span], boxes: Sequence[Bbox]) -> list[_Span]:
    """The spans whose middle lies in one of the boxes."""
    import numpy

    if not boxes:
        return []
    left, top, right, bottom = numpy.array(boxes).T  # a chart fills thousands of boxes
    found = []
    for span in spans:
        x, y = (span.bbox[0] + span.bbox[2]) / 2, (span.bbox[1] + span.bbox[3]) / 2
        if ((left <= x) & (x <= right) & (top <= y) & (y <= bottom)).any():
            found.append(span)
    return found


def _drawn(page: Any) -> tuple[Pixels, float]:
    """The page's picture, and how many pixels a point has."""
    import numpy

    zoom = min(_DPI / 72, (_MOST_PIXELS / max(1.0, page.rect.width * page.rect.height)) ** 0.5)
    drawn = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False)
    return numpy.frombuffer(drawn.samples, numpy.uint8).reshape(drawn.height, drawn.width, 3), zoom


def _is_seen(span: _Span, pixels: Pixels, zoom: float) -> bool:
    """Whether something is to be seen at enough places of the span's characters."""
    import numpy

    x0, y0, x1, y1 = (side * zoom for side in _core(span.bbox))
    if y1 - y0 > 2 * (x1 - x0):  # type that stands on its side
        pixels, (x0, y0, x1, y1) = pixels.transpose(1, 0, 2), (y0, x0, y1, x1)
    if x1 - x0 > _WIDE_PIXELS:  # where the type beside it begins is left out
        x0, x1 = x0 + 1.5, x1 - 1.5
    strip = pixels[max(0, int(y0)) : int(y1) + 1, max(0, int(x0)) : int(x1) + 1]
    if not strip.size:
        return False
    places = numpy.arange(0, strip.shape[1], max(2, round((y1 - y0) / 2)))
    brightest = numpy.maximum.reduceat(strip.max(axis=0), places)
    darkest = numpy.minimum.reduceat(strip.min(axis=0), places)
    seen = numpy.count_nonzero((brightest - darkest).max(axis=1) >= _LEAST_CONTRAST)
    letters = sum(not character.isspace() for character in span.text) / len(span.text)
    return bool(seen >= _LEAST_SEEN * letters * len(places))


def _core(box: Bbox) -> Bbox:
    edge = _EDGE * (box[3] - box[1])
    return box[0], box[1] + edge, box[2], box[3] - edge
