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
NEAR_PAIR_WEIGHT = 0.25
NEAR_PAIR_REACH = 3
"""What two words are worth that only stop words part in the question, where the second follows within so many units of the first:
SQuAD .929 → .930. More is worth less: .5 costs PubMedQA and PrivacyQA .01."""
QUERY_UNITS = 256
"""Longer questions are read up to here: they are pasted text, and the cost grows with their length."""

_GAP = max(WINDOWS)
_LAST_BITS = 0xFFFF

UnitNumbers = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that the first search found: its score there (0 where only the vectors found it), its `unit_numbers`, and whether
    it is mostly Chinese (`zh`) or not (`en`)."""

    chunk_id: str
    score: float
    units: UnitNumbers
    language: str = ""


def unit_numbers(text: str) -> UnitNumbers:
    """A number for each unit of the text, in order: its CRC-32, kept beside the chunk so that no candidate is tokenised again.

    Two units share a number once in four billion pairs; the rank of a candidate is then a little off.
    """
    return _numbers(units(text))


def unit_number(unit: str) -> int:
    """The number of one unit, as `unit_numbers` gives it."""
    return crc32(unit.encode())


def _numbers(of: Iterable[str]) -> UnitNumbers:
    return np.fromiter(map(unit_number, of), dtype=np.uint32)


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
    asked = {unit for unit in units(query) if unit[0].isdigit()}
    if not asked or not candidates:
        return [0] * len(candidates)
    missing: list[int] = np.count_nonzero(~held_units(_numbers(asked), candidates), axis=1).tolist()
    return missing


def held_share(query: str, candidates: Sequence[Candidate], weight: Callable[[str], float]) -> float:
    """How much of the question the candidate that holds most of it holds: the share of its units by `weight`, from 0 to 1."""
    asked = {unit: weight(unit) for unit in units(without_question_words(query))[:QUERY_UNITS] if unit not in STOP_WORDS}
    total = sum(asked.values())
    if not total or not candidates:
        return 0.0
    return float((held_units(_numbers(asked), candidates) @ np.array(list(asked.values()))).max() / total)


def held_units(asked: UnitNumbers, candidates: Sequence[Candidate]) -> NDArray[np.bool_]:
    """(n_candidates, n_asked), neither of them 0: whether the candidate holds the unit. One candidate after the other costs ten
    times as much."""
    order = np.argsort(asked)
    text = np.concatenate([candidate.units for candidate in candidates])
    places, met = _among(text, asked[order])
    ends = np.cumsum([len(candidate.units) for candidate in candidates])
    held = np.zeros((len(candidates), len(asked)), dtype=np.bool_)
    held[np.searchsorted(ends, places, side="right"), order[met]] = True
    return held


def _among(text: UnitNumbers, known: UnitNumbers) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where units of `known`, which is sorted and not empty, stand in the text, and which one of them."""
    # Nearly all units are none of them, and most of these are told apart by their last bits: three times as fast as a search.
    might = np.zeros(_LAST_BITS + 1, dtype=np.bool_)
    might[known & _LAST_BITS] = True
    places = np.flatnonzero(might[text & _LAST_BITS])
    met = np.searchsorted(known, text[places]).clip(max=len(known) - 1)
    found = known[met] == text[places]
    return places[found], met[found]


@dataclass(frozen=True, slots=True)
class _Terms:
    """What is looked for in the windows, by unit number: `places` are (term, weight), `pairs` the weights of two units in a row,
    `near` those of two units with up to `NEAR_PAIR_REACH` from one to the other. Terms count from 0.
    """

    places: Mapping[int, tuple[int, float]]
    pairs: Mapping[tuple[int, int], float]
    near: Mapping[tuple[int, int], float]


class WindowReranker:
    """Scores a candidate by the best window of it: the weights of the question's distinct terms that one window holds.

    Terms are the question's units, weighted by their rarity, words of the index that are like one of them, and pairs of units
    that stand together. The best sums for three window widths are each divided by the best candidate's and averaged.
    """

    def __init__(
        self,
        weight: Callable[[str], float],
        *,
        similar: Callable[[str], Iterable[tuple[str, float]]] = lambda _: (),
    ) -> None:
        """`weight` is the rarity of an index term, as `document_frequency_weight` gives it; `similar` the other units that say
        nearly the same, each with its likeness in (0, 1]."""
        self._weight = weight
        self._similar = similar

    def scores(self, query: str, candidates: Sequence[Candidate]) -> list[float]:
        """See `Reranker`."""
        if not candidates:
            return []
        asked = self._terms(query)
        # All candidates in one row, so far apart that no window reaches from one into the next.
        starts = np.cumsum([0, *(len(candidate.units) + _GAP for candidate in candidates)])
        text = np.zeros(starts[-1], dtype=np.uint32)
        for candidate, start in zip(candidates, starts, strict=False):
            text[start : start + len(candidate.units)] = candidate.units
        places, terms, weights = _matches(text, asked)
        ends = _next_mention(places, terms)
        totals = np.zeros(len(candidates))
        for width in WINDOWS:
            sums = np.maximum.reduceat(_sums(len(text), places, np.minimum(ends, places + width), weights), starts[:-1])
            if sums.max() > 0:
                totals += sums / sums.max()
        scores: list[float] = np.clip(totals / len(WINDOWS), 0.0, 1.0).tolist()
        return scores

    def _terms(self, query: str) -> _Terms:
        asked = (units(without_question_words(query)) or units(query))[:QUERY_UNITS]
        content = [unit for unit in asked if unit not in STOP_WORDS]
        singles = {unit: self._weight(unit) for unit in content}
        weights = {unit: (term, weight) for term, (unit, weight) in enumerate(singles.items())}
        for term, (unit, weight) in enumerate(singles.items(), start=len(singles)):
            for other, likeness in self._similar(unit):
                if other not in singles:
                    weights[other] = max(weights.get(other, (term, 0.0)), (term, likeness * weight), key=lambda known: known[1])
        number = dict(zip(weights, _numbers(weights).tolist(), strict=True))
        return _Terms(
            {number[unit]: weight for unit, weight in weights.items()},
            {
                (number[first], number[second]): self._pair_weight(first, second)
                for first, second in set(pairwise(asked))
                if first in singles and second in singles
            },
            {
                (number[first], number[second]): NEAR_PAIR_WEIGHT * max(singles[first], singles[second])
                for first, second in set(pairwise(content))
                if first != second and not is_han(first) and not is_han(second)
            },
        )

    def _pair_weight(self, first: str, second: str) -> float:
        # The index counts no pairs of words: those are taken to be as rare as their rarer word.
        if not is_han(first) and not is_han(second):
            return PAIR_WEIGHT * max(self._weight(first), self._weight(second))
        return PAIR_WEIGHT * self._weight(first + second)


def _matches(text: UnitNumbers, asked: _Terms) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Where terms stand in the text, which term, and its weight; a pair stands where its first unit does."""
    known = np.array(sorted(asked.places), dtype=np.uint32)
    if not len(known):
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0)
    term_of, weight_of = (np.array(column) for column in zip(*(asked.places[number] for number in known.tolist()), strict=True))
    places, met = _among(text, known)
    found = [(places, term_of[met], weight_of[met])]
    # One number for two units; a pair's term number comes after those of the single units.
    at = np.full(len(text) + NEAR_PAIR_REACH, -1, dtype=np.intp)
    at[places] = met
    first_term = int(term_of.max()) + 1
    for pairs, reach in ((asked.pairs, 1), (asked.near, NEAR_PAIR_REACH)):
        codes = {_code(known, first, second): weight for (first, second), weight in pairs.items()}
        known_codes = np.array(sorted(codes), dtype=np.intp)
        code_weights = np.array([codes[code] for code in known_codes.tolist()])
        for distance in range(1, reach + 1) if codes else ():
            second = at[places + distance]
            beside = np.flatnonzero(second >= 0)
            code = met[beside] * len(known) + second[beside]
            beside, code = beside[is_pair := np.isin(code, known_codes)], code[is_pair]
            pair = np.searchsorted(known_codes, code)
            found.append((places[beside], first_term + pair, code_weights[pair]))
        first_term += len(codes)
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))  # type: ignore[return-value]


def _code(known: UnitNumbers, first: int, second: int) -> int:
    return int(np.searchsorted(known, first)) * len(known) + int(np.searchsorted(known, second))


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
