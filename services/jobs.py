"""Long work that survives a kill: one DBOS workflow a document, and the table that tells how far each has come.

Invariants. A job that `submit` acknowledged is in the database with its file on the disk, and ends as done or failed however
often the process is killed or stopped. The table is what people see; DBOS's own tables hold which steps are done.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import JSON, Column, Engine, Integer, String, Table, Text, delete, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from ingest.errors import Conflict, GraftError, NotFound
from ingest.files import full_disk_said_plainly
from ingest.pipeline import NewDocument, Pipeline
from ingest.schema import metadata, now
from ingest.types import Access
from services.workflows import Stopped, Workflows

log = structlog.get_logger()

job_table = Table(
    "jobs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("document", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("groups", JSON, nullable=False),
    Column("status", String(10), nullable=False, index=True),  # queued → running → done | failed
    Column("outcome", String(10)),  # added | unchanged | refused
    Column("stage", String(10)),  # read → split → index → publish
    Column("pages_done", Integer, nullable=False),
    Column("pages_total", Integer),
    Column("document_id", String(40)),
    Column("version", Integer),
    Column("warnings", JSON, nullable=False),
    Column("error", Text),
    Column("once", String(220), unique=True),  # the client's name for the request, so that a repeated one adds nothing
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
)

UNFINISHED = ("queued", "running")
_WORKFLOW = "add_document"


@dataclass(frozen=True, slots=True)
class Job:
    """How far the adding of one document has come."""

    job_id: str
    document: str
    status: str
    outcome: str | None
    stage: str | None
    pages_done: int
    pages_total: int | None
    document_id: str | None
    version: int | None
    warnings: tuple[str, ...]
    error: str | None
    groups: tuple[str, ...]


class Jobs:
    """Runs the pipeline's steps as workflows; `start` before `submit`."""

    def __init__(self, engine: Engine, pipeline: Pipeline, workflows: Workflows) -> None:
        self._engine = engine
        self._pipeline = pipeline
        self._workflows = workflows
        self._unwritten: dict[str, dict[str, Any]] = {}
        # Documents are read one after another: the reader process, the index writer and SQLite each take one at a time.
        workflows.define(_WORKFLOW, self._run, queue="documents")

    def start(self) -> None:
        """Takes up what an earlier process noted and did not enqueue; the workflows are started before."""
        for job_id in self._unfinished():  # DBOS knows most of them; one killed between our row and its row it does not
            self._workflows.enqueue(_WORKFLOW, job_id)

    def submit(self, new: NewDocument, *, once: str | None = None) -> Job:
        """The job that adds this document, already durable.

        `once` names the request: the same name again gets the same job, whatever became of it.

        Raises:
            Conflict: a request of this name added something else.
            StorageFull: there is no room to note the job.
        """
        with full_disk_said_plainly(self._pipeline.files.folder):
            job_id = f"job_{uuid4().hex[:16]}"
            try:
                with self._engine.begin() as connection:
                    connection.execute(
                        insert(job_table).values(
                            id=job_id,
                            document=new.name,
                            sha256=new.sha256,
                            groups=list(new.groups),
                            status="queued",
                            pages_done=0,
                            warnings=[],
                            once=once,
                            created_at=now(),
                            updated_at=now(),
                        )
                    )
            except IntegrityError:
                return self._earlier(once, new)
            try:
                self._workflows.enqueue(_WORKFLOW, job_id)
            except Exception:
                with (
                    contextlib.suppress(DBAPIError),
                    self._engine.begin() as connection,
                ):  # what was not acknowledged shall not be done
                    connection.execute(delete(job_table).where(job_table.c.id == job_id))
                raise
            return self._job(job_id)

    def get(self, job_id: str, *, access: Access) -> Job:
        """One job, as far as it has come.

        Raises:
            NotFound: there is none of this id whose document the caller may read.
        """
        job = self._job(job_id)
        if not access.permits(job.groups):
            raise NotFound(f"there is no job {job_id!r}")
        return job

    def contents_in_work(self) -> set[str]:
        """The hashes of the files that unfinished jobs need."""
        with self._engine.connect() as connection:
            return set(connection.scalars(select(job_table.c.sha256).where(job_table.c.status.in_(UNFINISHED))))

    def groups_in_work(self) -> set[str]:
        """The groups of the documents that unfinished jobs add."""
        with self._engine.connect() as connection:
            lists = connection.scalars(select(job_table.c.groups).where(job_table.c.status.in_(UNFINISHED)))
            return {name for names in lists for name in names}

    def follow_groups(self, document_id: str, groups: Collection[str]) -> None:
        """Shows the jobs that added the document to the readers that it has now."""
        with self._engine.begin() as connection:
            connection.execute(update(job_table).where(job_table.c.document_id == document_id).values(groups=sorted(groups)))

    def forget(self, document_id: str) -> None:
        """Deletes the jobs that added a document which was removed."""
        with self._engine.begin() as connection:
            connection.execute(delete(job_table).where(job_table.c.document_id == document_id))

    def _earlier(self, once: str | None, new: NewDocument) -> Job:
        """The job that a request of this name began before."""
        with self._engine.connect() as connection:
            job_id = connection.scalar(select(job_table.c.id).where(job_table.c.once == once))
        job = self._job(str(job_id))
        if (job.document, self._sha256(job.job_id), job.groups) != (new.name, new.sha256, new.groups):
            raise Conflict("this Idempotency-Key was used for another file, name or groups: take a new key for each request")
        return job

    def _run(self, job_id: str) -> None:
        """The workflow: each step's result is kept by DBOS, so that a restart goes on after the last finished one."""
        job = self._job(job_id)
        new = NewDocument(job.document, self._sha256(job_id), job.groups)
        try:
            with full_disk_said_plainly(self._pipeline.files.folder):
                end = self._add(job_id, new)
        except GraftError as error:
            end = {"status": "done", "outcome": "refused", "error": str(error)}
            if error.exit_code != 3:  # not the file's fault: a full disk, say
                end = {"status": "failed", "error": str(error)}
        except Exception as error:
            log.exception("job failed", job_id=job_id, document=new.name)
            end = {"status": "failed", "error": f"an unexpected error while adding it: {type(error).__name__}: {error}"}
        try:  # not as steps: DBOS would keep a failure, and repeat it at every start
            if "error" in end:
                self._workflows.unless_stopping(self._pipeline.discard, new)
            self._workflows.unless_stopping(self._end, job_id, end)
        except Exception as error:
            # Nothing can be written, so this end lives in memory, and the next start tries again.
            log.exception("job cannot be ended", job_id=job_id, document=new.name)
            self._unwritten[job_id] = {"status": "failed", "error": end.get("error") or str(error)}
            raise Stopped from error

    def _add(self, job_id: str, new: NewDocument) -> dict[str, Any]:
        pipeline = self._pipeline

        def unchanged() -> dict[str, Any] | None:
            if (record := pipeline.unchanged(new)) is None:
                return None
            return {
                "document_id": record.document_id,
                "version": record.version,
                "pages_done": record.pages,
                "pages_total": record.pages,
                "warnings": list(record.warnings),
            }

        def read() -> tuple[int, list[str]]:
            self._update(job_id, status="running", stage="read")

            def progress(done: int, total: int) -> None:
                if done % 10 == 0 or done == total:
                    self._update(job_id, pages_done=done, pages_total=total)

            content = pipeline.read(new, progress=progress)
            return len(content.pages), list(content.warnings)

        def stage() -> tuple[str, str, int]:
            self._update(job_id, stage="split")
            staged = pipeline.stage(new)
            return staged.version_id, staged.document_id, staged.number

        def index(version_id: str) -> None:
            self._update(job_id, stage="index")
            pipeline.add_to_index(version_id)

        def publish(version_id: str) -> None:
            self._update(job_id, stage="publish")
            pipeline.publish(version_id)

        step = self._workflows.step
        if (facts := step("unchanged", unchanged)) is not None:
            return {"status": "done", "outcome": "unchanged", **facts}
        pages, warnings = step("read", read)
        version_id, document_id, number = step("stage", stage)
        step("index", index, version_id)
        step("publish", publish, version_id)
        return {
            "status": "done",
            "outcome": "added",
            "document_id": document_id,
            "version": number,
            "pages_done": pages,
            "pages_total": pages,
            "warnings": warnings,
        }

    def _end(self, job_id: str, values: dict[str, Any]) -> None:
        self._update(job_id, **values)
        if "error" in values:  # nothing needs its file any longer
            self._pipeline.drop_unneeded_files(self.contents_in_work)

    def _update(self, job_id: str, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(job_table).where(job_table.c.id == job_id).values(updated_at=now(), **values))

    def _unfinished(self) -> list[str]:
        query = select(job_table.c.id).where(job_table.c.status.in_(UNFINISHED)).order_by(job_table.c.created_at)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    def _sha256(self, job_id: str) -> str:
        with self._engine.connect() as connection:
            return str(connection.scalar(select(job_table.c.sha256).where(job_table.c.id == job_id)))

    def _job(self, job_id: str) -> Job:
        with self._engine.connect() as connection:
            row = connection.execute(select(job_table).where(job_table.c.id == job_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no job {job_id!r}")
        job = Job(
            job_id=row.id,
            document=row.document,
            status=row.status,
            outcome=row.outcome,
            stage=row.stage,
            pages_done=row.pages_done,
            pages_total=row.pages_total,
            document_id=row.document_id,
            version=row.version,
            warnings=tuple(row.warnings),
            error=row.error,
            groups=tuple(row.groups),
        )
        return replace(job, **self._unwritten.get(job_id, {}))
