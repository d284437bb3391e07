"""Orders the candidates of a first search again, by looking at how closely together they hold what was asked.

Invariants. A reranker sees only candidates that the caller may read, and never drops one. It knows nothing of indexes: the
units of each candidate come with it, and the rarity of a term from a function that it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from ingest.tokens import STOP_WORDS, is_han, units, without_question_words

WINDOWS = (20, 45, 110)
"""Widths in units: about a sentence, a few, a paragraph. Source: `docs/decisions/0003-search-without-an-encoder.md`."""
PAIR_WEIGHT = 0.5
"""What two neighbouring units of the question are worth beside the units themselves. Source: the same page."""
QUERY_UNITS = 256
"""Longer questions are read up to here: they are pasted text, and the cost grows with their length."""

_Match = tuple[int, int]  # position in the candidate, number of the term


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that the first search found: its score there (0 where only the vectors found it), and its units in order."""

    chunk_id: str
    score: float
    units: Sequence[str]


class Reranker(Protocol):
    """Scores candidates against a question."""

    def scores(self, query: str, candidates: Sequence[Candidate]) -> list[float]:
        """One score in [0, 1] a candidate, in order, higher is better; comparable within this call only."""


def document_frequency_weight(count: int, total: int) -> float:
    """How much a term that `count` of `total` chunks hold tells: ln(1 + (N − n + ½)/(n + ½)), never below 0."""
    count = min(count, total)
    return math.log1p((total - count + 0.5) / (count + 0.5))


def missing_numbers(query: str, candidate: Candidate) -> int:
    """How many distinct numbers of the question the candidate does not hold."""
    numbers = {unit for unit in units(query) if unit[0].isdigit()}
    return len(numbers.difference(candidate.units)) if numbers else 0


class WindowReranker:
    """Scores a candidate by the best window of it: the weights of the question's distinct terms that one window holds.

    Terms are the question's units, weighted by their rarity, and its neighbouring pairs at half of theirs. The best sums for
    three window widths are each divided by the best candidate's and averaged.
    """

    def __init__(self, weight: Callable[[str], float]) -> None:
        """`weight` is the rarity of an index term, as `document_frequency_weight` gives it."""
        self._weight = weight

    def scores(self, query: str, candidates: Sequence[Candidate]) -> list[float]:
        """See `Reranker`."""
        singles, pairs, weights = self._terms(query)
        matches = [_matches(candidate.units, singles, pairs) for candidate in candidates]
        totals = [0.0] * len(candidates)
        for width in WINDOWS:
            sums = [_best_window(found, weights, width) for found in matches]
            best = max(sums, default=0.0)
            if best > 0.0:
                totals = [total + value / best for total, value in zip(totals, sums, strict=True)]
        return [total / len(WINDOWS) for total in totals]

    def _terms(self, query: str) -> tuple[dict[str, int], dict[tuple[str, str], int], list[float]]:
        """Numbers of the units and of the pairs, and the weight of each number."""
        asked = (units(without_question_words(query)) or units(query))[:QUERY_UNITS]
        singles: dict[str, int] = {}
        pairs: dict[tuple[str, str], int] = {}
        weights: list[float] = []
        for unit in asked:
            if unit not in STOP_WORDS and unit not in singles:
                singles[unit] = len(weights)
                weights.append(self._weight(unit))
        for pair in pairwise(asked):
            if pair[0] in singles and pair[1] in singles and pair not in pairs:
                pairs[pair] = len(weights)
                weights.append(PAIR_WEIGHT * self._pair_weight(*pair))
        return singles, pairs, weights

    def _pair_weight(self, first: str, second: str) -> float:
        # The index counts Han bigrams but no pairs of words: those are taken to be as rare as their rarer word.
        if is_han(first) and is_han(second):
            return self._weight(first + second)
        return max(self._weight(first), self._weight(second))


def _matches(text: Sequence[str], singles: Mapping[str, int], pairs: Mapping[tuple[str, str], int]) -> list[_Match]:
    """Where the terms stand in the text, by position; a pair stands where its first unit does."""
    places = [(position, unit) for position, unit in enumerate(text) if unit in singles]
    found: list[_Match] = []
    for place, (position, unit) in enumerate(places):
        found.append((position, singles[unit]))
        if place + 1 < len(places) and places[place + 1][0] == position + 1:
            pair = pairs.get((unit, places[place + 1][1]))
            if pair is not None:
                found.append((position, pair))
    return found


def _best_window(found: Sequence[_Match], weights: Sequence[float], width: int) -> float:
    """The greatest sum of weights of distinct terms within `width` units."""
    present = {term for _, term in found}
    bound = sum(weights[term] for term in present)
    if not found or found[-1][0] - found[0][0] < width:
        return bound
    counts = dict.fromkeys(present, 0)
    total = best = 0.0
    left = 0
    first = found[0][0]
    for position, term in found:
        if not counts[term]:
            total += weights[term]
        counts[term] += 1
        while position - first >= width:
            gone = found[left][1]
            counts[gone] -= 1
            if not counts[gone]:
                total -= weights[gone]
            left += 1
            first = found[left][0]
        if total > best:
            best = total
    return best
