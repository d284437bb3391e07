"""The table that tells how far each document's job has come, and what became of it.

Invariants. A job is *open* from its submission until it ends well, a later one takes its place, or somebody dismisses it: open
jobs are what people look after, and their files are kept while they may still be read. This module runs nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Engine,
    Integer,
    String,
    Table,
    Text,
    and_,
    delete,
    false,
    insert,
    or_,
    select,
    update,
)

from ingest.errors import LimitPassed, NotFound, PasswordNeeded, Quarantined
from ingest.pipeline import NewDocument
from ingest.schema import metadata, now
from ingest.types import Access
from services.job_states import UNFINISHED

job_table = Table(
    "jobs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(10), nullable=False, server_default="add"),  # add | reprocess
    Column("document", Text, nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("groups", JSON, nullable=False),
    Column("source", Text, nullable=False, server_default=""),  # the folder that the file came from
    Column("status", String(10), nullable=False, index=True),  # queued → running → done | failed | stopped
    Column("outcome", String(10)),  # added | unchanged | reread | refused
    Column("stage", String(10)),  # read → split → index → publish
    Column("pages_done", Integer, nullable=False),
    Column("pages_total", Integer),
    Column("document_id", String(40)),
    Column("version", Integer),
    Column("warnings", JSON, nullable=False),
    Column("error", Text),
    Column("code", String(30)),  # the kind of the error, as in HTTP's answers
    Column("attempts", Integer, nullable=False, server_default="0"),  # begun and neither ended nor stopped
    Column("stop_asked", Boolean, nullable=False, server_default=false()),
    Column("open", Boolean, nullable=False, server_default=false()),
    Column("once", String(220), unique=True),  # the client's name for the request, so that a repeated one adds nothing
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
)

ENDED_WELL = ("added", "unchanged", "reread")
# After these errors the same file may be read at another time, so it is kept.
_FILE_KEPT = tuple(kind.code for kind in (PasswordNeeded, LimitPassed, Quarantined))
_NEEDS_FILE = and_(
    job_table.c.open,
    or_(job_table.c.status.in_((*UNFINISHED, "failed", "stopped")), job_table.c.code.in_(_FILE_KEPT)),
)


@dataclass(frozen=True, slots=True)
class Job:
    """How far the adding, or the reading again, of one document has come. `code` names the kind of `error`."""

    job_id: str
    kind: str
    document: str
    sha256: str
    status: str
    outcome: str | None
    stage: str | None
    pages_done: int
    pages_total: int | None
    document_id: str | None
    version: int | None
    warnings: tuple[str, ...]
    error: str | None
    code: str | None
    groups: tuple[str, ...]
    source: str
    open: bool
    created_at: str
    updated_at: str

    @property
    def keeps_file(self) -> bool:
        """Whether the file is there for another try."""
        return self.open and (self.status in (*UNFINISHED, "failed", "stopped") or self.code in _FILE_KEPT)


class JobTable:
    """Reads and writes the rows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def insert(self, job_id: str, kind: str, new: NewDocument, *, once: str | None, **values: Any) -> None:
        """Notes a job.

        Raises:
            IntegrityError: a request of this name is there.
        """
        with self._engine.begin() as connection:
            connection.execute(
                insert(job_table).values(
                    {
                        "id": job_id,
                        "kind": kind,
                        "document": new.name,
                        "sha256": new.sha256,
                        "groups": list(new.groups),
                        "source": new.source,
                        "status": "queued",
                        "pages_done": 0,
                        "warnings": [],
                        "open": True,
                        "once": once,
                        "created_at": now(),
                        "updated_at": now(),
                        **values,
                    }
                )
            )

    def close_earlier(self, job_id: str) -> None:
        """Makes the jobs of the same document that were begun before this one, and have ended, nobody's concern any longer."""
        own = self.job(job_id)
        earlier = and_(job_table.c.document == own.document, job_table.c.created_at <= own.created_at)
        ended = self.jobs(and_(earlier, job_table.c.open, job_table.c.status.not_in(UNFINISHED)))
        same = [job.job_id for job in ended if job.job_id != job_id and set(job.groups) == set(own.groups)]
        if same:
            with self._engine.begin() as connection:
                connection.execute(update(job_table).where(job_table.c.id.in_(same)).values(open=False))

    def update(self, job_id: str, **values: Any) -> None:
        """Writes into the job's row."""
        with self._engine.begin() as connection:
            connection.execute(update(job_table).where(job_table.c.id == job_id).values(updated_at=now(), **values))

    def begin(self, job_id: str) -> int | None:
        """How often the job was begun and not brought to an end, this time counted; None for one that has ended.

        What ends the process counts, as do kills; `unbegin` takes it back.
        """
        unfinished = and_(job_table.c.id == job_id, job_table.c.status.in_(UNFINISHED))
        with self._engine.begin() as connection:
            begun = update(job_table).where(unfinished)
            begun = begun.values(status="running", attempts=job_table.c.attempts + 1, updated_at=now())
            if not connection.execute(begun).rowcount:
                return None
            return connection.scalar(select(job_table.c.attempts).where(job_table.c.id == job_id))

    def unbegin(self, job_id: str) -> None:
        """Forgets one attempt, of a job that was put aside in good order."""
        with self._engine.begin() as connection:
            row = update(job_table).where(job_table.c.id == job_id)
            connection.execute(row.values(attempts=job_table.c.attempts - 1))

    def ask_to_stop(self, job_id: str, **end: Any) -> bool:
        """Ends a job that waits, with these values; one that runs is asked to. Whether it has ended."""
        row = update(job_table).where(job_table.c.id == job_id)
        with self._engine.begin() as connection:
            waited = connection.execute(row.where(job_table.c.status == "queued").values(updated_at=now(), **end)).rowcount
            if not waited:
                connection.execute(row.values(stop_asked=True))
            return bool(waited)

    def stop_asked(self, job_id: str) -> bool:
        """Whether somebody asked for the end of this job."""
        with self._engine.connect() as connection:
            return bool(connection.scalar(select(job_table.c.stop_asked).where(job_table.c.id == job_id)))

    def delete(self, which: ColumnElement[bool]) -> None:
        """Forgets jobs."""
        with self._engine.begin() as connection:
            connection.execute(delete(job_table).where(which))

    def job(self, job_id: str) -> Job:
        """One job.

        Raises:
            NotFound: there is none of this id.
        """
        if not (found := self.jobs(job_table.c.id == job_id)):
            raise NotFound(f"there is no job {job_id!r}")
        return found[0]

    def jobs(self, which: ColumnElement[bool]) -> list[Job]:
        """The jobs of which this is true, the newest first."""
        query = select(job_table).where(which).order_by(job_table.c.created_at.desc(), job_table.c.id)
        with self._engine.connect() as connection:
            return [_job(row) for row in connection.execute(query)]

    def readable(self, which: ColumnElement[bool], *, access: Access, limit: int) -> list[Job]:
        """At most `limit` of the jobs of which this is true and whose document the caller may read, the newest first."""
        query = select(job_table).where(which).order_by(job_table.c.created_at.desc(), job_table.c.id)
        with self._engine.connect() as connection:
            permitted = (row for row in connection.execute(query) if access.permits(row.groups))
            return [_job(row) for row in islice(permitted, limit)]

    def unfinished(self) -> list[str]:
        """The ids of the jobs that have not ended, the oldest first."""
        query = select(job_table.c.id).where(job_table.c.status.in_(UNFINISHED)).order_by(job_table.c.created_at)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    def quarantine(self, sha256: str) -> Job | None:
        """The job that put these bytes into quarantine; None where they are in none."""
        held = self.jobs(and_(job_table.c.sha256 == sha256, job_table.c.code == Quarantined.code, job_table.c.open))
        return held[0] if held else None

    def of_request(self, once: str | None) -> Job:
        """The job that a request of this name began before."""
        return self.jobs(job_table.c.once == once)[0]

    def needed_files(self) -> set[str]:
        """The hashes of the files that jobs are reading, or may read again."""
        with self._engine.connect() as connection:
            return set(connection.scalars(select(job_table.c.sha256).where(_NEEDS_FILE)))

    def needed_groups(self) -> set[str]:
        """The groups of the documents of open jobs."""
        with self._engine.connect() as connection:
            lists = connection.scalars(select(job_table.c.groups).where(job_table.c.open))
            return {name for names in lists for name in names}

    def set_groups(self, document_id: str, groups: Collection[str]) -> None:
        """Shows the document's jobs to the readers that it has now."""
        with self._engine.begin() as connection:
            connection.execute(update(job_table).where(job_table.c.document_id == document_id).values(groups=sorted(groups)))


def _job(row: Any) -> Job:
    return Job(
        job_id=row.id,
        kind=row.kind,
        document=row.document,
        sha256=row.sha256,
        status=row.status,
        outcome=row.outcome,
        stage=row.stage,
        pages_done=row.pages_done,
        pages_total=row.pages_total,
        document_id=row.document_id,
        version=row.version,
        warnings=tuple(row.warnings),
        error=row.error,
        code=row.code,
        groups=tuple(row.groups),
        source=row.source,
        open=bool(row.open),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
