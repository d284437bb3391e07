"""When two questions are one: the same words, or nearly the same.

Leaks, duplicates and held-out phrasings all go by this, so that a question that one of them lets pass is no leak to another.
Knows no samples.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from ingest.tokens import normalise, query_terms, units

NEARLY_EQUAL = 0.8
"""Jaccard similarity of two questions' terms from which on they count as one question in other words."""

# They carry no topic, so that search drops them; but `who` and `when` ask for different things.
_INTERROGATIVES = frozenset("what which who whom whose how when where why".split())
# As stems: `please tell me when …` asks what `when …` asks. Chinese courtesies are question words to search already.
_COURTESIES = frozenset(("pleas", "tell"))


_FRAME = re.compile(r"^(?:请问|can you tell me )")


def question_key(question: str) -> str:
    """The same for questions that differ only in case, punctuation, width of characters, inflection or courtesies before them."""
    return " ".join(units(_FRAME.sub(" ", normalise(question))))


def question_terms(question: str) -> frozenset[str]:
    """What the question is about, as terms, and what kind of thing it asks for."""
    return frozenset(query_terms(question)) - _COURTESIES | _INTERROGATIVES.intersection(units(question))


class Questions:
    """Questions that others are compared with."""

    def __init__(self, questions: Iterable[str]) -> None:
        self._keys: dict[str, int] = {}
        self._sizes: list[int] = []
        self._having: defaultdict[str, list[int]] = defaultdict(list)
        for question in questions:
            key = question_key(question)
            if key not in self._keys:
                self._keys[key] = len(self._sizes)
                terms = question_terms(question)
                self._sizes.append(len(terms))
                for term in terms:
                    self._having[term].append(self._keys[key])

    def nearest_other(self, question: str) -> float:
        """The greatest similarity to one of them that is not this question itself: Jaccard of the terms, in [0, 1]."""
        terms, itself = question_terms(question), self._keys.get(question_key(question))
        shared: Counter[int] = Counter()
        for term in terms:
            shared.update(self._having.get(term, ()))
        ratios = (both / (len(terms) + self._sizes[one] - both) for one, both in shared.items() if one != itself)
        return max(ratios, default=0.0)

    def hold(self, question: str) -> bool:
        """Whether one of them is this question, or nearly."""
        return question_key(question) in self._keys or self.nearest_other(question) >= NEARLY_EQUAL
