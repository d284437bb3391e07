"""`/api/ask` and `/api/search`: a question or some words, answered within the caller's rights."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from eval.types import Answer
from ingest.conversation import Turn
from ingest.errors import GraftError, InputRefused
from ingest.explanation import Explanation
from ingest.spelling import Correction
from ingest.text_cleaning import clean_text
from services.api import schemas, sse
from services.api.auth import Caller, TheKnowledgeBase, narrowed
from services.api.disconnect import nobody_there, unless_gone
from services.api.errors import problem_of
from services.api.hits import hit_model
from services.drafting import Done, Doubted, Event, JudgedSentence, Removed, Sources
from services.writing import Token

router = APIRouter(prefix="/api", tags=["questions"])


@router.post("/search", response_model=schemas.SearchResponse, response_model_exclude_unset=True)
def search(body: schemas.SearchRequest, kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """Passages for some words, best first; of all documents as they are now, or of one document in any of its versions."""
    if body.version is not None and body.document_id is None:
        raise InputRefused("version says which form of one document is meant: name that in document_id")
    if body.explain and (body.like is not None or body.version is not None):
        raise InputRefused("explain tells of a query to the newest versions: leave like and version out")
    access = narrowed(access, body.groups, kb.groups)
    began = time.perf_counter()
    corrections: list[Correction] = []
    filters = body.filters()
    named = filters if body.document_id is None else replace(filters, documents=(body.document_id, *filters.documents))
    if body.like is not None:
        if body.query or body.version is not None:
            raise InputRefused("like finds passages of the newest versions by a passage: leave query and version out")
        hits = kb.like(body.like, access=access, limit=body.limit, filters=named)
    elif body.document_id is None or body.version is None:
        hits = kb.search(body.query, access=access, limit=body.limit, filters=named)
        corrections = kb.corrections(body.query, hits)
    else:
        if filters:
            raise InputRefused("a version of one document is searched whole: leave the other filters out")
        hits = kb.search_version(body.query, document_id=body.document_id, version=body.version, access=access, limit=body.limit)
    taken = round((time.perf_counter() - began) * 1000, 2)
    why: Sequence[Explanation | None] = [None] * len(hits)
    if body.explain:
        why = kb.explain(body.query, [replace(hit, text=clean_text(hit.text)) for hit in hits])
    around = [kb.section(hit, access=access) if body.widen else None for hit in hits]
    told = [hit_model(*one) for one in zip(hits, around, why, strict=True)]
    return {"hits": told, "corrections": [asdict(one) for one in corrections], "timings_ms": {"search": taken}}


@router.post("/ask", response_model=schemas.AnswerResponse)
async def ask(body: schemas.AskRequest, request: Request, kb: TheKnowledgeBase, access: Caller) -> Response:
    """An answer: as server-sent events `sources`, `token`, `doubt`, `sentence`, `removed`, `done`; or, with `stream: false`, as
    JSON."""
    turns = [Turn(message.role, message.content) for message in body.history]
    access = narrowed(access, body.groups, kb.groups)
    events = kb.stream(body.question, access=access, arm=body.arm, style=body.style, history=turns, filters=body.filters())
    first = await unless_gone(request, anext(events))  # what is wrong with the request shows before the first byte is sent
    if first is None:
        return nobody_there()
    if body.stream:
        return sse.EventStream(_written(first, events))
    answer = await unless_gone(request, answer_of(first, events))
    return nobody_there() if answer is None else JSONResponse(schemas.answer(answer))


async def answer_of(first: Event, rest: AsyncGenerator[Event, None]) -> Answer:
    """The whole answer that the events end with."""
    async with aclosing(rest):
        while not isinstance(first, Done):
            first = await anext(rest)
    return first.answer


async def _written(first: Event, rest: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
    async with aclosing(rest):
        yield _written_event(first)
        try:
            async for event in rest:
                yield _written_event(event)
        except GraftError as error:
            yield sse.event(problem_of(error), name="error")


def _written_event(event: Event) -> str:
    name, data = described(event)
    return sse.event(data, name=name)


def described(event: Event) -> tuple[str, dict[str, Any]]:
    """The event's name and what it says, as JSON."""
    match event:
        case Sources(hits):
            return "sources", {"hits": [hit_model(hit) for hit in hits]}
        case Token(text):
            return "token", {"text": text}
        case Doubted(text, reason, fault):
            return "doubt", {"text": text, "reason": reason, "fault": fault}
        case Removed(repair):
            return "removed", schemas.repair(repair)
        case JudgedSentence(index, sentence, citations, shown, held_ms):
            cited = [schemas.citation(citation) for citation in citations]
            return "sentence", {
                "index": index,
                **schemas.sentence(sentence),
                "citations": cited,
                "shown": shown,
                "held_ms": held_ms,
            }
        case Done(answer):
            return "done", schemas.answer(answer)
