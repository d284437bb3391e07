"""Chunks → samples: points by rules, more wordings by the chat model, decisions by curation, prompts as they are served.

Invariants. The same seed, chunks, index and model give the same samples, so that a batch may be made twice. Every sample that
was thought of is returned, the rejected ones with their reason and without a twin. A sample's group and document are those of
its chunk; distractors are found with the caller's rights. This module stores nothing and opens no connection.
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from eval.judge import HouseJudge
from eval.types import Retriever
from finetune.curation import Curation, Draft, Judged
from finetune.drafting import Drafting, instruction_hash
from finetune.grounded import chosen, grounded, is_for_refusal, refused
from finetune.points import Point
from finetune.rules import points_of
from finetune.types import Message, Origin, PromptBuilder, Sample, SampleKind, SampleStatus
from ingest.personal_data import MASK
from ingest.types import EVERYONE, Access, Hit


@dataclass(frozen=True, slots=True)
class SynthesisSettings:
    """How much is made. A grounded sample costs as much training as about ten closed-book ones."""

    seed: int = 0
    grounded_per_chunk: int = 2
    rule_phrasings: int = 2
    """Wordings by rule of one fact, at most."""
    model_phrasings: int = 4
    """Wordings of one fact that the chat model is asked for; about 40 % of them are accepted."""
    model_languages: tuple[str, ...] = ("en",)
    """The languages in which the chat model is asked for wordings: those that it writes."""
    facts_per_chunk_by_rule_alone: int = 2
    """Facts taken of a chunk in another language, while there is a chat model: else rules would outweigh it by far."""


class Synthesis:
    """Makes samples from chunks, batch by batch."""

    def __init__(
        self,
        *,
        chat: BaseChatModel | None,
        model_name: str,
        retriever: Retriever,
        prompts: PromptBuilder,
        passages: int,
        protected: Sequence[str],
        settings: SynthesisSettings,
        groups_of: Mapping[str, tuple[str, ...]],
    ) -> None:
        """Without `chat`, rules alone make samples. `passages` stand in a serving prompt; `protected` are the questions of
        evaluation cases; `groups_of` maps document ids to the groups of the document."""
        self._drafting = Drafting(chat) if chat is not None else None
        self._model_name = model_name
        self._retriever = retriever
        self._judge = HouseJudge()
        self._prompts = prompts
        self._passages = passages
        self._protected = protected
        self._settings = settings
        self._groups_of = groups_of

    @property
    def marks(self) -> dict[str, Any]:
        """What tells a passage that the chat model was asked about: seed, model and prompt hash of what it worded."""
        by_model = self._drafting is not None
        return {
            "seed": self._settings.seed,
            "model": self._model_name if by_model else "",
            "prompt_hash": self._prompt_hash(by_model=by_model),
        }

    def _prompt_hash(self, *, by_model: bool) -> str:
        version = self._prompts.version + (instruction_hash() if by_model else "")
        return hashlib.sha256(version.encode()).hexdigest()

    def samples_of(self, hits: Sequence[Hit], *, known: Collection[str], access: Access) -> list[Sample]:
        """The samples of these chunks, accepted and rejected, in the order of the chunks and of their text. `known` are the
        questions accepted before; none of them is accepted again.

        Raises:
            Unavailable: the chat model failed.
        """
        curation = Curation(retriever=self._retriever, judge=self._judge, protected=self._protected, known=known, access=access)
        pairs = [(hit, point) for hit in hits for point in self._points(hit)]
        wordings = self._model_wordings([point for _, point in pairs])
        by_chunk: defaultdict[str, list[Judged]] = defaultdict(list)
        for (hit, point), written in zip(pairs, wordings, strict=True):
            ruled = point.questions[: self._settings.rule_phrasings]
            drafts = [Draft(hit, point, question, f"rule:{point.rule}") for question in ruled]
            drafts += [Draft(hit, point, question, "model") for question in written]
            by_chunk[hit.chunk] += [curation.decide(draft) for draft in drafts]
        return [sample for judged in by_chunk.values() for sample in self._samples(judged)]

    def _points(self, hit: Hit) -> list[Point]:
        """The chunk's points that samples are made of, in the order of the text."""
        # What is masked is not to be learned, and a row of marks is no answer.
        points = [one for one in points_of(hit) if MASK not in "".join((one.evidence, one.answer, *one.questions))]
        alone = [i for i, point in enumerate(points) if point.language not in self._settings.model_languages]
        if self._drafting is None or len(alone) <= self._settings.facts_per_chunk_by_rule_alone:
            return points
        chance = random.Random(f"{self._settings.seed}/{hit.chunk}")
        kept = set(chance.sample(alone, k=self._settings.facts_per_chunk_by_rule_alone))
        return [point for i, point in enumerate(points) if i in kept or i not in alone]

    def _model_wordings(self, points: Sequence[Point]) -> list[list[str]]:
        """For each point what the chat model made of it."""
        if self._drafting is None or not self._settings.model_phrasings:
            return [[] for _ in points]
        asked = [index for index, point in enumerate(points) if point.language in self._settings.model_languages]
        written = self._drafting.questions([points[index] for index in asked], drafts=self._settings.model_phrasings)
        out: list[list[str]] = [[] for _ in points]
        for index, questions in zip(asked, written, strict=True):
            out[index] = questions
        return out

    def _samples(self, judged: Sequence[Judged]) -> list[Sample]:
        """The samples of one chunk: each question closed-book, and some of the accepted ones in the serving prompt."""
        seed, prompts = self._settings.seed, self._prompts
        out = [self._closed_book(one) for one in judged]
        accepted = [self._for_all_readers(one) for one in judged if not one.reason]
        for one in chosen(accepted, limit=self._settings.grounded_per_chunk, seed=seed):
            kind = SampleKind.REFUSAL if is_for_refusal(one.draft, seed=seed) else SampleKind.GROUNDED
            made = (
                refused(one, prompts=prompts, passages=self._passages)
                if kind is SampleKind.REFUSAL
                else grounded(one, prompts=prompts, passages=self._passages, seed=seed)
            )
            if made is not None:
                out.append(self._sample(one, kind, *made))
        return out

    def _for_all_readers(self, judged: Judged) -> Judged:
        """The question with only those hits that every reader of its passage may read: the sample will carry their text."""
        readers = set(self._groups_of.get(judged.draft.hit.document_id, ()))

        def readable(hit: Hit) -> bool:
            groups = self._groups_of.get(hit.document_id, ())
            return EVERYONE in groups or readers <= set(groups)

        return replace(judged, found=tuple(hit for hit in judged.found if readable(hit)))

    def _closed_book(self, judged: Judged) -> Sample:
        draft = judged.draft
        prompt = self._prompts.closed_book(draft.question, language=draft.point.language)
        return self._sample(judged, SampleKind.CLOSED_BOOK, prompt, draft.point.answer)

    def _sample(self, judged: Judged, kind: SampleKind, prompt: Sequence[BaseMessage], answer: str) -> Sample:
        draft, point, hit = judged.draft, judged.draft.point, judged.draft.hit
        by_model = draft.source == "model"
        return Sample(
            kind=kind,
            source=draft.source,
            language=point.language,
            question=draft.question,
            answer=answer,
            messages=(*(message_of(message) for message in prompt), Message("assistant", answer)),
            origin=Origin(
                document_id=hit.document_id,
                document=hit.document,
                version=hit.version,
                chunk=hit.chunk,
                page=hit.page,
                groups=self._groups_of.get(hit.document_id, ()),
                evidence=point.evidence,
            ),
            fact=hashlib.sha256("\n".join((hit.chunk, point.evidence, point.value)).encode()).hexdigest()[:24],
            prompt_hash=self._prompt_hash(by_model=by_model),
            model=self._model_name if by_model else "",
            seed=self._settings.seed,
            status=SampleStatus.REJECTED if judged.reason else SampleStatus.ACCEPTED,
            reason=judged.reason,
        )


_ROLES = {SystemMessage: "system", HumanMessage: "user", AIMessage: "assistant"}


def message_of(message: BaseMessage) -> Message:
    """The message in the words of training."""
    return Message(_ROLES[type(message)], str(message.text))
