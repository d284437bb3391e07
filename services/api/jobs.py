"""`/api/jobs`: how far long work has come, of documents as of training; and `/api/synthesize`, `/api/train`, which begin some."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.api import schemas
from services.api.auth import Administrator, Caller, TheKnowledgeBase

router = APIRouter(prefix="/api", tags=["jobs"])


class RunModel(BaseModel):
    """How far one piece of long work has come. `result` is filled when it is done."""

    job_id: str
    kind: str
    request: dict[str, Any]
    status: str
    stage: str
    done: int
    total: int
    unit: str
    detail: dict[str, Any]
    result: dict[str, Any]
    error: str | None
    created_at: str
    updated_at: str


class RunsResponse(BaseModel):
    """All long work, the newest first."""

    jobs: list[RunModel]


class SynthesizeRequest(schemas.Request):
    """What to make samples from. `groups`: only from what their holders may read; none: everything."""

    name: str = Field("documents", min_length=1, max_length=100)
    groups: list[str] | None = None
    seed: int = Field(0, ge=0, lt=2**31)
    rules_only: bool = False


class TrainRequest(schemas.Request):
    """What to train on, and how: the values of a training configuration."""

    dataset: str
    config: dict[str, Any]
    name: str = Field("adapter", min_length=1, max_length=100)


@router.get("/jobs", response_model=RunsResponse)
def list_jobs(kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """All synthesising, training and serving of adapters."""
    return {"jobs": [asdict(run) for run in kb.workshop.runs.list(access=access)]}


@router.get("/jobs/{job_id}", response_model=schemas.JobModel | RunModel)
def show_job(job_id: str, kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """How far one piece of work has come: the adding of a document, or a run of the workshop."""
    runs = kb.workshop.runs
    return asdict(runs.get(job_id, access=access) if runs.is_run(job_id) else kb.jobs.get(job_id, access=access))


@router.post("/jobs/{job_id}/stop", status_code=202, response_model=RunModel)
def stop_job(job_id: str, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Asks a run to end; the same asked for again goes on from where it was."""
    return asdict(kb.workshop.runs.stop(job_id, access=access))


@router.post("/synthesize", status_code=202, response_model=RunModel)
def synthesize(body: SynthesizeRequest, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Begins to make samples from the documents, and a data set from those that are accepted."""
    return asdict(
        kb.workshop.synthesize(body.name, groups=body.groups, seed=body.seed, rules_only=body.rules_only, access=access)
    )


@router.post("/train", status_code=202, response_model=RunModel)
def train(body: TrainRequest, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Begins to train an adapter."""
    return asdict(kb.workshop.train(body.dataset, config=body.config, name=body.name, access=access))
