"""`/api/jobs`: how far long work has come, of documents as of training, and what may be done about it; and `/api/synthesize`,
`/api/train`, which begin some."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel, Field

from services.api import schemas
from services.api.auth import Administrator, Caller, TheKnowledgeBase
from services.job_states import UNFINISHED
from services.job_table import Job
from services.runs import Run

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


class LongWorkResponse(BaseModel):
    """Long work, the newest first."""

    jobs: list[schemas.JobModel | RunModel]


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


@router.get("/jobs", response_model=LongWorkResponse)
def list_jobs(
    kb: TheKnowledgeBase,
    access: Caller,
    only_open: Annotated[bool, Query(alias="open", description="only what goes on, or somebody should look after")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """The adding of documents that the caller may read; for administrators the work on training data and adapters too."""
    adding = kb.jobs.list(access=access, only_open=only_open, limit=limit)
    runs = [run for run in kb.workshop.runs.list(access=access) if run.status in UNFINISHED or not only_open]
    both: list[Job | Run] = [*adding, *runs]
    both.sort(key=lambda one: one.created_at, reverse=True)
    return {"jobs": [asdict(one) for one in both[:limit]]}


@router.get("/jobs/{job_id}", response_model=schemas.JobModel | RunModel)
def show_job(job_id: str, kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """How far one piece of work has come: the adding of a document, or a run of the workshop."""
    runs = kb.workshop.runs
    return asdict(runs.get(job_id, access=access) if runs.is_run(job_id) else kb.jobs.get(job_id, access=access))


@router.post("/jobs/{job_id}/stop", status_code=202, response_model=schemas.JobModel | RunModel)
def stop_job(job_id: str, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Asks work to end. A run that is asked for again goes on from where it was; a document's file is kept for another try."""
    runs = kb.workshop.runs
    return asdict(runs.stop(job_id, access=access) if runs.is_run(job_id) else kb.jobs.stop(job_id, access=access))


@router.post("/jobs/{job_id}/retry", status_code=202, response_model=schemas.JobModel)
def retry_job(
    job_id: str,
    kb: TheKnowledgeBase,
    access: Administrator,
    password: Annotated[str, Form(max_length=1000, description="opens an encrypted file; forgotten when it is read")] = "",
) -> dict[str, Any]:
    """Another job for the file of one that ended badly, out of quarantine too."""
    return asdict(kb.jobs.retry(job_id, password=password, access=access))


@router.delete("/jobs/{job_id}", status_code=204)
def dismiss_job(job_id: str, kb: TheKnowledgeBase, access: Administrator) -> None:
    """Forgets a document's job that has ended, with the file that was kept for another try."""
    kb.jobs.dismiss(job_id, access=access)


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
