"""Text → its numbers with scale, unit and bound, exactly: 3.5万 is 35000, 0.5 kg is 500 g, `at most 30 days` is bounded.

Numbers come from `eval.units.read_units` (digits, number words, Chinese numerals). What is no plain number is left out: codes,
versions, dates. Spans are code points of the text given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from eval.checks.measures import MEASURES, PREFIX, PREFIXES, SCALE, SCALES, UNIT, Measure, is_vague
from eval.checks.spelled_numbers import Spelled, spelled_numbers
from eval.units import Kind, Unit

_PLAIN = re.compile(r"\d+(?:\.\d+)?$|\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
# A number that a letter, digit, slash or dot touches is part of a code, a version or a date.
_TOUCHED_BEFORE = re.compile(r"[a-z0-9][-_/.:]?$|[-_/.:]\d*$|\d[万萬亿億]$")
_TOUCHED_AFTER = re.compile(r"[-_/.:]\d")
# A fraction (二十分之一), a power, digits that go on after a scale (1億1234萬), the number of a list's item, a season (2018–19).
_NO_QUANTITY = re.compile(r"分之|次方|\^|[.)、]\s*$|[.)]\s*\n")
_OF_FRACTION = re.compile(r"(?<!百)分之$|[12]\d{3}[-–—/]$")
_RANGE = re.compile(r"\s?(?:-|–|—|~|～|to|and|or|至|到)\s?$")
_BEFORE = 48
_AFTER = 12


class Bound(StrEnum):
    """Which side of the number is meant."""

    LEAST = "at least"
    MOST = "at most"


# A bound named outright, and a comparison, which `not` turns round: 不应大于, `may not differ by more than`.
_CURRENCY = r"\s?(?:us\$|eur|usd|gbp|[$€£¥]|约)?\s?$"
_LEAST_BEFORE = re.compile(r"(?:at least|a minimum of|minimum of|(?:至少|最少)[\u4e00-\u9fff]{0,2}|最低|达到)" + _CURRENCY)
_MOST_BEFORE = re.compile(
    r"(?:at most|up to|a maximum of|maximum of|within|limited to|as long as|(?:至多|最多)[\u4e00-\u9fff]{0,2}|最长|最高)"
    + _CURRENCY
)
_OVER_BEFORE = re.compile(
    r"(?P<over>more than|exceed|exceeding|exceeds|over|above|longer than|higher than|later than|beyond|after"
    r"|超过|超過|高于|高於|大于|大於|多于|多於|长于|晚于|迟于|逾)" + _CURRENCY
)
_UNDER_BEFORE = re.compile(
    r"(?P<under>less than|fewer than|below|under|shorter than|lower than|earlier than"
    r"|低于|低於|少于|少於|小于|小於|短于|早于|不足|不到|未满)" + _CURRENCY
)
_NOT_BEFORE = re.compile(
    r"(?:\b(?:not|never|cannot|nor)|n't)\b(?: \w+){0,4}\s?$|\bno\s?$"
    r"|(?:不|未|没|沒|勿|禁止|严禁)(?:得|应|應|能|可|宜|要|会|許|许|准|允许|必)?$"
)
_LEAST_AFTER = re.compile(r"\s?(?:or more|or longer|or above|and above|or over|及以上|或以上|以上|之后|之後|后|後)")
_MOST_AFTER = re.compile(r"\s?(?:or less|or fewer|or below|and below|及以下|或以下|以下|以内|以內|之内|之內|内(?!容|部))")
_TIME_COMPARED = re.compile(r"later|earlier|晚|迟|早")
_AHEAD = re.compile(r"\s?(?:before|prior|ahead|in advance|[之以]?前)")
_ABOUT = re.compile(
    r"(?:about|around|approximately|approx\.?|roughly|nearly|almost|some|over|more than|just under|circa|~|≈"
    r"|约|約|大约|大約|近|将近|將近|超过|超過|逾)\s?(?:us\$|eur|usd|gbp|[$€£¥])?\s?$"
)
_ABOUT_AFTER = re.compile(r"\s?(?:or so|多(?!于)|余|餘|左右|上下)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it stands: `value` with its scale, `measure` of its unit where it names one, `bound` where it has one.

    `number_end` is where the number itself ends (with its scale), `end` where its unit does. `step` is the size of the last
    digit written, `partner` the other end of a range; `loose` is a share in words that may be meant roughly (`half of them`).
    """

    value: Fraction
    start: int
    number_end: int
    end: int
    step: Fraction
    measure: Measure | None = None
    unit: str = ""
    vague_unit: bool = False
    bound: Bound | None = None
    about: bool = False
    partner: Fraction | None = None
    loose: bool = False

    @property
    def base(self) -> Fraction:
        """The value in the base unit of what is measured."""
        return self.value * self.measure.size if self.measure else self.value

    @property
    def dimension(self) -> str:
        """What is measured; empty where no unit is named."""
        return self.measure.dimension if self.measure else ""


def read_quantities(folded: str, units: Sequence[Unit], taken: Sequence[tuple[int, int]] = ()) -> list[Quantity]:
    """The quantities of a text in order. `folded` is it in lower case, place for place; `taken` spans are its dates."""
    spelled = [one for one in spelled_numbers(folded) if not any(a < one.end and one.start < b for a, b in taken)]
    taken = [*taken, *((one.start, one.end) for one in spelled)]
    found = [_spelled_quantity(folded, one) for one in spelled]
    for unit in units:
        if unit.kind is Kind.CODE:
            unit = _without_hyphen(unit)
        if unit.kind is not Kind.NUMBER or any(a < unit.end and unit.start < b for a, b in taken):
            continue
        quantity = _quantity(folded, unit)
        if quantity is not None and not any(quantity.start < other.number_end and other.start < quantity.end for other in found):
            found.append(quantity)
    return _with_ranges(sorted(found, key=lambda quantity: quantity.start), folded)


def _spelled_quantity(folded: str, one: Spelled) -> Quantity:
    """The quantity of a number in words, with the scale and the unit that follow where the words name none."""
    value, step, at, name = one.value, one.step, one.end, one.unit
    if not name:
        scale = SCALE.match(folded, at)
        if scale:
            value, step, at = value * SCALES[scale[1]], step * SCALES[scale[1]], scale.end()
    number_end = at
    if not name and (named := UNIT.match(folded, at)):
        name, at = named[1], named.end()
    before, after = folded[max(0, one.start - _BEFORE) : one.start], folded[at : at + _AFTER]
    about = bool(_ABOUT.search(before) or _ABOUT_AFTER.match(after))
    return Quantity(
        value,
        one.start,
        number_end,
        at,
        step,
        MEASURES.get(name),
        name,
        is_vague(name),
        _bound(before, after),
        about,
        loose=one.loose,
    )


def _without_hyphen(unit: Unit) -> Unit:
    """The number of `30-day`, which is read as a code; a real code stays as it is."""
    number, _, word = unit.term.partition("-")
    if not (number.isdigit() and word in MEASURES and len(word) > 1):
        return unit
    return unit._replace(term=str(int(number)), kind=Kind.NUMBER, end=unit.start + len(number))


def _quantity(folded: str, unit: Unit) -> Quantity | None:
    written = folded[unit.start : unit.end]
    before = folded[max(0, unit.start - _BEFORE) : unit.start]
    at = unit.end
    if _OF_FRACTION.search(before) or (_NO_QUANTITY.match(folded, at) and not _is_last_word(folded, unit)):
        return None
    if written[0].isdigit() and written[-1].isdigit():
        if not _PLAIN.match(written) or _is_touched(folded, unit.end, before):
            return None
        digits = written.replace(",", "")
        value, step = Fraction(digits), Fraction(1, 10 ** len(digits.partition(".")[2]))
        scale = SCALE.match(folded, at)
        if scale and not (UNIT.match(folded, at) and len(UNIT.match(folded, at)[1]) > len(scale[1])):  # type: ignore[index]
            value, step, at = value * SCALES[scale[1]], step * SCALES[scale[1]], scale.end()
            if folded[at : at + 1].isdigit():
                return None
    else:
        try:
            value = Fraction(unit.term)
        except ValueError:
            return None
        step = Fraction(1)
    number_end = at
    measure, name, start = None, "", unit.start
    named = UNIT.match(folded, at)
    prefix = PREFIX.search(before)
    if named:
        name, at = named[1], named.end()
        measure = MEASURES[name]
        if folded[at : at + 1] == "半":  # 两年半: the half is not read
            return None
    if prefix and (measure is None or is_vague(name) or name in PREFIXES):
        name, start, at = prefix[1], unit.start - len(before) + prefix.start(), number_end
        measure = MEASURES[name]
    after = folded[at : at + _AFTER]
    return Quantity(
        value, start, number_end, at, step, measure, name, is_vague(name),
        _bound(before if start == unit.start else folded[max(0, start - _BEFORE) : start], after),
        bool(_ABOUT.search(before) or _ABOUT_AFTER.match(folded[number_end : number_end + 4]) or _ABOUT_AFTER.match(after)),
    )  # fmt: skip


def _is_last_word(folded: str, unit: Unit) -> bool:
    """Whether the mark after the number ends its sentence: a list's number stands at the beginning of a line."""
    return bool(folded[: unit.start].rpartition("\n")[2].strip(" -*•("))


def _is_touched(folded: str, end: int, before: str) -> bool:
    """Whether the number is part of a code, a version, a ratio, a time or a date."""
    touched = _TOUCHED_BEFORE.search(before)
    if touched and not (touched.group()[-1] == "-" and re.search(r"\d\s?-$", before)) and not PREFIX.search(before):
        return True
    return bool(_TOUCHED_AFTER.match(folded, end)) and folded[end] != "-"


def _bound(before: str, after: str) -> Bound | None:
    if _LEAST_BEFORE.search(before) or _LEAST_AFTER.match(after):
        return Bound.LEAST
    if _MOST_BEFORE.search(before) or _MOST_AFTER.match(after):
        return Bound.MOST
    over, under = _OVER_BEFORE.search(before), _UNDER_BEFORE.search(before)
    if found := over or under:
        # `no later than two hours before` is two hours or more.
        turned = bool(_TIME_COMPARED.search(found.group())) and bool(_AHEAD.match(after))
        denied = bool(_NOT_BEFORE.search(before[: found.start()]))
        return Bound.LEAST if bool(over) != (denied != turned) else Bound.MOST
    return None


def _with_ranges(found: list[Quantity], folded: str) -> list[Quantity]:
    """The quantities with both ends of `3 to 5 days` in days, and each the other's partner."""
    for i in range(len(found) - 1):
        first, second = found[i], found[i + 1]
        between = folded[first.end : second.start]
        if len(between) > 6 or not _RANGE.match(between):
            continue
        if first.measure is None and second.measure is not None:
            first = replace(first, measure=second.measure, unit=second.unit, vague_unit=second.vague_unit)
        if first.dimension == second.dimension and between.strip() not in {"and", "or"}:
            first, second = replace(first, partner=second.value), replace(second, partner=first.value)
        found[i], found[i + 1] = first, second
    return found
