"""The knowledge base as a retriever of LangChain, for chains of one's own.

It searches as the product does: rights and filters inside the search, each passage once. On whose behalf must be said.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, runtime_checkable

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, InstanceOf

from ingest.narrowing import Filters
from ingest.text_cleaning import clean_text
from ingest.types import Access, Hit


@runtime_checkable
class Searching(Protocol):
    """What a `KnowledgeBase` can do and this retriever needs."""

    def search(self, query: str, *, access: Access, limit: int, filters: Filters | None = None) -> list[Hit]:
        """At most `limit` passages that the caller may read, best first."""


class HybridRetriever(BaseRetriever):
    """The best passages for a question that holders of `access` may read, as LangChain documents, best first.

    Their text is clean; `metadata` says where it stands: `document`, `document_id`, `version`, `page`, `chunk`, `score` (compares
    within one search only), `headings`, and `language` where it is known. `id` is the chunk's.

    Raises, when it is invoked:
        InputRefused: the question is empty, or a filter cannot be used. NotFound: a document that a filter names is not there.
    """

    knowledge_base: InstanceOf[Searching]
    access: InstanceOf[Access]
    limit: int = Field(10, ge=1, le=100)
    filters: InstanceOf[Filters] | None = None

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        del run_manager  # nothing of it is told in steps
        hits = self.knowledge_base.search(query, access=self.access, limit=self.limit, filters=self.filters)
        return [_document(hit) for hit in hits]

    async def _aget_relevant_documents(self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun) -> list[Document]:
        return await asyncio.to_thread(self._get_relevant_documents, query, run_manager=run_manager.get_sync())


def _document(hit: Hit) -> Document:
    where = {
        "document": hit.document,
        "document_id": hit.document_id,
        "version": hit.version,
        "page": hit.page,
        "chunk": hit.chunk,
        "score": hit.score,
        "headings": list(hit.headings),
    }
    known = {"language": hit.language} if hit.language else {}
    return Document(id=hit.chunk, page_content=clean_text(hit.text), metadata=where | known)
