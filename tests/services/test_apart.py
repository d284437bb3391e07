"""A process of its own for heavy work: what it returns, what it raises, and what is left of it."""

from __future__ import annotations

import os
import signal

import pytest

from ingest.errors import InputRefused, Unavailable
from services.apart import run_apart


def process_and_threads(word: str, *, times: int) -> tuple[str, int, str]:
    return word * times, os.getpid(), os.environ["OMP_NUM_THREADS"]


def refuse(what: str) -> None:
    raise InputRefused(f"{what} is no model")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_work_is_done_in_another_process_that_is_gone_then() -> None:
    words, pid, threads = run_apart(process_and_threads, "na", times=2)
    assert words == "nana"
    assert pid != os.getpid()
    assert int(threads) >= 1
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_its_errors_are_raised_here() -> None:
    with pytest.raises(InputRefused, match="stone is no model"):
        run_apart(refuse, "stone")


def test_a_process_that_is_killed_is_said_plainly() -> None:
    with pytest.raises(Unavailable, match="the process for die was ended"):
        run_apart(die)
