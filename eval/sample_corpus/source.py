"""Reads the text sources of the sample corpus: a small markup in which each fact is marked where it is written.

    key: value …          the document's data, up to a line `---`
    # ## heading          `#` begins a chapter, `##` a section
    - item, 1. item       a list; the number is printed as written
    > note                a boxed note
    |= caption :: widths 2,1,1 :: facts 1,2        a ruled table; the first row holds the heads; each cell of the columns
    | a | b | c |                                  named after `facts` (all without numbers) is a fact: first cell, head, cell
    ~name                 a drawing known to `layout`
    >>>                   a new page
    anything else         a paragraph, its lines joined

`{subject :: attribute :: value}` anywhere in running text prints the value and declares a fact. Lines that begin with `%`
are comments. This module knows nothing of pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from ingest.sentences import sentence_spans
from ingest.tokens import is_han

SOURCES = Path(__file__).parent / "sources"

_FACT = re.compile(r"\{([^{}]*?)::([^{}]*?)::([^{}]*?)\}")
_LIST_ITEM = re.compile(r"(?P<mark>-|\d+[.)]|\(\w\)|（[一二三四五六七八九十]+）)\s+(?P<text>.*)")


@dataclass(frozen=True, slots=True)
class SourceFact:
    """A fact as written: `sentence` is the sentence or table row that states it, `place` is `prose` or `table`."""

    id: str
    subject: str
    attribute: str
    value: str
    sentence: str
    place: str


@dataclass(frozen=True, slots=True)
class SourceBlock:
    """A heading, paragraph, list item, note, table, drawing or page break, with the facts it states."""

    kind: str
    text: str = ""
    level: int = 0
    mark: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    widths: tuple[float, ...] = ()
    facts: tuple[SourceFact, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One document to be printed. `data` holds title, number, version, date, owner and the choices of layout."""

    file: str
    language: str
    prefix: str
    groups: tuple[str, ...]
    data: dict[str, str]
    blocks: tuple[SourceBlock, ...]

    @property
    def facts(self) -> list[SourceFact]:
        """All facts in the order of the text."""
        return [fact for block in self.blocks for fact in block.facts]


@dataclass(slots=True)
class _Reader:
    """Turns lines into blocks and numbers the facts."""

    prefix: str
    language: str
    blocks: list[SourceBlock] = field(default_factory=list)
    count: int = 0

    def read(self, lines: list[str]) -> None:
        pending: list[str] = []
        at = 0
        while at <= len(lines):
            line = lines[at].strip() if at < len(lines) else ""
            special = self._special(line)
            if (not line or special) and pending:
                self._text("paragraph", self._join(pending))
                pending = []
            if line.startswith("|="):
                end = at + 1
                while end < len(lines) and lines[end].startswith("|"):
                    end += 1
                self._table(line[2:], lines[at + 1 : end])
                at = end
                continue
            if special:
                self._one_line(line)
            elif line:
                pending.append(line)
            at += 1

    @staticmethod
    def _special(line: str) -> bool:
        return bool(line) and (line[0] in "#>|~" or _LIST_ITEM.match(line) is not None)

    def _join(self, lines: list[str]) -> str:
        """One line of text: Chinese lines are joined without a space."""
        out = lines[0]
        for line in lines[1:]:
            glued = is_han(out[-1]) or is_han(line[0]) or ord(out[-1]) > 0x2000 or ord(line[0]) > 0x2000
            out += line if glued and self.language == "zh" else " " + line
        return out

    def _one_line(self, line: str) -> None:
        if line == ">>>":
            self.blocks.append(SourceBlock("break"))
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            self.blocks.append(SourceBlock("heading", line[level:].strip(), level))
        elif line.startswith("~"):
            self.blocks.append(SourceBlock("drawing", line[1:]))
        elif line.startswith(">"):
            self._text("note", line[1:].strip())
        elif item := _LIST_ITEM.match(line):
            self._text("item", item["text"], mark=item["mark"])

    def _text(self, kind: str, marked: str, *, mark: str = "") -> None:
        text, found = _unmark(marked)
        spans = sentence_spans(text)
        facts = []
        for subject, attribute, start, end in found:
            sentence = next(text[a:b] for a, b in spans if a <= start and end <= b)
            facts.append(self._fact(subject, attribute, text[start:end], sentence, "prose"))
        self.blocks.append(SourceBlock(kind, text, mark=mark, facts=tuple(facts)))

    def _table(self, head: str, lines: list[str]) -> None:
        caption, *options = [part.strip() for part in head.split("::")]
        rows = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines]
        widths = tuple([1.0] * len(rows[0]))
        columns: list[int] = []
        for option in options:
            name, _, values = option.partition(" ")
            if name == "widths":
                widths = tuple(float(v) for v in values.split(","))
            elif name == "facts":
                columns = [int(v) for v in values.split(",")] if values else list(range(1, len(rows[0])))
        printed = [[_unmark(cell)[0] for cell in row] for row in rows]
        facts = []
        for marked, row in zip(rows[1:], printed[1:], strict=True):
            sentence = " ".join(row)
            facts += [self._fact(row[0], printed[0][c], row[c], sentence, "table") for c in columns if row[c] not in "-无"]
            for cell in marked:
                text, found = _unmark(cell)
                facts += [self._fact(s, a, text[start:end], sentence, "table") for s, a, start, end in found]
        self.blocks.append(
            SourceBlock("table", caption, rows=tuple(tuple(row) for row in printed), widths=widths, facts=tuple(facts))
        )

    def _fact(self, subject: str, attribute: str, value: str, sentence: str, place: str) -> SourceFact:
        self.count += 1
        return SourceFact(f"{self.prefix}-{self.count:03d}", subject, attribute, value, sentence, place)


def _unmark(marked: str) -> tuple[str, list[tuple[str, str, int, int]]]:
    """The printed text, and (subject, attribute, start, end of the value in it) of each fact."""
    text, at = "", 0
    found: list[tuple[str, str, int, int]] = []
    for match in _FACT.finditer(marked):
        subject, attribute, value = (part.strip() for part in match.groups())
        text += marked[at : match.start()]
        found.append((subject, attribute, len(text), len(text) + len(value)))
        text += value
        at = match.end()
    return text + marked[at:], found


def read_document(path: Path) -> SourceDocument:
    """The document that one source file describes."""
    head, _, body = path.read_text(encoding="utf-8").partition("\n---\n")
    data = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in head.splitlines())}
    reader = _Reader(data["prefix"], data["lang"])
    reader.read([line for line in body.splitlines() if not line.startswith("%")])
    return SourceDocument(
        file=data["file"],
        language=data["lang"],
        prefix=data["prefix"],
        groups=tuple(data.get("groups", "").split()),
        data=data,
        blocks=tuple(reader.blocks),
    )


def read_documents() -> list[SourceDocument]:
    """All documents, in the order of their source files' names."""
    return [read_document(path) for path in sorted(SOURCES.glob("*.txt"))]
