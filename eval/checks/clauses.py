"""Clauses of statements, and which clause of the evidence says the same but for a word or two."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import fsum

from eval.checks.claim import Claim
from eval.checks.statements import Statement, read_statement, terms_of
from eval.units import Background
from ingest.tokens import is_han

# A clause of one word is compared only inside a sentence that the evidence has nearly whole.
_SAME_SENTENCE = 0.85
# Of a Chinese sentence's rarity, what a statement has to hold before single words in the same place are compared.
_SAME_TOPIC = 0.6
_BESIDE = 2
_DENIALS = frozenset("不未没無无非")
_MARKS = re.compile(r"[,，;；:：。()（）]\s?|\s(?:[-–—]|- -|but|while|whereas|although|who|whom|whose|which)\s")


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a statement between two marks; `terms` are its content words without the words that a check looks at."""

    text: str
    start: int
    terms: frozenset[str]


def pieces(text: str, marks: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Where each piece of a text between two marks begins and ends."""
    at = 0
    for mark in marks.finditer(text):
        yield at, mark.start()
        at = mark.end()
    yield at, len(text)


def clauses(statement: Statement, watched: re.Pattern[str]) -> list[Clause]:
    """The clauses with a content word; units that touch a match of `watched` are left out of their terms."""
    spans = [match.span() for match in watched.finditer(statement.folded)]
    words = statement.words
    out = []
    for start, end in pieces(statement.folded, _MARKS):
        inside = [unit for unit in words if start <= unit.start < end]
        terms = frozenset(terms_of(inside, spans))
        if terms:
            out.append(Clause(statement.folded[start:end], start, terms))
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


def in_its_place(claim: Claim, sides: Sequence[re.Pattern[str]]) -> tuple[re.Match[str], re.Match[str]] | None:
    """A Chinese word of one side that stands between the same characters as a word of another side there; both words.

    For clauses too long to be alike as a whole. Nothing where the statement has a word of our own side too, or one is denied.
    """
    if claim.language != "zh":
        return None
    for number, side in enumerate(sides):
        for ours in side.finditer(claim.statement.folded):
            for statement in claim.near_enough(_SAME_TOPIC)[:1]:
                if side.search(statement.folded):
                    continue
                for other in (match for at, one in enumerate(sides) if at != number for match in one.finditer(statement.folded)):
                    if _same_beside(claim.statement.folded, ours, statement.folded, other):
                        return ours, other
    return None


def _same_beside(text: str, ours: re.Match[str], other_text: str, other: re.Match[str]) -> bool:
    """Whether the two characters right before both words are the same ones, or the two right after; neither is denied."""
    before, their_before = text[: ours.start()], other_text[: other.start()]
    if before[-1:] in _DENIALS or their_before[-1:] in _DENIALS:
        return before[-2:] == their_before[-2:] and len(before) > 1
    after, their_after = text[ours.end() :][:2], other_text[other.end() :][:2]
    left = before[-2:] if before[-2:] == their_before[-2:] else ""
    right = after if after == their_after else ""
    return any(len(beside) == _BESIDE and all(is_han(character) for character in beside) for beside in (left, right))


def covered(terms: Collection[str], by: Collection[str], background: Background) -> float:
    """The share of the terms' rarity that the others hold."""
    total = fsum(background.idf(term) for term in terms) or 1.0  # in whatever order a set gives them
    return fsum(background.idf(term) for term in terms if term in by) / total


def order_is_kept(clause: Clause, other: Clause, at: int, other_at: int) -> bool:
    """Whether what stands before a place in one clause mostly stands before the place in the other: nothing was swapped."""
    before, their_before = clause.text[:at], other.text[:other_at]
    words = [word for word in _words(before) if word in other.text]
    return not words or sum(word in their_before for word in words) * 2 >= len(words)


def _words(text: str) -> Sequence[str]:
    return re.findall(r"[a-z]{4,}|\d+|[\u3400-\u9fff]{2}", text)
