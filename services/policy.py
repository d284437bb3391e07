"""What is done with weak answers: the choices that an administrator has, before anything is written and after.

This module decides nothing by itself: whether evidence is weak is said by `eval.evidence`, what is unsupported by the judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WeakEvidence(StrEnum):
    """What is done where the passages found are too weak to answer from."""

    REFUSE = "refuse"
    """No answer; the reason and the nearest passages."""
    ASK = "ask"
    """The same, and a question back: which of several things is meant, or what else the missing words could be called."""
    QUOTE = "quote"
    """The nearest sentences word for word, with the reason to doubt them; nothing is generated."""
    MARK = "mark"
    """An answer as always, with the reason to doubt it."""


class Unsupported(StrEnum):
    """What is done with a sentence of the model that the evidence does not bear out.

    Where quotes follow the sentence anyway (style `mixed`), it is never shown: `mark` and `quote` are `remove` there.
    """

    MARK = "mark"
    """It is shown, and marked."""
    REMOVE = "remove"
    """It is left out."""
    QUOTE = "quote"
    """The sentence of the documents that answers the question best stands in its place, word for word. Where the answer says or
    cites that already, the model's is left out."""
    REGENERATE = "regenerate"
    """The model writes it once more from the passages nearest to it; where that is not borne out either, `quote`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Both choices."""

    weak_evidence: WeakEvidence
    unsupported: Unsupported


COMPARED = Policy(WeakEvidence.REFUSE, Unsupported.MARK)
"""Of a comparison: the arms are to be told apart by what they write, so nothing that they write is repaired."""
