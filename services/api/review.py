"""`/api/review`: the samples that wait for a person, and what a person decides."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from finetune.review import Decision
from ingest.errors import UsageError
from services.api import schemas
from services.api.auth import Administrator, Caller, TheKnowledgeBase
from services.api.datasets import SampleModel, sample

router = APIRouter(prefix="/api", tags=["training data"])

_LONGEST_TEXT = 8000


class ReviewRequest(schemas.Request):
    """A decision: `edit` takes a new question, a new answer or both, `reject` a reason."""

    decision: Literal["accept", "edit", "reject"]
    question: str | None = Field(None, max_length=_LONGEST_TEXT)
    answer: str | None = Field(None, max_length=_LONGEST_TEXT)
    reason: str | None = Field(None, max_length=1000)
    reviewer: str = Field("administrator", min_length=1, max_length=200)


class QueueResponse(BaseModel):
    """Samples without a decision, the most doubtful first."""

    samples: list[SampleModel]


class DecisionModel(BaseModel):
    """What was decided; `sample` counts from now on, `warning` says that its evidence may not bear it out."""

    sample: SampleModel
    reviewer: str
    reviewed_at: str
    edited_from: str | None
    warning: str


@router.get("/review", response_model=QueueResponse)
def queue(kb: TheKnowledgeBase, access: Caller, limit: Annotated[int, Query(ge=1, le=1000)] = 20) -> dict[str, Any]:
    """The samples that wait for a decision and that the caller may read."""
    return {"samples": [sample(one) for one in kb.workshop.review.pending(access=access, limit=limit)]}


@router.post("/review/{sample_id}", response_model=DecisionModel)
def decide(sample_id: str, body: ReviewRequest, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Accepts, edits or rejects a sample, once."""
    _require_fitting(body)
    review, by = kb.workshop.review, body.reviewer
    if body.decision == "accept":
        made = review.accept(sample_id, reviewer=by, access=access)
    elif body.decision == "reject":
        made = review.reject(sample_id, reason=body.reason or "", reviewer=by, access=access)
    else:
        made = review.edit(sample_id, question=body.question, answer=body.answer, reviewer=by, access=access)
    return _decision(made)


def _require_fitting(body: ReviewRequest) -> None:
    """Refuses what the decision would ignore.

    Raises:
        UsageError: words with a decision that takes none.
    """
    taken = {"accept": set(), "edit": {"question", "answer"}, "reject": {"reason"}}[body.decision]
    given = {name for name in ("question", "answer", "reason") if getattr(body, name) is not None}
    if extra := sorted(given - taken):
        raise UsageError(f"{body.decision} takes no {' and no '.join(extra)}: leave that out, or decide otherwise")


def _decision(made: Decision) -> dict[str, Any]:
    return {
        "sample": sample(made.sample),
        "reviewer": made.reviewer,
        "reviewed_at": made.reviewed_at,
        "edited_from": made.edited_from,
        "warning": made.warning,
    }
