"""Workflows that survive a kill: DBOS over the catalog's database.

Invariants. What `enqueue` accepted runs to its end however often the process is killed or stopped; a step that ended is not run
again. Each queue does one thing at a time. Knows nothing of what the workflows do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from dbos import DBOS, DBOSConfig, Queue, SetWorkflowID
from sqlalchemy import Engine

from ingest.errors import GraftError

# How often DBOS looks into a queue; at its default of 1 s a small document would wait longer than it is worked on.
_POLLING_INTERVAL_S = 0.1
# How long `stop` waits for the step under way. Indexing a large document is the longest that is not given up.
_STOP_TIMEOUT_S = 30.0

_Result = TypeVar("_Result")


class Stopped(BaseException):
    """Leaves a workflow in the middle, for the next start to take up again.

    No `Exception`, because DBOS keeps those as the outcome.
    """


class Workflows:
    """Define the workflows, `start`, then `enqueue`; `stop` at the end, after which it may be started again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._defined: dict[str, tuple[str, Callable[[str], None]]] = {}
        self._queues: dict[str, Queue] = {}
        self._workflows: dict[str, Callable[[str], None]] = {}
        self._working: dict[str, threading.Lock] = {}
        self._stopping = threading.Event()

    @property
    def stopping(self) -> bool:
        """Whether work under way should come to its end."""
        return self._stopping.is_set()

    def define(self, name: str, run: Callable[[str], None], *, queue: str) -> None:
        """Before `start`: what a workflow of this name does with the id that it is given."""
        self._defined[name] = (queue, run)

    def start(self) -> None:
        """Begins to work, first on what an earlier process left unfinished."""
        self._stopping.clear()
        url = self._engine.url.render_as_string(hide_password=False)
        # One executor and one version: whatever build of ours left a job behind, this one finishes it.
        DBOS(
            config=DBOSConfig(
                name="graft",
                system_database_url=url,
                system_database_engine=self._engine,
                executor_id="graft",
                application_version="1",
                enable_otlp=False,
                log_level="ERROR",
            )
        )
        self._working = {queue: threading.Lock() for queue, _ in self._defined.values()}
        self._workflows = {name: self._workflow(name) for name in self._defined}
        DBOS.launch()
        self._queues = {
            queue: DBOS.register_queue(queue, worker_concurrency=1, polling_interval_sec=_POLLING_INTERVAL_S)
            for queue in self._working
        }

    def _workflow(self, name: str) -> Callable[[str], None]:
        queue, run = self._defined[name]
        working = self._working[queue]

        @DBOS.workflow(name=name)
        def workflow(work_id: str) -> None:
            with working:
                run(work_id)

        return workflow

    def signal_stop(self) -> None:
        """Tells work under way to come to its end; returns at once."""
        self._stopping.set()

    def stop(self) -> None:
        """Stops working; what is unfinished goes on at the next start."""
        self._stopping.set()
        for lock in self._working.values():
            if lock.acquire(timeout=_STOP_TIMEOUT_S):
                lock.release()
        DBOS.destroy(destroy_registry=True)
        self._queues = {}

    def enqueue(self, name: str, work_id: str) -> None:
        """Puts a workflow into its queue; the same id twice is one workflow.

        Raises:
            GraftError: `start` was not called.
        """
        if name not in self._workflows or not self._queues:
            raise GraftError("the job system is not started: call start() first")
        with SetWorkflowID(work_id):
            self._queues[self._defined[name][0]].enqueue(self._workflows[name], work_id)

    def step(self, name: str, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """What the function returns, or returned in an earlier process. Only within a workflow."""
        return DBOS.run_step({"name": name}, self.unless_stopping, function, *arguments)

    def unless_stopping(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """What the function returns.

        Raises:
            Stopped: the process is stopping, so that nothing is begun, and a failure says nothing.
        """
        if self.stopping:
            raise Stopped
        try:
            return function(*arguments)
        except Exception as error:
            if self.stopping:  # it may have failed because of that
                raise Stopped from error
            raise
