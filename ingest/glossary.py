"""The company's own terms: a CSV file that says what its words are called in the other language, and how else.

    term,translation,synonyms
    年休假,annual leave,paid time off;PTO
    flow computer,流量计算机,

Invariants. All names of one row mean the same, whichever column they stand in and whichever language they are of. A glossary says
only what else to look for: no index changes with it. The file is read when the process starts.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import InputRefused
from ingest.tokens import STOP_WORDS, units

COLUMNS = ("term", "translation", "synonyms")
SEPARATOR = ";"
NAME_UNITS = 24
"""Longest name in units (Chinese characters or words without stop words); runs of a question are looked up to this length."""
ENTRIES = 20_000
"""Rows of one file, which is kept in memory."""

_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """The names of one thing, at least two, each cut into units without stop words."""

    names: tuple[tuple[str, ...], ...]


class Glossary:
    """All entries, found by any of their names."""

    def __init__(self, entries: tuple[Entry, ...] = ()) -> None:
        others: dict[str, dict[tuple[str, ...], None]] = {}
        for entry in entries:
            for name in entry.names:
                kept = others.setdefault(" ".join(name), {})
                kept |= dict.fromkeys(other for other in entry.names if other != name)
        self._others = {key: tuple(names) for key, names in others.items()}
        self.longest = max((len(name) for entry in entries for name in entry.names), default=0)

    def __len__(self) -> int:
        return len(self._others)

    def others(self, key: str) -> tuple[tuple[str, ...], ...]:
        """What else the thing is called whose name is these units, joined by blanks; nothing where it is in no entry."""
        return self._others.get(key, ())


def read_glossary(path: Path) -> Glossary:
    """The glossary in a CSV file, UTF-8 with or without a byte order mark.

    Raises:
        InputRefused: there is no such file, or a row cannot be taken; the message names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputRefused(f"{path} is not there; the setting search.glossary names a CSV file") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputRefused(f"{path}:{line}: not UTF-8 ({error.reason}); save the file as CSV in UTF-8") from error
    except OSError as error:
        raise InputRefused(f"{path} cannot be read ({error.strerror}); the setting search.glossary names a CSV file") from error
    rows = csv.reader(text.splitlines(keepends=True), strict=True)
    entries: list[Entry] = []
    try:
        header = tuple(cell.strip().lower() for cell in next(rows, []))
        if header != COLUMNS:
            raise InputRefused(f"{path}:1: the header is {','.join(header)!r}; it must read {','.join(COLUMNS)}")
        for row in rows:
            if any(cell.strip() for cell in row):
                entries.append(_entry(row, f"{path}:{rows.line_num}"))
    except csv.Error as error:
        raise InputRefused(
            f"{path}:{rows.line_num}: not CSV ({error}); put a cell that holds a comma or a quote in quotes"
        ) from error
    if len(entries) > ENTRIES:
        raise InputRefused(f"{path} holds {len(entries)} rows; at most {ENTRIES} are allowed")
    return Glossary(tuple(entries))


def _entry(row: list[str], place: str) -> Entry:
    if len(row) not in (2, 3):
        raise InputRefused(f"{place}: {len(row)} cells ({','.join(row)!r}); two or three are allowed: {','.join(COLUMNS)}")
    term, translation, synonyms = [*row, ""][:3]
    if not term.strip():
        raise InputRefused(f"{place}: the term is empty ({','.join(row)!r}); it must be a word")
    if not translation.strip() and not synonyms.strip():
        raise InputRefused(f"{place}: {term.strip()!r} has neither a translation nor a synonym; at least one is needed")
    written = [part.strip() for part in (term, translation, *synonyms.split(SEPARATOR))]
    names = dict.fromkeys(_name(part, place) for part in written if part)
    if len(names) < 2:
        raise InputRefused(
            f"{place}: {', '.join(filter(None, written))!r} are one and the same word to the search; two are needed"
        )
    return Entry(tuple(names))


def _name(written: str, place: str) -> tuple[str, ...]:
    said = written[: _NAME_CHARACTERS + 1]
    name = tuple(unit for unit in units(said) if unit and unit not in STOP_WORDS)
    if not name:
        raise InputRefused(f"{place}: {said!r} holds no word that is searched; letters, digits or Chinese characters are needed")
    if len(name) > NAME_UNITS or len(said) > _NAME_CHARACTERS:
        raise InputRefused(
            f"{place}: {said!r} has {len(name)} words or Chinese characters; at most {NAME_UNITS} (and "
            f"{_NAME_CHARACTERS} letters) are allowed: give the term alone, no explanation"
        )
    return name
