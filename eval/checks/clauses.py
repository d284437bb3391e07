"""Clauses of statements, and which clause of the evidence says the same but for a word or two."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from eval.checks.claim import Claim
from eval.checks.statements import Statement, read_statement, terms_of
from eval.units import Background

# A clause of one word is compared only inside a sentence that the evidence has nearly whole.
_SAME_SENTENCE = 0.85
_MARKS = re.compile(r"[,，;；:：。]\s?|\s(?:but|while|whereas|although)\s")


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a statement between two marks; `terms` are its content words without the words that a check looks at."""

    text: str
    start: int
    terms: frozenset[str]


def clauses(statement: Statement, watched: re.Pattern[str]) -> list[Clause]:
    """The clauses with a content word; units that touch a match of `watched` are left out of their terms."""
    spans = [match.span() for match in watched.finditer(statement.folded)]
    out = []
    at = 0
    for mark in [*_MARKS.finditer(statement.folded), None]:
        end = mark.start() if mark else len(statement.folded)
        inside = [unit for unit in statement.words if at <= unit.start < end]
        terms = frozenset(terms_of(inside, spans))
        if terms:
            out.append(Clause(statement.folded[at:end], at, terms))
        at = mark.end() if mark else end
    return out


def alike(claim: Claim, watched: re.Pattern[str], *, ours_share: float, theirs_share: float) -> list[tuple[Clause, list[Clause]]]:
    """Each clause of the sentence with the clauses of the evidence that say the same in like words.

    Of the rarity of ours, theirs holds at least `ours_share`, and of theirs ours at least `theirs_share`.
    """
    background = claim.evidence.evidence.background
    pairs = []
    for clause in clauses(claim.statement, watched):
        likely = [text for text, share in claim.evidence.coverage(clause.terms).items() if share >= ours_share]
        if len(clause.terms) < 2:
            likely = [text for text in likely if claim.coverage.get(text, 0.0) >= _SAME_SENTENCE]
        theirs = [
            other
            for text in likely
            for other in clauses(read_statement(text), watched)
            if covered(clause.terms, other.terms, background) >= ours_share
            and covered(other.terms, clause.terms, background) >= theirs_share
        ]
        if theirs:
            pairs.append((clause, theirs))
    return pairs


def covered(terms: Collection[str], by: Collection[str], background: Background) -> float:
    """The share of the terms' rarity that the others hold."""
    total = sum(background.idf(term) for term in terms) or 1.0
    return sum(background.idf(term) for term in terms if term in by) / total


def order_is_kept(clause: Clause, other: Clause, at: int, other_at: int) -> bool:
    """Whether what stands before a place in one clause mostly stands before the place in the other: nothing was swapped."""
    before, their_before = clause.text[:at], other.text[:other_at]
    words = [word for word in _pieces(before) if word in other.text]
    return not words or sum(word in their_before for word in words) * 2 >= len(words)


def _pieces(text: str) -> Sequence[str]:
    return re.findall(r"[a-z]{4,}|\d+|[\u3400-\u9fff]{2}", text)
