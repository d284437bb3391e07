"""Table cells: does the value stand where the row and the column that the sentence names cross?

A head is named where the sentence holds all its words. Either head may be the thing and the other the property. Nothing is said
where the crossing holds what the sentence says, where no head is named, or where other text of the evidence bears the value out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from eval.checks.claim import Claim
from eval.checks.finding import Finding
from eval.checks.numbers import same_quantity
from eval.checks.quantities import Quantity
from eval.checks.statements import Statement, read_statement
from eval.checks.table_cells import BAR, Cell, Table, read_tables
from eval.types import Fault
from eval.units import Kind

# A cell's text shorter than this is found in a sentence by chance.
_LEAST_CHARACTERS = 2
_LEAST_WORDS = 2
# A head may name several things: P5与P6.
_PARTS = re.compile(r"[与和、/&]|\band\b")
# Prose that shares this much with the sentence and holds the value bears it out whatever a table says.
_BORNE_OUT = 0.5

_REASONS = {
    "cell": {
        "en": "the table has {theirs} for {heads}; {ours} stands under {others}",
        "zh": "表中{heads}是{theirs}，{ours}是{others}的",
    }
}


def check_tables(claim: Claim) -> Finding | None:
    """A value that a table of the evidence has under another head than the sentence says."""
    for table in read_tables(claim.evidence):
        finding = _check(claim, table)
        if finding:
            return finding
    return None


def _check(claim: Claim, table: Table) -> Finding | None:
    rows = _named(claim, (cell.row for cell in table.cells))
    columns = _named(claim, (cell.column for cell in table.cells))
    if not rows:
        return None
    crossing = [cell for cell in table.cells if cell.row.text in rows and (not columns or cell.column.text in columns)]
    if not crossing or (not columns and len(rows) > 1):
        return None
    said = [(cell, span) for cell in table.cells for span in [_place(claim, cell)] if span]
    right = [span for cell, span in said if cell in crossing]
    for cell, span in said:
        if any(start < span[1] and span[0] < end for start, end in right) or _is_half_named(claim, cell, rows):
            continue
        expected = _counterpart(cell, crossing)
        ours = claim.statement.text[span[0] : span[1]]
        if not expected or ours in expected.content.text or any(one is expected for one, _ in said):
            continue
        if not _is_borne_out(claim, ours):
            reason = _REASONS["cell"][claim.language].format(
                theirs=expected.content.text, heads=_heads(expected), ours=ours, others=_heads(cell)
            )
            return Finding("tables", Fault.CONTRADICTED, reason, (span,))
    return None


def _named(claim: Claim, heads: Iterable[Statement]) -> frozenset[str]:
    """The heads that the sentence names; where one holds all words of another (KX-350, KX-350 bare shaft), the longer one."""
    told = {unit.term for unit in claim.statement.units}
    named: dict[str, frozenset[str]] = {}
    for head in heads:
        for part in _PARTS.split(head.text):
            terms = _terms(read_statement(part))
            if terms and terms <= told and not all(term.isdigit() for term in terms):
                named[head.text] = terms
    return frozenset(text for text, terms in named.items() if not any(terms < other for other in named.values()))


def _is_half_named(claim: Claim, cell: Cell, rows: frozenset[str]) -> bool:
    """Whether the sentence names the cell's row, and of its column's head some words: 恢复 of 恢复目标."""
    told = {unit.term for unit in claim.statement.units}
    return cell.row.text in rows and not _terms(cell.column).isdisjoint(told) and not _terms(cell.column) <= told


def _terms(head: Statement) -> frozenset[str]:
    return frozenset(unit.term for unit in head.units if unit.content) or frozenset(unit.term for unit in head.units)


def _place(claim: Claim, cell: Cell) -> tuple[int, int] | None:
    """Where the sentence holds the cell's value; None where it does not."""
    text = cell.content.folded.strip()
    if cell.content.quantities and len(cell.content.words) <= 2:
        return _quantity_place(claim, cell.content.quantities[0])
    if len(text) < _LEAST_CHARACTERS or not cell.content.words:
        return None
    at = claim.statement.folded.find(text)
    return (at, at + len(text)) if at >= 0 else _words_place(claim, _terms(cell.content))


def _words_place(claim: Claim, terms: frozenset[str]) -> tuple[int, int] | None:
    """Where the sentence has all the words, with no more between them than they are; None for a single one."""
    units = [unit for unit in claim.statement.units if unit.term in terms]
    if len(terms) < _LEAST_WORDS or {unit.term for unit in units} != terms:
        return None
    near = units[-1].position - units[0].position < 2 * len(terms)
    return (units[0].start, units[-1].end) if near else None


def _quantity_place(claim: Claim, quantity: Quantity) -> tuple[int, int] | None:
    for ours in claim.quantities:
        if same_quantity(ours, quantity):
            return ours.start, ours.number_end
    return None


def _counterpart(cell: Cell, crossing: list[Cell]) -> Cell | None:
    """The cell of the crossing that shares a head with the one that was said, and is a number where that is one."""
    for expected in crossing:
        shares_head = cell.row.text == expected.row.text or cell.column.text == expected.column.text
        if shares_head and _holds_number(cell) == _holds_number(expected):
            return expected
    return None


def _holds_number(cell: Cell) -> bool:
    return any(unit.kind is Kind.NUMBER for unit in cell.content.units)


def _is_borne_out(claim: Claim, value: str) -> bool:
    folded = value.lower()
    return any(share >= _BORNE_OUT and BAR not in text and folded in text.lower() for text, share in claim.coverage.items())


def _heads(cell: Cell) -> str:
    return " / ".join(head.text for head in (cell.row, cell.column) if head.text)
