"""In a chain of LangChain: the retriever finds what the caller may read, and nothing without being told who calls."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from pydantic import ValidationError

from ingest.errors import InputRefused, NotFound
from ingest.narrowing import Filters
from ingest.types import Access
from services.langchain_retriever import HybridRetriever
from tests.fakes import FakeChat, pdf
from tests.product import Product

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "using.md"


@pytest.fixture
def pumps(product: Product) -> Product:
    product.kb.groups.create("board")
    product.add("pump.pdf", pdf("The pump runs at twelve bar.", title="Pumps"))
    product.add("price.pdf", pdf("The pump costs ninety euros.", title="Prices"), "board")
    return product


def retriever(product: Product, access: Access, **options: Any) -> HybridRetriever:
    return HybridRetriever(knowledge_base=product.kb, access=access, **options)


def test_documents_say_where_they_stand(pumps: Product) -> None:
    (found,) = retriever(pumps, Access.of()).invoke("At how many bar runs the pump?")
    (hit,) = pumps.kb.search("At how many bar runs the pump?", access=Access.of(), limit=10)
    assert (found.page_content, found.id) == ("The pump runs at twelve bar.", hit.chunk)
    assert found.metadata == {
        "document": "pump.pdf",
        "document_id": hit.document_id,
        "version": 1,
        "page": 1,
        "chunk": hit.chunk,
        "score": hit.score,
        "headings": list(hit.headings),
        "language": "en",
    }


async def test_rights_limits_and_filters_hold_sync_and_async(pumps: Product) -> None:
    async def names(one: HybridRetriever) -> set[str]:
        found, later = one.invoke("the pump"), await one.ainvoke("the pump")
        assert found == later
        return {document.metadata["document"] for document in found}

    assert await names(retriever(pumps, Access.of())) == {"pump.pdf"}
    assert await names(retriever(pumps, Access.of("board"))) == {"pump.pdf", "price.pdf"}
    assert len(await names(retriever(pumps, Access.of("board"), limit=1))) == 1
    assert await names(retriever(pumps, Access.of("board"), filters=Filters(documents=("price.pdf",)))) == {"price.pdf"}
    with pytest.raises(NotFound):
        await names(retriever(pumps, Access.of(), filters=Filters(documents=("price.pdf",))))
    with pytest.raises(InputRefused):
        retriever(pumps, Access.of()).invoke(" ")


@pytest.mark.parametrize("wrong", [{}, {"access": {"groups": ["board"]}}, {"access": Access.of(), "limit": 0}])
def test_without_access_there_is_no_retriever(product: Product, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HybridRetriever(knowledge_base=product.kb, **wrong)


async def test_it_stands_in_a_chain(pumps: Product) -> None:
    chat = FakeChat(answer="Twelve bar.")
    prompt = ChatPromptTemplate.from_messages([("system", "Answer from these passages:\n{passages}"), ("human", "{question}")])

    def passages(documents: list[Document]) -> str:
        return "\n".join(f"[{one.metadata['document']}, page {one.metadata['page']}] {one.page_content}" for one in documents)

    found = retriever(pumps, Access.of())
    chain = {"passages": found | passages, "question": RunnablePassthrough()} | prompt | chat | StrOutputParser()
    assert "".join([token async for token in chain.astream("At how many bar runs the pump?")]).strip() == chat.answer
    assert "[pump.pdf, page 1] The pump runs at twelve bar." in chat.prompts[0]
    assert "ninety" not in chat.prompts[0]


def test_the_guides_example_runs(pumps: Product, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFT_CHAT__START_ENGINE", "false")
    pumps.stop()
    (example,) = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    exec(example, {"__name__": "example"})  # noqa: S102 - the guide's own
    assert capsys.readouterr().out.startswith("pump.pdf 1 The pump runs at twelve bar.")
