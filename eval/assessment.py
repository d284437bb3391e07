"""A sentence read for the house judge: the features that its weights are for, with what words and checks say on the way.

The judge and all that trains or calibrates it read sentences here, so that both see the same. What the evidence holds in another
spelling is read in the evidence's. This module knows no weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from eval import support
from eval.checks.claim import Claim
from eval.checks.run import Checked, run_checks
from eval.checks.statements import Statements
from eval.edits import features
from eval.edits.features import read_edits
from eval.support import Reading

SIGNS: dict[str, int] = {**support.SIGNS, **features.SIGNS}
"""Name → the sign its weight must have in the probability of being *un*supported: those of words, then those of edits."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the exact checks say of a sentence, and its features in the order of `SIGNS`."""

    checked: Checked
    features: tuple[float, ...]


def assess(sentence: str, statements: Statements, reading: Reading) -> Assessment:
    """The assessment of a sentence; `reading` is its own, against the evidence of the statements."""
    claim = Claim.of(sentence, statements)
    checked = run_checks(claim, reading)
    if checked.confirmed:
        respelled = checked.in_evidence_spelling(sentence)
        claim, reading = Claim.of(respelled, statements), statements.evidence.read(respelled)
    edits = read_edits(claim, reading, checked.findings)
    return Assessment(checked, (*reading.features, *edits))
