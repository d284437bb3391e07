"""A question → the stream of events that becomes its checked answer, or the answers of several arms side by side.

Order: search → is the evidence enough? → sentences, generated or quoted, each judged and cited as it comes → the whole answer.
What a reader is shown as a sentence has been judged; tokens are shown before that and are provisional.
This module chooses no model and opens no connection: both are handed to it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from functools import partial

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from eval.evidence import EvidenceVerdict, judge_evidence
from eval.quoting import select_quotes
from eval.types import Answer, Arm, Citation, Judge, Quote, Retriever, Sentence, Style, Verdict
from ingest.conversation import Turn, condensed
from ingest.errors import InputRefused, NotFound, Unavailable
from ingest.personal_data import PersonalData, masked
from ingest.tokens import language, normalise
from ingest.types import Access, Bbox, Hit
from services.comparing import Failed, merged
from services.prompts import ServingPrompts, without_markers
from services.settings import AnswerSettings
from services.wording import ENGINE_AWAY, MODEL_DOES_NOT_KNOW, MODEL_REFUSED, NOT_JUDGED, NOTHING_TO_SHOW, abstention, piece
from services.writing import Token, Usage, sentences

# Hits that are looked through for quotes; the chat model is given fewer of them (AnswerSettings.passages).
_HITS = 8
_NEAREST = 3
ALONE = (Arm.BASE, Arm.TUNED)
"""Arms that are asked without any passage."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The passages that were found, best first."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class JudgedSentence:
    """A sentence of the answer with its verdict and full citations. `index` counts from 0; `shown` is its part of the text."""

    index: int
    sentence: Sentence
    citations: tuple[Citation, ...]
    shown: str


@dataclass(frozen=True, slots=True)
class Done:
    """The whole answer; always the last event."""

    answer: Answer


Event = Sources | Token | JudgedSentence | Done


@dataclass(frozen=True, slots=True)
class ChatAbility:
    """What was measured of a chat model: the share of right answers when it writes and when the answer is quoted."""

    generated: dict[str, float]
    quotes: dict[str, float]
    writes: frozenset[str]

    def style(self, language_of_question: str) -> Style:
        """The style that `auto` means in this language."""
        if language_of_question not in self.writes:
            return Style.QUOTES
        better = self.generated.get(language_of_question, 1.0) >= self.quotes.get(language_of_question, 0.0)
        return Style.GENERATED if better else Style.MIXED


@dataclass(slots=True)
class _Draft:
    """The answer as far as it is made."""

    language: str
    style: Style
    hits: list[Hit] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    text: str = ""
    abstained: bool = False
    reason: str | None = None
    usage: dict[str, int] = field(default_factory=dict)
    timings_ms: dict[str, float] = field(default_factory=dict)

    def add(self, sentence: Sentence, citations: tuple[Citation, ...] = ()) -> JudgedSentence:
        """Appends a judged sentence; the event that shows it."""
        shown = piece(sentence, before=self.sentences[-1] if self.sentences else None, language=self.language)
        self.sentences.append(sentence)
        self.text += shown
        return JudgedSentence(len(self.sentences) - 1, sentence, citations, shown)

    def add_unjudged(self, text: str) -> JudgedSentence:
        """Appends a sentence of a model that was given nothing to judge it by; the event that shows it."""
        return self.add(Sentence(text, Style.GENERATED, 0.0, False, (), NOT_JUDGED[self.language]))


@dataclass(frozen=True, slots=True)
class _Found:
    """What was searched for and found, whether that is enough to answer from, and how long it took."""

    question: str
    hits: list[Hit]
    verdict: EvidenceVerdict
    taken_ms: float


class Answering:
    """Answers questions over a retriever, a chat model that may be away, and a judge."""

    def __init__(
        self,
        *,
        retriever: Retriever,
        chat: Callable[[Arm, Access], BaseChatModel],
        ability: ChatAbility,
        judge: Judge,
        boxes: Callable[[Quote, Access], tuple[Bbox, ...]],
        prompts: ServingPrompts,
        settings: AnswerSettings,
        mask: Collection[PersonalData] = (),
    ) -> None:
        """`chat` raises Unavailable while no engine is ready, NotFound for an arm that no model serves to this caller. Kinds of
        personal data in `mask` are shown in no answer."""
        self._retriever = retriever
        self._chat = chat
        self._ability = ability
        self._judge = judge
        self._boxes = boxes
        self.prompts = prompts
        self._settings = settings
        self._mask = mask

    async def stream(
        self,
        question: str,
        *,
        access: Access,
        arm: Arm,
        style: Style,
        history: Sequence[Turn] = (),
        among: Retriever | None = None,
    ) -> AsyncGenerator[Event, None]:
        """The events of one answer, ending with `Done`. Closing the iterator stops the generation. `among` narrows the search.

        Raises:
            InputRefused: the question is empty. Unavailable: a generated answer was asked for and no engine is ready.
            NotFound: no model serves the arm.
        """
        if not question.strip():
            raise InputRefused("the question is empty: write one")
        began = time.perf_counter()
        draft = _Draft(language(question), style)
        chat = self._choose(arm, draft, access)
        if arm in ALONE:
            events = self._closed_book(question, draft, chat, draft.add_unjudged)
        else:
            events = self._from_documents(condensed(question, history), draft, chat, access, among)
        async with aclosing(_ending(events, draft, began)) as told:
            async for event in told:
                yield event

    async def compare(
        self,
        question: str,
        *,
        access: Access,
        arms: Sequence[Arm],
        history: Sequence[Turn] = (),
        among: Retriever | None = None,
    ) -> AsyncGenerator[tuple[Arm | None, Event | Failed], None]:
        """The events of all arms as they come, each arm's ending with its `Done` or `Failed`; `Sources` first, of no arm.

        There is one search for all. Every arm writes in style `generated`, and is judged against the same passages, also the
        arms that were not given them. Closing the iterator stops all generations.

        Raises:
            InputRefused: the question is empty, or no arm is named.
        """
        if not question.strip():
            raise InputRefused("the question is empty: write one")
        if not arms:
            raise InputRefused(f"no arm is named: name one or more of {', '.join(Arm)}")
        found = await self._find(condensed(question, history), access, among)
        yield None, Sources(tuple(found.hits))
        async with aclosing(merged({arm: self._compared(question, arm, found, access) for arm in arms})) as events:
            async for arm, event in events:
                yield arm, event

    async def _compared(self, question: str, arm: Arm, found: _Found, access: Access) -> AsyncGenerator[Event, None]:
        """The events of one arm of a comparison. Its time is what it would have taken alone: with the search, or without."""
        began = time.perf_counter()
        draft = _Draft(language(question), Style.GENERATED)
        chat = self._chat(arm, access)
        if arm in ALONE:
            given = found.hits[: self._settings.passages]
            events = self._closed_book(question, draft, chat, partial(self._judged, found, given, draft, access))
        else:
            began -= found.taken_ms / 1000
            draft.timings_ms["search"] = found.taken_ms
            events = self._from_hits(found, draft, chat, access)
        async with aclosing(_ending(events, draft, began)) as told:
            async for event in told:
                yield event

    def arms(self, access: Access) -> dict[Arm, str]:
        """Every arm, and why it is not there for this caller; an empty text where it is, be the engine ready or not."""
        missing: dict[Arm, str] = {}
        for arm in Arm:
            try:
                self._chat(arm, access)
                missing[arm] = ""
            except NotFound as error:
                missing[arm] = str(error)
            except Unavailable:
                missing[arm] = ""
        return missing

    def _choose(self, arm: Arm, draft: _Draft, access: Access) -> BaseChatModel | None:
        """The model that will write, or None where the answer will be quoted; settles the draft's style."""
        alone = arm in ALONE
        if draft.style is Style.AUTO:
            draft.style = Style.GENERATED if alone else self._ability.style(draft.language)
            if draft.style is not Style.QUOTES and not alone:
                try:
                    return self._chat(arm, access)
                except Unavailable:
                    draft.style, draft.reason = Style.QUOTES, ENGINE_AWAY[draft.language]
                    return None
        if draft.style is Style.QUOTES:
            if alone:
                raise InputRefused(f"arm {arm} reads no documents, so there is nothing to quote: use arm rag, or style generated")
            if arm is not Arm.RAG:
                self._chat(arm, access)  # a quoted answer of an adapter that is not there is refused as well
            return None
        return self._chat(arm, access)

    async def _from_documents(
        self, question: str, draft: _Draft, chat: BaseChatModel | None, access: Access, among: Retriever | None
    ) -> AsyncGenerator[Event, None]:
        found = await self._find(question, access, among)
        draft.timings_ms["search"] = found.taken_ms
        yield Sources(tuple(found.hits))
        async with aclosing(self._from_hits(found, draft, chat, access)) as events:
            async for event in events:
                yield event

    async def _find(self, question: str, access: Access, among: Retriever | None) -> _Found:
        began = time.perf_counter()
        hits = await asyncio.to_thread((among or self._retriever).search, question, access=access, limit=_HITS)
        taken_ms = _since(began)
        return _Found(question, hits, await asyncio.to_thread(judge_evidence, question, hits), taken_ms)

    async def _from_hits(
        self, found: _Found, draft: _Draft, chat: BaseChatModel | None, access: Access
    ) -> AsyncGenerator[Event, None]:
        question, draft.hits = found.question, found.hits
        if not found.verdict.enough:
            draft.abstained, draft.reason = True, found.verdict.reason
            return
        given = draft.hits[: self._settings.passages]
        if chat is not None:
            prompt = self.prompts.grounded(question, given, language=draft.language)
            written = self._written(prompt, draft, chat, partial(self._judged, found, given, draft, access))
            async with aclosing(written):
                async for event in written:
                    yield event
        if draft.style is Style.GENERATED or draft.abstained:
            return
        bearing = [quote for sentence in draft.sentences for quote in select_quotes(sentence.text, given, limit=1)]
        asked = select_quotes(question, draft.hits, limit=self._settings.quotes)
        shown = [normalise(sentence.text) for sentence in draft.sentences]
        for quote in {(quote.hit.chunk, quote.text): quote for quote in [*bearing, *asked]}.values():
            if any(normalise(quote.text) in sentence for sentence in shown):
                continue  # the model quotes it, and its sentence carries the citation already
            citation = self._cite(quote, draft, access)
            yield draft.add(Sentence(quote.text, Style.QUOTES, 1.0, True, (citation.marker,)), (citation,))

    async def _closed_book(
        self, question: str, draft: _Draft, chat: BaseChatModel | None, judge: Callable[[str], JudgedSentence | None]
    ) -> AsyncGenerator[Event, None]:
        if chat is None:
            raise NotFound("this arm needs a chat model")
        async with aclosing(
            self._written(self.prompts.closed_book(question, language=draft.language), draft, chat, judge)
        ) as written:
            async for event in written:
                yield event

    async def _written(
        self, prompt: list[BaseMessage], draft: _Draft, chat: BaseChatModel, judge: Callable[[str], JudgedSentence | None]
    ) -> AsyncGenerator[Event, None]:
        """Tokens as they come, and what `judge` makes of each sentence."""
        async with aclosing(sentences(chat, prompt)) as written:
            async for event in written:
                if isinstance(event, Token):
                    if not self._mask:  # half a number cannot be told for what it is
                        yield event
                elif isinstance(event, Usage):
                    draft.usage = asdict(event)
                elif (judged := judge(masked(event, self._mask))) is not None:
                    yield judged

    def _judged(self, found: _Found, given: Sequence[Hit], draft: _Draft, access: Access, text: str) -> JudgedSentence | None:
        """The sentence with its verdict and citation; None where it is not shown."""
        if self.prompts.is_refusal(text, language=draft.language):
            if not draft.sentences:
                reasons = MODEL_REFUSED if draft.hits else MODEL_DOES_NOT_KNOW
                draft.abstained, draft.reason = True, reasons[draft.language]
            return None
        text = without_markers(text)
        if not any(character.isalpha() for character in text):
            return None  # a stray number or list mark says nothing that could be judged
        verdict = self._verdict(text, found, given)
        if draft.style is Style.MIXED and not verdict.supported:
            return None
        cited = select_quotes(text, given, limit=1) if verdict.supported else []
        citations = tuple(self._cite(quote, draft, access) for quote in cited)
        markers = tuple(citation.marker for citation in citations)
        return draft.add(Sentence(text, Style.GENERATED, verdict.support, verdict.supported, markers, verdict.reason), citations)

    def _verdict(self, text: str, found: _Found, given: Sequence[Hit]) -> Verdict:
        if not given:
            return Verdict(0.0, False, reason=found.verdict.reason)
        evidence = [" › ".join(hit.headings) + "\n" + hit.text for hit in given]
        return self._judge.judge([text], evidence=evidence, question=found.question)[0]

    def _cite(self, quote: Quote, draft: _Draft, access: Access) -> Citation:
        """The citation of this passage, with the marker it already has, or the next one."""
        hit = quote.hit
        for citation in draft.citations:
            if (citation.chunk, citation.quote) == (hit.chunk, quote.text):
                return citation
        citation = Citation(
            marker=len(draft.citations) + 1,
            document=hit.document,
            document_id=hit.document_id,
            version=hit.version,
            page=hit.page,
            chunk=hit.chunk,
            quote=quote.text,
            bbox=self._boxes(quote, access),
        )
        draft.citations.append(citation)
        return citation


async def _ending(events: AsyncGenerator[Event, None], draft: _Draft, began: float) -> AsyncGenerator[Event, None]:
    """The events, timed from `began`, and after them the whole answer."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Token) and "first_token" not in draft.timings_ms:
                draft.timings_ms["first_token"] = _since(began)
            yield event
    draft.timings_ms["total"] = _since(began)
    yield Done(_finish(draft))


def _finish(draft: _Draft) -> Answer:
    if not draft.sentences and not draft.abstained:
        draft.abstained, draft.reason = True, NOTHING_TO_SHOW[draft.language]
    nearest = tuple(draft.hits[:_NEAREST])
    shown = {sentence.style for sentence in draft.sentences}
    if draft.abstained:
        draft.text = abstention(draft.reason or NOTHING_TO_SHOW[draft.language], nearest, language=draft.language)
    return Answer(
        answer=draft.text,
        language=draft.language,
        style=Style.MIXED if len(shown) > 1 else next(iter(shown), draft.style),
        abstained=draft.abstained,
        reason=draft.reason,
        nearest=nearest,
        citations=tuple(draft.citations),
        sentences=tuple(draft.sentences),
        usage=draft.usage,
        timings_ms=draft.timings_ms,
    )


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)
