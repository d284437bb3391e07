"""A part that is put to a sentence which the evidence else holds: “… and a golden bicycle”.

Said only where the evidence has no word of the part, nothing like one and none of like meaning, and one statement holds most of
the rest. A single new word is left alone: it may well be another word for what stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from eval.checks.claim import Claim
from eval.checks.clauses import pieces
from eval.checks.finding import Finding
from eval.checks.statements import terms_of
from eval.types import Fault
from eval.units import Kind, Unit
from ingest.synonyms import synonyms

_BETWEEN = re.compile(r"[,;，；、]\s?|\s(?:and|or|as well as|plus|including|with)\s|以及|[和及与并]")
# Parts that say nothing.
_PHRASE = re.compile(
    r"(?:on the other hand|in other words|for example|for instance|in addition|in general|you (?:can|should) follow)\b"
)
# Content words of a part that is looked at; a Chinese word of three characters has two pairs.
_LEAST_UNITS = {"en": 2, "zh": 3}
# Of the rarity of the rest's words, what one statement holds (docs/decisions/0020).
_REST_HELD = 0.75
_LEAST_REST = 2

_REASONS = {
    "en": "the evidence holds the rest of the sentence, and nothing of “{part}”",
    "zh": "依据中有句子的其余部分，但没有“{part}”",
}


def check_additions(claim: Claim) -> Finding | None:
    """The first part of a sentence, after its beginning, of which the evidence has no word."""
    for start, end in _parts(claim.statement.folded):
        if _PHRASE.match(claim.statement.folded, start):
            continue
        inside = [unit for unit in claim.statement.units if unit.content and start <= unit.start and unit.end <= end]
        if len(inside) < _LEAST_UNITS[claim.language] or any(_may_be_held(unit, claim) for unit in inside):
            continue
        rest = terms_of(claim.statement.words, [(start, end)])
        held = claim.evidence.coverage(rest) if len(rest) >= _LEAST_REST else {}
        if max(held.values(), default=0.0) >= _REST_HELD:
            reason = _REASONS[claim.language].format(part=claim.statement.text[start:end])
            return Finding("additions", Fault.NOT_IN_EVIDENCE, reason, ((start, end),))
    return None


def _parts(text: str) -> Iterator[tuple[int, int]]:
    """What stands after each comma or `and`, up to the next one or to the end, without the full stop."""
    for start, end in islice(pieces(text, _BETWEEN), 1, None):
        yield start, start + len(text[start:end].rstrip(".。!！ "))


def _may_be_held(unit: Unit, claim: Claim) -> bool:
    """Numbers have checks of their own; words count as held where the evidence or the question has them or one like them."""
    evidence = claim.evidence.evidence
    return (
        unit.kind is Kind.NUMBER
        or unit.term in evidence.question_terms
        or bool(evidence.term_for(unit))
        or any(other in evidence.positions for other, _ in synonyms(unit.term))
    )
