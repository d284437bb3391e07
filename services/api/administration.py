"""Groups, keys, who the caller is, and how the product stands."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from services.api import schemas
from services.api.auth import Administrator, Caller, TheKnowledgeBase

router = APIRouter(prefix="/api", tags=["administration"])


@router.get("/me", response_model=schemas.MeResponse)
def me(kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """The caller's groups."""
    return {
        "groups": sorted(access.groups),
        "administrator": access.administrator,
        "key_required": kb.keys.required(),
    }


@router.get("/status", response_model=schemas.StatusResponse)
def status(kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """How many documents the caller may read, and how the engine stands."""
    return {"version": version("graft"), **asdict(kb.status(access=access))}


@router.get("/groups", response_model=schemas.GroupsResponse)
def list_groups(kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """All groups for an administrator, the caller's own for others."""
    return {"groups": kb.groups.names() if access.administrator else sorted(access.groups)}


@router.post("/groups", status_code=201, response_model=schemas.GroupsResponse)
def create_group(body: schemas.GroupRequest, kb: TheKnowledgeBase, _access: Administrator) -> dict[str, Any]:
    """Makes a group."""
    kb.groups.create(body.name)
    return {"groups": kb.groups.names()}


@router.delete("/groups/{name:path}", status_code=204)
def remove_group(name: str, kb: TheKnowledgeBase, _access: Administrator) -> Response:
    """Removes a group that no document and no key carries."""
    kb.remove_group(name)
    return Response(status_code=204)


@router.get("/keys", response_model=schemas.KeysResponse)
def list_keys(kb: TheKnowledgeBase, _access: Administrator) -> dict[str, Any]:
    """All keys, without their secrets."""
    return {"keys": [asdict(key) for key in kb.keys.list()]}


@router.post("/keys", status_code=201, response_model=schemas.NewKeyResponse)
def create_key(body: schemas.KeyRequest, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Makes a key; its secret is in this answer and nowhere else. From the first key on, every call needs one."""
    groups = kb.groups.require(body.groups, access=access)
    key, secret = kb.keys.create(body.name, groups=groups, administrator=body.administrator)
    return {"key": asdict(key), "secret": secret}


@router.delete("/keys/{key_id}", response_model=schemas.KeyModel)
def revoke_key(key_id: str, kb: TheKnowledgeBase, _access: Administrator) -> dict[str, Any]:
    """Makes a key worthless at once."""
    return asdict(kb.keys.revoke(key_id))


@router.post("/reindex", response_model=schemas.ReindexResponse)
def reindex(kb: TheKnowledgeBase, _access: Administrator) -> dict[str, Any]:
    """Makes the indexes anew from the catalog, without parsing anything again."""
    return {"chunks": kb.pipeline.reindex()}
