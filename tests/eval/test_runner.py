"""A run over cases: what is finished is kept whatever happens, and is never asked again until something has changed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from eval.runner import RowFile, fingerprint, run_cases
from eval.types import Case
from ingest.errors import GraftError, InputRefused, Unavailable

ROOT = Path(__file__).parents[2]
CASES = [Case(f"c{number}", "en", "plain", f"Question {number}?", True) for number in range(12)]
STATE = {"model": "m", "prompts": "1", "adapter": ""}
MARK = fingerprint(b"cases", ["base", "rag"], STATE)

DYING = """
import os, signal, sys
from pathlib import Path
from eval.runner import RowFile, run_cases
from tests.eval.test_runner import CASES, MARK

def ask(case):
    if case.id == "c5":
        os.kill(os.getpid(), signal.SIGKILL)
    return {"said": case.id}

run_cases(CASES, ask, RowFile(Path(sys.argv[1]), MARK), concurrency=1)
"""


class Asked:
    """Answers every case, and remembers which; fails on those that it is told to."""

    def __init__(self, *failing: str, error: BaseException | None = None) -> None:
        self.failing = failing
        self.error = error or Unavailable("the engine is gone")
        self.cases: list[str] = []

    def __call__(self, case: Case) -> dict[str, Any]:
        if case.id in self.failing:
            raise self.error
        self.cases.append(case.id)
        return {"said": case.question}


def test_every_case_is_asked_once_and_its_row_is_kept(tmp_path: Path) -> None:
    ask, told = Asked(), []
    rows = run_cases(
        CASES, ask, RowFile(tmp_path / "new" / "rows.jsonl", MARK), concurrency=3, progress=lambda case: told.append(case.id)
    )
    assert sorted(ask.cases) == sorted(told) == sorted(case.id for case in CASES)
    assert list(rows) == [case.id for case in CASES]
    again = Asked()
    assert run_cases(CASES, again, RowFile(tmp_path / "new" / "rows.jsonl", MARK), concurrency=3) == rows
    assert again.cases == []


def test_several_cases_are_asked_at_once(tmp_path: Path) -> None:
    barrier = threading.Barrier(4, timeout=20)

    def ask(_case: Case) -> dict[str, Any]:
        barrier.wait()
        return {}

    assert len(run_cases(CASES, ask, RowFile(tmp_path / "rows.jsonl", MARK), concurrency=4)) == 12


def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    died = subprocess.run([sys.executable, "-c", DYING, str(path)], cwd=ROOT, check=False, timeout=120)
    assert died.returncode == -signal.SIGKILL
    ask = Asked()
    rows = run_cases(CASES, ask, RowFile(path, MARK), concurrency=1)
    assert ask.cases == [case.id for case in CASES[5:]]
    assert rows["c4"] == {"said": "c4"}


def test_a_line_that_was_cut_off_is_asked_again_and_harms_no_other(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    run_cases(CASES[:3], Asked(), RowFile(path, MARK), concurrency=1)
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    ask = Asked()
    run_cases(CASES[:4], ask, RowFile(path, MARK), concurrency=1)
    assert ask.cases == ["c2", "c3"]
    assert set(RowFile(path, MARK).rows) == {"c0", "c1", "c2", "c3"}
    assert len([line for line in path.read_text().splitlines() if not line.endswith("}")]) == 1


@pytest.mark.parametrize(
    "changed",
    [
        fingerprint(b"other cases", ["base", "rag"], STATE),
        fingerprint(b"cases", ["base"], STATE),
        fingerprint(b"cases", ["base", "rag"], STATE | {"adapter": "adp_1"}),
        fingerprint(b"cases", ["base", "rag"], STATE | {"prompts": "2"}),
    ],
)
def test_a_change_of_cases_arms_or_product_begins_a_new_run_beside_the_old_one(tmp_path: Path, changed: str) -> None:
    path = tmp_path / "rows.jsonl"
    run_cases(CASES, Asked(), RowFile(path, MARK), concurrency=2)
    kept = RowFile(path, changed)
    assert (kept.rows, kept.others) == ({}, 12)
    ask = Asked()
    run_cases(CASES[:2], ask, kept, concurrency=1)
    assert ask.cases == ["c0", "c1"]
    assert len(RowFile(path, MARK).rows) == 12


def test_the_order_of_arms_and_of_the_state_changes_nothing() -> None:
    turned = dict(reversed(STATE.items()))
    assert fingerprint(b"cases", ["rag", "base"], turned) == MARK


@pytest.mark.parametrize("error", [Unavailable("the engine is gone"), KeyboardInterrupt()])
def test_a_case_that_fails_ends_the_run_and_what_was_under_way_is_kept(tmp_path: Path, error: BaseException) -> None:
    ask = Asked("c3", error=error)
    stopped: list[bool] = []
    with pytest.raises(type(error)):
        run_cases(CASES, ask, RowFile(tmp_path / "rows.jsonl", MARK), concurrency=2, stopping=lambda: stopped.append(True))
    assert stopped == [True]
    kept = RowFile(tmp_path / "rows.jsonl", MARK).rows
    assert sorted(kept) == sorted(ask.cases)
    assert {"c0", "c1", "c2"} <= set(kept)
    assert len(kept) < len(CASES)


def test_two_cases_of_one_id_are_refused_before_any_is_asked(tmp_path: Path) -> None:
    ask = Asked()
    with pytest.raises(InputRefused, match="'c1' stands 2 times"):
        run_cases([*CASES, CASES[1]], ask, RowFile(tmp_path / "rows.jsonl", MARK), concurrency=1)
    assert ask.cases == []


def test_a_row_is_on_the_disk_before_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"

    def told(case: Case) -> None:
        assert case.id in [json.loads(line)["case"] for line in path.read_text().splitlines()]

    run_cases(CASES, Asked(), RowFile(path, MARK), concurrency=2, progress=told)


def test_a_folder_that_cannot_be_used_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(GraftError, match="choose another folder"):
        RowFile(tmp_path / "file" / "rows.jsonl", MARK)
