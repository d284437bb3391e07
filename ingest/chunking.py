"""Pages → chunks: passages of whole sentences under one heading, each on one page.

Invariants. `chunk.text == page.text[chunk.start:chunk.end]`; chunks of a page do not overlap and follow its order; every
sentence of what `ingest.cleaning` leaves as content is in exactly one chunk. A table row is a sentence here: it is never cut.
Where a table is cut between rows, its header rows are the innermost heading of each part below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from langchain_text_splitters import RecursiveCharacterTextSplitter

from ingest.chunk_size import ChunkSize
from ingest.cleaning import content_blocks
from ingest.languages import language_of
from ingest.page_table import header_text, is_dashes
from ingest.sentences import sentence_spans
from ingest.types import Block, BlockKind, Chunk, Page

Span = tuple[int, int]

FORMAT = "3"
"""Changes when `split` cuts otherwise: documents that are there are then split again, from the pages that were read."""


def split(pages: Sequence[Page], size: ChunkSize) -> list[Chunk]:
    """The chunks of a document in reading order; their ids are empty until the catalog gives them."""
    headings = _Headings()
    chunks: list[Chunk] = []
    for page, blocks in zip(pages, content_blocks(pages), strict=True):
        for path, section in _sections(page, blocks, headings):
            for start, end in _pack(page.text, section, size):
                text = page.text[start:end]
                above = (*path, *_columns_above(section, start))
                chunks.append(Chunk("", page.number, start, end, text, above, language_of(text)))
    return chunks


def section_around(page: Page, start: int, end: int) -> Span:
    """The whole section of the page, its headings included, of which this span is a part: a chunk's parent."""
    (blocks,) = content_blocks([page])
    for _, run in _sections(page, blocks, _Headings()):
        if run[0].start <= start < run[-1].end:
            return run[0].start, max(end, run[-1].end)
    return start, end


def chunking_of(size: ChunkSize) -> str:
    """A short name of the way in which `split` cuts by this size: another name means other chunks."""
    return hashlib.sha256(f"{FORMAT}/{size.tokens}/{size.tokenizer}".encode()).hexdigest()[:12]


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


def _pack(text: str, blocks: Sequence[Block], size: ChunkSize) -> Iterator[Span]:
    """Spans of whole sentences, each as long as fits; a block that fits into the open chunk is not divided."""
    open_span: Span | None = None
    for block in blocks:
        whole = size.holds(text[block.start : block.end])
        pieces = [(block.start, block.end)] if whole else list(_sentences(text, block, size))
        for start, end in pieces:
            # Nothing that was left out may come back between two blocks of a passage.
            if open_span is not None and (text[open_span[1] : start].strip() or not size.holds(text[open_span[0] : end])):
                yield open_span
                open_span = None
            open_span = (open_span[0] if open_span else start, end)
    if open_span is not None:
        yield open_span


def _sentences(text: str, block: Block, size: ChunkSize) -> Iterator[Span]:
    """The block's sentences, or a table's rows; one that alone is too long is cut where it hurts least."""
    body = text[block.start : block.end]
    spans = _row_spans(body) if block.kind is BlockKind.TABLE else sentence_spans(body)
    for start, end in spans:
        for first, last in _portions(body[start:end], size):
            yield block.start + start + first, block.start + start + last


def _portions(text: str, size: ChunkSize) -> Iterator[Span]:
    """The whole text where it fits, else parts that do, cut at the best places there are."""
    if size.holds(text):
        yield 0, len(text)
        return
    splitter = RecursiveCharacterTextSplitter(
        separators=["\n", "；", "; ", "，", ", ", " ", ""],
        chunk_size=max(1, len(text) * size.tokens // size.count(text)),
        chunk_overlap=0,
        add_start_index=True,
    )
    for part in splitter.create_documents([text]):  # where the text is denser than on average, a part is still too long
        begin = int(part.metadata["start_index"])
        yield from ((begin + start, begin + end) for start, end in _portions(part.page_content, size))


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
