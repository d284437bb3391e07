"""Sentences of passages, respelled honestly or changed in exactly one place, and how many of them the checks speak against.

A change says what kind it is and whether it is a fault; its patterns were not taken from the checks. Everything follows from the
order of the passages. It knows only what a pattern can change: no inference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from eval.check_figures.tally import Tally, checked
from eval.checks.statements import Statements
from eval.support import Evidence
from ingest.sentences import split_sentences

_MONTHS = "January February March April May June July August September October November December".split()
_MONTH = "|".join(_MONTHS)
_CHINESE_DATE = r"(\d{4})年(\d{1,2})月(\d{1,2})日(?!\s*\d)"
_PER_KIND = 200
_SENTENCE_CHARACTERS = (15, 220)


@dataclass(frozen=True, slots=True)
class Change:
    """One place of a sentence written otherwise; `is_fault` where that makes it wrong."""

    kind: str
    is_fault: bool
    pattern: re.Pattern[str]
    write: Callable[[re.Match[str]], str]

    def of(self, sentence: str) -> str | None:
        """The sentence with its first such place changed; None where it has none."""
        found = self.pattern.search(sentence)
        return sentence[: found.start()] + self.write(found) + sentence[found.end() :] if found else None


def _words(pairs: str) -> tuple[re.Pattern[str], Callable[[re.Match[str]], str]]:
    """A pattern of the words of `a>b, c>d` and what writes the second for the first."""
    table = dict(pair.split(">") for pair in pairs.split(", "))
    marked = [rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in sorted(table, key=len, reverse=True)]
    return re.compile("|".join(marked)), lambda match: table[match.group()]


def _change(kind: str, pattern: str, write: Callable[[re.Match[str]], str], *, is_fault: bool = True) -> Change:
    return Change(kind, is_fault, re.compile(pattern), write)


def _next_month(name: str) -> str:
    return _MONTHS[(_MONTHS.index(name) + 5) % 12]


# What a careless writer puts in a unit's place.
_OTHER_UNIT: dict[str, str] = {
    "kg": "g", "mm": "m", "days": "weeks", "weeks": "months", "months": "days", "hours": "days", "minutes": "hours",
    "公斤": "吨", "毫米": "米", "天": "个月", "个月": "天", "小时": "天", "分钟": "小时",
}  # fmt: skip
_HONEST = (
    _change("separators", r"(?<![\d.,/-])\d{1,3}(?:,\d{3})+(?![\d.])", lambda m: m.group().replace(",", ""), is_fault=False),
    _change("date in digits", _CHINESE_DATE, lambda m: f"{m[1]}-{int(m[2]):02}-{int(m[3]):02}", is_fault=False),
    _change("month first", rf"\b(\d{{1,2}}) ({_MONTH})\b(?! \d)", lambda m: f"{m[2]} {m[1]}", is_fault=False),
    _change("万 written out", r"(?<![\d.,])(\d+)[万萬](?=[人元名])", lambda m: f"{m[1]}0000", is_fault=False),
    _change("smaller unit", r"(?<![\d.,–-])(\d+) (?:kg|km)\b", lambda m: f"{m[1]}000 {m.group()[-1]}", is_fault=False),
    _change("percent sign", r"(?<=\d) ?percent\b", lambda _: "%", is_fault=False),
)
_FAULTS = (
    _change("digits", r"(?<![\d.,A-Za-z/-])\d{1,3}(?![\d.,/%]|\w*-)", lambda m: str(int(m.group()) + 3)),
    _change("month", rf"\b(?:{_MONTH})(?= \d)|(?<=\d )(?:{_MONTH})\b", lambda m: _next_month(m.group())),
    _change("month", r"(?<!\d)\d{1,2}月(?=\d)", lambda m: f"{(int(m.group()[:-1]) + 4) % 12 + 1}月"),
    _change("day", rf"(?<=月)\d{{1,2}}(?=日)|\b\d{{1,2}}(?= (?:{_MONTH})\b)", lambda m: str(int(m.group()) % 28 + 1)),
    _change("code", r"\b[A-Z]{1,4}-\d+\b", lambda m: m.group()[:-1] + str((int(m.group()[-1]) + 4) % 10)),
    Change("scale", True, *_words("million>billion, billion>million, thousand>million, 万>亿, 萬>億, 亿>万, 億>萬")),
    _change("unit", r"(?<=\d )(?:kg|mm|days|weeks|months|hours|minutes)\b", lambda m: _OTHER_UNIT[m.group()]),
    _change("unit", r"(?<=\d)(?:公斤|毫米|天|个月|小时|分钟)", lambda m: _OTHER_UNIT[m.group()]),
    Change("must and may", True, *_words("may>must, must>may, 必须>可以, 应当>可以, 可以>不得, 不得>可以, 禁止>允许")),
    _change("negated", r"\b(?:is|are|was|were|must|can)\b(?! not)", lambda m: f"{m.group()} not"),
    _change("not left out", r"\b(is|are|was|were|does|must) not\b", lambda m: m[1]),
    Change("direction", True, *_words(
        "more than>less than, less than>more than, higher>lower, lower>higher, above>below, below>above, before>after, "
        "after>before, increased>decreased, decreased>increased, larger>smaller, smaller>larger, at least>at most, "
        "up to>at least, maximum>minimum, highest>lowest, earlier>later, rose>fell, fell>rose, 高于>低于, 低于>高于, "
        "大于>小于, 超过>低于, 至少>最多, 以上>以下, 以下>以上, 之前>之后, 之后>之前, 增加>减少, 减少>增加, 上升>下降, "
        "下降>上升, 提高>降低, 降低>提高, 最高>最低, 最低>最高"
    )),
)  # fmt: skip
_NAMES = ("honest", "fault")


def measure_changes(passages: Iterable[str]) -> Tally:
    """By `fault` or `honest` and kind, what was spoken against; every sentence as it is comes as `verbatim`."""
    tally = Tally()
    for passage in passages:
        evidence = Statements(Evidence([passage]))
        for name, sentence in _written(passage):
            if tally.tried[name] < _PER_KIND:
                tally.add(name, bool(checked(sentence, evidence).findings))
    return tally


def _written(passage: str) -> Iterator[tuple[tuple[str, str], str]]:
    shortest, longest = _SENTENCE_CHARACTERS
    for sentence in split_sentences(passage):
        if not shortest <= len(sentence) <= longest:
            continue
        yield ("honest", "verbatim"), sentence
        for change in (*_HONEST, *_FAULTS):
            written = change.of(sentence)
            if written and written not in passage:
                yield (_NAMES[change.is_fault], change.kind), written
