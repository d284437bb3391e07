"""Which way a picture of text lies, decided once for all of it, and its lines read as it stands upright.

What the engine reads with confidence from lines that run across lies upright: such a picture costs nothing more. Only
others are turned: lines that run up or down must be turned a quarter, unsure ones may stand on their head. What is tried is
a strip with the longest line in it, not the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.ocr.base import OcrEngine, OcrLine, confidence_of
from ingest.ocr.page import runs_up_or_down

if TYPE_CHECKING:
    from ingest.ocr.base import Pixels

# Upright prints read with .97 and more, upright scans with .9; on its head, a page reads with .5 to .75.
_SURE = 0.85
_STRIP_LINES = 12.0


def read_upright(pixels: Pixels, engine: OcrEngine) -> tuple[int, Sequence[OcrLine]]:
    """By how many degrees, clockwise, the picture must be turned to stand upright, and its lines in the turned picture."""
    lines = engine.read(pixels)
    sideways = _runs_up_or_down(lines)
    if not lines or (not sideways and _confidence(lines) >= _SURE):
        return 0, lines
    strip = _strip(pixels, lines, sideways=sideways)
    turns = (90, 270) if sideways else (0, 180)
    turn = max(turns, key=lambda degrees: _confidence(engine.read(turned(strip, degrees))))
    return (turn, engine.read(turned(pixels, turn))) if turn else (0, lines)


def turned(pixels: Pixels, degrees: int) -> Pixels:
    """The picture turned clockwise by a multiple of 90 degrees."""
    import numpy

    return numpy.ascontiguousarray(numpy.rot90(pixels, k=-degrees // 90))


def _runs_up_or_down(lines: Sequence[OcrLine]) -> bool:
    """Whether most of the text does, of what is longer than a character or two."""
    long = [line for line in lines if len(line.text) > 2]
    return 2 * sum(len(line.text) for line in long if runs_up_or_down(line)) > sum(len(line.text) for line in long)


def _strip(pixels: Pixels, lines: Sequence[OcrLine], *, sideways: bool) -> Pixels:
    """A part of the picture, as long as it is in the direction of the lines, around the longest of them."""
    longest = max(lines, key=lambda line: line.height if sideways else line.width)
    first, last = (longest.bbox[0], longest.bbox[2]) if sideways else (longest.bbox[1], longest.bbox[3])
    middle, half = (first + last) / 2, _STRIP_LINES / 2 * (last - first)
    part = slice(max(0, int(middle - half)), max(1, int(middle + half)))
    return pixels[:, part] if sideways else pixels[part]


def _confidence(lines: Sequence[OcrLine]) -> float:
    """The mean confidence over all characters."""
    return confidence_of(word for line in lines for word in line.words)
