"""From what the model writes to the answer's sentences: each judged, cited by its evidence, repaired where it is not borne out.

One `Composer` makes one answer. What becomes of a sentence is settled before the next one is looked at, so that what was shown
is never taken back. Knows nothing of how passages are found.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from eval.completing import Completed, complete
from eval.conflicts import Dispute
from eval.instructions import ENOUGH, is_suspicious, only_from_instructions, signs
from eval.quoting import Reading, answering_quotes, select_quotes
from eval.terms import Translate
from eval.types import Citation, Fault, Judge, Quote, Repair, RepairAction, Sentence, Style, Verdict
from ingest.personal_data import PersonalData, masked
from ingest.tokens import normalise
from ingest.types import Bbox, Hit
from services.citing import bearing_quotes, without_markers
from services.drafting import Doubted, Draft, Event, JudgedSentence
from services.policy import Unsupported
from services.prompts import ServingPrompts
from services.wording import MODEL_DOES_NOT_KNOW, MODEL_REFUSED, NOT_JUDGED, OBEYED, OBEYED_TEXT
from services.writing import Token, Usage, Whole, sentences

# Passages that a repair reads: fewer than the answer did, so that the model has less to mistake for the right one.
_REPAIR_PASSAGES = 2


@dataclass(frozen=True, slots=True)
class Composer:
    """Adds to a draft. `given` are the passages that the model reads and is judged by, `hits` all that a repair may read, both
    without what in them speaks to a model; the draft's hits are as they were found."""

    draft: Draft
    question: str
    hits: Sequence[Hit]
    given: Sequence[Hit]
    judge: Judge
    boxes: Callable[[Quote], tuple[Bbox, ...]]
    prompts: ServingPrompts
    unsupported: Unsupported
    mask: Collection[PersonalData] = ()
    translate: Translate | None = None

    async def write(self, chat: BaseChatModel, prompt: list[BaseMessage]) -> AsyncGenerator[Event, None]:
        """Tokens as they come, and what becomes of each sentence; where there are no passages, none is judged."""
        unsafe = bool(self.mask) or any(map(is_suspicious, self.draft.hits))
        async with aclosing(sentences(chat, prompt, evidence=[hit.text for hit in self.given])) as written:
            async for event in written:
                match event:
                    case Token():
                        if not unsafe:  # half a number cannot be told for what it is, nor can half an order
                            yield event
                    case Usage(prompt_tokens, completion_tokens):
                        self.draft.used(prompt_tokens, completion_tokens)
                    case Whole(_, written_s):
                        text = self._readable(event.text)
                        if text and self._obeys(text):
                            yield self.draft.remove(OBEYED_TEXT, Verdict(0.0, False, reason=OBEYED[self.draft.language]))
                        elif text and not self.given:
                            unjudged = Verdict(0.0, False, reason=NOT_JUDGED[self.draft.language], judged=False)
                            yield self._add(text, Completed(unjudged), (), written_s=written_s)
                        elif text:
                            async with aclosing(self._settle(text, chat, written_s)) as settled:
                                async for one in settled:
                                    yield one

    def quote(self, reading: Reading, limit: int, *, languages: Sequence[str] = ()) -> list[JudgedSentence]:
        """Adds the quotes that bear out what the model wrote, and those that answer the question as it was read: at most `limit`
        of these, of these `languages` where any are named."""
        bearing = [quote for sentence in self.draft.sentences for quote in select_quotes(sentence.text, self.given, limit=1)]
        asked = answering_quotes(reading, limit=limit, languages=languages)
        shown = [normalise(sentence.text) for sentence in self.draft.sentences]
        added = []
        for quote in {(quote.hit.chunk, quote.text): quote for quote in [*bearing, *asked]}.values():
            if any(normalise(quote.text) in sentence for sentence in shown):
                continue  # the model quotes it, and its sentence carries the citation already
            added.append(self._add_quote(quote))
        return added

    def _readable(self, text: str) -> str:
        """The sentence as it is judged and shown; empty for a refusal, which an answer begins with or ignores."""
        text = masked(text, self.mask)
        if self.prompts.is_refusal(text, language=self.draft.language):
            if not self.draft.sentences:
                self.draft.abstain((MODEL_REFUSED if self.draft.hits else MODEL_DOES_NOT_KNOW)[self.draft.language])
            return ""
        text = without_markers(text)
        # A stray number or list mark says nothing that could be judged.
        return text if any(character.isalpha() for character in text) else ""

    def _obeys(self, text: str) -> bool:
        """Whether the sentence is an instruction to a model, or says what only such an instruction in the documents says."""
        return signs(text) >= ENOUGH or only_from_instructions(text, self.draft.hits, question=self.question)

    async def _settle(self, text: str, chat: BaseChatModel, written_s: float) -> AsyncGenerator[Event, None]:
        """What becomes of one sentence of the model, by its verdict and the policy."""
        completed = await asyncio.to_thread(self._verdict, text, self.given)
        verdict = completed.verdict
        quoted_anyway = self.draft.style is Style.MIXED
        if verdict.supported or (not quoted_anyway and (not verdict.judged or self.unsupported is Unsupported.MARK)):
            yield self._add(text, completed, self.given, written_s=written_s)
            return
        if verdict.judged and self.unsupported is Unsupported.REGENERATE:
            yield Doubted(text, verdict.reason, verdict.fault)
            if (again := await self._regenerated(text, verdict, chat)) is not None:
                repair = Repair(text, RepairAction.REGENERATED, verdict.reason, verdict.fault)
                yield self._add(*again, written_s=written_s, replaces=repair)
                return
        if not quoted_anyway and self.unsupported in (Unsupported.REGENERATE, Unsupported.QUOTE):
            for quote in select_quotes(self.question, self.given, limit=1, translate=self.translate):
                if not self.draft.says(quote):
                    repair = Repair(text, RepairAction.QUOTED, verdict.reason, verdict.fault)
                    yield self._add_quote(quote, written_s=written_s, replaces=repair)
                    return
        yield self.draft.remove(text, verdict)

    async def _regenerated(self, text: str, verdict: Verdict, chat: BaseChatModel) -> tuple[str, Completed, Sequence[Hit]] | None:
        """What the model writes in its place, with verdict and passages; None where that is not borne out either."""
        nearest = select_quotes(f"{self.question}\n{text}", self.hits, limit=2 * _REPAIR_PASSAGES)
        passages = list({quote.hit.chunk: quote.hit for quote in nearest}.values())[:_REPAIR_PASSAGES] or list(self.given)
        parts = [text[start:end] for start, end in verdict.unsupported_spans]
        prompt = self.prompts.repair(self.question, passages, sentence=text, unsupported=parts, language=self.draft.language)
        async with aclosing(sentences(chat, prompt, evidence=[hit.text for hit in passages])) as written:
            async for event in written:
                if isinstance(event, Usage):
                    self.draft.used(event.prompt_tokens, event.completion_tokens)
                elif isinstance(event, Whole):
                    again = without_markers(masked(event.text, self.mask))
                    known = {normalise(one.text) for one in self.draft.sentences} | {normalise(text)}
                    refused = self.prompts.is_refusal(again, language=self.draft.language)
                    if refused or normalise(again) in known or self._obeys(again):
                        return None
                    judged = await asyncio.to_thread(self._verdict, again, passages)
                    better = judged.verdict.supported and judged.verdict.fault is not Fault.OFF_QUESTION
                    return (again, judged, passages) if better else None
        return None

    def _verdict(self, text: str, passages: Sequence[Hit]) -> Completed:
        """The verdict on one sentence: the judge's, completed by what looks beyond these passages."""
        evidence = [" › ".join(hit.headings) + "\n" + hit.text for hit in passages]
        verdict = self.judge.judge([text], evidence=evidence, question=self.question)[0]
        return complete(verdict, text, question=self.question, hits=self.hits)

    def _add(
        self, text: str, completed: Completed, passages: Sequence[Hit], *, written_s: float, replaces: Repair | None = None
    ) -> JudgedSentence:
        verdict = completed.verdict
        bearing = bearing_quotes(text, passages) if verdict.supported else []
        citations = self._cited([*bearing, *_other_sides(completed.dispute)])
        sentence = Sentence(
            text,
            Style.GENERATED,
            verdict.support,
            verdict.supported,
            tuple(citation.marker for citation in citations),
            verdict.reason,
            verdict.fault,
            verdict.judged,
            replaces,
        )
        return self.draft.add(sentence, citations, written_s=written_s)

    def _add_quote(self, quote: Quote, *, written_s: float | None = None, replaces: Repair | None = None) -> JudgedSentence:
        completed = complete(Verdict(1.0, True), quote.text, question=self.question, hits=self.hits, quoted=True)
        citations = self._cited([quote, *_other_sides(completed.dispute)])
        verdict, markers = completed.verdict, tuple(citation.marker for citation in citations)
        sentence = Sentence(quote.text, Style.QUOTES, 1.0, True, markers, verdict.reason, verdict.fault, replaces=replaces)
        return self.draft.add(sentence, citations, written_s=written_s)

    def _cited(self, quotes: Sequence[Quote]) -> tuple[Citation, ...]:
        return tuple(dict.fromkeys(self.draft.cite(quote, self.boxes(quote)) for quote in quotes))


def _other_sides(dispute: Dispute | None) -> list[Quote]:
    """What documents say that disagree about a sentence, word for word."""
    sides = dispute.sides if dispute else ()
    return [Quote(side.hit, side.start, side.start + len(side.text), side.text, 0.0) for side in sides]
