"""Pieces that flow → pages. A page is what the format calls one, or else a part of about a printed page's length.

Invariants. Those of `ingest.types`: blocks follow each other, parted by a blank line, and index into the page's text, in
which tables are Markdown, as on printed pages. Text can be stored: no NUL, no half of a surrogate pair.
Such a page has no size, no lines and no boxes: there is no picture of it, on which something could have a place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ingest.errors import BrokenFile, LimitPassed
from ingest.page_table import COLUMN_MARK, dashes_below, header_row_count, markdown
from ingest.readers.base import Break, Flow, Piece, Reading, Rows
from ingest.settings import ReadLimits
from ingest.types import Block, BlockKind, Page, Word

PART_BYTES = 3000
"""The length of a part in UTF-8: 3000 Latin characters or 1000 Chinese ones, about what an A4 page holds in 11 points."""

# A part with less than this share, a heading perhaps, goes on whatever comes.
_HARDLY_BEGUN = 0.1
# A heading that comes after this share of a part begins the next one.
_FILLED_ENOUGH = 0.5
# A header that takes more of a part than this is not said again.
_LARGEST_HEADER = 0.3
# What is longer is no heading, whatever the file calls it; every passage below it would carry it along.
_LONGEST_HEADING = 200
_SPACES = re.compile(r"\s+")
_GOOD_CUT = re.compile(r"[。！？；\n]|[.!?;]\s|\s")


def reading_of(flow: Flow, *, limits: ReadLimits, title: str = "", warnings: Sequence[str] = (), by_size: bool = True) -> Reading:
    """The pages of a document that flows; with `by_size`, pages that grow past a part's length are divided.

    Raises:
        InputRefused: it holds no text, or more text or pages than the limits allow.
    """
    pages = tuple(within(pages_of(flow, by_size=by_size), limits))
    if not any(page.text for page in pages):
        raise BrokenFile("the file holds no text: there is nothing in it to search")
    return Reading(" ".join(storable(title).split()), len(pages), pages, tuple(warnings))


def within(pages: Iterable[Page], limits: ReadLimits) -> Iterator[Page]:
    """The pages as they come.

    Raises:
        InputRefused: they become too many, or their text too long.
    """
    characters = 0
    for count, page in enumerate(pages, start=1):
        characters += len(page.text)
        if count > limits.pages:
            raise LimitPassed(f"the file has more than {limits.pages} pages: split it, or raise the setting read.pages")
        if characters > limits.text_characters:
            raise LimitPassed(
                f"the text of the file is longer than {limits.text_characters} characters: split it, or raise the setting "
                "read.text_characters"
            )
        yield page


def pages_of(flow: Flow, *, by_size: bool = True) -> Iterator[Page]:
    """The pages that the pieces fill, numbered from 1."""
    page = _PageWriter(1)
    for one in flow:
        if isinstance(one, Break):
            if page.blocks or one is Break.ALWAYS:
                yield page.finished()
                page = _PageWriter(page.number + 1)
            continue
        for piece in _cut(one) if by_size else [one]:
            if not (text := _text(piece)).strip():
                continue
            if by_size and page.blocks and _begins_part(piece, text, page.bytes):
                yield page.finished()
                page = _PageWriter(page.number + 1)
            page.write(piece, text)
    if page.blocks:
        yield page.finished()


def table_pieces(rows: Iterable[Sequence[str]]) -> Iterator[Piece]:
    """The rows as a table without empty rows and columns; what has one column only is a run of paragraphs."""
    filled = [row for row in ([_SPACES.sub(" ", storable(cell)).strip() for cell in row] for row in rows) if any(row)]
    used = sorted({column for row in filled for column, cell in enumerate(row) if cell})
    if len(used) > 1:
        yield Piece(BlockKind.TABLE, rows=tuple(tuple(row[c] if c < len(row) else "" for c in used) for row in filled))
    else:
        yield from (Piece(BlockKind.TEXT, row[used[0]]) for row in filled)


def storable(text: str) -> str:
    """The text without what no database takes: NUL, and halves of surrogate pairs."""
    text = text.replace("\x00", "")
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def headed(page: Page, heading: str) -> Page:
    """The page with a heading above its text."""
    above = Piece(BlockKind.HEADING, heading, level=1)
    written = _PageWriter(page.number)
    written.write(above, _text(above))
    offset = len(written.text) + 2
    blocks = tuple(Block(b.kind, b.start + offset, b.end + offset, None, b.rows, b.level) for b in page.blocks)
    words = tuple(Word(word.start + offset, word.end + offset, word.confidence) for word in page.words)
    text = f"{written.text}\n\n{page.text}"
    return Page(page.number, 0.0, 0.0, text, (*written.blocks, *blocks), ocr=page.ocr, words=words, hidden=page.hidden)


class _PageWriter:
    """Builds a page's text and remembers where each block of it stands."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.blocks: list[Block] = []
        self.bytes = 0
        self._texts: list[str] = []
        self._length = 0

    @property
    def text(self) -> str:
        return "\n\n".join(self._texts)

    def write(self, piece: Piece, text: str) -> None:
        start = self._length + (2 if self.blocks else 0)
        self._length = start + len(text)
        heading = piece.kind is BlockKind.HEADING and len(text) <= _LONGEST_HEADING
        kind = BlockKind.TEXT if piece.kind is BlockKind.HEADING and not heading else piece.kind
        self.blocks.append(Block(kind, start, self._length, None, piece.rows, piece.level if heading else 0))
        self._texts.append(text)
        self.bytes += _bytes(text)

    def finished(self) -> Page:
        return Page(self.number, 0.0, 0.0, self.text, tuple(self.blocks))


def _begins_part(piece: Piece, text: str, so_far: int) -> bool:
    if so_far < PART_BYTES * _HARDLY_BEGUN:
        return False
    if piece.kind is BlockKind.HEADING and so_far > PART_BYTES * _FILLED_ENOUGH:
        return True
    return so_far + _bytes(text) > PART_BYTES


def _text(piece: Piece) -> str:
    if piece.kind is BlockKind.TABLE:
        return markdown(piece.rows)
    text = storable(piece.text)
    return _SPACES.sub(" ", text).strip() if piece.kind is BlockKind.HEADING else text.strip("\n\r").rstrip()


def _bytes(text: str) -> int:
    return len(text.encode())


def _cut(piece: Piece) -> Iterator[Piece]:
    """The piece in portions of at most a part, a long table with its header row above each."""
    if piece.kind is BlockKind.TABLE:
        yield from (Piece(BlockKind.TABLE, rows=rows) for rows in _cut_rows(piece.rows))
    else:
        text = storable(piece.text)
        yield from (Piece(piece.kind, portion, piece.level) for portion in _cut_text(text))


def _cut_rows(rows: Rows) -> Iterator[Rows]:
    lengths = [_bytes(COLUMN_MARK.join(row)) + 1 for row in rows]
    header = header_row_count(rows)
    if sum(lengths[:header]) > PART_BYTES * _LARGEST_HEADER:
        header = 0
    portion: list[tuple[str, ...]] = []
    dashes = size = _bytes(dashes_below(rows[0])) + 1
    for row, length in zip(rows, lengths, strict=True):
        if portion and size + length > PART_BYTES:
            yield tuple(portion)
            portion = list(rows[:header])
            size = dashes + sum(lengths[:header])
        portion.append(row)
        size += length
    yield tuple(portion)


def _cut_text(text: str) -> Iterator[str]:
    """The text in portions of at most a part, cut after a sentence or word of their second half where there is one."""
    size = _bytes(text)
    if size <= PART_BYTES:
        yield text
        return
    longest = max(1, PART_BYTES * len(text) // size)
    start = 0
    while start < len(text):
        end = min(start + longest, len(text))
        if end < len(text):
            end = _cut_place(text, start + longest // 2, end)
        yield text[start:end]
        start = end


def _cut_place(text: str, first: int, last: int) -> int:
    """The best place to cut between the two: after a sentence's end, else after a space, else the last."""
    space = last
    sentence = 0
    for found in _GOOD_CUT.finditer(text, first, last):
        if found[0].isspace() and found[0] != "\n":
            space = found.end()
        else:
            sentence = found.end()
    return sentence or space
