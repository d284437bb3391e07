"""Values that a statement lists for several things: `class A 26 percent, class B 19 percent`, 硕士10400元，博士15800元.

The sentence names one of the things and gives another one's value. Said only where the piece of the thing is told from the others
by words that the sentence has, where it has none of those of the value's own piece, and where the evidence gives the thing this
value nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eval.checks.claim import Claim
from eval.checks.clauses import pieces
from eval.checks.finding import Finding
from eval.checks.numbers import same_quantity, same_value, statements_with
from eval.checks.quantities import Quantity
from eval.checks.statements import Statement, terms_of
from eval.checks.table_cells import BAR
from eval.types import Fault
from eval.units import Unit

_BETWEEN = re.compile(r"[,;:，；：、。]\s?|\s(?:and|or|but|while|whereas)\s|以及|[和及与或而]")

_REASON = {
    "en": "for this the evidence says {theirs}; {ours} stands there for something else",
    "zh": "依据中此处是{theirs}，{ours}说的是别的事",
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A piece of a statement with one value, and its words without that."""

    quantity: Quantity
    words: frozenset[str]


def check_listed(claim: Claim) -> Finding | None:
    """A value of the list that belongs to another entry than the one that the sentence names."""
    said = frozenset(terms_of(claim.statement.units))
    for ours in claim.quantities:
        if not ours.measure or any(other is not ours and other.dimension == ours.dimension for other in claim.quantities):
            continue
        for statement in statements_with(claim, ours):
            entries = list(_entries(statement, ours))
            theirs = _named_entry(entries, ours, said)
            if theirs and any(same_value(theirs.quantity, other) for other in claim.quantities):
                continue
            if theirs and not _is_said_elsewhere(claim, ours, theirs, statement):
                at = theirs.quantity
                reason = _REASON[claim.language].format(
                    ours=claim.statement.text[ours.start : ours.end], theirs=statement.text[at.start : at.end]
                )
                return Finding("listed", Fault.CONTRADICTED, reason, ((ours.start, ours.end),))
    return None


def _entries(statement: Statement, like: Quantity) -> Iterator[_Entry]:
    """The pieces that have just one value of this dimension."""
    values = [quantity for quantity in statement.quantities if quantity.measure and quantity.dimension == like.dimension]
    if len(values) < 2 or BAR in statement.text:
        return
    spans = [(quantity.start, quantity.end) for quantity in statement.quantities]
    for start, end in pieces(statement.folded, _BETWEEN):
        inside = [quantity for quantity in values if start <= quantity.start < end]
        if len(inside) == 1:
            units = [unit for unit in statement.units if start <= unit.start and unit.end <= end]
            yield _Entry(inside[0], frozenset(terms_of([unit for unit in units if unit.content or _is_letter(unit)], spans)))


def _named_entry(entries: list[_Entry], ours: Quantity, said: frozenset[str]) -> _Entry | None:
    """The entry that the sentence names, where it has another value than the sentence, which is that of one entry alone."""
    own = [entry for entry in entries if same_quantity(ours, entry.quantity)]
    if len(own) != 1:
        return None
    named = []
    for entry in entries:
        others = frozenset[str]().union(*(other.words for other in entries if other is not entry))
        telling = entry.words - others
        if entry is own[0]:
            if not telling or telling <= said:
                return None
        elif telling and telling <= said:
            named.append(entry)
    return named[0] if len(named) == 1 else None


def _is_letter(unit: Unit) -> bool:
    """`class B`; not `a` and `I`."""
    return len(unit.term) == 1 and unit.term.isascii() and unit.term.isalpha() and unit.term not in "ai"


def _is_said_elsewhere(claim: Claim, ours: Quantity, theirs: _Entry, listed: Statement) -> bool:
    """Whether another statement with the value holds a word of the thing."""
    return any(
        statement.text != listed.text and theirs.words & {unit.term for unit in statement.units}
        for statement in statements_with(claim, ours)
    )
