"""A sentence beside the few statements of the evidence that speak of the same, and clause beside clause.

Words count by their rarity, and as the evidence writes them: the same stem, one like it, or one of like meaning. The question's
words help to find the statement that a short answer means, at half weight. This module judges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import fsum

from eval.checks.claim import Claim
from eval.checks.clauses import pieces
from eval.checks.statements import fold_in_place, read_statement
from eval.support import Evidence, Reading
from eval.units import Kind, Unit
from ingest.synonyms import synonyms
from ingest.tokens import simplified

_CLAUSE_END = re.compile(r"[,，;；:：。|()（）\n]\s?|\.\s|\s(?:but|while|whereas|although|though|unless|except)\s")
_STATEMENTS = 3
# A word of like meaning from so much likeness on: members of one kind (`husband`, `wife`) are alike as well.
_SAME_MEANING = 0.55
_QUESTION = 0.5
# Clauses that are nearly as like as the best one have to say the same as it does.
_AS_LIKE = 0.85


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a statement between two marks, with its content terms."""

    start: int
    end: int
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pair:
    """A clause of the sentence and those of the evidence that are most like it, folded. `likeness` is in (0, 1], of the first;
    `around` is that one with the clauses before and after it."""

    ours: str
    theirs: tuple[str, ...]
    around: str
    likeness: float


@lru_cache(maxsize=4096)
def clauses(text: str, ends: re.Pattern[str] = _CLAUSE_END) -> tuple[Clause, ...]:
    """The clauses of a text that have a content word."""
    statement = read_statement(text)
    content = [unit for unit in statement.units if unit.content]
    found = []
    for start, end in pieces(statement.folded, ends):
        terms = frozenset(unit.term for unit in content if start <= unit.start < end)
        if terms:
            found.append(Clause(start, end, terms))
    return tuple(found)


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """The text in lower case and in simplified characters, place for place."""
    return simplified(fold_in_place(text))


class Paired:
    """A sentence with its words' weights and the statements of the evidence that are nearest to it, best first."""

    def __init__(self, claim: Claim, reading: Reading) -> None:
        self.claim = claim
        self.content = [unit for unit in reading.units if unit.content]
        evidence = claim.evidence.evidence
        self._idf = evidence.background.idf
        self._meant = {unit.term: _meant(unit, evidence) for unit in self.content}
        self.terms = {self._meant[unit.term]: self._idf(unit.term) for unit in self.content}
        asked = (term for term in sorted(evidence.question_terms) if term in evidence.positions and term not in self.terms)
        self.asked = {term: _QUESTION * self._idf(term) for term in asked}
        self.nearest = _nearest({**self.terms, **self.asked}, evidence)

    def weight(self, terms: Collection[str]) -> float:
        """How much of the sentence and of its question the terms hold, by rarity."""
        return fsum(self.terms.get(term, 0.0) + self.asked.get(term, 0.0) for term in terms)

    def rarity(self, term: str) -> float:
        """The term's idf in general text."""
        return self._idf(term)

    def meant(self, unit: Unit) -> str:
        """The term of the evidence that a content unit of the sentence means; its own where the evidence has none."""
        return self._meant[unit.term]

    @cached_property
    def beside(self) -> str:
        """The two nearest statements, folded."""
        return "\n".join(map(folded, self.nearest[:2]))

    def pairs(self) -> Iterator[Pair]:
        """Each clause of the sentence with the clauses of the nearest statements that are most like it."""
        text = self.claim.statement.text
        theirs = [(other, clause) for other in self.nearest for clause in clauses(other)]
        rarity = [fsum(map(self._idf, clause.terms)) or 1.0 for _, clause in theirs]
        for ours in clauses(text):
            mine = dict.fromkeys(self._meant.get(term, term) for term in sorted(ours.terms))
            own = {term: self.terms[term] for term in mine if term in self.terms}
            if not own:
                continue
            total = sum(own.values()) or 1.0
            likenesses = []
            for (_, clause), of_theirs in zip(theirs, rarity, strict=True):
                shared = sum(weight for term, weight in own.items() if term in clause.terms)
                asked = sum(weight for term, weight in self.asked.items() if term in clause.terms)
                likenesses.append((shared / total * min(1.0, (shared + asked) / of_theirs)) ** 0.5 if shared else 0.0)
            best = max(likenesses, default=0.0)
            if best:
                like = [theirs[i] for i, one in enumerate(likenesses) if one == best]
                like += [theirs[i] for i, one in enumerate(likenesses) if _AS_LIKE * best <= one < best]
                said = tuple(folded(other)[clause.start : clause.end] for other, clause in like)
                yield Pair(folded(text)[ours.start : ours.end], said, _around(*like[0]), best)


def _meant(unit: Unit, evidence: Evidence) -> str:
    """The evidence's word for the unit: the same, one like it, else one of like meaning, else the unit's own term."""
    term = evidence.term_for(unit)
    if not term and unit.kind is Kind.WORD:
        known = [(likeness, other) for other, likeness in synonyms(unit.term) if other in evidence.positions]
        likeness, other = max(known, default=(0.0, ""))
        term = other if likeness >= _SAME_MEANING else ""
    return term or unit.term


def _nearest(weights: Mapping[str, float], evidence: Evidence) -> list[str]:
    """The statements that hold most of the weights; of equal ones the shorter."""
    gains: dict[int, float] = {}
    for term, weight in weights.items():
        for segment in evidence.segments_of(term):
            gains[segment] = gains.get(segment, 0.0) + weight
    best = sorted(gains, key=lambda at: (-gains[at], len(evidence.segments[at][0]), at))
    return list(dict.fromkeys(evidence.segments[at][1] for at in best[: 2 * _STATEMENTS]))[:_STATEMENTS]


def _around(text: str, clause: Clause) -> str:
    own = clauses(text)
    at = own.index(clause)
    return folded(text)[own[max(0, at - 1)].start : own[min(len(own) - 1, at + 1)].end]
