"""The shapes of requests and responses under `/api`, as pydantic models for OpenAPI and validation."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from eval.types import Answer, Arm, Citation, Fault, Repair, RepairAction, Sentence, Style
from ingest.catalog import DocumentRecord
from ingest.narrowing import Filters
from ingest.types import Bbox
from services.api.hits import CorrectionModel, HitModel
from services.job_table import Job

LARGEST = 2**31 - 1
"""Databases take no larger numbers."""


class Request(BaseModel):
    """A request: names that are not known are refused, so that a typing error is not ignored."""

    model_config = ConfigDict(extra="forbid")


class Message(Request):
    """One earlier turn of the conversation."""

    role: Literal["user", "assistant"]
    content: str


class NarrowedRequest(Request):
    """What a search may be narrowed to: all that is given must hold, of each any one value. Never widens the caller's rights."""

    groups: list[str] | None = Field(None, description="see only what holders of these groups may read")
    documents: list[str] = Field(default_factory=list, max_length=1000, description="ids or names; unknown ones are refused")
    since: date | None = Field(None, description="added on this day or later, in UTC")
    until: date | None = Field(None, description="added on this day or earlier, in UTC")
    types: list[str] = Field(default_factory=list, max_length=50, description="endings of names, such as pdf")
    in_groups: list[str] = Field(default_factory=list, max_length=1000, description="groups that a document carries")

    def filters(self) -> Filters:
        """What of it narrows the documents."""
        return Filters(tuple(self.documents), self.since, self.until, tuple(self.types), tuple(self.in_groups))


class AskRequest(NarrowedRequest):
    """A question."""

    question: str = Field(min_length=1, max_length=8000)
    arm: Arm = Arm.RAG
    style: Style = Style.AUTO
    history: list[Message] = Field(default_factory=list, max_length=50)
    stream: bool = True


class SearchRequest(NarrowedRequest):
    """Words to look for, or a passage to find others like it."""

    query: str = Field("", max_length=8000)
    like: str | None = Field(None, description="in place of a query: the id of a passage, to find others like it")
    limit: int = Field(10, ge=1, le=100)
    document_id: str | None = Field(None, description="look in this document alone")
    version: int | None = Field(None, ge=1, le=LARGEST, description="of that document, an older one too; default: the newest")
    widen: bool = Field(False, description="give with each passage the whole section that it is part of")
    explain: bool = Field(
        False, description="give with each passage what its score is made of, and the words that it was found by"
    )


class GroupsRequest(Request):
    """The groups that a document shall carry."""

    groups: list[str] = Field(min_length=1)


class GroupRequest(Request):
    """A group to make."""

    name: str = Field(max_length=100)


class KeyRequest(Request):
    """A key to make."""

    name: str = Field("", max_length=200)
    groups: list[str] = Field(default_factory=list)
    administrator: bool = False


class SearchResponse(BaseModel):
    """Passages, best first."""

    hits: list[HitModel]
    corrections: list[CorrectionModel]
    timings_ms: dict[str, float]


class CitationModel(BaseModel):
    """The exact passage of a page that a sentence rests on; boxes in PDF points from the top left,
    none for a page that is text alone."""

    marker: int
    document: str
    document_id: str
    version: int
    page: int
    chunk: str
    quote: str
    bbox: list[Bbox]


class PageTextModel(BaseModel):
    """A page's text. `marks` are spans of it, in Unicode code points, end exclusive; `picture`: whether it has an image;
    `hidden`: how many characters the file carries there that no reader sees: they are not in the text."""

    document: str
    document_id: str
    page: int
    text: str
    marks: list[tuple[int, int]]
    picture: bool
    hidden: int


class RepairModel(BaseModel):
    """A sentence of the model that is not shown as it wrote it: what was done with it, and why."""

    text: str
    action: RepairAction
    reason: str
    fault: Fault | None


class SentenceModel(BaseModel):
    """A sentence with its verdict; `citations` are markers. `fault` is what is wrong with it, `judged` whether it could be
    checked at all, `replaces` the model's own sentence that stood in its place."""

    text: str
    style: Style
    support: float
    supported: bool
    citations: list[int]
    reason: str
    fault: Fault | None
    judged: bool
    replaces: RepairModel | None


class AnswerResponse(BaseModel):
    """A whole answer. `removed` are sentences of the model that nothing took the place of; `asks` is what an abstention asks
    back."""

    answer: str
    language: str
    style: Style
    abstained: bool
    reason: str | None
    nearest: list[HitModel]
    citations: list[CitationModel]
    sentences: list[SentenceModel]
    usage: dict[str, int]
    timings_ms: dict[str, float]
    removed: list[RepairModel]
    asks: str | None


class DocumentModel(BaseModel):
    """A document that the caller may read."""

    document: str
    document_id: str
    version: int
    pages: int
    bytes: int
    groups: list[str]
    added_at: str
    warnings: list[str]


class DocumentsResponse(BaseModel):
    """Documents, by name."""

    documents: list[DocumentModel]


class VersionModel(BaseModel):
    """One version of a document. `live`: whether it is the one that is searched and answered from."""

    version: int
    live: bool
    pages: int
    bytes: int
    added_at: str
    warnings: list[str]


class VersionsResponse(BaseModel):
    """The versions of a document, the newest first."""

    versions: list[VersionModel]


class JobModel(BaseModel):
    """How far the adding of one document has come, or the reading of it anew (`kind`: `add`, `reprocess`). `code` names the kind
    of `error`, as in an error's answer; `open`: it goes on, or somebody should look after it."""

    job_id: str
    kind: str
    document: str
    document_id: str | None
    version: int | None
    status: str
    outcome: str | None
    stage: str | None
    pages_done: int
    pages_total: int | None
    warnings: list[str]
    error: str | None
    code: str | None
    groups: list[str]
    open: bool
    created_at: str
    updated_at: str


class FolderDocumentModel(BaseModel):
    """A document that was added from a folder, with the SHA-256 of its file."""

    document: str
    document_id: str
    groups: list[str]
    sha256: str


class FolderJobModel(BaseModel):
    """A job of a file of a folder, with the SHA-256 of the file."""

    job_id: str
    document: str
    groups: list[str]
    sha256: str
    status: str
    error: str | None
    code: str | None


class FolderResponse(BaseModel):
    """What the knowledge base has of a folder."""

    documents: list[FolderDocumentModel]
    jobs: list[FolderJobModel]


class LineageModel(BaseModel):
    """What was made from a document: how many training samples, and the data sets and adapters that hold them."""

    document_id: str
    samples: int
    datasets: list[str]
    adapters: list[str]


class NearDuplicateModel(BaseModel):
    """A document with passages of another one: how alike they are as a whole, and how many passages they share."""

    document: str
    document_id: str
    likeness: float
    passages: int


class PersonalDataModel(BaseModel):
    """Personal data on a page, masked."""

    kind: str
    page: int
    sample: str


class ReportModel(BaseModel):
    """What there is to know of a document's text. `languages` counts passages, `personal_data` places by kind."""

    document_id: str
    passages: int
    languages: dict[str, int]
    repeated_passages: int
    near_duplicates: list[NearDuplicateModel]
    personal_data: dict[str, int]
    samples: list[PersonalDataModel]


class JobsResponse(BaseModel):
    """The jobs that an upload began."""

    jobs: list[JobModel]


class GroupsResponse(BaseModel):
    """Groups by name."""

    groups: list[str]


class KeyModel(BaseModel):
    """A key without its secret."""

    key_id: str
    name: str
    groups: list[str]
    administrator: bool
    created_at: str
    revoked_at: str | None


class NewKeyResponse(BaseModel):
    """A new key; `secret` is shown this once."""

    key: KeyModel
    secret: str


class KeysResponse(BaseModel):
    """All keys, the oldest first."""

    keys: list[KeyModel]


class ReindexResponse(BaseModel):
    """How many passages were indexed again."""

    chunks: int


class MeResponse(BaseModel):
    """Who the caller is."""

    groups: list[str]
    administrator: bool
    key_required: bool


class EngineModel(BaseModel):
    """How the engine stands: a state and a sentence for people."""

    state: str
    detail: str
    model: str


class LiveAdapterModel(BaseModel):
    """The adapter that answers for the arms tuned and tuned-rag; an empty id where there is none for the caller."""

    id: str
    state: str
    detail: str


class StatusResponse(BaseModel):
    """How the product stands. `note` says, in each language, what this profile does not do well."""

    version: str
    profile: str
    engine: EngineModel
    adapter: LiveAdapterModel
    documents: int
    chunks: int
    note: dict[str, str] | None


def citation(one: Citation) -> dict[str, Any]:
    """A citation as JSON."""
    return CitationModel.model_validate(asdict(one)).model_dump(mode="json")


def sentence(one: Sentence) -> dict[str, Any]:
    """A sentence as JSON."""
    return SentenceModel.model_validate(asdict(one)).model_dump(mode="json")


def repair(one: Repair) -> dict[str, Any]:
    """What was done with a sentence of the model, as JSON."""
    return RepairModel.model_validate(asdict(one)).model_dump(mode="json")


def answer(one: Answer) -> dict[str, Any]:
    """An answer as JSON, as `graft ask --json` and `done` show it."""
    return AnswerResponse.model_validate(asdict(one)).model_dump(mode="json")


def document(one: DocumentRecord) -> DocumentModel:
    """A document as its readers see it."""
    return DocumentModel.model_validate(asdict(one))


def job(one: Job) -> JobModel:
    """A job as its submitter sees it."""
    return JobModel.model_validate(asdict(one))
