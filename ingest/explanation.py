"""Why a passage stands where it does: which words of the question it holds, in which field, and where they stand closest.

It looks at the passage as it is shown, so it tells what a reader can check; the score's parts come from the index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ingest.rerank import WINDOWS
from ingest.tokens import STOP_WORDS, placed_units, units, without_question_words
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
class Explanation:
    """`parts` add up to the score, but for a passage of the other language or one that a cross-encoder moved.

    `window` is the span of the passage's text, in code points, in which most of the question stands together; None where nothing
    of it stands there.
    """

    parts: ScoreParts
    terms: tuple[FoundTerm, ...]
    window: tuple[int, int] | None


def explained(
    query: str,
    hit: Hit,
    parts: ScoreParts,
    *,
    weight: Callable[[str], float],
    similar: Callable[[str], Iterable[tuple[str, float]]],
) -> Explanation:
    """The explanation of one hit. `weight` and `similar` are the index's, as the window rerank uses them."""
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
    return Explanation(parts, tuple(terms), _best_window([(worth.get(unit), start, end) for unit, start, end in text]))


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
