"""Numbers that are spelled in words or by parts: 九成, 千分之六, 一点五, 三年半, 晚上10点, `10 p.m.`, `half of`, `34 cents`.

Each has one value, so that it can be compared with the digits of the evidence. What can be read two ways is left out: 三点五分,
一成不变, `half an eye`. Spans are code points of the text given, which is lower case. This module knows no units but those
that belong to such a spelling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_TENS = {"十": 10, "百": 100}
_HAN = "[零〇一二三四五六七八九十百两兩]"
_NUMBER = rf"(?:\d+(?:\.\d+)?|{_HAN}+)"
_EVENING = frozenset(("下午", "晚上", "傍晚", "夜里", "p.m.", "pm"))


_HINT = re.compile(
    r"分之|[一二三四五六七八九\d]成|[一二三四五六七八九十\d][点點]|半|年零"
    r"|\b(?:half|quarters?|cents?|hundred|thousand)\b|\d ?[ap]\.?m|[½¼¾]"
)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A number with the name of its unit (empty for none); `loose` where it may be meant roughly: half of them."""

    start: int
    end: int
    value: Fraction
    step: Fraction
    unit: str
    loose: bool = False


def may_spell_numbers(text: str) -> bool:
    """Whether the text is worth reading for spelled numbers: a quick look."""
    folded = text.lower()
    return any(part in folded for part in _PARTS) and bool(_HINT.search(folded))


def spelled_numbers(folded: str) -> list[Spelled]:
    """The numbers of a lower-cased text that are spelled so, in order; those that overlap an earlier one are left out."""
    found: list[Spelled] = []
    for one in sorted(_candidates(folded), key=lambda spelled: (spelled.start, -spelled.end)):
        if not found or found[-1].end <= one.start:
            found.append(one)
    return found


def _candidates(folded: str) -> Iterator[Spelled]:
    for hint, pattern, read in _SHAPES:
        if any(part in folded for part in hint):
            for match in pattern.finditer(folded):
                value = read(match)
                if value is not None:
                    yield Spelled(match.start(), match.end(), *value)


_Read = tuple[Fraction, Fraction, str, bool]


def _percent(match: re.Match[str]) -> _Read | None:
    whole = _value(match["whole"])
    if whole is None:
        return None
    size = {"百": Fraction(1), "千": Fraction(1, 10), "万": Fraction(1, 100)}[match["of"]]
    value, step = _decimal(whole, match["decimals"])
    return value * size, step * size, "%", False


def _tenths(match: re.Match[str]) -> _Read | None:
    tens, ones = _value(match["tens"]), match["ones"]
    if tens is None or tens >= 10:
        return None
    more = Fraction(5) if ones == "半" else Fraction(_DIGITS[ones]) if ones else Fraction(0)
    return tens * 10 + more, Fraction(1 if ones else 10), "%", False


def _spoken_decimal(match: re.Match[str]) -> _Read | None:
    whole = _value(match["whole"])
    return None if whole is None else (*_decimal(whole, match["decimals"]), "", False)


def _and_a_half(match: re.Match[str]) -> _Read | None:
    whole = _value(match["whole"])
    return None if whole is None else (whole + Fraction(1, 2), Fraction(1, 2), _CHINESE_SPANS[match["unit"]], False)


def _half_a_span(match: re.Match[str]) -> _Read:
    return Fraction(1, 2), Fraction(1, 2), _CHINESE_SPANS[match["unit"]], False


def _years_and_months(match: re.Match[str]) -> _Read | None:
    years, months = _value(match["years"]), _value(match["months"])
    if years is None or months is None or years > 99 or months > 11:
        return None
    return years * 12 + months, Fraction(1), "个月", False


def _time_of_day(match: re.Match[str]) -> _Read | None:
    hour = _value(match["hour"])
    if hour is None or hour > 24:
        return None
    parts = match.groupdict()
    minutes = Fraction(30) if parts.get("half") else _value(parts.get("minute") or "0") or Fraction(0)
    if parts.get("part") in _EVENING and hour < 12:
        hour += 12
    elif parts.get("part") in {"a.m.", "am"} and hour == 12:
        hour = Fraction(0)
    return hour + minutes / 60, Fraction(1, 60), "o'clock", False


def _english_half(match: re.Match[str]) -> _Read:
    return Fraction(1, 2), Fraction(1, 2), match["unit"], False


def _english_share(match: re.Match[str]) -> _Read:
    share = {"half": Fraction(50), "quarter": Fraction(25), "three quarters": Fraction(75)}
    return share[match["share"].replace("-", " ")], Fraction(1), "%", True


def _english_number(match: re.Match[str]) -> _Read | None:
    """`six hundred and twelve thousand`; None for words that make no number in this order."""
    total, section = Fraction(0), Fraction(0)
    for word in re.split(r"[ -]", match["words"]):
        if word == "hundred":
            section *= 100
        elif word == "thousand":
            total, section = total + section * 1000, Fraction(0)
        elif word != "and":
            if section % 10 or (section % 100 and _ENGLISH[word] >= 10):
                return None
            section += _ENGLISH[word]
    return total + section, Fraction(1), "", False


def _number_and_a_half(match: re.Match[str]) -> _Read:
    whole = match["whole"]
    return Fraction(whole if whole.isdigit() else _ENGLISH[whole]) + Fraction(1, 2), Fraction(1, 2), "", False


def _with_fraction(match: re.Match[str]) -> _Read:
    part = {"½": Fraction(1, 2), "¼": Fraction(1, 4), "¾": Fraction(3, 4)}[match["part"]]
    return Fraction(match["whole"] or 0) + part, Fraction(1, 4), "", False


def _cents(match: re.Match[str]) -> _Read:
    return Fraction(int(match["cents"]), 100), Fraction(1, 100), "", False


_ENGLISH = {
    word: value
    for value, word in enumerate(
        (
            "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"
            " nineteen"
        ).split(),
        start=1,
    )
} | {word: 10 * tens for tens, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)}
_ENGLISH_WORD = "(?:" + "|".join(sorted(_ENGLISH, key=len, reverse=True)) + ")"
_CHINESE_SPANS = {"年": "年", "月": "个月", "个月": "个月", "小时": "小时", "天": "天", "周": "周"}
# Before each shape, what a text has to hold for it: most texts are passed over by that.
_SHAPES: tuple[tuple[tuple[str, ...], re.Pattern[str], Callable[[re.Match[str]], _Read | None]], ...] = tuple(
    (tuple(hint.split("|")), re.compile(pattern), read)
    for hint, pattern, read in (
        ("分之", rf"(?P<of>[百千万])分之(?P<whole>{_NUMBER})(?:点(?P<decimals>[零〇一二三四五六七八九]+))?", _percent),
        (
            "成",
            r"(?<![\d一二三四五六七八九十百分])(?P<tens>\d|[一二三四五六七八九])成(?P<ones>[一二三四五六七八九半])?"
            r"(?![为為不立本品员員功交果长長熟分套组組都就年绩績型色语語份人])",
            _tenths,
        ),
        (
            "点|點",
            rf"(?<![\d年月日午晚])(?P<whole>{_HAN}+)[点點](?P<decimals>[零〇一二三四五六七八九]+)"
            r"(?=[个個]百分点|倍|万|亿|[个個]月|公斤|千克|吨|毫米|厘米|米|公里|升|元|伏|安|兆|bar|%)",
            _spoken_decimal,
        ),
        ("半", rf"(?P<whole>{_NUMBER})[个個]?(?P<unit>年|月|小时|天|周)半(?!年|月|天|小)", _and_a_half),
        ("半", rf"(?P<whole>{_NUMBER})[个個]半(?P<unit>月|小时)", _and_a_half),
        ("半", r"(?<![上下前后每月年日天周\d一二三四五六七八九十])半(?P<unit>年|个月|小时|天)(?!度|报|制)", _half_a_span),
        ("年", rf"(?<!\d)(?P<years>\d{{1,2}}|{_HAN}{{1,2}})年(?:零|又|加)?(?P<months>{_NUMBER})个月", _years_and_months),
        (
            "点|點",
            r"(?P<part>早上|上午|中午|下午|晚上|傍晚|夜里|凌晨)(?P<hour>\d{1,2}|[一二两三四五六七八九十]{1,3})[点點]"
            r"(?:(?P<minute>\d{1,2}|[一二三四五六七八九十]{1,3})分|(?P<half>半))?",
            _time_of_day,
        ),
        (
            "点|點",
            r"(?<![\d.])(?P<hour>\d{1,2})[点點](?:(?P<minute>\d{1,2})分|(?P<half>半))?(?![\d个個建])",
            _time_of_day,
        ),
        ("am|pm|a.m|p.m", r"\b(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))? ?(?P<part>[ap]\.m\.|[ap]m\b)", _time_of_day),
        (
            "hundred|thousand",
            rf"(?<![\d.] )\b(?P<words>{_ENGLISH_WORD}(?:[ -]{_ENGLISH_WORD})? (?:hundred|thousand)"
            rf"(?:(?: and)?[ -](?:{_ENGLISH_WORD}|hundred|thousand))*)\b",
            _english_number,
        ),
        ("and a half", rf"\b(?P<whole>\d+|{_ENGLISH_WORD}) and a half\b", _number_and_a_half),
        ("½|¼|¾", r"(?P<whole>\d+)? ?(?P<part>[½¼¾])", _with_fraction),
        ("half a", r"\bhalf an? (?P<unit>year|hour|day|month)\b", _english_half),
        (
            "half|quarter",
            r"\b(?:one |a )?(?P<share>three[ -]quarters|half|(?<=a )quarter|(?<=one )quarter)(?= of\b| the\b)",
            _english_share,
        ),
        ("cent", r"(?<![\d.,])(?P<cents>\d{1,2}) cents?\b", _cents),
    )
)


_PARTS = frozenset(part for hint, _, _ in _SHAPES for part in hint)


def _decimal(whole: Fraction, decimals: str | None) -> tuple[Fraction, Fraction]:
    """The value with its decimals, which are spoken digit by digit, and the size of the last one."""
    value, step = whole, Fraction(1)
    for character in decimals or "":
        step /= 10
        value += _DIGITS[character] * step
    return value, step


def _value(written: str) -> Fraction | None:
    """The value of digits or of Chinese numerals below a thousand; None where these make no number."""
    if written[0].isdigit() and written.isascii():
        return Fraction(written)
    total = digit = 0
    for character in written:
        if character in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[character]
        else:
            total += (digit or 1) * _TENS[character]
            digit = 0
    return Fraction(total + digit)
