"""How far a sentence reaches: does it say `all`, `always` or `only` where the evidence speaks of some, or of others too?

Only a sentence that else holds little but words of one statement is compared with it, and only where that statement restricts
what the sentence leaves open, or the other way round.
"""

from __future__ import annotations

import re

from eval.checks.claim import Claim
from eval.checks.finding import Finding
from eval.checks.statements import Statement, read_statement, terms_of
from eval.types import Fault
from ingest.tokens import STOP_WORDS

_ALL = re.compile(
    r"(?<!was )(?<!were )\b(?:all|every|everybody|everyone|everything|anybody|anyone|always"
    r"|whenever|whatever|whichever|regardless|entirely)\b"
    r"|所有|任何|一律|全部|人人|各种|各類|无论|無論|不论|不論|随时|全公司|全体|全年|总是|一直都|每[个位名][人员]|都(?=[是要得有能可须必实享补奖])"
)
_SOME = re.compile(
    r"\b(?:only|except|unless|some|most|mostly|several|certain|on average|as a rule|usually|normally|in general|excluding"
    r"|other than|but not|if|when)\b"
    r"|仅|僅|只|除非|除了|除外|以外|限(?=于)|部分|一般|通常|平均|的，"
)
_ONLY = re.compile(r"\b(?:only|solely|exclusively|just)\b|仅|僅|只(?:有|能|限|对|在|给|适用)|唯一")
# The thing right after the word of reach; what a Chinese one may follow without being a kind of it.
_NAMED = re.compile(r"\s?([a-z]{4,}|[\u4e00-\u9fff]{2})")
_NO_KIND = re.compile(r"公司|本厂|我们|单位|[的由对为向给和与及让使将在]$")
# Of the sentence's rarity without the word of reach, what the statement has to hold.
_SAME = 0.75

_REASONS = {
    "widened": {
        "en": "the evidence does not say it of “{ours}”: it says “{theirs}”",
        "zh": "依据并未说“{ours}”，原文有限定：“{theirs}”",
    },
    "narrowed": {"en": "the evidence says “{theirs}”, not “{ours}”", "zh": "依据说的是“{theirs}”，不是“{ours}”"},
}


def check_scope(claim: Claim) -> Finding | None:
    """A sentence that says more cases, or fewer, than the statement that it follows."""
    for kind, watched, restricted, open_ in (("widened", _ALL, _SOME, _ALL), ("narrowed", _ONLY, _ALL, _ONLY)):
        match = watched.search(claim.statement.folded)
        if match is None or (kind == "widened" and _SOME.search(claim.statement.folded)):
            continue
        near = _nearest(claim, watched)
        theirs = [_restricting(statement, restricted, claim, match if kind == "widened" else None) for statement in near]
        if near and all(theirs) and not any(open_.search(statement.folded) for statement in near):
            said = theirs[0]
            ours = claim.statement.text[match.start() : match.end()]
            reason = _REASONS[kind][claim.language].format(ours=ours, theirs=said)
            return Finding("scope", Fault.CONTRADICTED, reason, (match.span(),))
    return None


def _restricting(statement: Statement, restricted: re.Pattern[str], claim: Claim, reach: re.Match[str] | None) -> str:
    """What restricts the statement: a word for it, or what stands right before the thing that ours speaks of all of."""
    found = restricted.search(statement.folded)
    if found or reach is None:
        return found.group() if found else ""
    named = _NAMED.match(claim.statement.folded, reach.end())
    if named is None:
        return ""
    of_it = re.compile(rf"([a-z-]{{3,}}|[\u4e00-\u9fff]{{2}})\s?{re.escape(named[1])}")
    kinds = [match[1] for match in of_it.finditer(statement.folded)]
    everywhere = statement.folded.count(named[1]) == len(kinds)
    if (
        kinds
        and everywhere
        and not any(one in STOP_WORDS or one in claim.statement.folded or _NO_KIND.search(one) for one in kinds)
    ):
        return kinds[0]
    return ""


def _nearest(claim: Claim, watched: re.Pattern[str]) -> list[Statement]:
    """The statements that hold nearly all of the sentence but its words of reach, numbers among them; the best alone."""
    spans = [match.span() for match in watched.finditer(claim.statement.folded)]
    terms = terms_of([unit for unit in claim.statement.units if unit.content], spans)
    if not terms:
        return []
    coverage = claim.evidence.coverage(terms)
    best = max(coverage.values(), default=0.0)
    return [read_statement(text) for text, share in coverage.items() if share >= _SAME and share >= best - 0.1]
