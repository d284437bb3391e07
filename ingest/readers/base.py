"""What all readers share: the file to read, what comes of it, and the pieces of which a document without pages consists.

Invariants. A reader runs inside the worker process of `ingest.isolation` and nowhere else: what it raises, allocates or
hangs in costs that process. It opens no address and no other file than the one it was given.
This module knows no format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from ingest.ocr.base import OcrEngine
from ingest.settings import ReadLimits
from ingest.types import BlockKind, Page

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of opening a file. `pages` may be read only as they are asked for; `total` is how many there are."""

    title: str
    total: int
    pages: Iterable[Page]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be read. `name` is what its document is called; `inside` reads a file that this one carries, by its name.

    `ocr` reads its pictures; None where only the file's own text is wanted.
    """

    path: Path
    name: str
    limits: ReadLimits
    inside: Callable[[bytes, str], Reading]
    ocr: OcrEngine | None = None


class Reader(Protocol):
    """Reads one format."""

    def __call__(self, source: Source, /) -> Reading:
        """The file's title and pages.

        Raises:
            InputRefused: it cannot be read; the message says why. Whatever else it raises is taken for a broken file.
        """
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph, heading, list item or table of a document that flows; a table has rows and no text, all others a text.

    `level` counts headings from 1, the outermost; 0 where there is none to tell.
    """

    kind: BlockKind
    text: str = ""
    level: int = 0
    rows: Rows = ()


class Break(Enum):
    """Where a page ends: only if something stands on it, or in any case, so that an empty slide keeps its number."""

    IF_FILLED = auto()
    ALWAYS = auto()


Flow = Iterable[Piece | Break]
