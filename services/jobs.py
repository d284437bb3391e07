"""Long work on documents that survives a kill: one DBOS workflow a job, which adds a document or reads one again.

Invariants. A job that `submit` acknowledged is in the database with its file on the disk, and ends as done, failed or stopped
however often the process is killed or stopped. A file that kills or hangs its reader, or the whole process, is put into
quarantine: it is read again only where somebody asks for that. The table is what people see; DBOS's own tables hold which
steps are done.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Engine, and_, true
from sqlalchemy.exc import DBAPIError, IntegrityError

from ingest.catalog import DocumentRecord
from ingest.errors import Conflict, GraftError, NotFound, Quarantined
from ingest.files import full_disk_said_plainly
from ingest.pipeline import NewDocument, Pipeline
from ingest.types import Access
from services.job_states import UNFINISHED
from services.job_table import ENDED_WELL, Job, JobTable, job_table
from services.passwords import Passwords
from services.workflows import Stopped, Workflows

log = structlog.get_logger()

_WORKFLOW = "add_document"
# So often a process may end in the middle of one document: an update and a power cut may meet the same one, a third time is no
# accident.
_MOST_ATTEMPTS = 3
_MOST_LISTED = 1000
_STOPPED = {"status": "stopped", "code": "stopped", "error": "stopped on request; `graft jobs retry` begins it again"}


class StoppedByUser(BaseException):
    """Ends a job because somebody asked for that; no `Exception`, because DBOS keeps those as the outcome."""


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """How a job ended that nothing could be written of: it lives in memory until there is room, or the next start tries again."""

    job: Job
    new: NewDocument
    end: dict[str, Any]
    said: str


class Jobs:
    """Runs the pipeline's steps as workflows; `start` before `submit`."""

    def __init__(self, engine: Engine, pipeline: Pipeline, workflows: Workflows, passwords: Passwords) -> None:
        self._table = JobTable(engine)
        self._pipeline = pipeline
        self._workflows = workflows
        self._passwords = passwords
        self._unwritten: dict[str, _Unwritten] = {}
        # Documents are read one after another: the reader process, the index writer and SQLite each take one at a time.
        workflows.define(_WORKFLOW, self._run, queue="documents")

    def start(self) -> None:
        """Takes up what an earlier process noted and did not enqueue; the workflows are started before."""
        unfinished = self._table.unfinished()
        self._passwords.keep_only(unfinished)
        for job_id in unfinished:  # DBOS knows most of them; one killed between our row and its row it does not
            self._workflows.enqueue(_WORKFLOW, job_id)

    # Beginning

    def submit(self, new: NewDocument, *, once: str | None = None) -> Job:
        """The job that adds this document, already durable. One whose bytes are in quarantine has ended at once.

        `once` names the request: the same name again gets the same job, whatever became of it.

        Raises:
            Conflict: a request of this name added something else.
            StorageFull: there is no room to note the job.
        """
        held = None if self._pipeline.catalog.has_content(new.sha256) else self._table.quarantine(new.sha256)
        if held is None:
            return self._begin("add", new, once=once)
        refused = {"status": "done", "outcome": "refused", "code": Quarantined.code, "error": held.error}
        try:
            job = self._note("add", new, once=once, **refused)
        except IntegrityError:
            return self._earlier(once, new)
        self._table.close_earlier(job.job_id)
        return job

    def read_again(self, record: DocumentRecord) -> Job:
        """The job that reads the document's file anew."""
        same = and_(job_table.c.document_id == record.document_id, job_table.c.kind == "reprocess")
        for job in self._table.jobs(and_(same, job_table.c.status.in_(UNFINISHED))):
            return job
        new = NewDocument(record.document, record.sha256, record.groups)
        return self._begin("reprocess", new, document_id=record.document_id, version=record.version)

    def retry(self, job_id: str, *, password: str = "", access: Access) -> Job:
        """Another job for the file of one that ended badly, out of quarantine too.

        Raises:
            NotFound: as `get`. Conflict: it has not ended, or ended well, or its file was not kept.
        """
        job = self.get(job_id, access=access)
        if job.status in UNFINISHED:
            raise Conflict(f"job {job_id} is {job.status}: wait for its end, or stop it first")
        if not job.keeps_file:
            told = "ended well" if job.outcome in ENDED_WELL else "has no file any longer: add the document again"
            raise Conflict(f"job {job_id} {told}")
        new = NewDocument(job.document, job.sha256, job.groups, password, job.source)
        return self._begin(job.kind, new, document_id=job.document_id, version=job.version)

    def _begin(self, kind: str, new: NewDocument, *, once: str | None = None, **values: Any) -> Job:
        with full_disk_said_plainly(self._pipeline.files.folder):
            try:
                job = self._note(kind, new, once=once, **values)
            except IntegrityError:
                return self._earlier(once, new)
            try:
                self._workflows.enqueue(_WORKFLOW, job.job_id)
            except Exception:
                with contextlib.suppress(DBAPIError):  # what was not acknowledged shall not be done
                    self._table.delete(job_table.c.id == job.job_id)
                self._passwords.forget(job.job_id)
                raise
            self._table.close_earlier(job.job_id)  # only now: the file of one that ended badly is needed until then
            return self._job(job.job_id)

    def _note(self, kind: str, new: NewDocument, *, once: str | None, **values: Any) -> Job:
        job_id = f"job_{uuid4().hex[:16]}"
        with full_disk_said_plainly(self._pipeline.files.folder):
            if new.password and "status" not in values:
                self._passwords.keep(job_id, new.password)
            try:
                self._table.insert(job_id, kind, new, once=once, **values)
            except BaseException:
                self._passwords.forget(job_id)
                raise
        return self._table.job(job_id)

    def _earlier(self, once: str | None, new: NewDocument) -> Job:
        """The job that a request of this name began before."""
        job = self._table.of_request(once)
        if (job.document, job.sha256, job.groups) != (new.name, new.sha256, new.groups):
            raise Conflict("this Idempotency-Key was used for another file, name or groups: take a new key for each request")
        return self._job(job.job_id)

    # Looking and ending

    def get(self, job_id: str, *, access: Access) -> Job:
        """One job, as far as it has come.

        Raises:
            NotFound: there is none of this id whose document the caller may read.
        """
        job = self._job(job_id)
        if not access.permits(job.groups):
            raise NotFound(f"there is no job {job_id!r}")
        return job

    def from_source(self, source: str, *, access: Access) -> list[Job]:
        """The open jobs whose files came from this folder and whose documents the caller may read, the newest first."""
        which = and_(job_table.c.source == source, job_table.c.open)
        return self._table.readable(which, access=access, limit=sys.maxsize)

    def list(self, *, access: Access, only_open: bool = False, limit: int = _MOST_LISTED) -> list[Job]:
        """The jobs whose documents the caller may read, the newest first; `only_open`: those that somebody should look after."""
        which = job_table.c.open if only_open else true()
        jobs = self._table.readable(which, access=access, limit=limit)
        return [self._told(job) for job in jobs]

    def stop(self, job_id: str, *, access: Access) -> Job:
        """Asks the job to end. What it would have added is not there then; its file is kept for another try.

        Raises:
            NotFound: as `get`. Conflict: it has ended.
        """
        job = self.get(job_id, access=access)
        if job.status not in UNFINISHED:
            raise Conflict(f"job {job_id} is {job.status} already: nothing is left to stop")
        if self._table.ask_to_stop(job_id, **_STOPPED):
            self._passwords.forget(job_id)
        return self._job(job_id)

    def dismiss(self, job_id: str, *, access: Access) -> None:
        """Forgets a job that has ended, and drops the file that was kept for it.

        Raises:
            NotFound: as `get`. Conflict: it has not ended.
        """
        job = self.get(job_id, access=access)
        if job.status in UNFINISHED:
            raise Conflict(f"job {job_id} is {job.status}: stop it first")
        self._table.delete(job_table.c.id == job_id)
        self._pipeline.drop_unneeded_files(self._table.needed_files)

    def needed_files(self) -> set[str]:
        """The hashes of the files that jobs are reading, or may read again."""
        return self._table.needed_files()

    def needed_groups(self) -> set[str]:
        """The groups of the documents of open jobs."""
        return self._table.needed_groups()

    def follow_groups(self, document_id: str, groups: Collection[str]) -> None:
        """Shows the jobs that added the document to the readers that it has now."""
        self._table.set_groups(document_id, groups)

    def forget(self, document_id: str) -> None:
        """Deletes the jobs of a document which was removed."""
        self._table.delete(job_table.c.document_id == document_id)

    def forget_group(self, name: str) -> None:
        """Deletes the jobs that tell of documents of a group which was removed, so that a later one of its name sees none."""
        ended = self._table.jobs(job_table.c.status.not_in(UNFINISHED))
        self._table.delete(job_table.c.id.in_([job.job_id for job in ended if name in job.groups]))

    # Working

    def _run(self, job_id: str) -> None:
        """The workflow: each step's result is kept by DBOS, so that a restart goes on after the last finished one."""
        self._write_unwritten()
        try:
            job = self._table.job(job_id)
        except NotFound:  # its document was removed while it waited
            return
        new = NewDocument(job.document, job.sha256, job.groups, self._passwords.of(job_id), job.source)
        try:
            with full_disk_said_plainly(self._pipeline.files.folder):
                end = self._attempt(job, new)
        except GraftError as error:
            end = {"status": "done", "outcome": "refused", "code": error.code, "error": str(error)}
            if error.exit_code != 3:  # not the file's fault: a full disk, say
                end = {"status": "failed", "code": error.code, "error": str(error)}
        except StoppedByUser:
            end = dict(_STOPPED)
        except Exception as error:
            log.exception("job failed", job_id=job_id, document=new.name)
            said = f"an unexpected error: {type(error).__name__}: {error}"
            end = {"status": "failed", "code": GraftError.code, "error": said}
        if end is None:
            return
        try:  # not as a step: DBOS would keep a failure, and repeat it at every start
            self._workflows.unless_stopping(self._finish, job, new, end)
        except Exception as error:
            log.exception("job cannot be ended", job_id=job_id, document=new.name)
            self._unwritten[job_id] = _Unwritten(job, new, end, said=end.get("error") or str(error))
            raise Stopped from error

    def _finish(self, job: Job, new: NewDocument, end: dict[str, Any]) -> None:
        if "error" in end and job.kind == "add":
            self._pipeline.discard(new)
        self._end(job.job_id, end)

    def _write_unwritten(self) -> None:
        """Ends what could not be ended before, if there is room again; else what it staged would stay until the next start."""
        for job_id, held in list(self._unwritten.items()):
            with contextlib.suppress(DBAPIError, OSError):
                self._finish(held.job, held.new, held.end)
                del self._unwritten[job_id]

    def _attempt(self, job: Job, new: NewDocument) -> dict[str, Any] | None:
        """How the job ended; None for one that had ended before."""
        attempts = self._table.begin(job.job_id)
        if attempts is None:
            return None
        try:
            self._table.close_earlier(job.job_id)  # where a kill came before
            self._check(job.job_id)
            if attempts > _MOST_ATTEMPTS:
                raise Quarantined(
                    f"the process that worked on this file ended {attempts - 1} times before it was done: it may be the file's "
                    "fault, so it is not tried again by itself"
                )
            return self._reprocess(job, new) if job.kind == "reprocess" else self._add(job.job_id, new)
        except Stopped:  # put aside in good order
            with contextlib.suppress(DBAPIError):
                self._table.unbegin(job.job_id)
            raise

    def _check(self, job_id: str) -> None:
        """Raises: StoppedByUser: somebody asked for the end of this job."""
        if self._table.stop_asked(job_id):
            raise StoppedByUser

    def _step(self, job_id: str, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        self._check(job_id)
        return self._workflows.step(name, function, *arguments)

    def _progress(self, job_id: str) -> Callable[[int, int], None]:
        def progress(done: int, total: int) -> None:
            if done % 10 == 0 or done in (1, total):
                self._table.update(job_id, pages_done=done, pages_total=total)

        return progress

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
            self._table.update(job_id, stage="read")
            content = pipeline.read(new, progress=self._progress(job_id), check=lambda: self._check(job_id))
            facts = {"pages_done": len(content.pages), "pages_total": len(content.pages), "warnings": list(content.warnings)}
            self._table.update(job_id, **facts)
            return len(content.pages), list(content.warnings)

        def stage() -> tuple[str, str, int]:
            self._table.update(job_id, stage="split")
            staged = pipeline.stage(new)
            return staged.version_id, staged.document_id, staged.number

        def index(version_id: str) -> None:
            self._table.update(job_id, stage="index")
            pipeline.add_to_index(version_id)

        def publish(version_id: str) -> None:
            self._table.update(job_id, stage="publish")
            pipeline.publish(version_id)

        if (facts := self._step(job_id, "unchanged", unchanged)) is not None:
            return {"status": "done", "outcome": "unchanged", **facts}
        pages, warnings = self._step(job_id, "read", read)
        version_id, document_id, number = self._step(job_id, "stage", stage)
        self._step(job_id, "index", index, version_id)
        self._step(job_id, "publish", publish, version_id)
        return {
            "status": "done",
            "outcome": "added",
            "document_id": document_id,
            "version": number,
            "pages_done": pages,
            "pages_total": pages,
            "warnings": warnings,
        }

    def _reprocess(self, job: Job, new: NewDocument) -> dict[str, Any]:
        def read() -> tuple[int, list[str]]:
            self._table.update(job.job_id, stage="read")
            progress = self._progress(job.job_id)
            content = self._pipeline.read_again(new, progress=progress, check=lambda: self._check(job.job_id))
            return len(content.pages), list(content.warnings)

        pages, warnings = self._step(job.job_id, "read", read)
        facts = {"pages_done": pages, "pages_total": pages, "warnings": warnings}
        return {"status": "done", "outcome": "reread", **facts}

    def _end(self, job_id: str, values: dict[str, Any]) -> None:
        well = values.get("outcome") in ENDED_WELL
        self._table.update(job_id, open=not well, **values)
        self._passwords.forget(job_id)
        if not well:  # what nothing needs any longer goes
            self._pipeline.drop_unneeded_files(self._table.needed_files)

    def _job(self, job_id: str) -> Job:
        return self._told(self._table.job(job_id))

    def _told(self, job: Job) -> Job:
        held = self._unwritten.get(job.job_id)
        return replace(job, status="failed", error=held.said) if held else job


__all__ = ["Job", "Jobs", "StoppedByUser"]
