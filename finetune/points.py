"""A point: one value that a passage states, with questions that ask for exactly that.

Invariants. A point's evidence stands in its passage word for word, and its answer holds its value. Every question names what
it asks about, so that it is understood by somebody who does not see the passage: by the sentence's own subject, by the row
of the table, or by the heading above.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ingest.tokens import index_terms, language

_NUMBERING = re.compile(
    r"^(?:(?:table|annex|section|chapter|figure)\s+[A-Z]?-?\d*(?:\.\d+)*\s*[:.]?|\d+(?:\.\d+)*[.)、]?|[A-Z]\d*[.):]"
    r"|第?[一二三四五六七八九十]+[章节条、.]|[表图附][件录]?[\d一二三四五六七八九十]+)\s+|^[一二三四五六七八九十]+、",
    re.IGNORECASE,
)
LONGEST_ANSWER = {"en": 150, "zh": 60}
"""In characters: two lines in either language; a longer answer is no short one."""
# A heading of no more characters says little by itself: `Length`, `产量`.
_SHORT = {"en": 12, "zh": 4}
_BRACKETS = re.compile(r"\s*[(（][^()（）]*[)）]")


class Asked(StrEnum):
    """What kind of value a point holds; it decides the question word."""

    AMOUNT = "amount"
    SHARE = "share"
    DURATION = "duration"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    WHO = "who"
    WHERE = "where"
    NAME = "name"
    DEFINITION = "definition"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Point:
    """One value that a passage states. `questions` all ask for it, the plainest first; they may be none where only a model
    can word one. `clause` is the part of the evidence that states the value; `topic` is the heading that it stands under."""

    rule: str
    asked: Asked
    language: str
    evidence: str
    clause: str
    value: str
    answer: str
    topic: str
    questions: tuple[str, ...]


def topic_of(headings: Sequence[str]) -> str:
    """The innermost heading without its number, with the one above it where it is short; empty where there is none."""
    plain = [short for heading in headings if (short := without_numbering(heading))]
    if len(plain) > 1 and len(plain[-1]) <= _SHORT[language(plain[-1])]:
        return f"{plain[-2]}: {plain[-1]}" if language(plain[-1]) == "en" else f"{plain[-2]}的{plain[-1]}"
    return plain[-1] if plain else ""


def without_numbering(heading: str) -> str:
    """A heading or caption without its number and without what stands in brackets."""
    return _BRACKETS.sub("", _NUMBERING.sub("", " ".join(heading.split()))).strip(" :：")


# With fewer content terms than this a question does not say what it is about.
_TERMS_THAT_SUFFICE = 5


def bare_question(point: Point) -> str:
    """The point's first question without the heading that it was put under."""
    plain = point.questions[0].removeprefix(f"Regarding “{point.topic}”, ").replace(f" ({point.topic})?", "?")
    return plain[:1].upper() + plain[1:]


def leans_on_its_heading(question: str) -> bool:
    """Whether a stranger would ask what an English question is about: somebody is addressed, or too few words say it."""
    addressed = re.search(r"\b(?:you|we|your|our)\b", question.lower().removeprefix("can you tell me"))
    return bool(addressed) or len(set(index_terms(question))) < _TERMS_THAT_SUFFICE


def under_heading(question: str, point: Point) -> str:
    """An English question under its point's heading, where it leans on that; a table's questions name their row instead."""
    if point.rule == "table" or not point.topic or point.language != "en" or not leans_on_its_heading(question):
        return question
    return f"Regarding “{point.topic}”, {question[0].lower()}{question[1:]}"
