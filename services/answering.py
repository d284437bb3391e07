"""A question → the stream of events that becomes its checked answer.

Order: search → is the evidence enough? → sentences, generated or quoted, each judged and cited as it comes → the whole answer.
What a reader is shown as a sentence has been judged; tokens are shown before that and are provisional.
This module chooses no model and opens no connection: both are handed to it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import openai
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage

from eval.evidence import judge_evidence
from eval.quoting import select_quotes
from eval.types import Answer, Arm, Citation, Judge, Quote, Retriever, Sentence, Style, Verdict
from ingest.errors import InputRefused, NotFound, Unavailable
from ingest.sentences import sentence_spans
from ingest.tokens import language, normalise, query_terms
from ingest.types import Access, Bbox, Hit
from services.prompts import closed_book_prompt, grounded_prompt, is_refusal, without_markers
from services.settings import AnswerSettings
from services.wording import ENGINE_AWAY, MODEL_REFUSED, NOT_JUDGED, NOTHING_TO_SHOW, abstention, piece

# Hits that are looked through for quotes; the chat model is given fewer of them (AnswerSettings.passages).
_HITS = 8
_NEAREST = 3
# The prompt asks for one or two sentences; what comes after four is no answer to it.
_MOST_SENTENCES = 4
# A question with fewer terms than this ("And for managers?") leans on the one before it.
_TERMS_OF_A_WHOLE_QUESTION = 3


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The passages that were found, best first."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of what the model is writing, not judged yet."""

    text: str


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


class Answering:
    """Answers questions over a retriever, a chat model that may be away, and a judge."""

    def __init__(
        self,
        *,
        retriever: Retriever,
        chat: Callable[[Arm], BaseChatModel],
        ability: ChatAbility,
        judge: Judge,
        boxes: Callable[[Quote, Access], tuple[Bbox, ...]],
        settings: AnswerSettings,
    ) -> None:
        """`chat` raises Unavailable while no engine is ready, NotFound for an arm that no model serves."""
        self._retriever = retriever
        self._chat = chat
        self._ability = ability
        self._judge = judge
        self._boxes = boxes
        self._settings = settings

    async def stream(
        self, question: str, *, access: Access, arm: Arm, style: Style, history: Sequence[Turn] = ()
    ) -> AsyncGenerator[Event, None]:
        """The events of one answer, ending with `Done`. Closing the iterator stops the generation.

        Raises:
            InputRefused: the question is empty. Unavailable: a generated answer was asked for and no engine is ready.
            NotFound: no model serves the arm.
        """
        if not question.strip():
            raise InputRefused("the question is empty: write one")
        began = time.perf_counter()
        draft = _Draft(language(question), style)
        chat = self._choose(arm, draft)
        if arm in (Arm.BASE, Arm.TUNED):
            events = self._closed_book(question, draft, chat)
        else:
            events = self._from_documents(_condensed(question, history), draft, chat, access)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Token) and "first_token" not in draft.timings_ms:
                    draft.timings_ms["first_token"] = _since(began)
                yield event
        draft.timings_ms["total"] = _since(began)
        yield Done(_finish(draft))

    def _choose(self, arm: Arm, draft: _Draft) -> BaseChatModel | None:
        """The model that will write, or None where the answer will be quoted; settles the draft's style."""
        alone = arm in (Arm.BASE, Arm.TUNED)
        if draft.style is Style.AUTO:
            draft.style = Style.GENERATED if alone else self._ability.style(draft.language)
            if draft.style is not Style.QUOTES and not alone:
                try:
                    return self._chat(arm)
                except Unavailable:
                    draft.style, draft.reason = Style.QUOTES, ENGINE_AWAY[draft.language]
                    return None
        if draft.style is Style.QUOTES:
            if alone:
                raise InputRefused(f"arm {arm} reads no documents, so there is nothing to quote: use arm rag, or style generated")
            if arm is not Arm.RAG:
                self._chat(arm)  # a quoted answer of an adapter that is not there is refused as well
            return None
        return self._chat(arm)

    async def _from_documents(
        self, question: str, draft: _Draft, chat: BaseChatModel | None, access: Access
    ) -> AsyncGenerator[Event, None]:
        began = time.perf_counter()
        draft.hits = await asyncio.to_thread(self._retriever.search, question, access=access, limit=_HITS)
        draft.timings_ms["search"] = _since(began)
        yield Sources(tuple(draft.hits))
        verdict = await asyncio.to_thread(judge_evidence, question, draft.hits)
        if not verdict.enough:
            draft.abstained, draft.reason = True, verdict.reason
            return
        given = draft.hits[: self._settings.passages]
        if chat is not None:
            said: set[str] = set()
            generated = self._generate(grounded_prompt(question, given, language=draft.language), draft, chat)
            async with aclosing(generated):
                async for event in generated:
                    if isinstance(event, Token):
                        yield event
                    elif event in said or len(said) == _MOST_SENTENCES:
                        break  # a small model repeats itself until its tokens are used up
                    else:
                        said.add(event)
                        if (judged := self._judged(event, question, given, draft, access)) is not None:
                            yield judged
        if draft.style is Style.GENERATED:
            return
        bearing = [quote for sentence in draft.sentences for quote in select_quotes(sentence.text, given, limit=1)]
        asked = select_quotes(question, draft.hits, limit=self._settings.quotes)
        written = {normalise(sentence.text) for sentence in draft.sentences}
        for quote in {(quote.hit.chunk, quote.text): quote for quote in [*bearing, *asked]}.values():
            if normalise(quote.text) in written:
                continue  # the model copied it, and its sentence carries the citation already
            citation = self._cite(quote, draft, access)
            yield draft.add(Sentence(quote.text, Style.QUOTES, 1.0, True, (citation.marker,)), (citation,))

    async def _closed_book(self, question: str, draft: _Draft, chat: BaseChatModel | None) -> AsyncGenerator[Event, None]:
        if chat is None:
            raise NotFound("this arm needs a chat model")
        generated = self._generate(closed_book_prompt(question, language=draft.language), draft, chat)
        async with aclosing(generated):
            async for event in generated:
                if isinstance(event, Token):
                    yield event
                else:
                    yield draft.add(Sentence(event, Style.GENERATED, 0.0, False, (), NOT_JUDGED[draft.language]))

    async def _generate(self, prompt: list[BaseMessage], draft: _Draft, chat: BaseChatModel) -> AsyncGenerator[Token | str, None]:
        """Tokens as they come, and each sentence, as a plain string, once it is complete."""
        text, told = "", 0
        try:
            stream = chat.astream(prompt)
            async for chunk in stream:
                if isinstance(chunk, AIMessageChunk) and chunk.usage_metadata:
                    draft.usage = {
                        "prompt_tokens": chunk.usage_metadata["input_tokens"],
                        "completion_tokens": chunk.usage_metadata["output_tokens"],
                    }
                piece = str(chunk.text)
                if not piece:
                    continue
                yield Token(piece)
                text += piece
                for start, end in sentence_spans(text[told:])[:-1]:
                    yield text[told + start : told + end]
                    told += end
                    break
        except (openai.APIError, OSError) as error:
            raise Unavailable(f"the engine failed while it wrote the answer ({error}): ask again, or ask for quotes") from error
        for start, end in sentence_spans(text[told:]):
            yield text[told + start : told + end]

    def _judged(self, text: str, question: str, given: Sequence[Hit], draft: _Draft, access: Access) -> JudgedSentence | None:
        """The sentence with its verdict and citation; None where `mixed` does not show it."""
        if is_refusal(text, language=draft.language):
            if draft.style is Style.GENERATED and not draft.sentences:
                draft.abstained, draft.reason = True, MODEL_REFUSED[draft.language]
            return None
        text = without_markers(text)
        if not any(character.isalpha() for character in text):
            return None  # a stray number or list mark says nothing that could be judged
        verdict = self._verdict(text, question, given)
        if draft.style is Style.MIXED and not verdict.supported:
            return None
        cited = select_quotes(text, given, limit=1) if verdict.supported else []
        citations = tuple(self._cite(quote, draft, access) for quote in cited)
        markers = tuple(citation.marker for citation in citations)
        return draft.add(Sentence(text, Style.GENERATED, verdict.support, verdict.supported, markers, verdict.reason), citations)

    def _verdict(self, text: str, question: str, given: Sequence[Hit]) -> Verdict:
        evidence = [" › ".join(hit.headings) + "\n" + hit.text for hit in given]
        return self._judge.judge([text], evidence=evidence, question=question)[0]

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


def _condensed(question: str, history: Sequence[Turn]) -> str:
    """The question, after the one before it where it has too few words to stand alone."""
    before = [turn.content for turn in history if turn.role == "user"]
    if before and len(query_terms(question)) < _TERMS_OF_A_WHOLE_QUESTION:
        return f"{before[-1]}\n{question}"
    return question


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
