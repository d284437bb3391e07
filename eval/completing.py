"""The last look at a sentence that the evidence bears out: who says otherwise, does it answer the question, how is it worded.

A judge compares a sentence with its evidence. What it cannot see is told here, in this order, the first that applies: documents
that disagree (`eval.conflicts`), a sentence beside the question (`eval.relevance`), a generalisation about a group of people
(`eval.bias`). Such a sentence stays supported: it is what a document says. The fault and its reason tell the reader the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from eval.bias import biased_wording
from eval.conflicts import Dispute, find_dispute
from eval.relevance import off_question
from eval.types import Fault, Verdict
from ingest.types import Hit


@dataclass(frozen=True, slots=True)
class Completed:
    """A verdict with the fault that a last look found; `dispute` where documents disagree."""

    verdict: Verdict
    dispute: Dispute | None = None


def complete(
    verdict: Verdict,
    sentence: str,
    *,
    question: str,
    hits: Sequence[Hit],
    quoted: bool = False,
) -> Completed:
    """The verdict, with a fault and its reason where the sentence is supported and something is wrong with it all the same.

    `hits` are all that were found and may be read. `quoted`: the sentence is a document's, word for word. A fault that
    the judge has found is kept.
    """
    if verdict.fault is not None:
        return Completed(verdict)
    if verdict.supported:
        if dispute := find_dispute(sentence, hits):
            return Completed(replace(verdict, fault=Fault.DISPUTED, reason=dispute.reason), dispute)
        if not quoted and (reason := off_question(sentence, question)):  # a quote was chosen by the question's words
            return Completed(replace(verdict, fault=Fault.OFF_QUESTION, reason=reason))
    if reason := biased_wording(sentence, quoted=quoted):
        return Completed(replace(verdict, fault=Fault.BIASED, reason=verdict.reason or reason))
    return Completed(verdict)
