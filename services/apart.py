"""Runs one function in a process of its own, so that the libraries and weights that it loads are gone when it ends.

The process computes on all cores but one, is not on the network, and ends with this one. Knows nothing of what it runs.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

from ingest.errors import Unavailable

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_PR_SET_PDEATHSIG = 1


def run_apart(function: Callable[_Parameters, _Result], *arguments: _Parameters.args, **options: _Parameters.kwargs) -> _Result:
    """What the function returns or raises; function, arguments and result must be picklable.

    Raises:
        Unavailable: the process was ended from outside.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, function, arguments, options), daemon=True)
    process.start()
    theirs.close()
    try:
        succeeded, outcome = ours.recv()
    except EOFError as error:
        raise Unavailable(
            f"the process for {function.__name__} was ended, most often because the machine ran out of memory: free some and "
            "try again"
        ) from error
    finally:
        ours.close()
        process.join()
    if not succeeded:
        raise outcome
    result: _Result = outcome
    return result


def _work(answer: Connection, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    _settle()
    try:
        outcome: tuple[bool, Any] = (True, function(*arguments, **options))
    except Exception as error:  # noqa: BLE001 - raised again where it was asked for
        outcome = (False, error)
    answer.send(outcome)


def _settle() -> None:
    """Before any library is loaded: what it reads from the environment, and that this process does not outlive its owner."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ["OMP_NUM_THREADS"] = str(max(1, len(os.sched_getaffinity(0)) - 1))
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        os.environ[name] = "1"
