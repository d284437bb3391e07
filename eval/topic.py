"""What a question is about, point by point, and how much of it a text tells.

A point is a word, a number or a code; of a Chinese run it is a single character, told where a pair that holds it is: pairs run
over the ends of words, so that a question put otherwise loses pairs of which no character is missing. Common words weigh little.
This module knows no hits and no weights of features.
"""

from __future__ import annotations

from collections.abc import Mapping

from eval.terms import Term
from ingest.tokens import is_han, simplified

# Figures behind these constants: docs/decisions/0023-quoting-and-abstaining.md.
_COMMON_IDF = 2.5
_RARE_IDF = 8.5
_EXACT_WEIGHT = 1.2
_ALONE_SHARE = 0.4

# Particles and function words say nothing of the topic, however a sentence is put.
CHINESE_PARTICLES = frozenset(
    "的了着之是在有和与及也就都而或于被把为其这那一个不以要可能会给到去从对由所几多每最吗呢应须需请并且但"
)


class Topic:
    """The points of `eval.terms.asked_part`, and with what weight each counts; `terms` are those that the text is read with."""

    def __init__(self, asked: str, terms: tuple[Term, ...]) -> None:
        folded = simplified(asked)
        self.characters = frozenset(filter(is_han, folded)) - CHINESE_PARTICLES
        self._words = {term.key: _weight(term) for term in terms if not _is_pair(term, asked)}
        self._pairs: dict[int, list[Term]] = {}
        for term in terms:
            if _is_pair(term, asked):
                for place in range(term.start, term.end):
                    if folded[place] in self.characters:
                        self._pairs.setdefault(place, []).append(term)
        self._places = {place: (folded[place], min(map(_weight, pairs))) for place, pairs in self._pairs.items()}
        self._total = sum(self._words.values()) + sum(weight for _, weight in self._places.values())

    def told(self, held: Mapping[str, float], text: str) -> float:
        """The share of the points, by weight, that a text tells which holds these terms (`Terms.held`); in [0, 1]. A Chinese
        character that stands in the text outside of its pairs counts in part."""
        if not self._total:
            return 0.0
        told = sum(weight * held.get(key, 0.0) for key, weight in self._words.items())
        written = simplified(text) if self._places else ""
        for place, (character, weight) in self._places.items():
            if any(term.key in held for term in self._pairs[place]):
                told += weight
            elif character in written:
                told += weight * _ALONE_SHARE
        return told / self._total

    def characters_told(self, text: str) -> float | None:
        """The share of the question's Chinese characters, particles aside, that a text holds; None where it has none."""
        written = simplified(text)
        return sum(one in written for one in self.characters) / len(self.characters) if self.characters else None


def _is_pair(term: Term, asked: str) -> bool:
    return term.end > term.start and is_han(asked[term.start])


def _weight(term: Term) -> float:
    if term.exact:
        return _EXACT_WEIGHT
    return max(0.0, term.idf - _COMMON_IDF) / (_RARE_IDF - _COMMON_IDF)
