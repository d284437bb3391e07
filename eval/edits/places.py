"""Where the evidence has a value that the sentence gives: beside the words that the sentence has beside it, or beside others?

A number's place is the piece of a statement that it stands in, a cell's are the heads and the row that it stands under. The
answer is a share in [0, 1]: how much less of the sentence's other words the value's place holds than another place does that
has a value of the same kind. 0 where no other place holds more.
"""

from __future__ import annotations

import re
from collections import defaultdict

from eval.checks.numbers import same_quantity, same_value, statements_with
from eval.checks.quantities import Quantity
from eval.checks.statements import Statement, read_statement
from eval.checks.table_cells import BAR, Cell, Table, read_tables
from eval.edits.pairing import Paired, clauses

_PIECE_END = re.compile(
    r"[,，;；:：。、|()（）\n]\s?|\.\s"
    r"|\s(?:but|while|whereas|although|though|if|unless|except|because|after|before|until|when|where|so|and|or)\s"
)
# Of the statement around a piece, this share counts for the piece.
_STATEMENT = 0.5
_MOST_STATEMENTS = 8
# A cell's words that the sentence holds to this share of their rarity are said.
_SAID = 0.8
# With more cells of one table said, the sentence names the table's content and not one value.
_MOST_SAID = 12


def quantity_elsewhere(paired: Paired, quantity: Quantity) -> float:
    """How much better another number of the same measure fits to the sentence's words than the place of this one."""
    claim = paired.claim
    own = {unit.term for unit in claim.statement.units if quantity.start <= unit.start < quantity.end}
    holding = (statement.text for statement in statements_with(claim, quantity))
    right = other = -1.0
    for text in [text for text in dict.fromkeys([*paired.nearest, *holding]) if BAR not in text][:_MOST_STATEMENTS]:
        statement = read_statement(text)
        whole = _STATEMENT * paired.weight({unit.term for unit in statement.units} - own)
        for piece in clauses(text, _PIECE_END):
            score = paired.weight(piece.terms - own) + whole
            for theirs in statement.quantities:
                if not piece.start <= theirs.start < piece.end:
                    continue
                if same_quantity(quantity, theirs):
                    right = max(right, score)
                elif theirs.dimension == quantity.dimension and not any(same_value(ours, theirs) for ours in claim.quantities):
                    other = max(other, score)
    return _lost(right, other) if right >= 0 else 0.0


def cell_elsewhere(paired: Paired) -> float:
    """How much better another row or column of a table fits to the sentence's words than that of a cell which it gives."""
    return max((_table_elsewhere(paired, table) for table in read_tables(paired.claim.evidence)), default=0.0)


def _table_elsewhere(paired: Paired, table: Table) -> float:
    said = [cell for cell in table.cells if _is_said(paired, cell)]
    if not 0 < len(said) <= _MOST_SAID:
        return 0.0
    rows: dict[str, list[Cell]] = defaultdict(list)
    for cell in table.cells:
        rows[cell.row.text].append(cell)

    def row_fit(cell: Cell) -> float:
        beside = _terms(cell.row).union(*(_terms(other.content) for other in rows[cell.row.text] if other is not cell))
        return paired.weight(beside - _terms(cell.content))

    def column_fit(cell: Cell) -> float:
        return paired.weight(_terms(cell.column) - _terms(cell.content))

    lost = 0.0
    for cell in said:
        same = [other for other in said if other.content.text == cell.content.text]
        above = [
            other
            for other in table.cells
            if other.column.text == cell.column.text and other not in said and other.content.text != cell.content.text
        ]
        across = [
            other
            for other in rows[cell.row.text]
            if other not in said and bool(other.content.quantities) == bool(cell.content.quantities)
        ]
        for others, fit in ((above, row_fit), (across, column_fit)):
            lost = max(lost, _lost(max(map(fit, same)), max(map(fit, others), default=0.0)))
    return lost


def _is_said(paired: Paired, cell: Cell) -> bool:
    content = cell.content
    if content.quantities and len(content.words) <= 2:
        return any(same_quantity(ours, content.quantities[0]) for ours in paired.claim.quantities)
    rarity = {unit.term: paired.rarity(unit.term) for unit in content.units if unit.content}
    held = sum(weight for term, weight in rarity.items() if term in paired.terms)
    return bool(rarity) and held >= _SAID * sum(rarity.values())


def _terms(statement: Statement) -> frozenset[str]:
    return frozenset(unit.term for unit in statement.units)


def _lost(right: float, other: float) -> float:
    """Rounded, as sums of the same weights in another order are not quite the same."""
    return max(0.0, round((other - right) / other, 6)) if other > 0 else 0.0
