"""`/api/check`: answers of anybody's making, judged against the texts that come with them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from eval.hallucination import Line
from eval.types import Fault
from services.api.auth import Caller, TheKnowledgeBase

router = APIRouter(prefix="/api", tags=["questions"])


class CheckRequest(BaseModel):
    """An answer to check. Other fields, as lines of data sets have them, are left alone."""

    model_config = ConfigDict(extra="ignore")

    id: int | str
    context: str | list[str] = Field(description="what the answer is held against; all of it is read")
    answer: str
    question: str | None = Field(None, description="what was asked, where that is known")


class CheckedSpan(BaseModel):
    """A part of the answer, in Unicode code points, end exclusive, that the context does not bear out."""

    start: int
    end: int
    score: float


class CheckedSentence(BaseModel):
    """A sentence of the answer; `support` is the probability that the context bears it out."""

    start: int
    end: int
    support: float
    supported: bool
    judged: bool
    fault: Fault | None
    reason: str


class CheckResponse(BaseModel):
    """`score` is the probability that the answer holds unsupported content; it is `hallucinated` from 0.5 on."""

    id: int | str
    score: float
    hallucinated: bool
    spans: list[CheckedSpan]
    sentences: list[CheckedSentence]


@router.post("/check", response_model=CheckResponse | list[CheckResponse])
def check(
    body: CheckRequest | list[CheckRequest], kb: TheKnowledgeBase, _access: Caller
) -> dict[str, Any] | list[dict[str, Any]]:
    """Whether the context bears the answer out: of one line an object, of at most 200 lines in a list a list, in order."""
    if isinstance(body, list):
        return kb.checker.check([Line.of(one.model_dump()) for one in body])
    return kb.checker.check([Line.of(body.model_dump())])[0]
