"""The OpenAI-compatible interface under `/v1`, so that their clients, LangChain's and Open WebUI work unchanged.

A delta cannot be taken back, so a sentence is sent when its verdict is in: what is shown is what was judged.
Annotations give each citation as `url_citation` with our own `graft` object beside it; `[n]` stands in the text too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from eval.types import Answer, Arm, Citation, Sentence, Style
from ingest.conversation import Turn
from ingest.errors import GraftError, InputRefused, NotFound
from ingest.types import Access
from services.api import sse
from services.api.ask import answer_of
from services.api.auth import Caller, TheKnowledgeBase
from services.api.disconnect import nobody_there, unless_gone
from services.api.errors import problem_of
from services.drafting import Done, Event, JudgedSentence
from services.knowledge_base import KnowledgeBase
from services.wording import piece

router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])

_ARMS = {"graft-base": Arm.BASE, "graft-rag": Arm.RAG}
_ARMS_OF_AN_ADAPTER = {"graft-tuned": Arm.TUNED, "graft-tuned-rag": Arm.TUNED_RAG}


class ContentPart(BaseModel):
    """A part of a message; only text is read."""

    model_config = ConfigDict(extra="allow")
    type: str
    text: str = ""


class ChatMessage(BaseModel):
    """One message of a conversation."""

    model_config = ConfigDict(extra="allow")
    role: str
    content: str | list[ContentPart] | None = None

    def plain(self) -> str:
        """The message's text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class StreamOptions(BaseModel):
    """Whether the last chunk tells the tokens used."""

    model_config = ConfigDict(extra="allow")
    include_usage: bool = False


class ChatRequest(BaseModel):
    """OpenAI's request. Sampling options are accepted and not used: answers are deterministic. `style` is ours."""

    model_config = ConfigDict(extra="allow")
    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    style: Style = Style.AUTO
    n: Literal[1] | None = None


@router.get("/models")
def list_models(kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """The ways of answering that are there now for the caller."""
    return {"object": "list", "data": [_model(name) for name in _arms(kb, access)]}


@router.get("/models/{name}")
def show_model(name: str, kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """One way of answering."""
    _arm(name, kb, access)
    return _model(name)


@router.post("/chat/completions", response_model=None)
async def chat_completions(body: ChatRequest, request: Request, kb: TheKnowledgeBase, access: Caller) -> Response:
    """An answer to the last user message, as one object or as a stream of chunks."""
    arm = await asyncio.to_thread(_arm, body.model, kb, access)
    asked = [index for index, message in enumerate(body.messages) if message.role == "user"]
    if not asked:
        raise InputRefused("messages hold no user message: the last one of role user is the question")
    history = [
        Turn(message.role, message.plain()) for message in body.messages[: asked[-1]] if message.role in ("user", "assistant")
    ]
    question = body.messages[asked[-1]].plain()
    events = kb.stream(question, access=access, arm=arm, style=body.style, history=history)
    reply = _Reply(body.model, str(request.base_url).rstrip("/"))
    first = await unless_gone(request, anext(events))  # what is wrong with the request shows before the first byte is sent
    if first is None:
        return nobody_there()
    if body.stream:
        usage = body.stream_options is not None and body.stream_options.include_usage
        return sse.EventStream(_chunks(reply, first, events, include_usage=usage))
    answer = await unless_gone(request, answer_of(first, events))
    return nobody_there() if answer is None else JSONResponse(reply.whole(answer))


async def _chunks(
    reply: _Reply, first: Event, rest: AsyncGenerator[Event, None], *, include_usage: bool
) -> AsyncGenerator[str, None]:
    async with aclosing(rest):
        yield reply.chunk({"role": "assistant", "content": ""})
        written = ""
        event: Event | None = first
        try:
            while event is not None:
                if isinstance(event, JudgedSentence):
                    written += event.shown
                    yield reply.chunk({"content": event.shown})
                elif isinstance(event, Done):
                    for chunk in reply.ending(event.answer, written, include_usage=include_usage):
                        yield chunk
                event = await anext(rest, None)
        except GraftError as error:
            yield sse.event({"error": problem_of(error)["error"]})
        yield sse.event("[DONE]")


class _Reply:
    """Writes one completion, whole or in chunks."""

    def __init__(self, model: str, base_url: str) -> None:
        self._model = model
        self._base_url = base_url
        self._id = f"chatcmpl-{uuid4().hex}"
        self._created = int(time.time())

    def whole(self, answer: Answer) -> dict[str, Any]:
        message = {
            "role": "assistant",
            "content": answer.answer,
            "annotations": self._annotations(answer),
        }
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return {**self._head("chat.completion"), "choices": [choice], "usage": _usage(answer)}

    def chunk(self, delta: dict[str, Any], *, finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return sse.event({**self._head("chat.completion.chunk"), "choices": [choice]})

    def ending(self, answer: Answer, written: str, *, include_usage: bool) -> Sequence[str]:
        """What was not sent yet (the words of an abstention), then annotations, the finish and the usage."""
        chunks = [] if written else [self.chunk({"content": answer.answer})]
        if answer.citations:
            chunks.append(self.chunk({"annotations": self._annotations(answer)}))
        chunks.append(self.chunk({}, finish="stop"))
        if include_usage:
            chunks.append(sse.event({**self._head("chat.completion.chunk"), "choices": [], "usage": _usage(answer)}))
        return chunks

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._model}

    def _annotations(self, answer: Answer) -> list[dict[str, Any]]:
        """One entry for each marker, in the order of the text: the markers are the last of each sentence's piece of it."""
        if answer.abstained:
            return []
        cited = {citation.marker: citation for citation in answer.citations}
        entries: list[dict[str, Any]] = []
        end, before = 0, None
        for sentence in answer.sentences:
            end += len(piece(sentence, before=before, language=answer.language))
            before = sentence
            start = end - len("".join(map(_bracketed, sentence.citations)))
            for marker in sentence.citations:
                after = start + len(_bracketed(marker))
                place = {
                    "url": self._url(cited[marker]),
                    "title": f"{cited[marker].document}, page {cited[marker].page}",
                    "start_index": start,
                    "end_index": after,
                }
                start = after
                entries.append({"type": "url_citation", "url_citation": place, "graft": _ours(cited[marker], sentence)})
        return entries

    def _url(self, citation: Citation) -> str:
        query = urlencode({"version": citation.version, "chunk": citation.chunk, "quote": citation.quote})
        page = f"{citation.page}.png" if citation.bbox else str(citation.page)  # what has no place on a picture is text alone
        return f"{self._base_url}/api/documents/{citation.document_id}/pages/{page}?{query}"


def _bracketed(marker: int) -> str:
    return f"[{marker}]"


def _ours(citation: Citation, sentence: Sentence) -> dict[str, Any]:
    known = {key: value for key, value in asdict(citation).items() if key != "marker"}
    return {**known, "support": sentence.support}


def _usage(answer: Answer) -> dict[str, int]:
    prompt, completion = answer.usage.get("prompt_tokens", 0), answer.usage.get("completion_tokens", 0)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _arms(kb: KnowledgeBase, access: Access) -> dict[str, Arm]:
    """Model name → arm, those of the adapter only while one is live that the caller may use."""
    return {**_ARMS, **_ARMS_OF_AN_ADAPTER} if kb.workshop.live.is_live(access=access) else _ARMS


def _arm(name: str, kb: KnowledgeBase, access: Access) -> Arm:
    arms = _arms(kb, access)
    if name not in arms:
        raise NotFound(f"there is no model {name!r}; there are: {', '.join(arms)}")
    return arms[name]


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "graft"}
