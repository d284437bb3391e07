"""Words that exclude each other: a sentence has one of them where the evidence, else in like words, has the other.

Opposites, ordinals and periods of the general language. Must and may are `eval.checks.modality`, more and less are
`eval.checks.comparison`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from eval.checks.claim import Claim
from eval.checks.clauses import Clause, alike, in_its_place
from eval.checks.finding import Finding
from eval.types import Fault

# A group a line, in it what excludes each other, between bars; a word ends with * where its endings do not matter.
_LISTED = """
approv* | refus* reject* declin*
accept* | refus* reject*
compulsory mandatory | optional voluntary recommend*
includ* | exclud* without
with | without
open opens opened | close closes closed shut
passed | failed
first | second | third | fourth | last
daily | weekly | monthly | quarterly | yearly annually
day | week | month | quarter | year
allow* permit* | forbid* prohibit* ban banned
keep keeps kept | remove*
buyer purchaser | seller vendor
customer* client* | supplier*
employer | employee*
lender | borrower
tenant | landlord
input | output
inlet | outlet
internal* | external*
inside indoors | outside outdoors
left | right
clockwise | counterclockwise anticlockwise
hot | cold
wet | dry
empty | full
valid | invalid
available | unavailable
paid | unpaid
start starts started begin begins began | stop stops stopped end ends ended
enable* activat* | disable* deactivat*
import* | export*
win won | lose lost
male men | female women
domestic | international foreign
gross | net
temporary temporarily | permanent permanently
present attended | absent excused
打开 开启 | 关闭 关上
提前 | 推迟 延后 顺延
偏低 | 偏高
停止 暂停 | 照常 继续
批准 同意 通过 | 否决 拒绝 驳回
标配 标准配件 | 选配 选装件
包含 包括 计入 | 不含 不包括 不计
另算 另计 另付 | 全包 已含
免费 | 收费 付费 自费
甲方 | 乙方
买方 | 卖方
出租 | 承租
用人单位 雇主 | 劳动者 雇员
夜班 | 中班 | 白班 | 早班
一天 | 一周 | 一个月 | 一季度 | 一年
每天 每日 | 每周 每星期 | 每月 | 每季 每季度 | 每年
第一 | 第二 | 第三 | 第四 | 最后
首次 | 末次
本科 | 硕士 | 博士
春 | 夏 | 秋 | 冬
东 | 西 | 南 | 北
左 | 右
内部 | 外部
进口 | 出口
合格 | 不合格
有效 | 无效
长期 | 临时 短期
税前 | 税后
含税 | 不含税 未税
工作日 | 自然日 日历日
顺时针 | 逆时针
书面 | 口头
兼职 | 全职
"""
_OURS, _THEIRS = 0.8, 0.4

_REASON = {"en": "the evidence says “{theirs}”, not “{ours}”", "zh": "依据中是“{theirs}”，不是“{ours}”"}


@dataclass(frozen=True, slots=True)
class Group:
    """Words that exclude each other: a pattern a side, each in lower case and simplified characters."""

    sides: tuple[re.Pattern[str], ...]


def _words(side: str) -> list[str]:
    """The words of a side, the longest first: where one begins another, the whole is meant."""
    return sorted(side.split(), key=len, reverse=True)


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    """English words whole, Chinese ones anywhere. A boundary asked for at each word would make it seven times as slow."""
    plain = [re.escape(word.rstrip("*")) + ("[a-z]*" if word.endswith("*") else "") for word in words]
    english = "|".join(word for word in plain if word[0].isascii())
    chinese = "|".join(word for word in plain if not word[0].isascii())
    return re.compile("|".join(part for part in (english and rf"\b(?:{english})\b", chinese) if part))


_SIDES = [[_words(side) for side in line.split("|")] for line in _LISTED.strip().splitlines()]
GROUPS = tuple(Group(tuple(map(_pattern, sides))) for sides in _SIDES)
WATCHED = _pattern([word for sides in _SIDES for words in sides for word in words])
_DENIED = re.compile(r"\b(?:not|no|never|nor|neither|hardly|cannot)\b|n't\b|不|没|沒|未|无|無|勿|非")


def check_opposites(claim: Claim) -> Finding | None:
    """A clause that the evidence has in like words, but with a word that excludes ours."""
    if not WATCHED.search(claim.statement.folded):
        return None
    for ours, theirs in alike(claim, WATCHED, ours_share=_OURS, theirs_share=_THEIRS):
        for group in GROUPS:
            here = _only_side(group, ours.text)
            if here is None:
                continue
            there = [_only_side(group, clause.text) for clause in theirs]
            if all(
                other is not None and other[0] != here[0] and _is_denied(clause) == _is_denied(ours)
                for other, clause in zip(there, theirs, strict=True)
            ):
                said = next(other for other in there if other)[1].group()
                start, end = (ours.start + place for place in here[1].span())
                reason = _REASON[claim.language].format(theirs=said, ours=claim.statement.text[start:end])
                return Finding("opposites", Fault.CONTRADICTED, reason, ((start, end),))
    for group in GROUPS:
        if exchanged := in_its_place(claim, group.sides):
            start, end = exchanged[0].span()
            reason = _REASON[claim.language].format(theirs=exchanged[1].group(), ours=claim.statement.text[start:end])
            return Finding("opposites", Fault.CONTRADICTED, reason, ((start, end),))
    return None


def _only_side(group: Group, text: str) -> tuple[int, re.Match[str]] | None:
    """The one side that the text takes, and the word for it; None where it takes none, or more than one."""
    found = [(side, match) for side, pattern in enumerate(group.sides) for match in [pattern.search(text)] if match]
    return found[0] if len(found) == 1 else None


def _is_denied(clause: Clause) -> bool:
    return bool(_DENIED.search(WATCHED.sub("", clause.text)))
