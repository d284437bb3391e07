"""`/api/adapters`: the adapters that the caller may use, their curves and archives; and approving, promoting, rolling back."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, Field

from finetune.adapter_files import CURVES
from finetune.types import Adapter
from ingest.errors import NotFound
from services.api import schemas
from services.api.auth import Administrator, Caller, TheKnowledgeBase
from services.api.jobs import RunModel

router = APIRouter(prefix="/api", tags=["adapters"])

# An adapter of the default model has 5 to 40 MB: it is packed in memory up to this size, beyond it on the disk.
_IN_MEMORY_BYTES = 64 << 20
_PIECE_BYTES = 1 << 20


class AdapterModel(BaseModel):
    """An adapter with what it was made of, what was measured of it, and how far it has come.

    `metrics` holds the losses, the held-out figures, the gate's decision and the files' hashes; `parity` the train/serve
    comparison; `flags` what was removed since that it had learned from.
    """

    id: str
    name: str
    base_model: str
    dataset: str
    method: str
    config: dict[str, Any]
    metrics: dict[str, Any]
    parity: dict[str, Any]
    licence: str
    group_sets: list[list[str]]
    state: str
    flags: list[str]
    created_at: str
    changed_at: str


class AdaptersResponse(BaseModel):
    """Adapters, the newest first."""

    adapters: list[AdapterModel]


class ApproveRequest(schemas.Request):
    """`force_reason` approves an adapter that the gate does not let pass; it is kept with the adapter."""

    force_reason: str = Field("", max_length=500)


class PromoteRequest(schemas.Request):
    """`force` promotes an adapter that has learned from what was removed since."""

    force: bool = False


@router.get("/adapters", response_model=AdaptersResponse)
def list_adapters(kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """The adapters that the caller may use."""
    return {"adapters": [_told(adapter) for adapter in kb.workshop.registry.list(access=access)]}


@router.post("/adapters/rollback", status_code=202, response_model=RunModel)
def roll_back(kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Begins to bring back the adapter that was live before, or none."""
    return asdict(kb.workshop.rollback(access=access))


@router.get("/adapters/{adapter_id}", response_model=AdapterModel)
def show_adapter(adapter_id: str, kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """One adapter."""
    return _told(kb.workshop.registry.get(adapter_id, access=access))


@router.get("/adapters/{adapter_id}/curves.png", response_class=FileResponse)
def curves(adapter_id: str, kb: TheKnowledgeBase, access: Caller) -> FileResponse:
    """The losses of its training, as a picture."""
    registry = kb.workshop.registry
    path = registry.files.path(registry.get(adapter_id, access=access).id) / CURVES
    if not path.is_file():
        raise NotFound(f"adapter {adapter_id} has no curves: its training drew none")
    return FileResponse(path, media_type="image/png")


@router.get("/adapters/{adapter_id}/export", response_class=StreamingResponse)
def export(adapter_id: str, kb: TheKnowledgeBase, access: Caller) -> StreamingResponse:
    """The adapter's folder as a tar archive: weights, configuration, figures, card."""
    registry = kb.workshop.registry
    adapter = registry.get(adapter_id, access=access)
    packed = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - the response closes it when it is sent
    registry.files.pack(adapter.id, packed)
    size = packed.tell()
    packed.seek(0)
    headers = {"Content-Disposition": f'attachment; filename="{adapter.id}.tar"', "Content-Length": str(size)}
    return StreamingResponse(iter(lambda: packed.read(_PIECE_BYTES), b""), media_type="application/x-tar", headers=headers)


@router.post("/adapters/{adapter_id}/approve", status_code=202, response_model=RunModel)
def approve(adapter_id: str, body: ApproveRequest, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Begins to serve the candidate aside, to compare it with its training, and to decide."""
    return asdict(kb.workshop.approve(adapter_id, access=access, force_reason=body.force_reason))


@router.post("/adapters/{adapter_id}/promote", status_code=202, response_model=RunModel)
def promote(adapter_id: str, body: PromoteRequest, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Begins to make the adapter the one that answers; the one before answers until then."""
    return asdict(kb.workshop.promote(adapter_id, access=access, force=body.force))


def _told(adapter: Adapter) -> dict[str, Any]:
    return asdict(adapter)
