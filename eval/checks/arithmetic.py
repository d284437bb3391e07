"""Calculated numbers: done again from the evidence's own, or said to be wrong, or not judged.

A number that the evidence does not hold counts as supported where one calculation that the sentence names (a total, a
difference, a multiple, a share, a change in percent, a mean) gives it, rounded as it is written, from numbers of the evidence
whose labels the sentence names. Without the sentence's word for the calculation, and without the labels, nothing is tried: among
enough numbers every result can be found. How often a random number is "found" is in docs/decisions/0020.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise

from eval.checks.claim import Claim
from eval.checks.finding import Confirmed, Finding
from eval.checks.numbers import rounds_to
from eval.checks.quantities import Quantity
from eval.checks.statements import Statement, terms_of
from eval.checks.table_cells import Table, read_tables
from eval.types import Fault

_CUES: dict[str, re.Pattern[str]] = {
    "sum": re.compile(
        r"\b(?:total\w*|sum|altogether|combined|together|in all|both)\b|共|合计|合計|总计|總計|总和|總和|相加|加起来|总数"
    ),
    "mean": re.compile(r"\b(?:average\w*|mean)\b|平均"),
    "more": re.compile(
        r"\b(?:more|higher|greater|larger|longer|heavier|increase\w*|rose|risen|grew|grown|growth|gain\w*|up|above|exceed\w*|later)\b"
        r"|(?<!最)多|(?<!最)高|增|涨|漲|长(?=[\d一二三四五六七八九十])|提升|上升|超出"
    ),
    "less": re.compile(
        r"\b(?:less|fewer|lower|smaller|shorter|lighter|decrease\w*|fell|fallen|drop\w*|decline\w*|down|below|cheaper|earlier|reduc\w*)\b"
        r"|(?<![最多])少|(?<!最)低|减|減|降|跌|短"
    ),
    "gap": re.compile(r"\b(?:difference|gap|between|apart|range)\b|差|间隔|間隔"),
    "times": re.compile(r"\b(?:times|fold|ratio)\b|倍|之比|比例"),
    "share": re.compile(r"\b(?:share|proportion|of the|of all|account\w*|make up|makes up)\b|占|佔|比重|比例"),
}
_CALCULATIONS = frozenset({"sum", "mean", "gap", "times"})
_IN_PERCENT = frozenset({"more", "less", "share"})
_EQUATION = re.compile(
    r"(?P<first>\d[\d,]*(?:\.\d+)?)\s?(?P<sign>[+＋−–×xX*/÷-])\s?(?P<second>\d[\d,]*(?:\.\d+)?)\s?[=＝]\s?(?P<result>\d[\d,]*(?:\.\d+)?)"
)
_FROM_TO = re.compile(r"\bfrom\s+$|[从從由]$")
_CLAUSES = re.compile(r"[,，;；、。]|\b(?:and|while|but|whereas)\b")
# Pairs grow with the square: beyond so many, the numbers share few words with the sentence anyway.
_MOST_OPERANDS = 24
# A word for a calculation this near a number speaks of it.
_NEAR_CHARACTERS = 40

_REASONS = {
    "wrong": {"en": "calculated wrongly: {shown}", "zh": "计算有误：{shown}"},
    "unknown": {
        "en": "not judged: {ours} is calculated, and could not be calculated again from the evidence",
        "zh": "未核查：{ours}是计算得出的，无法由依据中的数字重新算出",
    },
}


@dataclass(frozen=True, slots=True)
class Operand:
    """A number of the evidence with the words that say what it is of; `text` is how it is written there.

    `counted` is what a number without a unit counts in prose: the word after it; empty in a table, where the heads say it.
    """

    quantity: Quantity
    text: str
    labels: frozenset[str]
    counted: str = ""


@dataclass(frozen=True, slots=True)
class _Result:
    value: Fraction
    shown: str
    operand: Operand


def redo(claim: Claim, quantity: Quantity) -> Confirmed | None:
    """The calculation that gives the number, in the note; None where none was found."""
    cues = _cues(claim)
    if not cues:
        return None
    for result in _results(claim, quantity, cues):
        if rounds_to(result.value, quantity.value, quantity.step):
            written = claim.statement.text[quantity.start : quantity.number_end]
            return Confirmed(quantity.start, quantity.number_end, result.operand.text, f"{result.shown} = {written}")
    return None


def calculated_wrongly(claim: Claim, quantity: Quantity) -> Finding | None:
    """The finding where the sentence names two cells by both heads and one calculation, and gives another result."""
    cues = _cues(claim)
    pairs = _best_pairs(claim) if cues else []
    told = _told(claim)
    if len(pairs) != 1 or not all(operand.labels <= told and not operand.counted for operand in pairs[0]):
        return None
    results = list(_of_pair(*pairs[0], quantity, cues))
    if len(results) != 1 or rounds_to(results[0].value, quantity.value, quantity.step):
        return None
    return _wrong(claim, f"{results[0].shown} = {_plain(results[0].value)}", (quantity.start, quantity.number_end))


def is_calculated(claim: Claim, quantity: Quantity) -> bool:
    """Whether the sentence says that the number is the result of a calculation, and not a number of the documents.

    A change or a share in percent may as well be quoted: it is calculated where the evidence speaks of no percent at all.
    """
    named = _CALCULATIONS
    if quantity.dimension == "percent" and not _tells_percent(claim):
        named |= _IN_PERCENT
    return any(
        abs(match.start() - quantity.start) <= _NEAR_CHARACTERS
        for cue in _cues(claim)
        if cue in named
        for match in [_CUES[cue].search(claim.statement.folded)]
        if match
    )


def _tells_percent(claim: Claim) -> bool:
    return any(one.dimension == "percent" for statement in claim.evidence.holding_numbers for one in statement.quantities)


def not_judged(claim: Claim, quantity: Quantity) -> Finding:
    """The finding for a calculated number that could not be done again: no fault, but no verdict either."""
    ours = claim.statement.text[quantity.start : quantity.number_end]
    reason = _REASONS["unknown"][claim.language].format(ours=ours)
    return Finding("arithmetic", None, reason, ((quantity.start, quantity.number_end),))


def check_equations(claim: Claim) -> Finding | None:
    """A calculation that the sentence itself writes out, with a result that is not its own."""
    for match in _EQUATION.finditer(claim.statement.text):
        first, second, result = (Fraction(match[name].replace(",", "")) for name in ("first", "second", "result"))
        value = _calculate(match["sign"], first, second)
        step = Fraction(1, 10 ** len(match["result"].partition(".")[2]))
        if value is not None and not rounds_to(value, result, step):
            return _wrong(claim, f"{match['first']} {match['sign']} {match['second']} = {_plain(value)}", match.span("result"))
    return None


def check_change(claim: Claim) -> Finding | None:
    """`from 40 to 50, an increase of 20 %`: both ends and the change stand in the sentence, and the change is another."""
    found = claim.quantities
    for first, second in pairwise(found):
        ends = _FROM_TO.search(claim.statement.folded[max(0, first.start - 6) : first.start])
        if not ends or first.dimension != second.dimension or first.dimension == "percent" or not first.value:
            continue
        changes = [one for one in found if one.dimension == "percent" and one.start > second.end]
        if len(changes) != 1 or len(found) != 3 or first.base == second.base:
            continue
        value = abs(second.base - first.base) / first.base * 100
        if not rounds_to(value, changes[0].value, changes[0].step * (10 if changes[0].about else 1)):
            sign = _sides(second.base, first.base)
            shown = f"({_plain(sign[0])} − {_plain(sign[1])}) / {_plain(first.base)} = {_plain(value)}%"
            return _wrong(claim, shown, (changes[0].start, changes[0].end))
    return None


def _wrong(claim: Claim, shown: str, span: tuple[int, int]) -> Finding:
    return Finding("arithmetic", Fault.CONTRADICTED, _REASONS["wrong"][claim.language].format(shown=shown), (span,))


def _calculate(sign: str, first: Fraction, second: Fraction) -> Fraction | None:
    if sign in "+＋":
        return first + second
    if sign in "-−–":
        return first - second
    if sign in "×xX*":
        return first * second
    return first / second if second else None


def _cues(claim: Claim) -> frozenset[str]:
    return frozenset(name for name, cue in _CUES.items() if cue.search(claim.statement.folded))


def _results(claim: Claim, quantity: Quantity, cues: frozenset[str]) -> Iterator[_Result]:
    """Every result that the sentence's words allow, with its calculation."""
    counted = "" if quantity.measure else _counted(claim.statement, quantity)
    for first, second in _best_pairs(claim):
        if counted == first.counted or not first.counted or quantity.measure:
            yield from _of_pair(first, second, quantity, cues)
    if cues & {"sum", "mean"}:
        for column in _columns(claim, quantity):
            yield from _of_many(column, quantity, cues)


def _best_pairs(claim: Claim) -> list[tuple[Operand, Operand]]:
    """Pairs of numbers of the same kind that the sentence both names; of these, those that it names most fully."""
    told = _told(claim)
    operands = _operands(claim)[:_MOST_OPERANDS]
    named = [
        (_share(first.labels, told) + _share(second.labels, told), (first, second))
        for first, second in combinations(operands, 2)
        if first.quantity.dimension == second.quantity.dimension
        and first.counted == second.counted
        and (first.labels - second.labels) & told
        and (second.labels - first.labels) & told
    ]
    most = max((score for score, _ in named), default=0.0)
    return [pair for score, pair in named if score == most]


def _share(labels: frozenset[str], told: frozenset[str]) -> float:
    return len(labels & told) / max(1, len(labels))


def _of_many(operands: Sequence[Operand], quantity: Quantity, cues: frozenset[str]) -> Iterator[_Result]:
    total = sum((_in_unit_of(quantity, operand.quantity) for operand in operands), Fraction(0))
    shown = " + ".join(operand.text for operand in operands)
    if "sum" in cues:
        yield _Result(total, shown, operands[0])
    if "mean" in cues:
        yield _Result(total / len(operands), f"({shown}) / {len(operands)}", operands[0])


def _of_pair(first: Operand, second: Operand, quantity: Quantity, cues: frozenset[str]) -> Iterator[_Result]:
    high, low = (first, second) if first.quantity.base >= second.quantity.base else (second, first)
    top, bottom = _in_unit_of(quantity, high.quantity), _in_unit_of(quantity, low.quantity)
    if _is_comparable(quantity, high.quantity):
        if "sum" in cues:
            yield _Result(top + bottom, f"{first.text} + {second.text}", high)
        if "mean" in cues:
            yield _Result((top + bottom) / 2, f"({first.text} + {second.text}) / 2", high)
        if cues & {"more", "less", "gap"}:
            yield _Result(top - bottom, f"{high.text} − {low.text}", high)
    if not bottom:
        return
    if "times" in cues and not quantity.measure:
        yield _Result(top / bottom, f"{high.text} / {low.text}", high)
    if quantity.dimension == "percent":
        if "more" in cues:
            yield _Result((top - bottom) / bottom * 100, f"({high.text} − {low.text}) / {low.text}", high)
        if "less" in cues:
            yield _Result((top - bottom) / top * 100, f"({high.text} − {low.text}) / {high.text}", high)
        if "share" in cues:
            yield _Result(bottom / top * 100, f"{low.text} / {high.text}", high)


def _is_comparable(ours: Quantity, theirs: Quantity) -> bool:
    return not (ours.measure and theirs.measure) or ours.dimension == theirs.dimension


def _in_unit_of(ours: Quantity, theirs: Quantity) -> Fraction:
    """The number of the evidence in the unit that the sentence uses; where the sentence names none, in its own."""
    if ours.measure and theirs.measure and ours.dimension == theirs.dimension:
        return theirs.base / ours.measure.size
    return theirs.value


def _told(claim: Claim) -> frozenset[str]:
    """The words and numbers of the sentence: a year may be the head of a column."""
    return frozenset(unit.term for unit in claim.statement.units if unit.content)


def _counted(statement: Statement, quantity: Quantity) -> str:
    """The content word right after a number; empty where there is none."""
    return next((u.term for u in statement.units if u.content and quantity.number_end <= u.start <= quantity.number_end + 1), "")


def _operands(claim: Claim) -> list[Operand]:
    """Numbers of the evidence whose labels share a word with the sentence, those that share most first."""
    told = _told(claim)
    found = [operand for table in read_tables(claim.evidence) for operand in _cell_operands(table)]
    for statement in claim.evidence.holding_numbers:
        if " | " not in statement.text:
            found.extend(_prose_operands(statement))
    ranked = [(len(operand.labels & told), operand) for operand in found]
    return [operand for shared, operand in sorted(ranked, key=lambda pair: -pair[0]) if shared]


def _cell_operands(table: Table) -> Iterator[Operand]:
    for cell in table.cells:
        for quantity in cell.content.quantities[:1]:
            yield Operand(quantity, cell.content.text[quantity.start : quantity.end], cell.labels)


def _prose_operands(statement: Statement) -> Iterator[Operand]:
    """Each number with the words of its own clause."""
    marks = [0, *(match.start() for match in _CLAUSES.finditer(statement.folded)), len(statement.text)]
    for quantity in statement.quantities:
        start = max(mark for mark in marks if mark <= quantity.start)
        end = min(mark for mark in marks if mark >= quantity.number_end)
        inside = [u for u in statement.units if u.content and start <= u.start < end and u.start != quantity.start]
        counted = "" if quantity.measure else _counted(statement, quantity) or "?"
        yield Operand(quantity, statement.text[quantity.start : quantity.end], frozenset(terms_of(inside)), counted)


def _columns(claim: Claim, quantity: Quantity) -> Iterator[list[Operand]]:
    """The numbers of whole columns whose head the sentence names, and of several named rows of one."""
    told = _told(claim)
    for table in read_tables(claim.evidence):
        columns: dict[str, list[Operand]] = {}
        named: dict[str, list[Operand]] = {}
        for cell in table.cells:
            head = frozenset(terms_of([u for u in cell.column.units if u.content]))
            for one in cell.content.quantities[:1]:
                if _is_comparable(quantity, one):
                    operand = Operand(one, cell.content.text[one.start : one.end], cell.labels)
                    if head & told:
                        columns.setdefault(cell.column.text, []).append(operand)
                    if frozenset(terms_of([u for u in cell.row.units if u.content])) <= told:
                        named.setdefault(cell.column.text, []).append(operand)
        yield from (column for column in columns.values() if len(column) > 1)
        yield from (column for column in named.values() if len(column) > 2)


def _sides(first: Fraction, second: Fraction) -> tuple[Fraction, Fraction]:
    return (first, second) if first >= second else (second, first)


def _plain(value: Fraction) -> str:
    """The value in at most two decimals."""
    return f"{float(value):,.2f}".rstrip("0").rstrip(".")
