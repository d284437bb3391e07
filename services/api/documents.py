"""`/api/documents`: adding, listing, showing and removing documents."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Header, Path, Query, UploadFile
from fastapi.responses import FileResponse, Response

from ingest.errors import LimitPassed, NotPermitted
from ingest.files import pieces
from ingest.readers.detect import ALLOWED, media_type
from services.api import schemas
from services.api.auth import Administrator, Caller, TheKnowledgeBase

router = APIRouter(prefix="/api", tags=["documents"])

_LONGEST_PASSWORD = 1000


@router.get("/documents", response_model=schemas.DocumentsResponse)
def list_documents(kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """The documents that the caller may read."""
    return {"documents": [asdict(record) for record in kb.documents(access=access)]}


@router.post("/documents", status_code=202, response_model=schemas.JobsResponse)
def add_documents(
    kb: TheKnowledgeBase,
    access: Caller,
    files: Annotated[list[UploadFile], File(description=f"the files. {ALLOWED}")],
    group: Annotated[list[str], Form(description="groups that may read them; none: everyone")] = [],  # noqa: B006 - FastAPI copies it
    password: Annotated[
        str, Form(max_length=_LONGEST_PASSWORD, description="opens encrypted files; forgotten when they are read")
    ] = "",
    source: Annotated[
        str, Form(max_length=4096, description="folder that they come from and are kept in step with; administrators only")
    ] = "",
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> dict[str, Any]:
    """Begins to add files: a job each, durable when this answers. The same `Idempotency-Key` gets the same jobs again."""
    if source and not access.administrator:
        raise NotPermitted("only an administrator keeps a folder in step: leave `source` out")
    limit = kb.pipeline.worker.limits.file_mib
    for file in files:
        if file.size is not None and file.size > limit << 20:
            raise LimitPassed(f"{file.filename} has {file.size >> 20} MiB; at most {limit} MiB are read (setting read.file_mib)")
    jobs = []
    for number, file in enumerate(files):
        once = _once(idempotency_key, authorization, number) if idempotency_key else None
        job = kb.add(
            file.filename or "",
            pieces(file.file),
            groups=group,
            access=access,
            once=once,
            password=password,
            source=source,
        )
        jobs.append(asdict(job))
    return {"jobs": jobs}


def _once(key: str, caller: str | None, number: int) -> str:
    """The name of one file of a request. Nobody can guess another caller's, so nobody learns of another's jobs."""
    return hashlib.sha256("\n".join([key, caller or "", str(number)]).encode()).hexdigest()


@router.get("/folder", response_model=schemas.FolderResponse)
def show_folder(
    kb: TheKnowledgeBase,
    access: Administrator,
    source: Annotated[str, Query(min_length=1, max_length=4096, description="as it was named when its files were added")],
) -> dict[str, Any]:
    """What was added from a folder: its documents, and the jobs that go on or ended badly."""
    return {
        "documents": [asdict(record) for record in kb.catalog.from_source(source, access=access)],
        "jobs": [asdict(job) for job in kb.jobs.from_source(source, access=access)],
    }


@router.get("/documents/{document_id}", response_model=schemas.DocumentModel)
def show_document(document_id: str, kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """One document."""
    return asdict(kb.catalog.document(document_id, access=access))


@router.delete("/documents/{document_id}", response_model=schemas.LineageModel)
def remove_document(document_id: str, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Deletes a document and everything made from it; tells what that was."""
    return asdict(kb.remove(document_id, access=access))


@router.get("/documents/{document_id}/versions", response_model=schemas.VersionsResponse)
def list_versions(document_id: str, kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """All versions of a document. Only the newest is searched; the others can be opened, and searched by name."""
    return {"versions": [asdict(one) for one in kb.versions.of(document_id, access=access)]}


@router.post("/documents/{document_id}/reprocess", status_code=202, response_model=schemas.JobModel)
def reprocess_document(document_id: str, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Begins to read a document's file anew; all stays as it is where that fails."""
    return asdict(kb.read_again(document_id, access=access))


@router.get("/documents/{document_id}/report", response_model=schemas.ReportModel)
def show_report(document_id: str, kb: TheKnowledgeBase, access: Caller) -> dict[str, Any]:
    """The languages of a document, the documents that say nearly the same, and the personal data in it, masked."""
    return asdict(kb.report(document_id, access=access))


@router.get("/documents/{document_id}/lineage", response_model=schemas.LineageModel)
def show_lineage(document_id: str, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """What was made from a document, and would end with it."""
    return asdict(kb.workshop.lineage(document_id, access=access))


@router.put("/documents/{document_id}/groups", response_model=schemas.DocumentModel)
def set_groups(document_id: str, body: schemas.GroupsRequest, kb: TheKnowledgeBase, access: Administrator) -> dict[str, Any]:
    """Gives a document other groups."""
    return asdict(kb.set_groups(document_id, body.groups, access=access))


@router.get("/documents/{document_id}/file", response_class=FileResponse)
def original(
    document_id: str,
    kb: TheKnowledgeBase,
    access: Caller,
    version: Annotated[int | None, Query(le=schemas.LARGEST, description="default: the newest")] = None,
) -> FileResponse:
    """The file as it was added: a PDF or an image to be shown, everything else to be saved."""
    record, path = kb.original(document_id, access=access, version=version)
    name = record.document.rsplit("/", 1)[-1]
    shown = media_type(path)
    # A web page that was shown from here could run its scripts with the reader's rights.
    disposition = "attachment" if shown is None else "inline"
    return FileResponse(path, media_type=shown or "application/octet-stream", filename=name, content_disposition_type=disposition)


@router.get(
    "/documents/{document_id}/pages/{number}.png", response_class=Response, responses={200: {"content": {"image/png": {}}}}
)
def page_image(
    document_id: str,
    number: Annotated[int, Path(le=schemas.LARGEST)],
    kb: TheKnowledgeBase,
    access: Caller,
    version: Annotated[int | None, Query(le=schemas.LARGEST, description="as a citation names it; default: the newest")] = None,
    chunk: Annotated[str | None, Query(description="box this passage")] = None,
    quote: Annotated[str | None, Query(description="box these exact words of the page")] = None,
) -> Response:
    """A page as an image, with the cited passage boxed; 404 for a page that is text alone."""
    png = kb.page_image(document_id, number, access=access, version=version, chunk=chunk, quote=quote)
    return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=300"})


@router.get("/documents/{document_id}/pages/{number}", response_model=schemas.PageTextModel)
def page_text(
    document_id: str,
    number: Annotated[int, Path(le=schemas.LARGEST)],
    kb: TheKnowledgeBase,
    access: Caller,
    version: Annotated[int | None, Query(le=schemas.LARGEST, description="as a citation names it; default: the newest")] = None,
    chunk: Annotated[str | None, Query(description="mark this passage")] = None,
    quote: Annotated[str | None, Query(description="mark these exact words of the page")] = None,
) -> dict[str, Any]:
    """A page's text, with the place of the cited passage in it. Pages of most formats but PDF have no image."""
    return asdict(kb.page_text(document_id, number, access=access, version=version, chunk=chunk, quote=quote))
