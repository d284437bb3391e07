"""Web pages (HTML): what a browser shows of them, as headings, paragraphs, lists and tables.

Invariants. The page is parsed as a stream of tags, so that no depth of nesting can exhaust the stack. Scripts, styles and
what the page itself hides are not read: nobody could check a quote from them. Nothing that the page links to is fetched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from ingest.readers.base import Piece, Reading, Source
from ingest.readers.encoding import decode
from ingest.readers.parts import reading_of, table_pieces
from ingest.types import BlockKind

_UNSEEN = frozenset("script style template noscript svg math iframe object audio video canvas select textarea button".split())
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_CHARSET_WITHIN = 4096
# Wider spans are no table that a person made.
_WIDEST_SPAN = 200


def read(source: Source) -> Reading:
    """The page's own title, and its text in parts of about a printed page."""
    data = source.path.read_bytes()
    found = _CHARSET.search(data, 0, _CHARSET_WITHIN)
    decoded = decode(data, declared=found[1].decode("ascii", "replace") if found else None)
    title, pieces = pieces_of(decoded.text)
    return reading_of(pieces, limits=source.limits, title=title, warnings=decoded.warnings)


def pieces_of(text: str) -> tuple[str, list[Piece]]:
    """The title of an HTML text, and its pieces in the order in which it tells them."""
    from lxml import etree  # only the worker needs it

    shown = _Shown()
    if text.strip():
        # `huge_tree`: without it a text of more than ten million characters is dropped in silence.
        etree.fromstring(text.encode(), etree.HTMLParser(target=shown, encoding="utf-8", huge_tree=True))
    return shown.title, shown.pieces


class _Table:
    """A table that is being read. One that holds another, or headings, gives a page its shape and is no table of values."""

    def __init__(self) -> None:
        self.holds_structure = False
        self._rows: list[list[list[Piece]]] = []
        self._cell: list[Piece] | None = None
        self._covered: dict[int, int] = {}  # column → how many rows more the cell above reaches down

    def begin_row(self) -> None:
        if self._rows:
            self._pass_covered()
        self._rows.append([])

    def begin_cell(self, *, columns: int, rows: int) -> None:
        if not self._rows:
            self.begin_row()
        self._pass_covered()
        row = self._rows[-1]
        if rows > 1:
            self._covered |= {len(row) + offset: rows - 1 for offset in range(columns)}
        self._cell = []
        row += [self._cell, *([] for _ in range(columns - 1))]

    def take(self, piece: Piece) -> bool:
        """Whether a cell is there to hold the piece from now on."""
        if self._cell is None:
            return False
        self._cell.append(piece)
        self.holds_structure |= piece.kind is BlockKind.HEADING
        return True

    def pieces(self) -> Iterable[Piece]:
        """The table as one piece, or what its cells hold in their order."""
        filled = [(row, column) for row, cells in enumerate(self._rows) for column, cell in enumerate(cells) if cell]
        if self.holds_structure or len({row for row, _ in filled}) < 2 or len({column for _, column in filled}) < 2:
            return [piece for row, column in filled for piece in self._rows[row][column]]
        return table_pieces([[" ".join(piece.text for piece in cell) for cell in row] for row in self._rows])

    def _pass_covered(self) -> None:
        """Adds the empty cells that a cell above covers."""
        row = self._rows[-1]
        while self._covered.get(len(row), 0):
            self._covered[len(row)] -= 1
            row.append([])


class _Shown:
    """Takes the parser's tags and texts, and keeps what a reader would see."""

    def __init__(self) -> None:
        self.title = ""
        self.pieces: list[Piece] = []
        self._tables: list[_Table] = []
        self._text: list[str] = []
        self._within: Counter[str] = Counter()
        self._unseen = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._unseen or tag in _UNSEEN or "hidden" in attributes or _HIDDEN.search(attributes.get("style", "")):
            self._unseen += 1
            return
        if tag in _BLOCKS:
            self._flush()
        self._within[tag] += 1
        if tag == "br":
            self._text.append("\n")
        elif tag == "table":
            if self._tables:
                self._tables[-1].holds_structure = True
            self._tables.append(_Table())
        elif tag == "tr" and self._tables:
            self._tables[-1].begin_row()
        elif tag in ("td", "th") and self._tables:
            self._tables[-1].begin_cell(columns=_span(attributes, "colspan"), rows=_span(attributes, "rowspan"))

    def end(self, tag: str) -> None:
        if self._unseen:
            self._unseen -= 1
            return
        if tag in _BLOCKS:
            self._flush()
        self._within[tag] -= 1
        if tag == "table" and self._tables:
            for piece in self._tables.pop().pieces():
                self._keep(piece)

    def data(self, text: str) -> None:
        if self._unseen:
            return
        if self._within["title"]:
            self.title += text
        else:
            self._text.append(text if self._within["pre"] else _SPACES.sub(" ", text))

    def close(self) -> None:
        self._flush()
        while self._tables:
            self.end("table")

    def _flush(self) -> None:
        text = "".join(self._text)
        self._text.clear()
        if not self._within["pre"]:
            text = "\n".join(_SPACES.sub(" ", line).strip() for line in text.split("\n"))
        if not text.strip():
            return
        level = next((level for tag, level in _HEADINGS.items() if self._within[tag] > 0), 0)
        if level:
            self._keep(Piece(BlockKind.HEADING, text, level))
        elif self._within["caption"] or self._within["figcaption"]:
            self._keep(Piece(BlockKind.CAPTION, text))
        else:
            self._keep(Piece(BlockKind.LIST if self._within["li"] else BlockKind.TEXT, text))

    def _keep(self, piece: Piece) -> None:
        if not any(table.take(piece) for table in reversed(self._tables)):
            self.pieces.append(piece)


def _span(attributes: Mapping[str, str], name: str) -> int:
    value = attributes.get(name, "1").strip()
    return min(max(int(value), 1), _WIDEST_SPAN) if value.isascii() and value.isdigit() and len(value) < 9 else 1
