"""Calls functions in another process that stays: what it loads is loaded once, and what it hangs or dies in is not ours."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any

from ingest.errors import GraftError


class Apart:
    """A process that calls functions of modules. It starts with the first call, and anew after one that it died or hung in."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        """What the function returns.

        Raises:
            GraftError: it raised something, died, or was not done in time.
        """
        connection = self._connection or self._start()
        try:
            connection.send((function, arguments))
            in_time = connection.poll(self._timeout_s)
            done, result = connection.recv() if in_time else (False, f"not done in {self._timeout_s:g} s")
        except (EOFError, OSError) as error:
            self._end()
            raise GraftError(f"{function.__name__}: its process died") from error
        if not in_time:
            self._end()
        if not done:
            raise GraftError(f"{function.__name__}: {result}")
        return result

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._connection = ours
        return ours

    def _end(self) -> None:
        if self._process is not None and self._connection is not None:
            self._connection.close()
            self._process.kill()
            self._process.join()
        self._process = self._connection = None


def _serve(connection: Connection) -> None:
    while True:
        try:
            function, arguments = connection.recv()
        except EOFError:
            return
        try:
            answer = (True, function(*arguments))
        except Exception as error:  # noqa: BLE001 - a broken file can make a library raise anything
            answer = (False, f"{type(error).__name__}: {error}")
        connection.send(answer)
