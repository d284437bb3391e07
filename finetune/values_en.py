"""Values in English sentences: amounts, shares, durations, numbers, dates, times, names and places; and how to ask for them."""

from __future__ import annotations

import re
from typing import NamedTuple

from finetune.points import Asked
from finetune.verbs import finite_verb

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_CURRENCIES = "EUR|USD|GBP|CHF|CNY|RMB|JPY|NOK|SEK|DKK|PLN|SGD|HKD|AUD|CAD|INR"
ONES = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS = "(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-(?:one|two|three|four|five|six|seven|eight|nine))?"
_NUMBER = rf"(?:-?\d[\d,]*(?:\.\d+)?|{_TENS}|{ONES})"
NAME = r"[A-Z][\w'’-]+(?: (?:&|of|van|de|der|[A-Z][\w'’-]+))*"
_NOUN = r"(?P<noun>(?:[a-z-]+ ){0,2}?(?:[a-z-]+[^s\W]s|people|staff))"
_NO_PLACES = "Table|Annex|Section|Chapter|Figure|Meeting|English|Chinese"
_PLACES = rf"{NAME}(?: and {NAME}|(?:, {NAME})+ (?:and|or) {NAME})?"
_UNITS = {
    "mm/s": "millimetres per second", "mm": "millimetres", "cm": "centimetres", "km": "kilometres", "kg": "kilograms",
    "mg": "milligrams", "g": "grams", "m³/h": "cubic metres per hour", "m": "metres", "kW": "kilowatts", "V": "volts",
    "Hz": "hertz", "bar": "bar", "dB(A)": "decibels", "°C": "degrees Celsius", "Nm": "newton metres",
    "rpm": "revolutions per minute",
}  # fmt: skip
_UNIT = "|".join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))
_TIME_UNITS = {"year", "month", "week", "day", "hour", "minute", "second", "night"}
# The order is that of trust: what an earlier pattern has taken no later one takes.
_VALUES = [
    (Asked.AMOUNT, re.compile(rf"(?:\b(?:{_CURRENCIES})|[€$£¥])\s?\d[\d,]*(?:\.\d+)?(?: (?:million|billion))?")),
    (Asked.SHARE, re.compile(rf"\b{_NUMBER} ?(?:percent|per cent|%)", re.IGNORECASE)),
    (Asked.TIME, re.compile(rf"\b(?:(?:{_DAYS}) at )?\d{{1,2}}:\d{{2}}(?: to \d{{1,2}}:\d{{2}})?")),
    (Asked.DATE, re.compile(rf"\b\d{{1,2}} (?:{_MONTHS})(?: \d{{4}})?|\b(?:{_MONTHS}) \d{{4}}|(?<=\bin )(?:\d{{4}}|{_MONTHS})\b"
                            r"|\bthe \d{1,2}(?:st|nd|rd|th) of each month")),
    (Asked.NUMBER, re.compile(rf"(?<![\w.-]){_NUMBER} ?(?P<unit>{_UNIT})(?![\w/])")),
    (Asked.NUMBER, re.compile(rf"(?<![\w.-]){_NUMBER} {_NOUN}\b", re.IGNORECASE)),
    (Asked.NAME, re.compile(rf"(?:(?<=\bby ){NAME}|(?<=\bis ){NAME}(?=$|[,;.]))")),
    (Asked.WHERE, re.compile(rf"(?<=\bin )(?!(?:{_MONTHS}|{_NO_PLACES})\b){_PLACES}")),
]  # fmt: skip


class Value(NamedTuple):
    """A value with its span in the text and, of a number, what is counted."""

    asked: Asked
    start: int
    end: int
    noun: str


def find_values(text: str) -> list[Value]:
    """The values in order of place; none overlaps another."""
    found: list[Value] = []
    for asked, pattern in _VALUES:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < other.end and other.start < end for other in found):
                continue
            groups = match.groupdict()
            noun = _UNITS[groups["unit"]] if groups.get("unit") else groups.get("noun") or ""
            if finite_verb(noun) and text[:start].endswith(("under ", "over ")):
                continue  # `a child under twelve falls ill`
            kind = Asked.DURATION if noun.split(" ")[-1].removesuffix("s") in _TIME_UNITS else asked
            found.append(Value(kind, start, end, noun))
    return sorted(found, key=lambda one: one.start)


def question_words(asked: Asked, value: str, noun: str, own: str) -> list[str]:
    """How the question can begin; what belongs to the value goes with it."""
    if asked is Asked.AMOUNT:
        return [f"How much{own}", f"What amount{own}"]
    if asked is Asked.SHARE:
        return [f"What percentage{own}", f"What share{own}"]
    if asked in (Asked.DURATION, Asked.NUMBER):
        return [f"How many {noun}{own}"]
    if asked is Asked.DATE:
        if value.startswith("the "):
            return ["When", "On what day of the month"]
        return [
            "When",
            "On what date" if value[0].isdigit() and " " in value else "In what year" if value.isdigit() else "In what month",
        ]
    if asked is Asked.TIME:
        return ["At what time"]
    return ["Where"] if asked is Asked.WHERE else ["Who"]


def with_preposition(head: str, preposition: str) -> str:
    """The question word after its preposition; `in 1994` → `when`, `by` a name → `by whom`."""
    if not preposition or (head.split(" ")[0] in ("When", "Where", "On", "In") and preposition in ("in", "on", "at")):
        return head
    if head == "At what time":
        return head if preposition in ("on", "at", "in") else f"{preposition.capitalize()} what time"
    if head.startswith(("On what", "In what")):
        return f"{preposition.capitalize()} {head[3:]}"
    return f"{preposition.capitalize()} {'whom' if head == 'Who' else head[0].lower() + head[1:]}"
