"""The answer while it is made: the events that tell of it, and the draft that they add up to.

Invariants. What is shown as a sentence has been judged, or says that it was not. The pieces that the events show, one after
another, are the answer's text. Markers count from 1 in the order of the text. Knows no model, no judge and no search.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from eval.types import Answer, Citation, Fault, Quote, Repair, RepairAction, Sentence, Style, Verdict
from ingest.types import Bbox, Hit
from services.wording import NOTHING_BORNE_OUT, NOTHING_TO_SHOW, abstention, piece
from services.writing import Token

_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Sources:
    """The passages that were found, best first."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Doubted:
    """A sentence of the model is not borne out and is being repaired: next comes what takes its place, or its removal."""

    text: str
    reason: str
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Removed:
    """A sentence of the model is left out, and nothing takes its place."""

    repair: Repair


@dataclass(frozen=True, slots=True)
class JudgedSentence:
    """A sentence of the answer with its verdict and full citations. `index` counts from 0; `shown` is its part of the text.

    `held_ms` is the time since the last token of what the model wrote for it; None for a quote that replaces nothing.
    """

    index: int
    sentence: Sentence
    citations: tuple[Citation, ...]
    shown: str
    held_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The whole answer; always the last event."""

    answer: Answer


Event = Sources | Token | Doubted | Removed | JudgedSentence | Done


@dataclass(slots=True)
class Draft:
    """The answer as far as it is made."""

    language: str
    style: Style
    hits: list[Hit] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    removed: list[Repair] = field(default_factory=list)
    text: str = ""
    abstained: bool = False
    reason: str | None = None
    asks: str | None = None
    usage: dict[str, int] = field(default_factory=dict)
    timings_ms: dict[str, float] = field(default_factory=dict)

    def add(self, sentence: Sentence, citations: tuple[Citation, ...] = (), *, written_s: float | None = None) -> JudgedSentence:
        """Appends a judged sentence, of which the model wrote the last token at `written_s`; the event that shows it."""
        shown = piece(sentence, before=self.sentences[-1] if self.sentences else None, language=self.language)
        self.sentences.append(sentence)
        self.text += shown
        held_ms = None if written_s is None else since_ms(written_s)
        return JudgedSentence(len(self.sentences) - 1, sentence, citations, shown, held_ms)

    def remove(self, text: str, verdict: Verdict) -> Removed:
        """Leaves out a sentence of the model; the event that says so."""
        self.removed.append(Repair(text, RepairAction.REMOVED, verdict.reason, verdict.fault))
        return Removed(self.removed[-1])

    def says(self, quote: Quote) -> bool:
        """Whether the answer holds this quote already, as a sentence or as a citation."""
        return quote.text in {one.text for one in self.sentences} | {one.quote for one in self.citations}

    def cite(self, quote: Quote, boxes: tuple[Bbox, ...]) -> Citation:
        """The citation of this quote, with the marker that it already has, or the next one."""
        hit = quote.hit
        for citation in self.citations:
            if (citation.chunk, citation.quote) == (hit.chunk, quote.text):
                return citation
        citation = Citation(
            marker=len(self.citations) + 1,
            document=hit.document,
            document_id=hit.document_id,
            version=hit.version,
            page=hit.page,
            chunk=hit.chunk,
            quote=quote.text,
            bbox=boxes,
        )
        self.citations.append(citation)
        return citation

    def used(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Counts the tokens of one more request to the model."""
        for name, tokens in (("prompt_tokens", prompt_tokens), ("completion_tokens", completion_tokens)):
            self.usage[name] = self.usage.get(name, 0) + tokens

    def abstain(self, reason: str, *, asks: str | None = None) -> None:
        """Makes the answer one that says that, and why, there is none."""
        self.abstained, self.reason, self.asks = True, reason, asks

    def finished(self) -> Answer:
        """The whole answer; where nothing is shown, an abstention."""
        if not self.sentences and not self.abstained:
            reasons = NOTHING_BORNE_OUT if self.removed else NOTHING_TO_SHOW
            self.abstain(reasons[self.language])
        nearest = tuple(self.hits[:_NEAREST])
        shown = {sentence.style for sentence in self.sentences}
        if self.abstained:
            self.text = abstention(self.reason or "", nearest, language=self.language, asks=self.asks)
        return Answer(
            answer=self.text,
            language=self.language,
            style=Style.MIXED if len(shown) > 1 else next(iter(shown), self.style),
            abstained=self.abstained,
            reason=self.reason,
            nearest=nearest,
            citations=tuple(self.citations),
            sentences=tuple(self.sentences),
            usage=self.usage,
            timings_ms=self.timings_ms,
            removed=tuple(self.removed),
            asks=self.asks,
        )


def since_ms(began_s: float) -> float:
    """Milliseconds since a time of `time.perf_counter`."""
    return round((time.perf_counter() - began_s) * 1000, 2)
