"""Text → units with their places: what the judge, quoting and the evidence decision compare.

A unit is a word's Porter2 stem, a pair of Chinese characters in simplified form, a number in its canonical form, or a code such
as `hx-200`.
Spans are Unicode code points of the text given. Rarity comes from a background table shipped in `eval/models`
(made from SQuAD, CMRC 2018 and DRCD by `finetune.detector`), not from the few passages at hand.
This module knows no weights and no verdicts.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ingest.tokens import HAN, STOP_WORDS, fold_with_places, is_han, simplified, stem

BACKGROUND_FILE = Path(__file__).parent / "models" / "background.json.gz"

_PIECE = re.compile(
    r"[a-z]++(?!\w|'[^\W\d_]|[-/.]\d)"  # a plain word: it can be no code, and saves nine in ten words the way through the rest
    rf"|[{HAN}〇]+"  # a Han run
    r"|\d+(?=-(?:[a-z]{3,}|k[gmw]|[cm]m|[gmt]b)(?![\w-]))"  # the number of 24-hour, which is no code
    r"|[a-z0-9]*(?:[a-z][-_/.]?\d|\d[-_/][a-z])[a-z0-9]*(?:[-_/.][a-z0-9]+)*"  # a code: hx-200, m3, iso-9001/a, 3d-x
    r"|\d+(?:[.,]\d+)*"  # a number with its separators
    rf"|[^\W\d_{HAN}〇]+(?:'[^\W\d_{HAN}〇]+)?"  # a word; a Han character beside it begins a run of its own
)

# Particles that come and go without changing what is said; a pair is read across them.
_CHINESE_SKIPPED = frozenset("的了着之著")
# A pair made of these alone says nothing of the topic.
_CHINESE_FUNCTION = frozenset(
    "是在有和与及也就都而或于被把为其这那一个不与對与于以所从向至到由等中上下后前时能会可将让並并與於為個這從後時會將讓"
)

_NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        (
            "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
            "eighteen nineteen"
        ).split(),
        start=2,
    )
} | {word: 10 * tens for tens, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)}
_SCALES = {"hundr": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_CHINESE_SCALES = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_CHINESE_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}
_CHINESE_NUMBER = re.compile(
    "[零〇一二三四五六七八九两兩十百千万萬亿億]{2,}"
    "|(?<=百分之)[一二三四五六七八九十]"
    "|[二三四五六七八九十两兩](?=[年月日天周週个個小分秒次名位人元件台倍项項层層米公吨種种])"
)


class Kind(StrEnum):
    """What a unit is."""

    WORD = "word"
    HAN = "han"
    NUMBER = "number"
    CODE = "code"


class Unit(NamedTuple):
    """One unit of a text. `position` counts words and Han characters, so that distances compare within a text.

    A page has thousands: a frozen data class takes three times as long to make.
    """

    term: str
    kind: Kind
    start: int
    end: int
    position: int
    content: bool
    name: bool = False


@lru_cache(maxsize=4096)  # a sentence of evidence is read for its features, for the checks, and again for the next answer
def read_units(text: str) -> tuple[Unit, ...]:
    """The units of the text in order, each with its span in the text as given."""
    folded, starts, ends = fold_with_places(text)
    units: list[Unit] = []
    position = 0
    for piece in _PIECE.finditer(simplified(folded)):
        word = piece.group()
        first, last = piece.span()
        if not word[0].isascii() and (is_han(word[0]) or word[0] == "〇"):
            position = _append_han(units, word, first, position, starts, ends)
            continue
        term, kind, content, named = _latin_term(word)
        start = starts[first]
        name = text[start].isupper() if named is None else named
        units.append(Unit(term, kind, start, ends[last - 1], position, content, name))
        position += 1
    return tuple(_join_numbers(units))


def _append_han(units: list[Unit], run: str, start: int, position: int, starts: Sequence[int], ends: Sequence[int]) -> int:
    """Appends the numbers of a Han run and the character pairs between them; returns the next position."""
    done = 0
    for number in _CHINESE_NUMBER.finditer(run):
        value = _chinese_value(number.group())
        if value is None:
            continue
        position = _append_pairs(units, run[done : number.start()], start + done, position, starts, ends)
        span = (starts[start + number.start()], ends[start + number.end() - 1])
        units.append(Unit(value, Kind.NUMBER, *span, position, content=True))
        position += 1
        done = number.end()
    return _append_pairs(units, run[done:], start + done, position, starts, ends)


def _append_pairs(units: list[Unit], run: str, start: int, position: int, starts: Sequence[int], ends: Sequence[int]) -> int:
    """Appends the character pairs of a piece of a Han run, read across particles; a lone character is no content."""
    kept = [(character, start + i) for i, character in enumerate(run) if character not in _CHINESE_SKIPPED]
    if len(kept) == 1:
        character, at = kept[0]
        units.append(Unit(character, Kind.HAN, starts[at], ends[at], position, content=False))
    for i in range(len(kept) - 1):
        (first, at), (second, until) = kept[i], kept[i + 1]
        content = first not in _CHINESE_FUNCTION or second not in _CHINESE_FUNCTION
        units.append(Unit(first + second, Kind.HAN, starts[at], ends[until], position + i, content))
    return position + len(kept)


@lru_cache(maxsize=50_000)
def _latin_term(word: str) -> tuple[str, Kind, bool, bool | None]:
    """Term, kind, whether it is content, and whether a name (None: if capitalised), of a lower-case word, number or code."""
    if word[0].isdigit() and not any(c.isalpha() for c in word):
        return canonical_number(word), Kind.NUMBER, True, False
    if any(c.isdigit() for c in word):
        return word, Kind.CODE, True, True
    if word in _NUMBER_WORDS:
        return str(_NUMBER_WORDS[word]), Kind.NUMBER, True, False
    if word in STOP_WORDS or word.endswith("n't"):
        return word, Kind.WORD, False, False
    content = len(word) > 1
    return stem(word), Kind.WORD, content, None if content else False


def _join_numbers(units: list[Unit]) -> list[Unit]:
    """The units with `3 million`, `3万` and `twenty-five` read as one number each; their spans stay those of the digits."""
    number = Kind.NUMBER
    if all(unit.kind is not number for unit in units):
        return units
    out: list[Unit] = []
    before = None  # the number that the unit follows
    for i, unit in enumerate(units):
        if before and unit.kind is number and _tens_and_ones(before, unit):
            unit = _with_value(before, float(before.term) + float(unit.term), unit.end)
            out.pop()
        elif before and unit.kind is Kind.WORD and unit.term in _SCALES and _is_float(before.term):
            unit = _with_value(before, float(before.term) * _SCALES[unit.term], unit.end)
            out.pop()
        elif unit.kind is number and i + 1 < len(units):
            unit = _with_chinese_scale(unit, units[i + 1])
        out.append(unit)
        before = unit if unit.kind is number else None
    return out


def _with_chinese_scale(number: Unit, following: Unit) -> Unit:
    """The number with the scale that the next character names: `3万`."""
    scale = _CHINESE_SCALES.get(following.term[0])
    touched = following.kind is Kind.HAN and following.start - number.end <= 1
    if not (scale and touched and _is_float(number.term)):
        return number
    return _with_value(number, float(number.term) * scale, number.end)


def _tens_and_ones(first: Unit, second: Unit) -> bool:
    """Whether two number units are `twenty` and `five` written as words."""
    tens = first.term in {"20", "30", "40", "50", "60", "70", "80", "90"} and first.end - first.start > 2
    return tens and second.start - first.end == 1 and second.end - second.start > 2 and second.term in "23456789"


def _with_value(unit: Unit, value: float, end: int) -> Unit:
    return Unit(canonical_number(repr(value)), unit.kind, unit.start, end, unit.position, content=True)


def _is_float(term: str) -> bool:
    return term.count(".") <= 1 and term.replace(".", "", 1).isdigit()


def canonical_number(written: str) -> str:
    """`21,012` → `21012`, `03` → `3`, `3.50` → `3.5`; what is no plain number (a version such as 1.5.9) stays as it is."""
    digits = written.replace(",", "")
    if digits.count(".") > 1:
        return digits
    try:
        value = float(digits)
    except ValueError:
        return digits
    return str(int(value)) if value == int(value) else repr(value)


def _chinese_value(written: str) -> str | None:
    """The canonical value of Chinese numerals; None for a run without a clear one, such as 万一 or 一一."""
    if len(written) > 1 and all(character in _CHINESE_DIGITS for character in written):
        return canonical_number("".join(str(_CHINESE_DIGITS[character]) for character in written)) if len(written) > 2 else None
    total = section = digit = 0
    if written[0] in _CHINESE_SCALES or written[0] in "百千":
        return None
    if len(written) == 1:
        return str(_CHINESE_DIGITS.get(written) or 10)
    for character in written:
        if character in _CHINESE_DIGITS:
            digit = _CHINESE_DIGITS[character]
        elif character in _CHINESE_UNITS:
            section += (digit or 1) * _CHINESE_UNITS[character]
            digit = 0
        else:
            total = (total + section + digit) * _CHINESE_SCALES[character]
            section = digit = 0
    return str(total + section + digit)


class Background:
    """How rare a unit is in general: idf = ln((N + 1) / (df + 0.5)) over sentences of general text."""

    def __init__(self, tables: dict[str, dict[str, float]], unseen: dict[str, float]) -> None:
        self._idf: dict[str, float] = {}
        for table in tables.values():
            self._idf.update(table)
        self._unseen = unseen

    def idf(self, term: str) -> float:
        """The term's idf; an unseen one is as rare as can be."""
        known = self._idf.get(term)
        if known is not None:
            return known
        return self._unseen["zh" if is_han(term[0]) else "en"]

    def is_unseen(self, term: str) -> bool:
        """Whether general text hardly has the term: such as a person's name."""
        return term not in self._idf

    def save(self, path: Path) -> None:
        """Writes the table; the same table gives the same bytes."""
        rows: dict[str, list[str]] = {}
        for term, idf in sorted(self._idf.items()):
            rows.setdefault(f"{idf:.2f}", []).append(term)
        content = json.dumps({"unseen": self._unseen, "idf": rows}, ensure_ascii=False, separators=(",", ":")).encode()
        path.write_bytes(gzip.compress(content, 9, mtime=0))

    @staticmethod
    def load(path: Path) -> Background:
        """The table that `save` wrote."""
        content = json.loads(gzip.decompress(path.read_bytes()))
        return Background({"": {term: float(idf) for idf, terms in content["idf"].items() for term in terms}}, content["unseen"])


@lru_cache(maxsize=1)
def shipped_background() -> Background:
    """The background table of this package, read once."""
    return Background.load(BACKGROUND_FILE)
