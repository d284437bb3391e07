"""Why a passage stands where it does: which words of the question it holds, in which field, and where they stand closest.

It looks at the passage as it is shown, so it tells what a reader can check; the score's parts come from the index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ingest.crosslingual import Group
from ingest.rerank import WINDOWS
from ingest.tokens import STOP_WORDS, is_han, placed_units, units, without_question_words
from ingest.types import Hit, ScoreParts

_WINDOW = WINDOWS[1]


@dataclass(frozen=True, slots=True)
class FoundTerm:
    """A unit of the question, how much it tells, and the fields that hold it: `title`, `section`, `text`.

    `like` are the words of the text that were counted for it because they say nearly the same.
    """

    term: str
    weight: float
    fields: tuple[str, ...]
    like: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OtherName:
    """A word of the question, and what stands for it in the text: out of the dictionary or the company's own glossary."""

    word: str
    found: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """`parts` add up to the score, but for a passage of the other language or one that a cross-encoder moved.

    `window` is the span of the passage's text, in code points, in which most of the question stands together; None where nothing
    of it stands there.
    """

    parts: ScoreParts
    terms: tuple[FoundTerm, ...]
    other_names: tuple[OtherName, ...]
    window: tuple[int, int] | None


def explained(
    query: str,
    hit: Hit,
    *,
    weight: Callable[[str], float],
    similar: Callable[[str], Iterable[tuple[str, float]]],
    groups: Iterable[Group] = (),
) -> Explanation:
    """The explanation of one hit. `weight` and `similar` are the index's, as the window rerank uses them; `groups` are the words
    of the question with what else was searched for in this hit's language."""
    asked = units(without_question_words(query)) or units(query)
    weights = {unit: weight(unit) for unit in asked if unit not in STOP_WORDS}
    held = {"title": set(units(hit.title)), "section": set(units("\n".join(hit.headings)))}
    text = placed_units(hit.text)
    held["text"] = {unit for unit, _, _ in text}
    terms: list[FoundTerm] = []
    worth: dict[str, tuple[str, float]] = {}
    for unit, rarity in weights.items():
        like = {other: likeness for other, likeness in similar(unit) if other in held["text"] and other not in weights}
        worth |= {other: (unit, rarity * likeness) for other, likeness in like.items()} | {unit: (unit, rarity)}
        terms.append(FoundTerm(unit, round(rarity, 3), tuple(name for name in held if unit in held[name]), tuple(like)))
    names: list[OtherName] = []
    for group in groups:
        one = next((one for one in group.alternatives if one.units != group.word and held["text"].issuperset(one.units)), None)
        if one is not None:
            written = [_as_written(unit, hit.text, text) for unit in one.units]
            names.append(OtherName(_joined(group.word), _joined(written)))
            for unit in one.units:
                worth.setdefault(unit, (unit, group.weight * one.weight * weight(unit)))
    window = _best_window([(worth.get(unit), start, end) for unit, start, end in text])
    return Explanation(hit.parts, tuple(terms), tuple(names), window)


def _joined(word: Sequence[str]) -> str:
    """The word's units as one text: Chinese is written without blanks."""
    return ("" if is_han(word[0]) else " ").join(word)


def _as_written(unit: str, text: str, placed: Sequence[tuple[str, int, int]]) -> str:
    """The unit as the text first writes it."""
    return next(text[start:end] for other, start, end in placed if other == unit)


def _best_window(text: list[tuple[tuple[str, float] | None, int, int]]) -> tuple[int, int] | None:
    """From the first to the last term of the window whose distinct terms weigh most."""
    best, span = 0.0, None
    for first, (begun, start, _) in enumerate(text):
        if begun is None:
            continue
        held: dict[str, float] = {}
        for term, _, end in text[first : first + _WINDOW]:
            if term is None or term[1] <= held.get(term[0], 0.0):
                continue
            held[term[0]] = term[1]
            if sum(held.values()) > best:
                best, span = sum(held.values()), (start, end)
    return span
