"""Features of how a sentence differs from the statements of the evidence that are nearest to it.

Each is 0 where nothing differs, and can only speak against support (`SIGNS`). Most grow with how like the two clauses are: the
more of a statement a sentence repeats, the more it means that the rest differs. They are judgements of probability; what is
sure without one is `eval.checks`, whose findings are one of them. docs/decisions/0027 has what each is worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eval.checks.claim import Claim
from eval.checks.comparison import SIDES
from eval.checks.finding import Finding
from eval.checks.modality import OPPOSED, Force, strongest_force
from eval.checks.names import may_be_han_name
from eval.checks.numbers import same_quantity
from eval.checks.opposites import GROUPS, WATCHED
from eval.checks.statements import read_statement
from eval.edits.pairing import Pair, Paired, folded
from eval.edits.places import cell_elsewhere, quantity_elsewhere
from eval.edits.words import CAUSE, RESTRICTION, UNIVERSAL, WIDE
from eval.support import Reading
from eval.units import Kind

SIGNS: dict[str, int] = dict.fromkeys(
    (
        "findings",
        "denied",
        "other_force",
        "universal",
        "restriction_lost",
        "bound_turned",
        "direction_turned",
        "opposite",
        "measure_elsewhere",
        "count_elsewhere",
        "cell_elsewhere",
        "other_person",
        "strange_cause",
    ),
    1,
)
"""Name → the sign its weight must have in the probability of being *un*supported."""

# The one is what `substitutions` counts among the words, the other mostly says that a number could not be calculated again.
_FINDINGS_LEFT_OUT = frozenset({"exchange", "arithmetic"})
_MODAL = frozenset({Force.EXEMPT, Force.FORBID, Force.OBLIGE, Force.PERMIT})
# From these shares on a difference counts, and then in proportion: below, two clauses in like words say different things anyway.
_LIKE = 0.4
_HARDLY_LIKE = 0.2
_ELSEWHERE = {True: 0.2, False: 0.3}
_STRANGE = 0.4


def read_edits(claim: Claim, reading: Reading, findings: Sequence[Finding]) -> tuple[float, ...]:
    """The values in the order of `SIGNS`, each in [0, 1]; `reading` and `findings` are those of the claim's sentence."""
    values = dict.fromkeys(SIGNS, 0.0)
    values["findings"] = float(any(finding.check not in _FINDINGS_LEFT_OUT for finding in findings))
    paired = Paired(claim, reading)
    if not paired.nearest:
        return tuple(values.values())
    ours = folded(claim.statement.text)
    for pair in paired.pairs():
        for name, value in _differences(pair, ours, paired.beside):
            values[name] = max(values[name], value)
    values["universal"] = float(bool(set(UNIVERSAL.findall(ours)) - set(UNIVERSAL.findall(paired.beside))))
    values["bound_turned"] = float(_bound_is_turned(paired))
    for quantity in claim.quantities:
        name = "measure_elsewhere" if quantity.measure else "count_elsewhere"
        share = quantity_elsewhere(paired, quantity)
        values[name] = max(values[name], _beyond(_ELSEWHERE[bool(quantity.measure)], share))
    values["cell_elsewhere"] = cell_elsewhere(paired)
    values["other_person"] = float(_names_another_person(paired, ours))
    values["strange_cause"] = _beyond(_STRANGE, _strange_cause(paired, ours))
    return tuple(values.values())


def _beyond(least: float, share: float) -> float:
    """The part of a share that lies above the least one that counts, in [0, 1]."""
    return max(0.0, (share - least) / (1 - least))


def _differences(pair: Pair, sentence: str, beside: str) -> Iterator[tuple[str, float]]:
    """What a clause says otherwise than the clauses that are most like it."""
    force = strongest_force(pair.ours)
    others = [strongest_force(clause) for clause in pair.theirs]
    if all(frozenset((force, other)) in OPPOSED for other in others):
        name = "other_force" if _MODAL.issuperset((force, *others)) else "denied"
        yield name, _beyond(_LIKE, pair.likeness)
    if RESTRICTION.search(pair.around) and set(WIDE.findall(sentence)) - set(WIDE.findall(beside)):
        yield "restriction_lost", _beyond(_HARDLY_LIKE, pair.likeness)
    opposites = [group.sides for group in GROUPS] if WATCHED.search(pair.ours) else []
    for name, families in (("direction_turned", SIDES.values()), ("opposite", opposites)):
        for sides in families:
            here = [at for at, side in enumerate(sides) if side.search(pair.ours)]
            there = [at for at, side in enumerate(sides) if side.search(pair.theirs[0])] if len(here) == 1 else []
            if len(there) == 1 and here != there:
                yield name, _beyond(_HARDLY_LIKE, pair.likeness)


def _bound_is_turned(paired: Paired) -> bool:
    """Whether a number that the sentence bounds from one side is bounded from the other side alone where it stands."""
    theirs = [quantity for text in paired.nearest for quantity in read_statement(text).quantities if quantity.bound]
    for ours in paired.claim.quantities:
        bounds = {other.bound for other in theirs if ours.bound and same_quantity(ours, other)}
        if bounds and ours.bound not in bounds:
            return True
    return False


def _names_another_person(paired: Paired, sentence: str) -> bool:
    """A first name of the evidence with another last name; in Chinese a family name with another end."""
    evidence = paired.claim.evidence.evidence
    previous = None
    for unit in paired.content:
        if (
            unit.name
            and unit.kind is Kind.WORD
            and unit.term not in evidence.positions
            and unit.term not in evidence.question_terms
            and previous
            and previous.name
            and previous.end + 1 == unit.start
            and previous.term in evidence.positions
        ):
            return True
        previous = unit
    if paired.claim.language != "zh":
        return False
    rare = evidence.background.is_unseen
    possible = (sentence[at : at + 3] for at in range(len(sentence) - 2))
    names = [name for name in possible if may_be_han_name(name) and rare(name[:2]) and rare(name[1:])]
    text = "\n".join(map(folded, evidence.texts)) if names else ""
    return any(name[:2] in text and name[1:] not in text for name in names)


def _strange_cause(paired: Paired, sentence: str) -> float:
    """The share, by rarity, of what follows a word for a reason that neither of the two nearest statements holds."""
    cause = CAUSE.search(sentence)
    after = [unit for unit in paired.content if unit.start >= cause.end()] if cause else []
    if not after:
        return 0.0
    held = {unit.term for text in paired.nearest[:2] for unit in read_statement(text).units}
    strange = sum(paired.rarity(unit.term) for unit in after if paired.meant(unit) not in held)
    return strange / (sum(paired.rarity(unit.term) for unit in after) or 1.0)
