"""What is judged and measured: questions, answers, sentences, verdicts; and the one-method interfaces that others provide.

Spans are Unicode code points of the sentence or answer they belong to, end exclusive. This module knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ingest.types import Access, Bbox, Hit


class Arm(StrEnum):
    """One way of answering."""

    BASE = "base"
    RAG = "rag"
    TUNED = "tuned"
    TUNED_RAG = "tuned-rag"


class Style(StrEnum):
    """How an answer is worded. `auto` is only asked for, never the style of a sentence."""

    AUTO = "auto"
    GENERATED = "generated"
    QUOTES = "quotes"
    MIXED = "mixed"


class Fault(StrEnum):
    """What is wrong with a sentence: the kinds of hallucination that are told apart and counted."""

    CONTRADICTED = "contradicted"
    NOT_IN_EVIDENCE = "not in evidence"
    OFF_QUESTION = "off question"
    DISPUTED = "disputed"
    BIASED = "biased"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence says of one sentence. `support` is the calibrated probability in [0, 1] that it is borne out.

    `unsupported_spans` are the parts of the sentence that the evidence does not hold; `reason` says in a few words why a
    sentence is not supported, or not judged; `fault` is what is wrong with it. What is not `judged` is never `supported`.
    """

    support: float
    supported: bool
    unsupported_spans: tuple[tuple[int, int], ...] = ()
    reason: str = ""
    fault: Fault | None = None
    judged: bool = True


class Judge(Protocol):
    """Scores sentences against evidence."""

    def judge(self, sentences: Sequence[str], *, evidence: Sequence[str], question: str = "") -> list[Verdict]:
        """One verdict a sentence, in order. All of the evidence is read; none is cut.

        Raises:
            InputRefused: there is no evidence text at all to judge against.
        """


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a hit, word for word: `text == hit.text[start:end]`. Higher scores are better."""

    hit: Hit
    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Citation:
    """The exact passage of a page that a sentence rests on. `marker` is the n of `[n]` in the answer."""

    marker: int
    document: str
    document_id: str
    version: int
    page: int
    chunk: str
    quote: str
    bbox: tuple[Bbox, ...] = ()


class RepairAction(StrEnum):
    """What was done with a sentence of the model that the evidence does not bear out."""

    REGENERATED = "regenerated"
    QUOTED = "quoted"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Repair:
    """A sentence that the model wrote and that is not shown as it wrote it: what was done with it, and why."""

    text: str
    action: RepairAction
    reason: str
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer with its verdict and the markers of its citations; `replaces` is what stood in its place."""

    text: str
    style: Style
    support: float
    supported: bool
    citations: tuple[int, ...] = ()
    reason: str = ""
    fault: Fault | None = None
    judged: bool = True
    replaces: Repair | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer as every interface shows it. `removed`: sentences of the model that nothing took the place of; `asks`: the
    question that is asked back where the evidence is too weak."""

    answer: str
    language: str
    style: Style
    abstained: bool
    reason: str | None
    nearest: tuple[Hit, ...]
    citations: tuple[Citation, ...]
    sentences: tuple[Sentence, ...]
    usage: dict[str, int]
    timings_ms: dict[str, float]
    removed: tuple[Repair, ...] = ()
    asks: str | None = None


@dataclass(frozen=True, slots=True)
class GoldPage:
    """Where a case's answer stands."""

    document: str
    page: int


@dataclass(frozen=True, slots=True)
class Case:
    """One question of a test set with the answers that count as right. `kind` is e.g. plain, paraphrase, crosslingual."""

    id: str
    lang: str
    kind: str
    question: str
    answerable: bool
    answers: tuple[str, ...] = ()
    gold: tuple[GoldPage, ...] = ()
    groups: tuple[str, ...] = ()


class Retriever(Protocol):
    """Finds the permitted hits for a question."""

    def search(self, query: str, *, access: Access, limit: int) -> list[Hit]:
        """At most `limit` hits, best first."""


class Answerer(Protocol):
    """Answers a question the way the product does."""

    async def ask(self, question: str, *, access: Access, arm: Arm, style: Style) -> Answer:
        """The answer with citations and verdicts."""
