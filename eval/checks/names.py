"""Names and codes: is the one that the sentence gives the one that the evidence gives?

Codes (HX-200, ISO 9001-like) are compared without separators. People are known by capitals in English and by a family name in
Chinese, and only in a sentence that else follows one of the evidence, so that a word from elsewhere is no exchange.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from eval.checks.claim import Claim
from eval.checks.finding import Finding
from eval.checks.statements import Statement, read_statement
from eval.types import Fault
from eval.units import Kind, Unit

_REASONS = {
    "code": {"en": "the evidence does not hold {ours}", "zh": "依据中没有{ours}"},
    "other": {"en": "the evidence says {theirs}, not {ours}", "zh": "依据中是{theirs}，不是{ours}"},
}
_SEPARATORS = re.compile(r"[-_/. ]")
_LETTERS = re.compile(r"[a-z]+")
# `30-day` and `2nd` are numbers, not codes.
_NO_CODE = re.compile(r"\d+-[a-z]+$|[a-z]+-\d+(?:st|nd|rd|th)$|\d+(?:st|nd|rd|th|s|k|m|x)$")
_CAPITALS = re.compile(r"[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)+")
# Frequent family names, those left out that are common words as well (成, 时, 向, 路, 单, 车).
_FAMILY_NAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任"
    "姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文施温季俞章鲁葛伍韦申尤毕聂焦柳邢岳齐"
    "梅莫庄辛祝涂祁舒耿牟詹苗凌费纪靳童欧甄项裴席卫屈鲍覃霍翁隋柏柯阮桂闵柴冉蓝诸穆骆樊殷倪严牛"
)
# A name takes so many of a short Chinese sentence's character pairs that little more than this is left to be the same.
_SAME_BUT_A_NAME = 0.4
_SAME_CHARACTERS = 0.7
# What a person's name follows; other characters before a family name mostly make a word with it (服务费, 工具钟).
_BEFORE_NAMES = re.compile(
    r"(?<=.)[为是由叫]$|(?:经理|主任|主管|部长|总监|书记|校长|院长|主席|总裁|事长|程师|医生|组长|班长|店长|责人|系人|批人)$"
)
_HAN_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")


def check_codes(claim: Claim) -> list[Finding]:
    """Codes that the evidence does not hold, or holds of something else."""
    found = []
    for unit in claim.statement.units:
        if unit.kind is Kind.CODE and not _NO_CODE.match(unit.term):
            finding = _check_code(claim, unit)
            if finding:
                found.append(finding)
    return found


def _check_code(claim: Claim, unit: Unit) -> Finding | None:
    wanted = _bare(unit.term)
    held = any(_bare(term) == wanted for term in claim.evidence.evidence.positions if any(c.isdigit() for c in term))
    if held or _stands_apart(claim, unit):
        return None
    for statement in claim.nearest_without([(unit.start, unit.end)]):
        others = [other for other in statement.units if other.kind is Kind.CODE and _is_like(other.term, unit.term)]
        others = [other for other in others if all(other.term != ours.term for ours in claim.statement.units)]
        if others:
            theirs = statement.text[others[0].start : others[0].end]
            return _finding(claim, "other", Fault.CONTRADICTED, (unit.start, unit.end), theirs)
    return _finding(claim, "code", Fault.NOT_IN_EVIDENCE, (unit.start, unit.end), "")


def _stands_apart(claim: Claim, unit: Unit) -> bool:
    """Whether the evidence holds the parts of the code as words and numbers of their own: `IEC 60034` for iec-60034."""
    parts = re.findall(r"[a-z]+|\d+", unit.term)
    return claim.evidence.holds(str(int(part)) if part.isdigit() else part for part in parts)


def _is_like(first: str, second: str) -> bool:
    return _LETTERS.findall(first)[:1] == _LETTERS.findall(second)[:1]


def _bare(term: str) -> str:
    return _SEPARATORS.sub("", term)


def check_people(claim: Claim) -> Finding | None:
    """A person's name in the place of another one, in a sentence that else follows one of the evidence."""
    exchanges = _chinese_exchanges(claim) if claim.language == "zh" else _english_exchanges(claim)
    for span, theirs, statement in exchanges:
        if theirs not in claim.statement.text and claim.statement.text[span[0] : span[1]] not in statement.text:
            return _finding(claim, "other", Fault.CONTRADICTED, span, theirs)
    return None


def _english_exchanges(claim: Claim) -> Iterator[tuple[tuple[int, int], str, Statement]]:
    """Capitalised runs that stand between the same words as another one there."""
    for match in _CAPITALS.finditer(claim.statement.text):
        beside = _beside(claim.statement.text, match.span())
        for statement in claim.nearest_without([match.span()]) if any(beside) else ():
            for other in _CAPITALS.finditer(statement.text):
                if beside == _beside(statement.text, other.span()) and not _shares_word(other.group(), match.group()):
                    yield match.span(), other.group(), statement


def _beside(text: str, span: tuple[int, int]) -> tuple[str, str]:
    before, after = re.findall(r"\w+", text[: span[0]].lower()), re.findall(r"\w+", text[span[1] :].lower())
    return " ".join(before[-1:]), " ".join(after[:1])


def _shares_word(first: str, second: str) -> bool:
    return bool(set(first.lower().split()) & set(second.lower().split()))


def _chinese_exchanges(claim: Claim) -> Iterator[tuple[tuple[int, int], str, Statement]]:
    """Two to four characters that begin with a family name in the place of two to four that do as well."""
    ours = claim.statement.text
    if not any(character in _FAMILY_NAMES for character in ours):
        return
    yield from _strange_names(claim)
    for text, share in claim.coverage.items():
        if share < _SAME_BUT_A_NAME:
            continue
        matcher = SequenceMatcher(None, text, ours, autojunk=False)
        if matcher.ratio() < _SAME_CHARACTERS:
            continue
        for kind, a, b, c, d in matcher.get_opcodes():
            if kind == "replace" and may_be_han_name(text[a:b]) and may_be_han_name(ours[c:d]):
                yield (c, d), text[a:b], read_statement(text)


def _strange_names(claim: Claim) -> Iterator[tuple[tuple[int, int], str, Statement]]:
    """Names of which the evidence has no pair of characters, after the same two characters as another name there."""
    evidence, ours = claim.evidence.evidence, claim.statement.text
    for at in range(2, len(ours) - 2):
        name, before = ours[at : at + 3], ours[at - 2 : at]
        if not (_BEFORE_NAMES.search(before) and _is_rare_name(name, claim)):
            continue
        if not evidence.positions.keys().isdisjoint((name[:2], name[1:])):
            continue
        for text in claim.coverage:
            other = text.partition(before)[2][:3]
            if _is_rare_name(other, claim):
                yield (at, at + 3), other, read_statement(text)


def _is_rare_name(text: str, claim: Claim) -> bool:
    unseen = claim.evidence.evidence.background.is_unseen
    return len(text) == 3 and may_be_han_name(text) and unseen(text[:2]) and unseen(text[1:])


def may_be_han_name(text: str) -> bool:
    """Whether the text is two to four Chinese characters that begin with a frequent family name."""
    return bool(_HAN_NAME.fullmatch(text)) and text[0] in _FAMILY_NAMES


def _finding(claim: Claim, kind: str, fault: Fault, span: tuple[int, int], theirs: str) -> Finding:
    ours = claim.statement.text[span[0] : span[1]]
    return Finding("names", fault, _REASONS[kind][claim.language].format(ours=ours, theirs=theirs), (span,))
