"""Orders the candidates of a first search again, by looking at how closely together they hold what was asked.

Invariants. A reranker sees only candidates that the caller may read, and never drops one. It knows nothing of indexes: the
units of each candidate come with it, and the rarity of a term from a function that it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ingest.tokens import STOP_WORDS, is_han, units, without_question_words

WINDOWS = (20, 45, 110)
"""Widths in units: about a sentence, a few, a paragraph. Source: `docs/decisions/0003-search-without-an-encoder.md`."""
PAIR_WEIGHT = 0.5
"""What two neighbouring units of the question are worth beside the units themselves. Source: the same page."""
QUERY_UNITS = 256
"""Longer questions are read up to here: they are pasted text, and the cost grows with their length."""

_GAP = max(WINDOWS)

UnitNumbers = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that the first search found: its score there (0 where only the vectors found it), and its `unit_numbers`."""

    chunk_id: str
    score: float
    units: UnitNumbers


def unit_numbers(text: str) -> UnitNumbers:
    """A number for each unit of the text, in order: its CRC-32, kept beside the chunk so that no candidate is tokenised again.

    Two units share a number once in four billion pairs; the rank of a candidate is then a little off.
    """
    return _numbers(units(text))


def _numbers(of: Iterable[str]) -> UnitNumbers:
    return np.fromiter((crc32(unit.encode()) for unit in of), dtype=np.uint32)


class Reranker(Protocol):
    """Scores candidates against a question."""

    def scores(self, query: str, candidates: Sequence[Candidate]) -> list[float]:
        """One score in [0, 1] a candidate, in order, higher is better; comparable within this call only."""


def document_frequency_weight(count: int, total: int) -> float:
    """How much a term that `count` of `total` chunks hold tells: ln(1 + (N − n + ½)/(n + ½)), never below 0."""
    count = min(count, total)
    return math.log1p((total - count + 0.5) / (count + 0.5))


def missing_numbers(query: str, candidates: Sequence[Candidate]) -> list[int]:
    """How many distinct numbers of the question each candidate does not hold."""
    asked = _numbers({unit for unit in units(query) if unit[0].isdigit()})
    if not len(asked):
        return [0] * len(candidates)
    return [int(np.count_nonzero(~np.isin(asked, candidate.units))) for candidate in candidates]


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
        if not candidates:
            return []
        singles, pairs = self._terms(query)
        # All candidates in one row, so far apart that no window reaches from one into the next.
        starts = np.cumsum([0, *(len(candidate.units) + _GAP for candidate in candidates)])
        text = np.zeros(starts[-1], dtype=np.uint32)
        for candidate, start in zip(candidates, starts, strict=False):
            text[start : start + len(candidate.units)] = candidate.units
        places, terms, weights = _matches(text, singles, pairs)
        ends = _next_mention(places, terms)
        totals = np.zeros(len(candidates))
        for width in WINDOWS:
            sums = np.maximum.reduceat(_sums(len(text), places, np.minimum(ends, places + width), weights), starts[:-1])
            if sums.max() > 0:
                totals += sums / sums.max()
        scores: list[float] = np.clip(totals / len(WINDOWS), 0.0, 1.0).tolist()
        return scores

    def _terms(self, query: str) -> tuple[dict[int, float], dict[tuple[int, int], float]]:
        """The weights of the question's units and of its pairs, by unit number."""
        asked = (units(without_question_words(query)) or units(query))[:QUERY_UNITS]
        numbers = dict(zip(asked, _numbers(asked).tolist(), strict=True))
        singles = {numbers[unit]: self._weight(unit) for unit in numbers if unit not in STOP_WORDS}
        pairs = {
            (numbers[first], numbers[second]): PAIR_WEIGHT * self._pair_weight(first, second)
            for first, second in set(pairwise(asked))
            if first not in STOP_WORDS and second not in STOP_WORDS
        }
        return singles, pairs

    def _pair_weight(self, first: str, second: str) -> float:
        # The index counts Han bigrams but no pairs of words: those are taken to be as rare as their rarer word.
        if is_han(first) and is_han(second):
            return self._weight(first + second)
        return max(self._weight(first), self._weight(second))


def _matches(
    text: UnitNumbers, singles: Mapping[int, float], pairs: Mapping[tuple[int, int], float]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Where terms stand in the text, which term, and its weight; a pair stands where its first unit does."""
    known = np.array(sorted(singles), dtype=np.uint32)
    if not len(known):
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0)
    places = np.flatnonzero(np.isin(text, known))
    terms = np.searchsorted(known, text[places])
    # One number for two terms side by side; a pair's term number comes after those of the single units.
    codes = {
        int(np.searchsorted(known, first)) * len(known) + int(np.searchsorted(known, second)): weight
        for (first, second), weight in pairs.items()
    }
    known_codes = np.array(sorted(codes), dtype=np.intp)
    adjacent = np.flatnonzero(np.diff(places) == 1)
    met = terms[adjacent] * len(known) + terms[adjacent + 1]
    is_pair = np.isin(met, known_codes)
    pair_terms = np.searchsorted(known_codes, met[is_pair])
    weights = np.array([singles[number] for number in known.tolist()] + [codes[code] for code in known_codes.tolist()])
    all_terms = np.concatenate([terms, len(known) + pair_terms])
    return np.concatenate([places, places[adjacent[is_pair]]]), all_terms, weights[all_terms]


def _next_mention(places: NDArray[np.intp], terms: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each match, where the same term stands next; far beyond the end where it does not."""
    order = np.lexsort((places, terms))
    after = np.full(len(places), np.iinfo(np.intp).max, dtype=np.intp)
    same = np.flatnonzero(np.diff(terms[order]) == 0)
    after[order[same]] = places[order[same + 1]]
    return after


def _sums(length: int, places: NDArray[np.intp], ends: NDArray[np.intp], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(length,) the weights of the distinct terms in the window that ends at each place.

    A match counts in the windows that end from its place on, until they have moved past it or the same term comes again.
    """
    steps = np.bincount(places, weights, minlength=length) - np.bincount(ends, weights, minlength=length)[:length]
    return np.cumsum(steps[:length])
