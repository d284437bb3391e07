"""Word documents: paragraphs, headings, lists, notes and tables in their order, on the pages that Word last laid out.

A page ends where Word wrote that it ended when it last showed the document, or where the author ended it. A document from
a program that writes no such marks is divided into parts of about a page.

Invariants. Text is what is shown: deletions that are tracked are left out and insertions are in; automatic numbers are
written out; text boxes and notes follow the paragraph that they hang on. Running headers and footers are not read. What a run
hides (hidden type, smaller than two points, white on paper) is left out and told; what a style hides is not noticed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ingest.page_table import COLUMN_MARK
from ingest.readers.archive import require_unpackable
from ingest.readers.base import Break, Piece, Reading, Source
from ingest.readers.numbering import Numbering
from ingest.readers.parts import reading_of, table_pieces
from ingest.readers.word_styles import ParagraphStyle, W, paragraph_styles, value_of
from ingest.reading_warnings import hidden_in_word
from ingest.types import BlockKind

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_CHARACTERS = {f"{W}tab": "\t", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}
# Not shown, or shown elsewhere: tracked deletions, field codes, phonetic guides, the older twin of a drawing.
_UNSEEN = {f"{W}{name}" for name in ("del", "moveFrom", "delText", "instrText", "rt", "pPr", "rPr")} | {f"{_MC}Fallback"}
# As for PDF (`ingest.hidden_text`): type under two points, and colours that are lost on paper.
_LEAST_HALF_POINTS = 4
_FAINT = re.compile("(?:[EeFf][0-9A-Fa-f]){3}")
# Wider spans are no table that a person made.
_WIDEST_SPAN = 200


def read(source: Source) -> Reading:
    """The document's title, and its text on its pages."""
    from docx import Document  # only the worker needs it

    require_unpackable(source.path, limits=source.limits)
    document = Document(str(source.path))
    body = document.element.body
    laid_out = body.find(f".//{W}lastRenderedPageBreak") is not None
    section_ends = set() if laid_out else set(_page_ends(body))
    walk = _Walk(paragraph_styles(document), Numbering(document), _notes(document), section_ends)
    title = document.core_properties.title or ""
    reading = reading_of(walk.pieces(body), limits=source.limits, title=title, by_size=not laid_out)
    return replace(reading, warnings=(hidden_in_word(walk.hidden),)) if walk.hidden else reading


def _page_ends(body: Any) -> Iterator[Any]:
    """The elements that end a section after which a new page begins: how is told by the section that follows."""
    sections = list(body.iter(f"{W}sectPr"))
    for section, after in itertools.pairwise(sections):
        if value_of(after, "type") != "continuous":
            yield section


def _notes(document: Any) -> dict[tuple[str, str], Any]:
    """Foot- and endnotes by the tag that refers to them and their id."""
    from docx.oxml import parse_xml  # resolves no entities

    found = {}
    for relation in document.part.rels.values():
        kind = relation.reltype.rsplit("/", 1)[-1]
        if kind in ("footnotes", "endnotes") and not relation.is_external:
            for note in parse_xml(relation.target_part.blob):
                found[f"{W}{kind[:-1]}Reference", str(note.get(f"{W}id"))] = note
    return found


class _Walk:
    """Goes through a document's elements. The XML parser allows a depth of 256, so following it down is safe."""

    def __init__(
        self, styles: dict[str, ParagraphStyle], numbering: Numbering, notes: dict[tuple[str, str], Any], page_ends: set[Any]
    ) -> None:
        self._styles = styles
        self._numbering = numbering
        self._notes = notes
        self._page_ends = page_ends
        self.hidden = 0
        """Characters, without spaces, of what was left out because no reader sees it."""

    def pieces(self, container: Any) -> Iterator[Piece | Break]:
        """What a body, cell, text box, note or content control holds."""
        for element in container:
            if element.tag == f"{W}p":
                yield from self._paragraph(element)
            elif element.tag == f"{W}tbl":
                yield from self._table(element)
            elif isinstance(element.tag, str) and element.tag not in _UNSEEN:
                yield from self.pieces(element)

    def _paragraph(self, element: Any) -> Iterator[Piece | Break]:
        properties = element.find(f"{W}pPr")
        own = ParagraphStyle() if properties is None else ParagraphStyle.of(properties)
        style_id = "" if properties is None else value_of(properties, "pStyle")
        style = self._styles.get(style_id, ParagraphStyle())
        level = own.level or style.level
        numbered = own.number or style.number
        mark = self._numbering.mark(*numbered) if numbered else ""
        kind = BlockKind.HEADING if level else BlockKind.LIST if mark else BlockKind.TEXT
        if own.begins_page or style.begins_page:
            yield Break.IF_FILLED
        text = f"{mark} " if mark else ""
        hanging: list[Any] = []
        for token in self._tokens(element, shaded=own.shaded or style.shaded):
            if isinstance(token, str):
                text += token
            elif token is Break.IF_FILLED:
                if text.strip() and text.strip() != mark:
                    yield Piece(kind, text, level)
                    text = ""
                yield token
            else:
                hanging.append(token)
        if text.strip() != mark:
            yield Piece(kind, text, level)
        for container in hanging:
            yield from self.pieces(container)
        if properties is not None and properties.find(f"{W}sectPr") in self._page_ends:
            yield Break.IF_FILLED

    def _tokens(self, element: Any, *, shaded: bool) -> Iterator[Any]:
        """The texts of a paragraph, its page breaks, and the text boxes and notes that hang on it."""
        for child in element:
            tag = child.tag
            if tag in _UNSEEN:
                continue
            if tag in (f"{W}t", _MATH_TEXT):
                yield child.text or ""
            elif tag in _CHARACTERS:
                yield _CHARACTERS[tag]
            elif tag == f"{W}br":
                yield Break.IF_FILLED if child.get(f"{W}type") == "page" else "\n"
            elif tag == f"{W}lastRenderedPageBreak":
                yield Break.IF_FILLED
            elif tag == f"{W}txbxContent":
                yield child
            elif (note := self._notes.pop((tag, str(child.get(f"{W}id"))), None)) is not None:  # once: it may name itself
                yield note
            elif tag == f"{W}r" and _is_hidden(child, shaded=shaded):
                self.hidden += sum(not one.isspace() for text in child.iter(f"{W}t") for one in text.text or "")
            else:
                yield from self._tokens(child, shaded=shaded)

    def _table(self, element: Any) -> Iterator[Piece | Break]:
        """The rows up to each page break as a table; a frame of one column is no table, and gives what it holds."""
        cells_of_rows = [(row, list(_cells(row))) for row in element.iterchildren(f"{W}tr")]
        if all(len(cells) < 2 for _, cells in cells_of_rows):
            for _, cells in cells_of_rows:
                for cell in cells:
                    yield from self.pieces(cell)
            return
        rows: list[list[str]] = []
        for row, cells in cells_of_rows:
            if rows and row.find(f".//{W}lastRenderedPageBreak") is not None:
                yield from table_pieces(rows)
                yield Break.IF_FILLED
                rows = []
            rows.append(list(self._row(cells)))
        yield from table_pieces(rows)

    def _row(self, cells: Iterable[Any]) -> Iterator[str]:
        for cell in cells:
            properties = cell.find(f"{W}tcPr")
            merged = None if properties is None else properties.find(f"{W}vMerge")
            goes_on = merged is not None and merged.get(f"{W}val", "continue") == "continue"
            yield "" if goes_on else self._cell_text(cell)
            span = "" if properties is None else value_of(properties, "gridSpan")
            yield from [""] * (min(int(span[:6]), _WIDEST_SPAN) - 1 if span.isdigit() else 0)

    def _cell_text(self, cell: Any) -> str:
        inside = (piece for piece in self.pieces(cell) if isinstance(piece, Piece))
        return " ".join(piece.text or "; ".join(COLUMN_MARK.join(row) for row in piece.rows) for piece in inside)


def _cells(row: Any) -> Iterator[Any]:
    """The row's cells, also those inside content controls."""
    for child in row:
        if child.tag == f"{W}tc":
            yield child
        elif child.tag in (f"{W}sdt", f"{W}sdtContent", f"{W}ins"):
            yield from _cells(child)


def _is_hidden(run: Any, *, shaded: bool) -> bool:
    """Whether no reader sees the run; `shaded` says whether its paragraph has a ground of its own."""
    properties = run.find(f"{W}rPr")
    if properties is None:
        return False
    hidden = properties.find(f"{W}vanish")
    size, colour = value_of(properties, "sz"), value_of(properties, "color")
    return (
        (hidden is not None and hidden.get(f"{W}val", "1") not in ("0", "false"))
        or (size.isdigit() and int(size) < _LEAST_HALF_POINTS)
        or (_FAINT.fullmatch(colour) is not None and not shaded and _is_on_paper(run, properties))
    )


def _is_on_paper(run: Any, properties: Any) -> bool:
    """Whether no shading of its own, highlight, table, text box or background gives the run another ground than white paper."""
    if any(properties.find(f"{W}{ground}") is not None for ground in ("shd", "highlight")):
        return False
    around = list(run.iterancestors())
    boxed = any(one.tag in (f"{W}tbl", f"{W}txbxContent") for one in around)
    return not boxed and around[-1].find(f"{W}background") is None
