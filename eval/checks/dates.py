"""Dates: does the evidence hold each of the sentence's, in whatever format, and of the same thing?

A year alone is a number (`eval.checks.numbers`). Where the evidence has the month and the day apart, as in `1 to 5 March`,
nothing is said.
"""

from __future__ import annotations

from eval.checks.calendar_dates import CalendarDate
from eval.checks.claim import CLEARLY_LESS, SAME_THING, Claim
from eval.checks.finding import Confirmed, Finding
from eval.checks.statements import Statement
from eval.types import Fault
from eval.units import Kind

_REASONS = {
    "other": {"en": "the evidence says {theirs}, not {ours}", "zh": "依据中是{theirs}，不是{ours}"},
    "missing": {"en": "the evidence does not hold the date {ours}", "zh": "依据中没有日期{ours}"},
}


def check_dates(claim: Claim) -> list[Finding]:
    """The dates that the evidence does not hold, or holds of something else."""
    if not claim.statement.dates:
        return []
    statements = claim.evidence.holding_dates
    findings = (_check(claim, date, statements) for date in claim.statement.dates)
    return [finding for finding in findings if finding]


def confirmed_dates(claim: Claim) -> list[Confirmed]:
    """The dates that the evidence holds in another format, with that format."""
    found = []
    for date in claim.statement.dates:
        if _is_written(claim, date):
            continue
        for statement in claim.evidence.holding_dates:
            same = [other for other in statement.dates if _holds(other, date)]
            if same:
                found.append(Confirmed(date.start, date.end, statement.text[same[0].start : same[0].end]))
                break
    return found


def _check(claim: Claim, date: CalendarDate, statements: list[Statement]) -> Finding | None:
    holding = [statement for statement in statements if any(_holds(other, date) for other in statement.dates)]
    if not holding and any(_may_hold(statement, date) for statement in statements):
        return None
    share = max((claim.coverage.get(statement.text, 0.0) for statement in holding), default=0.0)
    for statement in claim.nearest[:1]:
        clear = claim.coverage[statement.text] >= max(SAME_THING, share + CLEARLY_LESS)
        if not holding or (clear and statement not in holding):
            others = [
                other
                for other in statement.dates
                if bool(other.day) == bool(date.day) and not any(ours.agrees(other) for ours in claim.statement.dates)
            ]
            if others:
                return _finding(claim, "other", Fault.CONTRADICTED, date, statement.text[others[0].start : others[0].end])
    return None if holding else _finding(claim, "missing", Fault.NOT_IN_EVIDENCE, date, "")


def _holds(theirs: CalendarDate, ours: CalendarDate) -> bool:
    return theirs.agrees(ours) and (theirs.day is not None or ours.day is None)


def _may_hold(statement: Statement, date: CalendarDate) -> bool:
    """Whether the day stands apart from its month: `1 to 5 March`."""
    if date.day is None or not any(other.month == date.month for other in statement.dates):
        return False
    inside = [(other.start, other.end) for other in statement.dates]
    return any(
        unit.term == str(date.day) and not any(a <= unit.start < b for a, b in inside)
        for unit in statement.units
        if unit.kind is Kind.NUMBER
    )


def _is_written(claim: Claim, date: CalendarDate) -> bool:
    """Whether every number and word of the date stands in the evidence as it is written."""
    inside = [unit.term for unit in claim.statement.units if date.start <= unit.start < date.end and unit.content]
    return claim.evidence.holds(inside)


def _finding(claim: Claim, kind: str, fault: Fault, date: CalendarDate, theirs: str) -> Finding:
    ours = claim.statement.text[date.start : date.end]
    return Finding("dates", fault, _REASONS[kind][claim.language].format(ours=ours, theirs=theirs), ((date.start, date.end),))
