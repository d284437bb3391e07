"""What every OCR engine gives: the printed lines of a picture, each with its place and how sure the engine is of its words.

Invariants. A line's text is not empty and has no white space at its ends; its words are spans of that text, in order and
apart from each other; confidences lie in [0, 1]. Boxes are close around the print, in the unit of what was read: pixels of a
picture, PDF points of a page; both from the top left. Lines come in no particular order (`ingest.composition` brings one).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ingest.types import Bbox

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Pixels = NDArray[numpy.uint8]
    """(height, width, 3), red, green and blue."""

_WIDE = "\u2e80-\u2fff\u3005-\u3007\u3021-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
# Latin words with what stands close to them (a number keeps its comma); Chinese up to the next punctuation mark.
WORD = re.compile(f"[{_WIDE}]+|[^\\s{_WIDE}\u3001-\u3003\u3008-\u3020\uff00-\uff0f\uff1a-\uff1f]+")


@dataclass(frozen=True, slots=True)
class OcrWord:
    """A span of the line's text, and how sure the engine is of its least sure character."""

    start: int
    end: int
    confidence: float


@dataclass(frozen=True, slots=True)
class OcrLine:
    """One printed line, or the piece of one between two wide gaps."""

    text: str
    bbox: Bbox
    words: tuple[OcrWord, ...]

    @property
    def height(self) -> float:
        """How tall its box is."""
        return self.bbox[3] - self.bbox[1]

    @property
    def width(self) -> float:
        """How wide its box is."""
        return self.bbox[2] - self.bbox[0]

    def placed(self, *, scale: float = 1.0, x: float = 0.0, y: float = 0.0) -> OcrLine:
        """The line with its box so many times as large, then moved."""
        x0, y0, x1, y1 = self.bbox
        return replace(self, bbox=(x0 * scale + x, y0 * scale + y, x1 * scale + x, y1 * scale + y))


class OcrEngine(Protocol):
    """Reads the text of a picture. An engine loads what it needs when it first reads, and keeps it."""

    def read(self, pixels: Pixels, /) -> Sequence[OcrLine]:
        """The lines of text in the picture, in pixels; none where it holds no text.

        Raises:
            Unavailable: the engine is not installed, or lacks its data.
        """
        ...


def confidence_of(words: Iterable[OcrWord]) -> float:
    """The mean confidence of the words, each counted by its length; 0 where there are none."""
    characters, total = 0, 0.0
    for word in words:
        characters += word.end - word.start
        total += word.confidence * (word.end - word.start)
    return total / characters if characters else 0.0
