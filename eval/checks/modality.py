"""Must, may, must not, need not, and plain negation: does the evidence say so with the same force?

Only two clauses that are else alike are compared, and only readings that exclude each other are held against the sentence:
`must` against a plain statement says nothing, `must` against `may` does. Bounds (`no more than`, 不得超过) are no negations.
"""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import takewhile

from eval.checks.claim import Claim
from eval.checks.clauses import alike
from eval.checks.finding import Finding
from eval.types import Fault


class Force(StrEnum):
    """What a clause does with what it says."""

    EXEMPT = "exempt"
    FORBID = "forbid"
    OBLIGE = "oblige"
    PERMIT = "permit"
    DENY = "deny"
    STATE = "state"


_WORDS = {
    Force.EXEMPT: r"\b(?:need not|needn't|not requires?|not required|not need|not have to|not necessary|not obliged"
    r"|no (?:\w+ ){1,4}(?:is |are )?(?:required|needed|necessary)|needs? no"
    r"|optional(?:ly)?|voluntary|voluntarily|exempt)\b"
    r"|无需|無需|不必|不需|无须|無須|毋须|可不|免于|免除|自愿|自願",
    Force.FORBID: r"\b(?:must not|mustn't|may not|shall not|cannot|can not|can't|not allowed|not permit|not allow|not permitted"
    r"|not be|prohibited|prohibits?|forbidden|forbids?|never|should not|shouldn't|not to)\b"
    r"|不得(?!不)|禁止|严禁|嚴禁|不准|不许|不許|不可(?!避免|缺少|或缺|或少)|不能(?!不)|不允许|不允許|不应(?!期)|不應|不要|不宜|切勿",
    Force.OBLIGE: r"\b(?:must|shall|has to|have to|needs? to|required?|requires?|mandatory|obliged|compulsory)\b"
    r"|必须|必須|不得不|应当|應當|(?<![供响反适对相效回感呼響對適])[应應](?![用对急付聘届力變变])|(?<!必)须(?!知)|务必|有义务|需(?![求量])",
    Force.PERMIT: r"\b(?:may|can|allowed to|allowed|permitted|permits?|free to|entitled to)\b"
    r"|可以|(?<![许认不許認])可(?!持续|[能靠见行燃调编变视惜爱怕观疑谓以用不])|允许|允許|准许|有权|有權",
    Force.DENY: r"\b(?:not|no|never|neither|nor|without|none|nobody|nothing)\b|n't\b"
    r"|没有|沒有|并非|並非|不是|(?<![并以无])未(?![来來必婚成])"
    r"|不(?![同仅断久少过過足但料锈銹])|无(?!锡|线|论|人机|缝)|無(?!錫|線|論|縫)",
}
_FORCES = {force: re.compile(pattern) for force, pattern in _WORDS.items()}
WATCHED = re.compile("|".join(_WORDS.values()) + r"|\b(?:be|to|do|does|did|is|are|should|always)\b")
# Limits are no negations.
_BOUND = re.compile(
    r"\b(?:no|not) (?:\w+ ){0,4}(?:more|less|fewer|later|longer|earlier|higher|lower|greater|smaller|larger|shorter) than\b"
    r"|\bnot exceed\w*\b"
    r"|\bnot only\b|\bno\. ?\d|\bnot (?:yet|until)\b"
    r"|不(?:得|能|可|应|應|允许)?(?:超过|超過|少于|少於|低于|低於|高于|高於|大于|大於|小于|小於|多于|多於|晚于|早于|迟于|逾)|不[仅僅]"
)
# Where one of these stands, the force may hang on something outside the clause.
_CONDITION = re.compile(
    r"\b(?:unless|except|only|otherwise|if|whether|until|nor|not\b.*\bbefore|prevent\w*|avoid\w*|from \w+ing|so that)\b"
    r"|防止|避免|以免|免得|除非|除|只有|只能|仅|僅|否则|否則|如果|若|是否|未经|未經|没有.*不|不.*不"
)

OPPOSED = frozenset(
    frozenset(pair)
    for pair in (
        (Force.OBLIGE, Force.PERMIT),
        (Force.OBLIGE, Force.FORBID),
        (Force.OBLIGE, Force.EXEMPT),
        (Force.OBLIGE, Force.DENY),
        (Force.PERMIT, Force.FORBID),
        (Force.PERMIT, Force.DENY),
        (Force.FORBID, Force.EXEMPT),
        (Force.FORBID, Force.STATE),
        (Force.EXEMPT, Force.STATE),
        (Force.DENY, Force.STATE),
    )
)
# Of a clause's rarity, what the other must hold before their forces are compared (docs/decisions/0020).
_OURS, _THEIRS = 0.85, 0.7

_REASON = {
    "en": "the evidence says it otherwise: {theirs}",
    "zh": "依据的说法与此相反：{theirs}",
}
_PLAIN = {"en": "without “{ours}”", "zh": "没有“{ours}”"}


def check_modality(claim: Claim) -> Finding | None:
    """A clause that the evidence has in like words, but with a force that excludes it."""
    for ours, theirs in alike(claim, WATCHED, ours_share=_OURS, theirs_share=_THEIRS):
        mine = force_of(ours.text)
        others = [force_of(clause.text) for clause in theirs]
        if mine is None or any(other is None or frozenset((mine[0], other[0])) not in OPPOSED for other in others):
            continue
        if mine[1] and any(_says_too(mine[0], clause.text) for clause in theirs):
            continue
        other = next(other for other in others if other)
        start = ours.start + mine[1].start() if mine[1] else ours.start
        end = ours.start + mine[1].end() if mine[1] else ours.start + len(ours.text.rstrip())
        said = other[1].group() if other[1] else _PLAIN[claim.language].format(ours=claim.statement.text[start:end])
        return Finding("modality", Fault.CONTRADICTED, _REASON[claim.language].format(theirs=said), ((start, end),))
    return None


def force_of(clause: str) -> tuple[Force, re.Match[str] | None] | None:
    """The force of a lower-case clause and the word that gives it; None where it hangs on a condition."""
    if _CONDITION.search(clause):
        return None
    plain = _without_bounds(clause)
    force = strongest_force(clause)
    return force, None if force is Force.STATE else _FORCES[force].search(plain)


def _says_too(force: Force, clause: str) -> bool:
    """Whether a clause says this too of one of its things: a firm `can` obtain what it `must` pay for."""
    rest = _without_bounds(clause)
    for stronger in takewhile(lambda one: one is not force, _FORCES):
        rest = _FORCES[stronger].sub("", rest)  # the `must` of `must not` demands nothing
    return _FORCES[force].search(rest) is not None


def strongest_force(clause: str) -> Force:
    """The force of a lower-case clause, whatever it hangs on: that of the first of `Force` with a word in it."""
    plain = _without_bounds(clause)
    return next((force for force, pattern in _FORCES.items() if pattern.search(plain)), Force.STATE)


def _without_bounds(clause: str) -> str:
    return _BOUND.sub(lambda match: " " * len(match.group()), clause)
