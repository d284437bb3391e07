"""What every package speaks about: access, documents, pages, chunks, hits.

Invariants. A chunk lies on one page and its text is that page's own, character for character
(`chunk.text == page.text[chunk.start:chunk.end]`), so an exact quote maps to a place on the page by addition.
Spans are Unicode code points, end exclusive; pages count from 1; boxes are PDF points from the top left.
This module knows nothing of storage, indexes or models.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

Bbox = tuple[float, float, float, float]
"""x0, y0, x1, y1 in PDF points (1/72 inch) from the page's top left corner."""

Span = tuple[int, int, int, int]
"""Row and column of a table's cell, both from 0, and how many rows and columns it takes."""

EVERYONE = "everyone"
"""The group of documents that were added without naming one; every caller holds it."""

TITLE_SEPARATOR = " › "
"""Between the document's title and the headings in the line that says where a chunk stands; each is searched by itself too."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a caller may read. There is no default: whoever reads must say on whose behalf."""

    groups: frozenset[str]
    administrator: bool = False

    @staticmethod
    def of(*groups: str) -> Access:
        """Access of a caller who holds these groups, and `everyone` as all callers do."""
        return Access(frozenset(groups) | {EVERYONE})

    @staticmethod
    def everything() -> Access:
        """Access of the administrator, who reads every document."""
        return Access(frozenset({EVERYONE}), administrator=True)

    def permits(self, groups: Iterable[str]) -> bool:
        """Whether a document that carries these groups may be read: any one of them is enough."""
        return self.administrator or not self.groups.isdisjoint(groups)


class BlockKind(StrEnum):
    """What a block of a page is. Headers and footers are those that run through the pages, page numbers among them."""

    TEXT = "text"
    TABLE = "table"
    HEADING = "heading"
    LIST = "list"
    CAPTION = "caption"
    FOOTNOTE = "footnote"
    HEADER = "header"
    FOOTER = "footer"


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: the span of the page's text that it shows, and where."""

    start: int
    end: int
    bbox: Bbox


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was read from a picture: the span of the page's text, and how sure the engine is of it, from 0 to 1."""

    start: int
    end: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item or table, in reading order.

    `bbox` is None on a page without a picture, on which nothing has a place. `level` counts a heading's depth from 1, the
    outermost; 0 where nothing tells it. `spans` are the cells of a table that take more than one place; the places that they
    cover are empty in `rows`. `size` is that of the type in points, 0 where not known.
    """

    kind: BlockKind
    start: int
    end: int
    bbox: Bbox | None
    rows: tuple[tuple[str, ...], ...] = ()
    level: int = 0
    spans: tuple[Span, ...] = ()
    size: float = 0.0
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page as read. `text` is the page's own; blocks and lines index into it.

    A page of a format without pages (a sheet, a part of a text) has no size, no lines and no picture.
    `ocr` says that some of its text, or all, was read from its picture: then `words` are the words of that text. `hidden` is
    the number of characters that the file carries there and shows to nobody: they are not in the text.
    """

    number: int
    width: float
    height: float
    text: str
    blocks: tuple[Block, ...] = ()
    lines: tuple[Line, ...] = ()
    ocr: bool = False
    words: tuple[Word, ...] = ()
    hidden: int = 0

    @property
    def confidence(self) -> float:
        """How sure the OCR engine is of what it read, the mean over the characters; 1 where all text is the file's own."""
        characters = sum(word.end - word.start for word in self.words)
        return sum(word.confidence * (word.end - word.start) for word in self.words) / characters if characters else 1.0

    @property
    def has_picture(self) -> bool:
        """Whether the page can be drawn, so that its boxes mean a place on it."""
        return self.width > 0


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """All pages of one file's content, with what a person should know about the reading of it."""

    pages: tuple[Page, ...]
    title: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of one page, the unit that is searched. `headings` run from the outermost to the innermost; `language` is a code
    of ISO 639-1, or `und`."""

    id: str
    page: int
    start: int
    end: int
    text: str
    headings: tuple[str, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What an index needs to know of a chunk. `title` is the document's title and the headings above the chunk."""

    chunk_id: str
    title: str
    text: str
    groups: frozenset[str]
    document_id: str = ""

    @property
    def titled_text(self) -> str:
        """The text under its title: what is counted, embedded and read by a cross-encoder."""
        return f"{self.title}\n{self.text}"


@dataclass(frozen=True, slots=True)
class Within:
    """The chunks that a search is narrowed to: those of these documents, and these chunks. It never widens what may be read."""

    documents: frozenset[str]
    chunks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """What a score is made of: the words (1 for the best chunk), how close together they stand, the vectors, and what numbers of
    the question that are missing take away.
    """

    words: float = 0.0
    windows: float = 0.0
    vectors: float = 0.0
    missing_numbers: float = 0.0

    @property
    def total(self) -> float:
        """The score."""
        return self.words + self.windows + self.vectors + self.missing_numbers


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """An index's answer: higher scores are better; scores of different indexes do not compare. `parts` are there where an index
    fuses several scores."""

    chunk_id: str
    score: float
    parts: ScoreParts = ScoreParts()


@dataclass(frozen=True, slots=True)
class Place:
    """Where else the text of a hit stands, which the caller may read too."""

    document: str
    document_id: str
    page: int
    chunk: str


@dataclass(frozen=True, slots=True)
class Section:
    """The section around a hit, as far as it stands on the hit's page: a span of that page's text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found and that the caller may read. Higher scores are better; `parts` as in `ScoredChunk`. `added` is
    the day on which this version of the document came, as ISO writes it."""

    document: str
    document_id: str
    version: int
    page: int
    chunk: str
    score: float
    text: str
    start: int
    headings: tuple[str, ...] = ()
    language: str = ""
    also_in: tuple[Place, ...] = ()
    title: str = ""
    parts: ScoreParts = ScoreParts()
    added: str = ""
