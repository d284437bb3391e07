"""Directions: more or less, before or after, up or down, at least or at most: does the evidence point the same way?

Only clauses that are else alike are compared, or bounds on the very same number. A comparison turned round (`A is above B`,
`B is below A`) says the same, so nothing is said where the two sides have changed places.
"""

from __future__ import annotations

import re

from eval.checks.claim import Claim
from eval.checks.clauses import Clause, alike, in_its_place, order_is_kept
from eval.checks.finding import Finding
from eval.checks.numbers import Sought
from eval.types import Fault

_PAIRS: dict[str, tuple[str, str]] = {
    "amount": (
        r"\b(?:more|higher|greater|larger|bigger|longer|heavier|above|exceed(?:s|ed|ing)?|faster|older|warmer|hotter|stronger)\b"
        r"|高于|高於|大于|大於|多于|多於|超过|超過|长于|快于|优于|强于|胜过",
        r"\b(?:less|fewer|lower|smaller|shorter|lighter|below|slower|younger|colder|cooler|weaker)\b"
        r"|低于|低於|小于|小於|少于|少於|不足|短于|慢于|劣于|弱于|不及",
    ),
    "change": (
        r"\b(?:increas\w+|rises?|rose|risen|rising|grew|grows?|grown|growing|raised?|raises|gained|climb\w*|up)\b"
        r"|增加|上升|提高|增长|增長|上涨|上漲|扩大|擴大|升高|提升|上调|延长|延長",
        r"\b(?:decreas\w+|falls?|fell|fallen|falling|dropp?\w*|declin\w+|reduc\w+|shr[aiu]nk\w*|lowered|lowers|cut|down)\b"
        r"|减少|減少|下降|降低|下跌|缩小|縮小|下调|缩短|縮短|回落",
    ),
    "time": (
        r"\b(?:before|prior to|earlier|ahead of)\b|之前|以前|早于|早於"
        r"|(?<![目当當之以提空面日])前(?![述者提景期往进進面任身台後后])",
        r"\b(?:after|following|later|afterwards|since)\b"
        r"|之后|之後|以后|以後|晚于|晚於|(?<![之以最随隨然此前先日])[后後](?![者续續果勤台代备備面来來裔])",
    ),
    "extreme": (
        r"\b(?:maximum|highest|largest|greatest|longest|latest|biggest|most)\b|最高|最大|最多|至多|不超过|不超過|最长|最長|最晚|上限",
        r"\b(?:minimum|lowest|smallest|shortest|earliest|least|fewest)\b|最低|最小|最少|至少|不少于|不少於|不低于|不低於|最短|最早|下限",
    ),
}
SIDES = {family: (re.compile(plus), re.compile(minus)) for family, (plus, minus) in _PAIRS.items()}
"""Family → the words of its two directions."""
_WATCHED = re.compile("|".join(side for sides in _PAIRS.values() for side in sides))
# A direction that is denied points the other way: both have to be denied, or neither.
_DENIED = re.compile(r"\b(?:not|no|never|nor|neither|without|hardly)\b|n't\b|不|没|沒|未|无|無|非")
_OURS, _THEIRS = 0.9, 0.6
# The very same number speaks for the same thing too, so less of the sentence's words has to.
_BOUND_SHARE = 0.55

_REASONS = {
    "direction": {"en": "the evidence says “{theirs}”, not “{ours}”", "zh": "依据中是“{theirs}”，不是“{ours}”"},
    "bound": {"en": "the evidence says {theirs} {number}, not {ours}", "zh": "依据中{number}是{theirs}，不是{ours}"},
}
_BOUNDS = {"en": {"at least": "at least", "at most": "at most"}, "zh": {"at least": "下限", "at most": "上限"}}


def check_direction(claim: Claim) -> Finding | None:
    """A clause that the evidence has in like words, but pointing the other way."""
    if not _WATCHED.search(claim.statement.folded):
        return None
    for ours, theirs in alike(claim, _WATCHED, ours_share=_OURS, theirs_share=_THEIRS):
        for sides in SIDES.values():
            here = _one_side(ours, sides)
            if here is None:
                continue
            there = [_one_side(clause, sides) for clause in theirs]
            if all(
                other is not None
                and other[0] != here[0]
                and _is_denied(clause) == _is_denied(ours)
                and order_is_kept(ours, clause, here[1].start(), other[1].start())
                for other, clause in zip(there, theirs, strict=True)
            ):
                said = next(other for other in there if other)[1].group()
                start, end = (ours.start + place for place in here[1].span())
                reason = _REASONS["direction"][claim.language].format(theirs=said, ours=claim.statement.text[start:end])
                return Finding("comparison", Fault.CONTRADICTED, reason, ((start, end),))
    for sides in SIDES.values():
        if exchanged := in_its_place(claim, sides):
            start, end = exchanged[0].span()
            reason = _REASONS["direction"][claim.language].format(
                theirs=exchanged[1].group(), ours=claim.statement.text[start:end]
            )
            return Finding("comparison", Fault.CONTRADICTED, reason, ((start, end),))
    return None


def check_bounds(claim: Claim, sought: list[Sought]) -> Finding | None:
    """A number that the evidence bounds from the other side: `at least 30 days` for `at most 30 days`."""
    for one in sought:
        bound = one.quantity.bound
        if bound is None or not one.held:
            continue
        near = [other for other, statement in one.held if claim.coverage.get(statement.text, 0.0) >= _BOUND_SHARE and other.bound]
        if near and all(other.bound is not bound for other in near):
            names = _BOUNDS[claim.language]
            start, end = one.quantity.start, one.quantity.end
            reason = _REASONS["bound"][claim.language].format(
                theirs=names[str(near[0].bound)], ours=names[str(bound)], number=claim.statement.text[start:end]
            )
            return Finding("comparison", Fault.CONTRADICTED, reason, ((start, end),))
    return None


def _is_denied(clause: Clause) -> bool:
    return bool(_DENIED.search(_WATCHED.sub("", clause.text)))


def _one_side(clause: Clause, sides: tuple[re.Pattern[str], re.Pattern[str]]) -> tuple[int, re.Match[str]] | None:
    """Which side the clause takes and the word for it; None where it takes none, or both."""
    found = [(side, match) for side, pattern in enumerate(sides) for match in [pattern.search(clause.text)] if match]
    return found[0] if len(found) == 1 else None
