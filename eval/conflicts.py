"""Do permitted documents disagree about what a sentence says? Both sides with their documents' dates, the newer first.

Two sentences of different documents are held against each other where they say the same of the same thing (content words, names,
codes, bounds) but for one value: a quantity of the same unit, a date, or the force with which it is said (must, may, must not).
Speaks only when sure: tables, ranges, rough numbers, other years and periodic reports are left alone. It compares words, and
knows the date of a document only from its name, its headings, words such as "effective from", or from who calls.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from eval.checks.calendar_dates import CalendarDate, read_dates
from eval.checks.clauses import covered
from eval.checks.modality import OPPOSED, WATCHED, force_of
from eval.checks.quantities import Quantity
from eval.checks.statements import Statement, fold_in_place, read_statement, terms_of
from eval.units import Kind, shipped_background
from ingest.sentences import sentence_spans
from ingest.types import Hit

# Of a sentence's rarity, what the other one must hold, both ways (docs/decisions/0026).
_SAME = 0.85
# What a sentence must hold of the one whose document it rests on.
_RESTS_ON = 0.6
# Fewer content words say too little of what a sentence is about.
_LEAST_TERMS = {"en": 3, "zh": 4}

_YEAR = re.compile(r"(?:19|20)\d\d")
_NAME_DATE = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?:[-_. ]?(?P<month>0[1-9]|1[0-2])(?:[-_. ]?(?P<day>[0-2]\d|3[01]))?)?(?!\d)"
)
_DATED = re.compile(
    r"\b(?:effective|valid|in force|as of|version|revised|revision|updated|issued|dated|published|applies from|from)\b"
    r"|生效|施行|实施|修订|修正|发布|颁布|印发|版本|更新|起执行|起适用"
)
# What is reported anew each period is no disagreement.
_PERIODIC = re.compile(
    r"\b(?:reports?|results|quarter\w*|minutes|statements?|news|review)\b|年报|季报|月报|报告|纪要|简报|公报", re.IGNORECASE
)

_REASONS = {
    "en": "the documents disagree: {newer}, but {older}",
    "zh": "文档说法不一：{newer}；而{older}",
}
_SIDE = {"en": "{document} ({date}) says “{value}”", "zh": "{document}（{date}）为“{value}”"}
_UNDATED = {"en": "no date", "zh": "无日期"}


@dataclass(frozen=True, slots=True)
class Side:
    """What one document says: `text` stands in `hit.text` from `start`, `value` is what differs. `date` is as ISO writes it."""

    hit: Hit
    start: int
    text: str
    value: str
    date: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """Two sides, the newer first where both dates are known, and the reason in the language of the sentence."""

    sides: tuple[Side, Side]
    reason: str


def find_dispute(sentence: str, hits: Sequence[Hit]) -> Dispute | None:
    """Who says otherwise than this sentence, which one of the hits bears out; None where nobody surely does.

    A document that names no date has the day on which it was added.
    """
    said = read_statement(sentence)
    background = shipped_background()
    told = _terms(said)
    places = list(_statements(hits))
    ours = [
        (hit, start, one)
        for hit, start, one in places
        if one.language == said.language and covered(told, _terms(one), background) >= _RESTS_ON
    ]
    for hit, start, one in ours:
        for other, other_start, theirs in places:
            if other.document_id == hit.document_id and other.version == hit.version:
                continue
            if (values := _disagreement(one, theirs)) is None or not _says(said, one, values[0]):
                continue
            if _same_subject(hit, other):
                first = Side(hit, start, one.text, values[0], document_date(hit) or hit.added)
                second = Side(other, other_start, theirs.text, values[1], document_date(other) or other.added)
                sides = (second, first) if second.date > first.date and first.date else (first, second)
                return Dispute(sides, _reason(sides, said.language))
    return None


def document_date(hit: Hit) -> str:
    """The day, month or year that the document says it is of, as ISO writes it; empty where nothing tells."""
    for text in (hit.document, hit.title, *hit.headings):
        if dates := [found for found in read_dates(fold_in_place(text)) if found.year]:
            return _iso(dates[-1])
        if found := _NAME_DATE.search(text):
            return "-".join(part for part in found.groups() if part)
    for start, end in sentence_spans(hit.text):
        folded = fold_in_place(hit.text[start:end])
        if _DATED.search(folded) and (dates := [found for found in read_dates(folded) if found.year]):
            return _iso(dates[0])
    return ""


def _iso(date: CalendarDate) -> str:
    day = f"-{date.day:02}" if date.day and not date.swapped else ""
    return f"{date.year}-{date.month:02}{day}"


def _statements(hits: Sequence[Hit]) -> Iterator[tuple[Hit, int, Statement]]:
    for hit in hits:
        for start, end in sentence_spans(hit.text):
            text = hit.text[start:end]
            if " | " not in text:
                yield hit, start, read_statement(text)


def _terms(statement: Statement, without: re.Pattern[str] | None = None) -> list[str]:
    """The content words, without dates and without what `without` finds."""
    spans = [(date.start, date.end) for date in statement.dates]
    spans += [found.span() for found in without.finditer(statement.folded)] if without else []
    return terms_of(statement.words, spans)


def _disagreement(ours: Statement, theirs: Statement) -> tuple[str, str] | None:
    """What each says where the other says something else; None unless all else is the same."""
    if ours.language != theirs.language or ours.text == theirs.text:
        return None
    if _names(ours) != _names(theirs):
        return None
    quantities = _quantities(ours, theirs)
    dates = _dates(ours, theirs)
    if quantities is None or dates is None or (quantities and dates):
        return None
    if differing := quantities or dates:
        return differing if _alike(_terms(ours), _terms(theirs), ours.language) else None
    forces = _forces(ours, theirs)
    return forces if forces and _alike(_terms(ours, WATCHED), _terms(theirs, WATCHED), ours.language) else None


def _alike(ours: Collection[str], theirs: Collection[str], language: str) -> bool:
    """Whether one says all that the other says and little more: a word that only each has may tell two things apart."""
    if min(len(ours), len(theirs)) < _LEAST_TERMS[language] or not (set(ours) <= set(theirs) or set(ours) >= set(theirs)):
        return False
    background = shipped_background()
    return min(covered(ours, theirs, background), covered(theirs, ours, background)) >= _SAME


def _names(statement: Statement) -> frozenset[str]:
    """Codes, capitalised words and years: where they differ, something else is spoken of."""
    first = statement.units[0].start if statement.units else 0
    named = {unit.term for unit in statement.units if unit.kind is Kind.CODE or (unit.name and unit.start > first)}
    return frozenset(named | {unit.term for unit in statement.units if unit.kind is Kind.NUMBER and _YEAR.fullmatch(unit.term)})


def _quantities(ours: Statement, theirs: Statement) -> tuple[str, str] | tuple[()] | None:
    """The one quantity that differs, on both sides; empty where none does, None where they cannot be compared."""
    mine = [one for one in ours.quantities if not _is_year(one)]
    others = [one for one in theirs.quantities if not _is_year(one)]
    if any(one.about or one.partner is not None for one in (*mine, *others)) or len(mine) != len(others):
        return None
    differing = [(one, other) for one, other in zip(mine, others, strict=True) if one.base != other.base]
    if not differing:
        return ()
    (one, other), *more = differing
    same_kind = (one.dimension, one.bound) == (other.dimension, other.bound) and (one.dimension or one.unit == other.unit)
    if more or not same_kind or not _same_place(ours, one, theirs, other):
        return None
    return ours.text[one.start : one.end], theirs.text[other.start : other.end]


def _same_place(ours: Statement, one: Quantity, theirs: Statement, other: Quantity) -> bool:
    """Whether the quantities stand between the same words."""
    return bool(_beside(ours, one) & _beside(theirs, other))


def _beside(statement: Statement, quantity: Quantity) -> frozenset[str]:
    before = [f"<{unit.term}" for unit in statement.words if unit.end <= quantity.start][-1:]
    after = [f">{unit.term}" for unit in statement.words if unit.start >= quantity.number_end][:1]
    return frozenset((*before, *after))


def _is_year(quantity: Quantity) -> bool:
    return not quantity.dimension and quantity.value.denominator == 1 and 1900 <= quantity.value <= 2100


def _dates(ours: Statement, theirs: Statement) -> tuple[str, str] | tuple[()] | None:
    """The one date that differs; empty where none does, None where they cannot be compared."""
    if len(ours.dates) != len(theirs.dates):
        return None
    differing = [(one, other) for one, other in zip(ours.dates, theirs.dates, strict=True) if not one.agrees(other)]
    if not differing:
        return ()
    (one, other), *more = differing
    if more or one.year != other.year:  # of another year: both may be so
        return None
    return ours.text[one.start : one.end], theirs.text[other.start : other.end]


def _forces(ours: Statement, theirs: Statement) -> tuple[str, str] | None:
    """With what force each says it, where one excludes the other."""
    one, other = force_of(ours.folded), force_of(theirs.folded)
    if one is None or other is None or frozenset((one[0], other[0])) not in OPPOSED:
        return None
    if len(WATCHED.findall(ours.folded)) > 2 or len(WATCHED.findall(theirs.folded)) > 2:
        return None
    return ours.text, theirs.text


def _says(said: Statement, one: Statement, value: str) -> bool:
    """Whether the sentence itself says what is disputed, not only its neighbourhood."""
    return (
        value == one.text
        or fold_in_place(value) in said.folded
        or any(quantity.base == told.base for quantity in said.quantities for told in read_statement(value).quantities)
    )


def _same_subject(one: Hit, other: Hit) -> bool:
    """Whether the documents can speak of the same thing: none is of a series, no code in their titles tells them apart."""
    if any(_PERIODIC.search(f"{hit.title} {hit.document}") for hit in (one, other)):
        return False
    mine, theirs = _codes(one), _codes(other)
    return mine == theirs or not (mine and theirs)


def _codes(hit: Hit) -> frozenset[str]:
    """Codes of things in the title and headings, without dates."""
    units = (unit for text in (hit.title, *hit.headings) for unit in read_statement(text).units)
    return frozenset(unit.term for unit in units if unit.kind is Kind.CODE and not _NAME_DATE.search(unit.term))


def _reason(sides: tuple[Side, Side], language: str) -> str:
    newer, older = (
        _SIDE[language].format(document=side.hit.document, date=side.date or _UNDATED[language], value=side.value)
        for side in sides
    )
    return _REASONS[language].format(newer=newer, older=older)
