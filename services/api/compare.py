"""`/api/compare`: one question, answered by several arms side by side from one search."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from eval.types import Arm
from finetune.types import DatasetVersion, Split
from ingest.conversation import Turn
from ingest.types import Hit
from services.api import schemas, sse
from services.api.ask import described
from services.api.auth import Caller, TheKnowledgeBase, narrowed
from services.api.disconnect import nobody_there, unless_gone
from services.api.errors import problem_of
from services.api.hits import HitModel, hit_model
from services.comparing import Failed
from services.drafting import Done, Event, Sources

router = APIRouter(prefix="/api", tags=["questions"])

ArmEvent = tuple[Arm | None, Event | Failed]


class CompareRequest(schemas.NarrowedRequest):
    """A question for several arms; without `arms`, all that are there."""

    question: str = Field(min_length=1, max_length=8000)
    arms: list[Arm] | None = Field(None, min_length=1, max_length=len(Arm))
    history: list[schemas.Message] = Field(default_factory=list, max_length=50)
    stream: bool = True


class FailedModel(BaseModel):
    """Why an arm gave no answer, as problem+json."""

    error: dict[str, Any]


class CompareResponse(BaseModel):
    """The passages that all arms share, and each arm's answer."""

    question: str
    hits: list[HitModel]
    answers: dict[Arm, schemas.AnswerResponse | FailedModel]


class ArmsResponse(BaseModel):
    """Each arm, and why it is not there; an empty text where it is. `state` changes with whatever changes their answers.

    `learned` names the documents that the live adapter has learned from; null without one.
    """

    arms: dict[Arm, str]
    state: dict[str, str]
    learned: list[str] | None


@router.get("/compare", response_model=ArmsResponse)
def arms(kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """The arms that may be compared, and what their answers are made with."""
    status = kb.status(access=access)
    live = kb.workshop.registry.live(access=access)
    documents = sorted((one.document_id, one.version) for one in kb.documents(access=access))
    state = {
        "graft": version("graft"),
        "profile": status.profile,
        "model": status.engine["model"],
        "adapter": live.id if live else "",
        "prompts": kb.answering.prompts.version,
        "documents": hashlib.sha256(repr(documents).encode()).hexdigest()[:16],
    }
    learned = _learned(kb.workshop.datasets.get(live.dataset, access=access)) if live else None
    return {"arms": kb.answering.arms(access), "state": state, "learned": learned}


def _learned(dataset: DatasetVersion) -> list[str]:
    return [one["document"] for one in dataset.card["splits"][Split.TRAIN]["documents"]]


@router.post("/compare", response_model=CompareResponse)
async def compare(body: CompareRequest, request: Request, kb: TheKnowledgeBase, access: Caller) -> Response:
    """Every arm's answer: as server-sent events that name their arm and then `end`, or, with `stream: false`, as JSON."""
    turns = [Turn(message.role, message.content) for message in body.history]
    access = narrowed(access, body.groups, kb.groups)
    known = {} if body.arms else await run_in_threadpool(kb.answering.arms, access)
    asked = body.arms or [arm for arm, missing in known.items() if not missing]
    events = kb.compare(body.question, access=access, arms=asked, history=turns, filters=body.filters())
    first = await unless_gone(request, anext(events))  # what is wrong with the request shows before the first byte is sent
    if first is None:
        return nobody_there()
    if body.stream:
        return sse.EventStream(_written(first, events))
    answers = await unless_gone(request, _collected(body.question, first, events))
    return nobody_there() if answers is None else JSONResponse(answers)


async def _written(first: ArmEvent, rest: AsyncGenerator[ArmEvent, None]) -> AsyncGenerator[str, None]:
    async with aclosing(rest):
        yield _event(first)
        async for event in rest:
            yield _event(event)
        yield sse.event({}, name="end")


def _event(event: ArmEvent) -> str:
    arm, told = event
    name, data = ("error", problem_of(told.error)) if isinstance(told, Failed) else described(told)
    return sse.event({"arm": arm, **data}, name=name)


async def _collected(question: str, first: ArmEvent, rest: AsyncGenerator[ArmEvent, None]) -> dict[str, Any]:
    hits: tuple[Hit, ...] = first[1].hits if isinstance(first[1], Sources) else ()
    answers: dict[str, Any] = {}
    async with aclosing(rest):
        async for arm, event in rest:
            match event:
                case Done(answer):
                    answers[str(arm)] = schemas.answer(answer)
                case Failed(error):
                    answers[str(arm)] = {"error": problem_of(error)}
                case _:
                    pass
    in_order = {arm: answers[arm] for arm in Arm if arm in answers}
    return {"question": question, "hits": [hit_model(hit) for hit in hits], "answers": in_order}
