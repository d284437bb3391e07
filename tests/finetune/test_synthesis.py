"""Chunks → samples with their lineage: the same again from the same seed, rejected ones with their reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from finetune.synthesis import Synthesis, SynthesisSettings
from finetune.types import Sample, SampleKind, SampleStatus
from ingest.types import Access, Hit
from tests.fakes import FakeChat

TEXTS = (
    "The canteen in Lund charges EUR 4.80 for a hot lunch. The boiler in the cellar was inspected on 30 November.",
    "City | Hotel ceiling\nOslo | NOK 2,150\nLund | SEK 900",
    "Economy flights should be bought at least 16 days ahead. First class is never paid.",
    "膜片的保存期限为四年，生产日期印在边缘。易损件在停产后继续供应15年。新阀投运48小时后，须复紧两次。",
    "Rental cars are limited to the compact class. Fines are the driver's own affair.",
)
HITS = [
    Hit(f"{n}.pdf", f"doc_{n}", 1, n + 1, f"chunk_{n}", 0.0, text, 0, (f"Document {n}", "2 Rules"))
    for n, text in enumerate(TEXTS)
]


class Found:
    """A retriever whose hits share the most characters with the query."""

    def search(self, query: str, *, access: Access, limit: int) -> list[Hit]:
        return sorted(HITS, key=lambda hit: -len(set(query.lower().split()) & set(hit.text.lower().split())))[:limit]


class Prompts:
    version = "test"

    def grounded(self, question: str, hits: Sequence[Hit], *, language: str) -> list[BaseMessage]:
        return [SystemMessage("Cite."), HumanMessage("\n".join(hit.text for hit in hits) + "\n" + question)]

    def closed_book(self, question: str, *, language: str) -> list[BaseMessage]:
        return [SystemMessage("Answer."), HumanMessage(question)]

    def refusal(self, language: str) -> str:
        return "The documents do not say."


def synthesis(*, chat: BaseChatModel | None = None, protected: Sequence[str] = (), seed: int = 0) -> Synthesis:
    return Synthesis(
        chat=chat,
        model_name="small",
        retriever=Found(),
        prompts=Prompts(),
        passages=3,
        protected=protected,
        settings=SynthesisSettings(seed=seed),
        groups_of={"doc_0": ("everyone",), "doc_1": ("hr", "sales")},
    )


def made(**options: object) -> list[Sample]:
    return synthesis(**options).samples_of(HITS, known=(), access=Access.of())  # type: ignore[arg-type]


def accepted(samples: Sequence[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample.status is SampleStatus.ACCEPTED]


def test_the_same_batch_made_twice_is_the_same() -> None:
    assert made() == made()
    ids = [sample.id for sample in made()]
    assert len(ids) == len(set(ids))


def test_every_sample_knows_where_it_comes_from() -> None:
    texts = {hit.chunk: hit.text for hit in HITS}
    for sample in made():
        assert sample.origin is not None
        assert sample.origin.evidence in texts[sample.origin.chunk]
        assert sample.messages[0].role == "system"
        assert [message.role for message in sample.messages[1:]] == ["user", "assistant"]
        assert sample.messages[-1].content == sample.answer
        assert sample.fact and len(sample.prompt_hash) == 64
        assert (sample.model == "small") == (sample.source == "model")
    groups = {sample.origin.document_id: sample.origin.groups for sample in made() if sample.origin}
    assert groups["doc_1"] == ("hr", "sales")


def test_both_languages_and_both_kinds_are_made_by_rules_alone() -> None:
    samples = accepted(made())
    assert {sample.language for sample in samples} == {"en", "zh"}
    assert {SampleKind.CLOSED_BOOK, SampleKind.GROUNDED} <= {sample.kind for sample in samples}
    assert all(sample.source.startswith("rule:") for sample in samples)


def test_the_wordings_of_one_fact_share_it() -> None:
    closed = [sample for sample in accepted(made()) if sample.kind is SampleKind.CLOSED_BOOK]
    lunch = [sample for sample in closed if "EUR 4.80" in sample.answer]
    assert len({sample.question for sample in lunch}) > 1
    assert len({sample.fact for sample in lunch}) == 1


def test_an_evaluation_question_is_kept_out_with_its_reason() -> None:
    protected = ["How much does the canteen in Lund charge for a hot lunch?"]
    samples = made(protected=protected)
    leaks = [sample for sample in samples if sample.reason.startswith("leak: ")]
    assert protected[0] in {sample.question for sample in leaks}
    assert all(sample.status is SampleStatus.REJECTED for sample in leaks)
    assert protected[0] not in {sample.question for sample in accepted(samples)}


def test_a_known_question_is_rejected_as_a_duplicate() -> None:
    known = {sample.question for sample in accepted(made())}
    again = synthesis().samples_of(HITS, known=known, access=Access.of())
    assert accepted(again) == []
    assert any(sample.reason.startswith("duplicate: ") for sample in again)


def test_a_chat_model_that_writes_nothing_of_use_leaves_the_rules_samples() -> None:
    samples = made(chat=FakeChat(answer="no json at all"))
    assert accepted(samples)
    assert all(sample.source != "model" for sample in samples)


def test_a_rewording_by_the_model_is_a_sample_of_the_model() -> None:
    chat = FakeChat(answer='{"question": "What is the ceiling for a hotel in Oslo?"}')
    samples = [sample for sample in made(chat=chat) if sample.source == "model"]
    good = accepted(samples)
    assert {sample.question for sample in good} == {"What is the ceiling for a hotel in Oslo?"}
    assert all(sample.model == "small" for sample in good)
    assert good[0].prompt_hash != next(sample for sample in made() if sample.source != "model").prompt_hash
    assert any(sample.reason for sample in samples)


def test_another_seed_puts_the_right_passage_elsewhere() -> None:
    def grounded(seed: int) -> list[Sample]:
        return [dataclasses.replace(one, seed=0) for one in made(seed=seed) if one.kind is SampleKind.GROUNDED]

    assert any(grounded(seed) != grounded(0) for seed in (1, 2, 3))
