"""Runs survive a kill, go on after a stop of the process, and end when somebody asks for it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from finetune.types import Progress
from ingest.database import open_database
from ingest.errors import Conflict, GraftError, InputRefused, NotFound
from ingest.types import Access
from services.migrations import migrate
from services.runs import Run, Runs, Task
from services.workflows import Workflows
from tests.product import ADMINISTRATOR
from tests.waiting import until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def database(folder: Path) -> Engine:
    engine = open_database(f"sqlite:///{folder / 'graft.sqlite'}")
    migrate(engine)
    return engine


class Counting:
    """Work of five steps, each of which leaves a line in a file."""

    def __init__(self, folder: Path, *, die_at: int | None = None) -> None:
        self.notes = folder / "notes"
        self.die_at = die_at

    def __call__(self, task: Task) -> dict[str, Any]:
        total = 0
        for number in range(5):
            total += task.step(f"step {number}", self.note, number)
            task.report(Progress("counting", number + 1, 5, "numbers"))
        return {"total": total}

    def note(self, number: int) -> int:
        if number == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        with self.notes.open("a") as file:
            file.write(f"{number}\n")
        return number


def count_and_die(folder: str) -> None:
    runs, workflows = opened(Path(folder), Counting(Path(folder), die_at=3))
    workflows.start()
    runs.submit("count", {"to": 5})
    time.sleep(60)


def opened(folder: Path, work: Any) -> tuple[Runs, Workflows]:
    engine = database(folder)
    workflows = Workflows(engine)
    runs = Runs(engine, workflows)
    runs.define("count", work, queue="counting")
    return runs, workflows


@pytest.fixture
def started(folder: Path) -> Iterator[Any]:
    """Starts runs of some work; all are stopped at the end."""
    open_ones: list[Workflows] = []

    def start(work: Any) -> Runs:
        runs, workflows = opened(folder, work)
        workflows.start()
        runs.start()
        open_ones.append(workflows)
        return runs

    yield start
    for workflows in open_ones:
        workflows.stop()


def ended(runs: Runs, job_id: str) -> Run:
    return until(lambda: (run := runs.get(job_id, access=ADMINISTRATOR)).status not in ("queued", "running") and run)


def test_a_run_tells_how_far_it_is_and_what_came_of_it(folder: Path, started: Any) -> None:
    runs = started(Counting(folder))
    run = ended(runs, runs.submit("count", {"to": 5}).job_id)
    assert (run.status, run.result, run.error) == ("done", {"total": 10}, None)
    assert (run.stage, run.done, run.total, run.unit) == ("counting", 5, 5, "numbers")


def test_a_killed_run_goes_on_after_its_last_finished_step(folder: Path, started: Any) -> None:
    process = multiprocessing.get_context("spawn").Process(target=count_and_die, args=(str(folder),))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    runs = started(Counting(folder))
    (left,) = runs.list(access=ADMINISTRATOR)
    assert ended(runs, left.job_id).result == {"total": 10}
    assert (folder / "notes").read_text().split() == list("01234")


def test_the_same_asked_for_while_it_runs_is_the_same_run(folder: Path, started: Any) -> None:
    runs = started(lambda task: waiting(task))
    first, second = runs.submit("count", {"to": 5}), runs.submit("count", {"to": 5})
    assert first.job_id == second.job_id
    assert runs.submit("count", {"to": 6}).job_id != first.job_id
    for run in runs.list(access=ADMINISTRATOR):
        runs.stop(run.job_id, access=ADMINISTRATOR)
        ended(runs, run.job_id)


def waiting(task: Task) -> dict[str, Any]:
    while True:
        task.check()
        time.sleep(0.02)


def test_a_stopped_run_ends_and_says_so(started: Any) -> None:
    runs = started(waiting)
    job_id = runs.submit("count", {}).job_id
    runs.stop(job_id, access=ADMINISTRATOR)
    run = ended(runs, job_id)
    assert run.status == "stopped"
    assert "on request" in str(run.error)
    with pytest.raises(Conflict, match="stopped already"):
        runs.stop(job_id, access=ADMINISTRATOR)


def test_what_goes_wrong_is_told_in_its_own_words(started: Any) -> None:
    def refuse(_task: Task) -> dict[str, Any]:
        raise InputRefused("there is nothing to read: add a document")

    def break_down(_task: Task) -> dict[str, Any]:
        raise ZeroDivisionError("by zero")

    for work, told in ((refuse, "there is nothing to read: add a document"), (break_down, "ZeroDivisionError: by zero")):
        runs = started(work)
        run = ended(runs, runs.submit("count", {"told": told}).job_id)
        assert run.status == "failed"
        assert told in str(run.error)
        runs.workflows.stop()


def test_runs_are_shown_to_administrators_alone(folder: Path, started: Any) -> None:
    runs = started(Counting(folder))
    job_id = runs.submit("count", {}).job_id
    assert runs.list(access=Access.of("sales")) == []
    with pytest.raises(NotFound):
        runs.get(job_id, access=Access.of("sales"))
    ended(runs, job_id)


def test_nothing_is_begun_before_the_workflows_are_started(folder: Path) -> None:
    runs, _ = opened(folder, Counting(folder))
    with pytest.raises(GraftError, match="not started"):
        runs.submit("count", {})
