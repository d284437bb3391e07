"""Long work on training data and adapters: synthesising, training, checking, serving. Each run is a workflow with a row that
tells how far it has come.

Invariants. A run that `submit` acknowledged ends as done, failed or stopped however often the process is killed; until then
the next start goes on with it. Runs belong to administrators: to everybody else there are none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import structlog
from sqlalchemy import JSON, Boolean, Column, Engine, Integer, String, Table, Text, insert, select, update

from finetune.types import Progress
from ingest.errors import Conflict, GraftError, NotFound
from ingest.schema import metadata, now
from ingest.types import Access
from services.job_states import UNFINISHED
from services.workflows import Stopped, Workflows

log = structlog.get_logger()

run_table = Table(
    "runs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(20), nullable=False),  # synthesize | train | approve | promote | rollback
    Column("request", JSON, nullable=False),
    Column("status", String(10), nullable=False, index=True),  # queued → running → done | failed | stopped
    Column("stop_asked", Boolean, nullable=False),
    Column("stage", String(40), nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("detail", JSON, nullable=False),
    Column("result", JSON, nullable=False),
    Column("error", Text),
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
)

_PREFIX = "run_"
_STOPPED = "stopped on request; the same asked for again goes on from here"

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Run:
    """How far one piece of long work has come. `result` is filled when it is done; `detail` tells more while it runs."""

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


class StoppedByUser(BaseException):
    """Ends a run because somebody asked for that; like `Stopped` nothing that may be caught by the way."""


class Task:
    """A run as the work sees it: what was asked for, and how to tell how it goes."""

    def __init__(self, runs: Runs, run: Run) -> None:
        self._runs = runs
        self.job_id = run.job_id
        self.request = run.request

    def step(self, name: str, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """What the function returns, or returned in an earlier process; its result must be JSON-like."""
        self.check()
        return self._runs.workflows.step(name, function, *arguments)

    def report(self, progress: Progress) -> None:
        """Tells people how far the work has come."""
        self._runs.update(
            self.job_id,
            stage=progress.stage,
            done=progress.done,
            total=progress.total,
            unit=progress.unit,
            detail=progress.detail,
        )

    def check(self) -> None:
        """Call it often.

        Raises:
            Stopped: the process is stopping; the work goes on at the next start.
            StoppedByUser: somebody asked for the end of this run.
        """
        if self._runs.workflows.stopping:
            raise Stopped
        if self._runs.stop_asked(self.job_id):
            raise StoppedByUser


class Runs:
    """Runs work of the kinds that `define` names; one at a time of each queue."""

    def __init__(self, engine: Engine, workflows: Workflows) -> None:
        self._engine = engine
        self.workflows = workflows
        self._work: dict[str, Callable[[Task], dict[str, Any]]] = {}

    def define(self, kind: str, work: Callable[[Task], dict[str, Any]], *, queue: str) -> None:
        """Before the workflows start: what a run of this kind does. What `work` returns becomes the run's result.

        `work` may be begun again after a kill: what it does outside of steps must bear that.
        """
        self._work[kind] = work
        self.workflows.define(kind, self._execute, queue=queue)

    def start(self) -> None:
        """Takes up what an earlier process noted and did not enqueue; the workflows are started before."""
        unfinished = select(run_table.c.id, run_table.c.kind).where(run_table.c.status.in_(UNFINISHED))
        with self._engine.connect() as connection:
            rows = connection.execute(unfinished.order_by(run_table.c.created_at)).all()
        for row in rows:
            self.workflows.enqueue(row.kind, row.id)

    def submit(self, kind: str, request: dict[str, Any]) -> Run:
        """The run that does this, already durable. While the same is asked for again, it is the same run."""
        for run in self.list(access=Access.everything()):
            if (run.kind, run.request) == (kind, request) and run.status in UNFINISHED:
                return run
        job_id = f"{_PREFIX}{uuid4().hex[:16]}"
        with self._engine.begin() as connection:
            connection.execute(
                insert(run_table).values(
                    id=job_id,
                    kind=kind,
                    request=request,
                    status="queued",
                    stop_asked=False,
                    stage="queued",
                    done=0,
                    total=0,
                    unit="",
                    detail={},
                    result={},
                    created_at=now(),
                    updated_at=now(),
                )
            )
        self.workflows.enqueue(kind, job_id)
        return self.get(job_id, access=Access.everything())

    @staticmethod
    def is_run(job_id: str) -> bool:
        """Whether an id is one of a run; the adding of documents has others."""
        return job_id.startswith(_PREFIX)

    def get(self, job_id: str, *, access: Access) -> Run:
        """One run, as far as it has come.

        Raises:
            NotFound: there is none of this id, or the caller is no administrator.
        """
        with self._engine.connect() as connection:
            row = connection.execute(select(run_table).where(run_table.c.id == job_id)).one_or_none()
        if row is None or not access.administrator:
            raise NotFound(f"there is no job {job_id!r}")
        return _run(row)

    def list(self, *, access: Access) -> list[Run]:
        """All runs, the newest first."""
        if not access.administrator:
            return []
        with self._engine.connect() as connection:
            rows = connection.execute(select(run_table).order_by(run_table.c.created_at.desc())).all()
        return [_run(row) for row in rows]

    def stop(self, job_id: str, *, access: Access) -> Run:
        """Asks the run to end; what it has made stays, and the same work asked for again goes on from there.

        Raises:
            NotFound: as `get`. Conflict: it has ended.
        """
        run = self.get(job_id, access=access)
        if run.status not in UNFINISHED:
            raise Conflict(f"job {job_id} is {run.status} already: nothing is left to stop")
        with self._engine.begin() as connection:
            row = update(run_table).where(run_table.c.id == job_id)
            waiting = connection.execute(
                row.where(run_table.c.status == "queued").values(updated_at=now(), status="stopped", error=_STOPPED)
            )
            if not waiting.rowcount:
                connection.execute(row.values(updated_at=now(), stop_asked=True))
        return self.get(job_id, access=access)

    def stop_asked(self, job_id: str) -> bool:
        """Whether somebody asked for the end of this run."""
        with self._engine.connect() as connection:
            return bool(connection.scalar(select(run_table.c.stop_asked).where(run_table.c.id == job_id)))

    def update(self, job_id: str, **values: Any) -> None:
        """Writes into the run's row."""
        with self._engine.begin() as connection:
            connection.execute(update(run_table).where(run_table.c.id == job_id).values(updated_at=now(), **values))

    def _execute(self, job_id: str) -> None:
        run = self.get(job_id, access=Access.everything())
        if run.status not in UNFINISHED:
            return
        task = Task(self, run)
        self.update(job_id, status="running")
        try:
            task.check()
            end: dict[str, Any] = {"status": "done", "result": self._work[run.kind](task), "error": None}
        except StoppedByUser:
            end = {"status": "stopped", "error": _STOPPED}
        except Exception as error:
            if self.workflows.stopping:  # it may have failed because of that
                raise Stopped from error
            if not isinstance(error, GraftError):
                log.exception("run failed", job_id=job_id, kind=run.kind)
            plain = str(error) if isinstance(error, GraftError) else f"an unexpected error: {type(error).__name__}: {error}"
            end = {"status": "failed", "error": plain}
        self.update(job_id, **end)


def _run(row: Any) -> Run:
    return Run(
        job_id=row.id,
        kind=row.kind,
        request=row.request,
        status=row.status,
        stage=row.stage,
        done=row.done,
        total=row.total,
        unit=row.unit,
        detail=row.detail,
        result=row.result,
        error=row.error,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
