"""The numbers that Word writes before headings, articles and list items by itself: `3.1`, `第四条`, `(b)`, `•`.

Invariants. Counting goes with the document's order: `mark` is asked once for each paragraph, from the first to the last.
What a list does not say is taken as Word takes it: Arabic numbers that begin with 1. A mark that cannot be told is empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ingest.readers.word_styles import W, value_of

_PLACE = re.compile(r"%([1-9])")
_BULLET = "•"
_DIGITS_HAN = "〇一二三四五六七八九"
_ROMAN = {
    1000: "m",
    900: "cm",
    500: "d",
    400: "cd",
    100: "c",
    90: "xc",
    50: "l",
    40: "xl",
    10: "x",
    9: "ix",
    5: "v",
    4: "iv",
    1: "i",
}


@dataclass(frozen=True, slots=True)
class _Level:
    form: str
    pattern: str
    start: int


class Numbering:
    """The lists of one document, and how far each has counted."""

    def __init__(self, document: Any) -> None:
        self._levels: dict[str, dict[int, _Level]] = {}
        self._counted_as: dict[str, str] = {}
        self._counts: dict[tuple[str, int], int] = {}
        root = _numbering_root(document)
        if root is None:
            return
        abstract = {one.get(f"{W}abstractNumId", ""): one for one in root.iterchildren(f"{W}abstractNum")}
        for number in root.iterchildren(f"{W}num"):
            list_id, abstract_id = number.get(f"{W}numId", ""), value_of(number, "abstractNumId")
            if abstract_id not in abstract:
                continue
            levels = dict(map(_level, abstract[abstract_id].iterchildren(f"{W}lvl")))
            restarts = False
            for override in number.iterchildren(f"{W}lvlOverride"):
                start, own = value_of(override, "startOverride"), override.find(f"{W}lvl")
                if own is not None:
                    levels |= [_level(own)]
                depth = override.get(f"{W}ilvl", "0")
                if start.isdigit() and depth.isdigit() and (level := levels.get(int(depth))):
                    levels[int(depth)] = _Level(level.form, level.pattern, int(start[:6]))
                    restarts = True
            self._levels[list_id] = levels
            self._counted_as[list_id] = f"list {list_id}" if restarts else abstract_id  # lists of one form count on

    def mark(self, list_id: str, depth: int) -> str:
        """What Word writes before the next paragraph of the list at this depth."""
        levels = self._levels.get(list_id, {})
        level = levels.get(depth)
        if level is None:
            return ""
        if level.form == "bullet":
            return _BULLET
        counter = self._counted_as[list_id]
        self._counts[counter, depth] = self._counts.get((counter, depth), level.start - 1) + 1
        for deeper in range(depth + 1, 9):
            self._counts.pop((counter, deeper), None)

        def number(place: re.Match[str]) -> str:
            other = int(place[1]) - 1
            of = levels.get(other, level)
            return _written(self._counts.get((counter, other), of.start), of.form)

        return _PLACE.sub(number, level.pattern).strip()


def _numbering_root(document: Any) -> Any:
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/numbering") and not relation.is_external:
            return relation.target_part.element
    return None


def _level(element: Any) -> tuple[int, _Level]:
    depth, start = element.get(f"{W}ilvl", "0"), value_of(element, "start")
    form = value_of(element, "numFmt") or "decimal"
    at = int(start[:6]) if start.isdigit() else 1
    return int(depth) if depth.isdigit() else 0, _Level(form, value_of(element, "lvlText"), at)


def _written(count: int, form: str) -> str:
    writer = _FORMS.get(form)
    return writer(count) if writer is not None and 0 < count < 10_000 else str(count)


def _letters(count: int) -> str:
    """a … z, aa, bb, as Word goes on."""
    return chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)


def _roman(count: int) -> str:
    written = ""
    for value, letters in _ROMAN.items():
        written += letters * (count // value)
        count %= value
    return written


def _han(count: int) -> str:
    """二十三, 一百零五: the number as it is counted in Chinese."""
    written, zero = "", False
    for value, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, count = divmod(count, value)
        if digit:
            written += ("零" if zero and written else "") + _DIGITS_HAN[digit] + unit
        zero = digit == 0
    return written.removeprefix("一") if written.startswith("一十") else written


def _circled(count: int) -> str:
    return chr(0x2460 + count - 1) if count <= 20 else str(count)


_FORMS: dict[str, Callable[[int], str]] = {
    "lowerLetter": _letters,
    "upperLetter": lambda count: _letters(count).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda count: _roman(count).upper(),
    "chineseCounting": _han,
    "chineseCountingThousand": _han,
    "japaneseCounting": _han,
    "taiwaneseCountingThousand": _han,
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
    "decimalZero": lambda count: f"{count:02}",
    "none": lambda _count: "",
}
