"""Pages → chunks: passages of whole sentences under one heading, each on one page.

Invariants. `chunk.text == page.text[chunk.start:chunk.end]`; chunks of a page do not overlap and follow its order; every
sentence of what `ingest.cleaning` leaves as content is in exactly one chunk. A table row is a sentence here: it is never cut.
Where a table is cut between rows, its header rows are the innermost heading of each part below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from langchain_text_splitters import RecursiveCharacterTextSplitter

from ingest.cleaning import content_blocks
from ingest.languages import language_of
from ingest.page_table import header_text, is_dashes
from ingest.sentences import sentence_spans
from ingest.settings import IngestSettings
from ingest.tokens import language
from ingest.types import Block, BlockKind, Chunk, Page

Span = tuple[int, int]

FORMAT = "2"
"""Changes when `split` cuts otherwise: documents that are there are then split again, from the pages that were read."""


def split(pages: Sequence[Page], settings: IngestSettings) -> list[Chunk]:
    """The chunks of a document in reading order; their ids are empty until the catalog gives them."""
    headings = _Headings()
    chunks: list[Chunk] = []
    for page, blocks in zip(pages, content_blocks(pages), strict=True):
        for path, section in _sections(page, blocks, headings):
            for start, end in _pack(page.text, section, settings):
                text = page.text[start:end]
                above = (*path, *_columns_above(section, start))
                chunks.append(Chunk("", page.number, start, end, text, above, language_of(text)))
    return chunks


def chunking_of(settings: IngestSettings) -> str:
    """A short name of the way in which `split` cuts by these settings: another name means other chunks."""
    return hashlib.sha256(f"{FORMAT}/{settings.chunk_characters}/{settings.chunk_characters_han}".encode()).hexdigest()[:12]


def _columns_above(blocks: Sequence[Block], start: int) -> list[str]:
    """The header rows of the table in which a chunk begins further down, as its innermost heading."""
    cut = [block for block in blocks if block.kind is BlockKind.TABLE and block.start < start < block.end]
    return [text for block in cut if (text := header_text(block.rows))]


class _Headings:
    """The headings above the current place. A larger or less deeply numbered heading closes the smaller ones."""

    def __init__(self) -> None:
        self._open: list[tuple[float, str]] = []

    def enter(self, text: str, depth: float) -> None:
        while self._open and self._open[-1][0] >= depth:
            self._open.pop()
        self._open.append((depth, text))

    def path(self) -> tuple[str, ...]:
        return tuple(text for _, text in self._open)


def _sections(page: Page, blocks: Sequence[Block], headings: _Headings) -> Iterator[tuple[tuple[str, ...], list[Block]]]:
    """The page's runs of blocks under one heading; the heading itself begins its run."""
    run: list[Block] = []
    for block in blocks:
        if block.kind is BlockKind.HEADING:
            if any(one.kind is not BlockKind.HEADING for one in run):
                yield headings.path(), run
                run = []
            headings.enter(" ".join(page.text[block.start : block.end].split()), _depth(page, block))
        run.append(block)
    if run:
        yield headings.path(), run


def _depth(page: Page, block: Block) -> float:
    """The heading's level where the file tells it; else small for one printed large, by the height of its first line."""
    if block.level:
        return block.level
    height = next((line.bbox[3] - line.bbox[1] for line in page.lines if line.start >= block.start), 0.0)
    return -round(height)


def _pack(text: str, blocks: Sequence[Block], settings: IngestSettings) -> Iterator[Span]:
    """Spans of whole sentences, each as long as fits; a block that fits into the open chunk is not divided."""
    open_span: Span | None = None
    for block in blocks:
        limit = _limit(text[block.start : block.end], settings)
        pieces = [(block.start, block.end)] if block.end - block.start <= limit else list(_sentences(text, block, limit))
        for start, end in pieces:
            # Nothing that was left out may come back between two blocks of a passage.
            if open_span is not None and (end - open_span[0] > limit or text[open_span[1] : start].strip()):
                yield open_span
                open_span = None
            open_span = (open_span[0] if open_span else start, end)
    if open_span is not None:
        yield open_span


def _limit(text: str, settings: IngestSettings) -> int:
    return settings.chunk_characters_han if language(text) == "zh" else settings.chunk_characters


def _sentences(text: str, block: Block, limit: int) -> Iterator[Span]:
    """The block's sentences, or a table's rows; one that alone is too long is cut where it hurts least."""
    body = text[block.start : block.end]
    spans = _row_spans(body) if block.kind is BlockKind.TABLE else sentence_spans(body)
    for start, end in spans:
        if end - start <= limit:
            yield block.start + start, block.start + end
            continue
        splitter = RecursiveCharacterTextSplitter(
            separators=["\n", "；", "; ", "，", ", ", " ", ""], chunk_size=limit, chunk_overlap=0, add_start_index=True
        )
        for part in splitter.create_documents([body[start:end]]):
            first = block.start + start + int(part.metadata["start_index"])
            yield first, first + len(part.page_content)


def _row_spans(body: str) -> list[Span]:
    spans: list[Span] = []
    start = 0
    for row in body.split("\n"):
        if len(spans) == 1 and is_dashes(row):  # belongs to the row above it
            spans = [(0, start + len(row))]
        else:
            spans.append((start, start + len(row)))
        start += len(row) + 1
    return spans
