"""The written answers as samples that a judge learns from, some documents kept aside for its calibration and figures."""

from __future__ import annotations

from finetune.corruptions import SupportSample
from finetune.written import WrittenPassage, written_answers

_KEPT_EVERY = 5
"""One document in so many is kept aside: documents are numbered by author, so that each author's are among them."""


def written_samples(language: str, *, kept: bool) -> list[SupportSample]:
    """The written answers of a language, each with its own passage: of the documents kept aside, or of all others."""
    return [
        SupportSample(
            one.answer, (one.passage.text,), one.question, one.label, one.kind, language, one.spans, passage=one.passage.id
        )
        for one in written_answers()
        if one.passage.language == language and _is_kept(one.passage) is kept
    ]


def _is_kept(passage: WrittenPassage) -> bool:
    return int(passage.document.rpartition("-")[2]) % _KEPT_EVERY == 0
