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
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel

from eval.contents import without_contents
from eval.evidence import EvidenceVerdict, judge_evidence
from eval.instructions import as_evidence
from eval.quoting import Reading
from eval.terms import Translate
from eval.types import Arm, Judge, Quote, Retriever, Style
from ingest.conversation import Turn, condensed
from ingest.errors import InputRefused, NotFound, Unavailable
from ingest.personal_data import PersonalData
from ingest.text_cleaning import clean_text
from ingest.tokens import language
from ingest.types import Access, Bbox, Hit
from services.clarifying import clarifying_question
from services.comparing import Failed, merged
from services.composing import Composer
from services.drafting import Done, Draft, Event, Sources, since_ms
from services.policy import COMPARED, Policy, Unsupported, WeakEvidence
from services.prompts import ServingPrompts
from services.settings import AnswerSettings
from services.wording import ENGINE_AWAY, WEAK
from services.writing import Token

# Hits that are looked through for quotes; the chat model is given fewer of them (AnswerSettings.passages).
_HITS = 8
ALONE = (Arm.BASE, Arm.TUNED)
"""Arms that are asked without any passage."""


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


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found, the question read with it, whether that is enough to answer from, and how long the search took. What is
    read is without what in the hits speaks to a model."""

    hits: list[Hit]
    reading: Reading
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
        translate: Translate | None = None,
    ) -> None:
        """`chat` raises Unavailable while no engine is ready, NotFound for an arm that no model serves to this caller. Kinds of
        personal data in `mask` are shown in no answer. With `translate`, passages of the other language are evidence too."""
        self._retriever = retriever
        self._chat = chat
        self._ability = ability
        self._judge = judge
        self._boxes = boxes
        self.prompts = prompts
        self._settings = settings
        self._mask = mask
        self._translate = translate
        self._policy = Policy(settings.weak_evidence, settings.unsupported)

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
        question = clean_text(question)
        began = time.perf_counter()
        draft = Draft(language(question), style)
        chat = self._choose(arm, draft, access)
        if arm in ALONE:
            events = self._alone(question, (), draft, chat, access)
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
        arms that were not given them. Nothing is repaired, whatever the policy: the arms are compared by what they write.
        Closing the iterator stops all generations.

        Raises:
            InputRefused: the question is empty, or no arm is named.
        """
        if not question.strip():
            raise InputRefused("the question is empty: write one")
        if not arms:
            raise InputRefused(f"no arm is named: name one or more of {', '.join(Arm)}")
        question = clean_text(question)
        found = await self._find(condensed(question, history), access, among)
        yield None, Sources(tuple(found.hits))
        async with aclosing(merged({arm: self._compared(question, arm, found, access) for arm in arms})) as events:
            async for arm, event in events:
                yield arm, event

    async def _compared(self, question: str, arm: Arm, found: _Found, access: Access) -> AsyncGenerator[Event, None]:
        """The events of one arm of a comparison. Its time is what it would have taken alone: with the search, or without."""
        began = time.perf_counter()
        draft = Draft(language(question), Style.GENERATED)
        chat = self._chat(arm, access)
        if arm in ALONE:
            events = self._alone(found.reading.question, found.reading.hits, draft, chat, access)
        else:
            began -= found.taken_ms / 1000
            draft.timings_ms["search"] = found.taken_ms
            events = self._from_hits(found, draft, chat, access, COMPARED)
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

    def _choose(self, arm: Arm, draft: Draft, access: Access) -> BaseChatModel | None:
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
        self, question: str, draft: Draft, chat: BaseChatModel | None, access: Access, among: Retriever | None
    ) -> AsyncGenerator[Event, None]:
        found = await self._find(question, access, among)
        draft.timings_ms["search"] = found.taken_ms
        yield Sources(tuple(found.hits))
        async with aclosing(self._from_hits(found, draft, chat, access, self._policy)) as events:
            async for event in events:
                yield event

    async def _find(self, question: str, access: Access, among: Retriever | None) -> _Found:
        began = time.perf_counter()
        found = await asyncio.to_thread((among or self._retriever).search, question, access=access, limit=_HITS)
        hits = without_contents(found)
        taken_ms = since_ms(began)
        reading, verdict = await asyncio.to_thread(self._read, question, hits)
        return _Found(hits, reading, verdict, taken_ms)

    def _read(self, question: str, hits: Sequence[Hit]) -> tuple[Reading, EvidenceVerdict]:
        reading = Reading(question, [as_evidence(hit) for hit in hits], translate=self._translate)
        return reading, judge_evidence(reading)

    async def _from_hits(
        self, found: _Found, draft: Draft, chat: BaseChatModel | None, access: Access, policy: Policy
    ) -> AsyncGenerator[Event, None]:
        draft.hits = found.hits
        if not found.verdict.enough and not _goes_on(found, draft, policy.weak_evidence):
            return
        composer = self._composer(found.reading.question, found.reading.hits, draft, access, policy.unsupported)
        if chat is not None and draft.style is not Style.QUOTES:
            prompt = self.prompts.grounded(found.reading.question, composer.given, language=draft.language)
            async with aclosing(composer.write(chat, prompt)) as written:
                async for event in written:
                    yield event
        if draft.style is not Style.GENERATED and not draft.abstained:
            for quoted in composer.quote(found.reading, self._settings.quotes, languages=found.verdict.languages):
                yield quoted
        if not draft.sentences and not draft.abstained and not found.verdict.enough:
            draft.abstain(found.verdict.reason)

    async def _alone(
        self, question: str, hits: Sequence[Hit], draft: Draft, chat: BaseChatModel | None, access: Access
    ) -> AsyncGenerator[Event, None]:
        """Of a model that reads no passage; judged by these hits, which were found for others, if there are any."""
        if chat is None:
            raise NotFound("this arm needs a chat model")
        composer = self._composer(question, hits, draft, access, COMPARED.unsupported)
        prompt = self.prompts.closed_book(question, language=draft.language)
        async with aclosing(composer.write(chat, prompt)) as written:
            async for event in written:
                yield event

    def _composer(self, question: str, hits: Sequence[Hit], draft: Draft, access: Access, unsupported: Unsupported) -> Composer:
        return Composer(
            draft=draft,
            question=question,
            hits=hits,
            given=hits[: self._settings.passages],
            judge=self._judge,
            boxes=lambda quote: self._boxes(quote, access),
            prompts=self.prompts,
            unsupported=unsupported,
            mask=self._mask,
            translate=self._translate,
        )


def _goes_on(found: _Found, draft: Draft, policy: WeakEvidence) -> bool:
    """Whether weak evidence is answered from all the same; if not, the draft abstains."""
    if found.hits and policy in (WeakEvidence.QUOTE, WeakEvidence.MARK):
        draft.reason = WEAK[draft.language].format(reason=found.verdict.reason)
        if policy is WeakEvidence.QUOTE:
            draft.style = Style.QUOTES
        return True
    asks = None
    if policy is WeakEvidence.ASK:
        asks = clarifying_question(found.reading.question, found.hits, missing=found.verdict.missing, language=draft.language)
    draft.abstain(found.verdict.reason, asks=asks)
    return False


async def _ending(events: AsyncGenerator[Event, None], draft: Draft, began: float) -> AsyncGenerator[Event, None]:
    """The events, timed from `began`, and after them the whole answer."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Token) and "first_token" not in draft.timings_ms:
                draft.timings_ms["first_token"] = since_ms(began)
            yield event
    draft.timings_ms["total"] = since_ms(began)
    yield Done(draft.finished())
