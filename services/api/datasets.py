"""`/api/datasets` and `/api/samples`: building, importing, listing, showing and exporting training data."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from finetune import formats
from finetune.formats import Format
from finetune.samples import SampleRecord
from finetune.types import Review, Sample, SampleKind, SampleStatus, Split
from ingest.errors import InputRefused
from services.api import schemas
from services.api.auth import Administrator, Caller, TheKnowledgeBase, narrowed

router = APIRouter(prefix="/api", tags=["training data"])

LARGEST_IMPORT_MIB = 64
"""A file of conversations is checked as a whole, in memory: at about five times its size."""
_LONGEST_NAME = 200
_PIECE_BYTES = 1 << 20
# Databases take no larger numbers.
_LARGEST = 2**31 - 1


class BuildRequest(schemas.Request):
    """What to build a data set from. With `groups`, only from what holders of these groups may read."""

    name: str = Field(min_length=1, max_length=_LONGEST_NAME)
    groups: list[str] | None = None
    seed: int = Field(0, ge=0, le=_LARGEST)


class DatasetModel(BaseModel):
    """A data-set version. `incomplete` says why it can no longer be used; `counts` is split → samples."""

    id: str
    name: str
    group_sets: list[list[str]]
    counts: dict[str, int]
    card: dict[str, Any]
    incomplete: str
    created_at: str


class DatasetsResponse(BaseModel):
    """Data sets, the newest first."""

    datasets: list[DatasetModel]


class MessageModel(BaseModel):
    """One message of a conversation."""

    role: str
    content: str


class OriginModel(BaseModel):
    """Where a sample comes from; `evidence` bears its answer out, word for word."""

    document_id: str
    document: str
    version: int
    chunk: str
    page: int
    groups: list[str]
    evidence: str


class SampleModel(BaseModel):
    """One thing to learn, and everything that led to it."""

    id: str
    kind: SampleKind
    source: str
    language: str
    question: str
    answer: str
    messages: list[MessageModel]
    origin: OriginModel | None
    fact: str
    prompt_hash: str
    model: str
    seed: int
    status: SampleStatus
    reason: str
    review: Review


class SampleRecordModel(SampleModel):
    """A sample with what a person said of it."""

    reviewer: str
    reviewed_at: str | None
    edited_from: str | None
    created_at: str


class SamplesResponse(BaseModel):
    """Numbers of all samples that the caller may read, and some of them in the order they were made."""

    counts: dict[str, dict[str, int]]
    samples: list[SampleRecordModel]


def sample(one: Sample) -> dict[str, Any]:
    """A sample as JSON."""
    return {"id": one.id, **asdict(one)}


def _record(one: SampleRecord) -> dict[str, Any]:
    return {**asdict(one), **sample(one.sample)}


@router.get("/datasets", response_model=DatasetsResponse)
def list_datasets(kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """The data sets that the caller may use: those of which all documents may be read."""
    return {"datasets": [asdict(one) for one in kb.workshop.datasets.list(access=access)]}


@router.post("/datasets", status_code=201, response_model=DatasetModel)
def build_dataset(body: BuildRequest, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Builds a data set from the accepted samples; the one that is there where it would be the same."""
    allowed = narrowed(access, body.groups, kb.groups)
    return asdict(kb.workshop.build_dataset(body.name, access=allowed, seed=body.seed))


@router.post("/datasets/import", status_code=201, response_model=DatasetModel)
def import_dataset(
    kb: TheKnowledgeBase,
    access: Administrator,
    file: Annotated[UploadFile, File(description="conversations as TRL messages or Alpaca")],
    name: Annotated[str, Form(min_length=1, max_length=_LONGEST_NAME)],
    group: Annotated[list[str], Form(description="groups that may use it; none: everyone")] = [],  # noqa: B006 - FastAPI copies it
    licence: Annotated[str, Form(max_length=_LONGEST_NAME, description="under which the conversations came")] = "",
) -> dict[str, Any]:
    """Makes a data set of a file of conversations; the file is taken whole or refused with the first line that is wrong."""
    groups = kb.groups.require(group, access=access)
    if file.size is not None and file.size > LARGEST_IMPORT_MIB << 20:
        raise InputRefused(f"the file has {file.size >> 20} MiB; at most {LARGEST_IMPORT_MIB} MiB are read: split it")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "import"
        with path.open("wb") as copy:
            while piece := file.file.read(_PIECE_BYTES):
                copy.write(piece)
        conversations = formats.read(path)
    made = kb.workshop.datasets.import_(
        name, conversations, groups=groups, licence=licence, file=file.filename or "", protected=kb.workshop.protected()
    )
    return asdict(made)


@router.get("/datasets/{dataset_id}", response_model=DatasetModel)
def show_dataset(dataset_id: str, kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """One data set, by its id, or the newest of this name."""
    return asdict(kb.workshop.datasets.get(dataset_id, access=access))


@router.get("/datasets/{dataset_id}/export", response_class=Response, responses={200: {"content": {"application/jsonl": {}}}})
def export_dataset(
    dataset_id: str,
    kb: TheKnowledgeBase,
    access: Caller,
    format: Annotated[Format, Query(description="messages as TRL reads them, or alpaca")] = Format.MESSAGES,  # noqa: A002
    split: Split = Split.TRAIN,
) -> StreamingResponse:
    """One split as JSON lines."""
    version = kb.workshop.datasets.get(dataset_id, access=access)
    conversations = (one.messages for one in kb.workshop.datasets.rows(version.id, split, access=access))
    headers = {"Content-Disposition": f'attachment; filename="{version.id}-{split}-{format}.jsonl"'}
    return StreamingResponse(formats.lines(conversations, format), media_type="application/jsonl", headers=headers)


@router.get("/samples", response_model=SamplesResponse)
def list_samples(
    kb: TheKnowledgeBase,
    access: Caller,
    status: SampleStatus | None = None,
    review: Review | None = None,
    kind: SampleKind | None = None,
    language: Annotated[str | None, Query(max_length=8)] = None,
    limit: Annotated[int, Query(ge=0, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, le=_LARGEST)] = 0,
) -> dict[str, Any]:
    """The samples that the caller may read, with their lineage; numbers are of all of them, the list of those asked for."""
    store = kb.workshop.samples
    found = store.list(access=access, status=status, review=review, kind=kind, language=language, limit=limit, offset=offset)
    return {"counts": store.counts(access=access), "samples": [_record(one) for one in found]}
