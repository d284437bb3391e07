"""Text → its dates, Chinese and English: `2025年3月1日`, `1 March 2025`, `March 1st, 2025` and `2025-03-01` are the same.

A lone year is a number, not a date. `03/04/2025` may be either order. Spans are code points of the text given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAMES = (
    "january february march april may june july august september october november december".split(),
    "jan feb mar apr may jun jul aug sep oct nov dec".split(),
)
_MONTHS = {name: number for names in _NAMES for number, name in enumerate(names, start=1)} | {"sept": 9}
_DIGITS = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}

_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(?<![\d.,])(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?![\d.,]\d|\d|%)"
_YEAR = r"(?P<year>[12]\d{3})(?!\d)"
_HAN_NUMBER = "[一二三四五六七八九十]{1,3}"
# Before the shapes, what a text holds where one of them may be in it: a page has many sentences, and few of them a date.
_DIGIT = re.compile(r"[\d月]")
_SHAPES = tuple(
    (re.compile(hint), tuple(map(re.compile, shapes)))
    for hint, *shapes in (
        (
            r"\d[-/.]\d",
            rf"(?<!\d){_YEAR}(?P<mark>[-/.])(?P<month>[01]?\d)(?P=mark)(?P<day>[0-3]?\d)(?!\d)",
            r"(?<![\d./-])(?P<first>[0-3]?\d)(?P<mark>[/.])(?P<second>[0-3]?\d)(?P=mark)(?P<year>[12]\d{3})(?!\d)",
        ),
        (
            "月",
            rf"(?:(?P<year>[12]\d{{3}}|[〇零○一二三四五六七八九]{{4}})\s?年\s?)?"
            rf"(?<!\d)(?P<month>[01]?\d|{_HAN_NUMBER})\s?月(?!薪)(?:份)?(?:\s?(?P<day>[0-3]?\d|{_HAN_NUMBER})\s?[日号號])?",
        ),
        (
            r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
            rf"{_DAY}(?: day)?(?: of)?[ -]{_MONTH}(?:,?[ -]{_YEAR})?",
            rf"\b{_MONTH} {_DAY}(?!\s?(?:%|percent|million|billion))(?! [a-z]{{3,}}s\b)(?:,? {_YEAR})?",
            rf"\b{_MONTH},? (?:of )?{_YEAR}",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class CalendarDate:
    """A date; what it does not name is None. `swapped` is the other reading of a day and month in unclear order."""

    year: int | None
    month: int
    day: int | None
    start: int
    end: int
    swapped: bool = False

    def agrees(self, other: CalendarDate) -> bool:
        """Whether both can be the same day or month: everything that both name is equal."""
        pairs = ((self.month, self.day), (self.day, self.month)) if self.swapped or other.swapped else ((self.month, self.day),)
        return _same(self.year, other.year) and any(m == other.month and _same(d, other.day) for m, d in pairs)

    @property
    def order(self) -> tuple[int, int, int]:
        """For sorting dates that name the same parts."""
        return (self.year or 0, self.month, self.day or 0)


def _same(first: int | None, second: int | None) -> bool:
    return first is None or second is None or first == second


def may_hold_dates(text: str) -> bool:
    """Whether the text is worth reading for dates: a quick look."""
    return any(_possible_shapes(text.lower()))


def read_dates(folded: str) -> list[CalendarDate]:
    """The dates of a lower-cased text that name at least a month with a day or a year, in order of their places."""
    found: list[CalendarDate] = []
    for date in _candidates(folded):
        if all(date.end <= other.start or other.end <= date.start for other in found):
            found.append(date)
    return sorted(found, key=lambda date: date.start)


def _possible_shapes(folded: str) -> Iterator[re.Pattern[str]]:
    if _DIGIT.search(folded):
        for hint, shapes in _SHAPES:
            if hint.search(folded):
                yield from shapes


def _candidates(folded: str) -> Iterator[CalendarDate]:
    for shape in _possible_shapes(folded):
        for match in shape.finditer(folded):
            parts = match.groupdict()
            year = _number(parts.get("year"))
            if "first" in parts:
                day, month = int(parts["first"]), int(parts["second"])
                swapped = day <= 12 and month <= 12
                if month > 12:
                    day, month = month, day
            else:
                month_number = _number(parts["month"])
                if month_number is None:
                    continue
                month, swapped = month_number, False
                day = _number(parts.get("day")) or 0
            if 1 <= month <= 12 and 0 <= day <= 31 and (day or year):
                yield CalendarDate(year, month, day or None, match.start(), match.end(), swapped)


def _number(written: str | None) -> int | None:
    if not written:
        return None
    if written in _MONTHS:
        return _MONTHS[written]
    if written.isdecimal():
        return int(written)
    if len(written) == 4:
        return int("".join(str(_DIGITS[character]) for character in written))
    tens, ten, ones = written.partition("十")
    if not ten:
        return _DIGITS[written] if len(written) == 1 else None
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)
