"""Numbers: is each of the sentence's in the evidence, in whatever spelling, with the same unit and for the same thing?

The same number in another spelling, scale or exactly convertible unit is confirmed. A number is held against the sentence only
where the evidence holds it nowhere, only with another unit, or with another value for the very same thing. What a number counts
is compared by words, not understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from eval.checks.claim import CLEARLY_LESS, SAME_THING, Claim
from eval.checks.finding import Confirmed, Finding
from eval.checks.quantities import Quantity
from eval.checks.statements import Statement
from eval.checks.table_cells import read_tables
from eval.types import Fault
from eval.units import canonical_number

_REASONS = {
    "unit": {
        "en": "the evidence holds {ours} only with another unit: {theirs}",
        "zh": "依据中的{ours}单位不同：{theirs}",
    },
    "elsewhere": {
        "en": "for this the evidence says {theirs}; {ours} stands there for something else",
        "zh": "依据中此处是{theirs}，{ours}说的是别的事",
    },
    "other": {
        "en": "the evidence does not hold the number {ours}; it says {theirs}",
        "zh": "依据中没有数字{ours}，此处是{theirs}",
    },
    "missing": {"en": "the evidence does not hold the number {ours}", "zh": "依据中没有数字{ours}"},
}
# Up to here a writer counts in words what others list.
_COUNTED = 10
# A number with so many digits that say something may be a rounded one without saying so.
_ROUNDED_DIGITS = 2
# Days may be meant as either of the others, which exclude each other: "30 days" is often written for 30 working days.
_ALIKE = (frozenset({"time", "working day"}), frozenset({"time", "calendar day"}))


@dataclass(frozen=True, slots=True)
class Sought:
    """A number of the sentence and where the evidence holds it: `held` with a unit that fits, `opposed` with another one."""

    quantity: Quantity
    held: tuple[tuple[Quantity, Statement], ...]
    opposed: tuple[tuple[Quantity, Statement], ...]
    written: bool

    @property
    def is_missing(self) -> bool:
        """Whether the evidence holds the number nowhere, in no spelling."""
        return not self.held and not self.written


def seek_numbers(claim: Claim) -> list[Sought]:
    """Every number of the sentence, looked for in all of the evidence."""
    return [_seek(quantity, claim) for quantity in claim.quantities]


def _seek(quantity: Quantity, claim: Claim) -> Sought:
    found = _sought(quantity, claim, statements_with(claim, quantity))
    # Only what is not there as it is written may be there in another spelling, and every statement with a number is read.
    return found if found.held else _sought(quantity, claim, claim.evidence.holding_numbers)


def statements_with(claim: Claim, quantity: Quantity) -> list[Statement]:
    """The statements of the evidence that hold the number as it is written, whatever its unit."""
    return claim.evidence.holding(_term(quantity.value))


def _sought(quantity: Quantity, claim: Claim, statements: Sequence[Statement]) -> Sought:
    theirs = [(other, statement) for statement in (*statements, *_cells_with_units(claim)) for other in statement.quantities]
    same = [(other, statement) for other, statement in theirs if same_value(quantity, other)]
    held = tuple(pair for pair in same if not opposed_units(quantity, pair[0]))
    opposed = tuple(pair for pair in same if opposed_units(quantity, pair[0]))
    places = claim.evidence.places(_term(quantity.value))
    # What stands there but was not read as a quantity (a code, a date, a list number) may be it.
    return Sought(quantity, held, opposed, written=len(places) > len(opposed))


def _cells_with_units(claim: Claim) -> list[Statement]:
    """The cells of tables whose head names their unit: the row alone holds a number without one."""
    return [cell.content for table in read_tables(claim.evidence) for cell in table.cells if cell.has_head_unit]


def check_numbers(claim: Claim, sought: Sequence[Sought]) -> list[Finding]:
    """What is wrong with the numbers that the evidence holds: another unit, or another thing's value."""
    found = []
    for one in sought:
        finding = _other_unit(claim, one) or (None if one.is_missing else _another_thing(claim, one))
        if finding:
            found.append(finding)
    return found


def missing_number(claim: Claim, sought: Sought) -> Finding | None:
    """The finding for a number that the evidence does not hold: contradicted where it says another one in its place.

    A small number in words without a unit (`the last three games`) may only count what the evidence lists.
    """
    for statement in claim.nearest:
        others = _in_its_place(claim, sought.quantity, statement)
        if others:
            return _finding(claim, "other", Fault.CONTRADICTED, sought.quantity, _text(statement, others[0]))
    quantity = sought.quantity
    in_words = not quantity.measure and not claim.statement.folded[quantity.start].isdigit()
    if quantity.loose or (in_words and quantity.value <= _COUNTED):
        return None
    return _finding(claim, "missing", Fault.NOT_IN_EVIDENCE, quantity, "")


def confirmations(claim: Claim, sought: Sequence[Sought]) -> list[Confirmed]:
    """The numbers that the evidence holds in another spelling, or with another name of the unit, with that spelling."""
    return [
        Confirmed(one.quantity.start, one.quantity.end, statement.text[other.start : other.end])
        for one in sought
        for other, statement in one.held[:1]
        if not one.written or _is_named_otherwise(claim, one.quantity, other)
    ]


def _is_named_otherwise(claim: Claim, ours: Quantity, theirs: Quantity) -> bool:
    """Whether the unit of ours has a name that stands nowhere in the evidence: `revolutions per minute` for `rpm`."""
    if not (ours.measure and theirs.measure and ours.unit != theirs.unit):
        return False
    named = [
        u.term for u in claim.statement.words if ours.start <= u.start < ours.end and not ours.start <= u.start < ours.number_end
    ]
    return not claim.evidence.holds(named)


def same_value(ours: Quantity, theirs: Quantity) -> bool:
    """Whether the numbers are equal as written, after exact conversion, or by rounding that the sentence announces."""
    if ours.value == theirs.value:
        return True
    if not (ours.measure and theirs.measure and ours.dimension == theirs.dimension):
        return ours.about and rounds_to(theirs.value, ours.value, _rounding_step(ours)) and not (ours.measure and theirs.measure)
    if ours.base == theirs.base:
        return True
    step = _rounding_step(ours) * ours.measure.size
    return rounds_to(theirs.base, ours.base, step) if ours.about or _significant(ours) >= _ROUNDED_DIGITS else False


def same_quantity(ours: Quantity, theirs: Quantity) -> bool:
    """Whether both are the same amount: equal numbers, and units that do not exclude each other."""
    return same_value(ours, theirs) and not opposed_units(ours, theirs)


def opposed_units(ours: Quantity, theirs: Quantity) -> bool:
    """Whether both name a unit, plainly, and these are not the same quantity."""
    if not (ours.measure and theirs.measure):
        return False
    if ours.dimension != theirs.dimension and (ours.vague_unit or theirs.vague_unit):
        return False
    if frozenset({ours.dimension, theirs.dimension}) in _ALIKE:
        return False
    same_digits = ours.value == theirs.value  # 48 g and 48 kg are the same as written, and nothing else
    return ours.dimension != theirs.dimension or not same_value(ours, theirs) or (same_digits and ours.base != theirs.base)


def rounds_to(exact: Fraction, written: Fraction, step: Fraction) -> bool:
    """Whether the exact value, rounded to the step, is the written one."""
    return abs(exact - written) * 2 <= step


def _rounding_step(quantity: Quantity) -> Fraction:
    """The size of the last digit that says something: 1 for 27, 100 for `about 1,200`, 0.1 for 2.5."""
    step = quantity.step
    if quantity.about:
        while quantity.value and quantity.value % (step * 10) == 0:
            step *= 10
    return step


def _significant(quantity: Quantity) -> int:
    digits = str(quantity.value / quantity.step).strip("-")
    return len(digits.rstrip("0"))


def _term(value: Fraction) -> str:
    return canonical_number(str(value) if value.denominator == 1 else repr(float(value)))


def _other_unit(claim: Claim, one: Sought) -> Finding | None:
    if one.held or not one.opposed:
        return None
    theirs = dict.fromkeys(_text(statement, other) for other, statement in one.opposed)
    near = {statement.text for statement in claim.nearest}
    fault = Fault.CONTRADICTED if any(statement.text in near for _, statement in one.opposed) else Fault.NOT_IN_EVIDENCE
    if one.written and fault is not Fault.CONTRADICTED:  # a number without a unit elsewhere may be it
        return None
    return _finding(claim, "unit", fault, one.quantity, ", ".join(list(theirs)[:2]))


def _another_thing(claim: Claim, one: Sought) -> Finding | None:
    """The number is said of something else: the statements that hold it share clearly less with the sentence than the best."""
    share = max((claim.coverage.get(statement.text, 0.0) for _, statement in one.held), default=0.0)
    for statement in claim.nearest[:1]:
        if claim.coverage[statement.text] < max(SAME_THING, share + CLEARLY_LESS):
            return None
        relabelled = [other for other in statement.quantities if one.quantity.value == other.value]
        if any(opposed_units(one.quantity, other) for other in relabelled):
            return _finding(claim, "unit", Fault.CONTRADICTED, one.quantity, _text(statement, relabelled[0]))
        others = _in_its_place(claim, one.quantity, statement)
        if others:
            return _finding(claim, "elsewhere", Fault.CONTRADICTED, one.quantity, _text(statement, others[0]))
    return None


def _in_its_place(claim: Claim, quantity: Quantity, statement: Statement) -> list[Quantity]:
    """The statement's numbers of the same measure that the sentence does not hold; none where it holds the number itself.

    A number without a unit has to stand between the same words.
    """
    if any(same_quantity(quantity, other) for other in statement.quantities):
        return []
    return [
        other
        for other in statement.quantities
        if other.dimension == quantity.dimension
        and not any(same_value(ours, other) for ours in claim.quantities)
        and (quantity.measure or _beside(claim.statement, quantity) == _beside(statement, other))
    ]


def _beside(statement: Statement, quantity: Quantity) -> tuple[str, str]:
    """What stands right before and right after a number."""
    return statement.folded[: quantity.start].rstrip()[-2:], statement.folded[quantity.end :].lstrip()[:2]


def _finding(claim: Claim, kind: str, fault: Fault, quantity: Quantity, theirs: str) -> Finding:
    text = claim.statement.text
    number = text[quantity.start : quantity.end] if kind == "unit" else text[quantity.start : quantity.number_end]
    span = (quantity.start, quantity.end if kind == "unit" else quantity.number_end)
    return Finding("numbers", fault, _REASONS[kind][claim.language].format(ours=number, theirs=theirs), (span,))


def _text(statement: Statement, quantity: Quantity) -> str:
    return statement.text[quantity.start : quantity.end]
