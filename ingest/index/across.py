"""Where chunks of the other language stand in the list of a search.

Two scales do not compare: BM25 of the question's own words, and BM25 of what they may be called. What compares is coverage: the
share of the question that a chunk holds, by its words in one language or by their alternatives in the other. So both lists keep
their order, and coverage decides only which of them leads. The first three places are the own language's, unless it covers
little of the question and the other one clearly more. Source of the places and thresholds: `docs/decisions/0014-across-
languages.md`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ingest.crosslingual import Group
from ingest.dictionary import Alternative
from ingest.rerank import Candidate, held_units, unit_number
from ingest.types import ScoredChunk

FOLLOWING = (3, 6, 9)
"""Places, from 0, of the best of the other language where the question's own language leads."""
LEADING = (0, 1, 3, 5, 7)
"""Their places where they lead."""
LEAST_OWN_COVERAGE = 0.4
CLEARLY_MORE = 1.5
OWN = 50
"""So many of the question's own language are looked at; what comes after keeps its order behind."""
JUDGED = 5
"""A list's coverage is the best among so many of its first chunks."""


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the question and its alternatives, as unit numbers; `worth` is how much it tells."""

    itself: tuple[int, ...]
    alternatives: tuple[tuple[tuple[int, ...], float], ...]
    worth: float

    def own_share(self, held: set[int]) -> float:
        """`worth` where the chunk holds the word itself, else 0."""
        return self.worth * held.issuperset(self.itself)

    def other_share(self, held: set[int]) -> float:
        """`worth` times the weight of the best alternative that the chunk holds."""
        return self.worth * max((weight for units, weight in self.alternatives if held.issuperset(units)), default=0.0)


def placed(
    own: Sequence[ScoredChunk],
    other: Sequence[ScoredChunk],
    groups: Sequence[Group],
    candidates: Iterable[Candidate],
    *,
    language: str,
    weight: Callable[[str], float],
) -> list[ScoredChunk]:
    """One list of both, each chunk once, scores falling.

    `candidates` are what both lists were made of; a chunk that is not among them was found too far down to matter. `language`
    is the question's, `weight` the rarity of a term.
    """
    words = [_word(group, weight) for group in groups]
    across = {chunk.chunk_id for chunk in other}
    listed = across | {chunk.chunk_id for chunk in own[:OWN]}
    held = {candidate.chunk_id: candidate for candidate in candidates if candidate.chunk_id in listed}
    units = _asked_units(words, list(held.values()))

    def own_share(chunk: ScoredChunk) -> float:
        return sum(word.own_share(units[chunk.chunk_id]) for word in words)

    def other_share(chunk: ScoredChunk) -> float:
        return sum(word.other_share(units[chunk.chunk_id]) for word in words)

    def is_own(chunk: ScoredChunk) -> bool:
        # A chunk of the other language that both searches found may be a mixed one that holds the question's own words.
        if chunk.chunk_id in across:
            return own_share(chunk) > other_share(chunk)
        return held[chunk.chunk_id].language == language

    mine = [chunk for chunk in own[:OWN] if chunk.chunk_id in held and is_own(chunk)]
    taken = {chunk.chunk_id for chunk in mine}
    theirs = [chunk for chunk in other if chunk.chunk_id not in taken]
    taken |= {chunk.chunk_id for chunk in theirs}
    rest = [chunk for chunk in own if chunk.chunk_id not in taken]
    own_coverage = max(map(own_share, mine[:JUDGED]), default=0.0)
    other_coverage = max(map(other_share, theirs[:JUDGED]), default=0.0)
    whole = sum(word.worth for word in words)
    leads = own_coverage < LEAST_OWN_COVERAGE * whole and other_coverage > CLEARLY_MORE * own_coverage
    return list(_falling([*_interleaved(mine, theirs, LEADING if leads else FOLLOWING), *rest]))


def _asked_units(words: Sequence[_Word], candidates: Sequence[Candidate]) -> dict[str, set[int]]:
    """Of each chunk's units those that a word or an alternative has, by chunk id."""
    numbers = {number for word in words for units in (word.itself, *(one for one, _ in word.alternatives)) for number in units}
    asked = np.array(sorted(numbers), dtype=np.uint32)
    rows = held_units(asked, candidates)
    return {candidate.chunk_id: set(asked[row].tolist()) for candidate, row in zip(candidates, rows, strict=True)}


def _word(group: Group, weight: Callable[[str], float]) -> _Word:
    itself = Alternative(group.word, 1.0)
    others = [one for one in group.alternatives if one.units != group.word]
    # As rare as the commoner of the two sides: a word that one language hardly uses tells nothing of the question.
    rarity = max(map(weight, itself.terms))
    if others:
        rarity = min(rarity, max(max(map(weight, one.terms)) for one in others))
    alternatives = tuple((tuple(map(unit_number, one.units)), one.weight) for one in group.alternatives)
    return _Word(tuple(map(unit_number, group.word)), alternatives, group.weight * rarity)


def _interleaved(mine: Sequence[ScoredChunk], theirs: Sequence[ScoredChunk], places: Sequence[int]) -> Iterator[ScoredChunk]:
    """Both lists in their order: `theirs` at these places, and behind all of `mine`."""
    left, right = iter(mine), iter(theirs)
    for place in range(len(mine) + len(places)):
        chunk = next(right, None) if place in places else None
        chunk = chunk or next(left, None)
        if chunk:
            yield chunk
    yield from left
    yield from right


def _falling(chunks: Sequence[ScoredChunk]) -> Iterator[ScoredChunk]:
    """The chunks with scores that never rise: a chunk keeps its own unless one before it has less."""
    least = max((chunk.score for chunk in chunks), default=0.0)
    for chunk in chunks:
        score = min(chunk.score, least)
        yield replace(chunk, score=score)
        least = math.nextafter(score, -math.inf)
