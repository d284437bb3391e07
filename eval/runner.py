"""Runs over many cases that can be killed and go on: every finished case is a line of a file before the next one counts.

Invariants. A row is on the disk before it is reported. Rows belong to one fingerprint, of what was asked and of what answered:
after a change of either, the run begins anew, and the older rows stay in the file without being used. A line that a kill cut
off is as if it had never been. Knows nothing of what a row holds.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from eval.types import Case
from ingest.errors import GraftError, InputRefused

Row = dict[str, Any]


def fingerprint(cases: bytes, arms: Sequence[str], state: Mapping[str, Any]) -> str:
    """16 hex digits that change with the cases file, the arms and the state of the product."""
    whole = [hashlib.sha256(cases).hexdigest(), sorted(arms), dict(state)]
    return hashlib.sha256(json.dumps(whole, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


class RowFile:
    """The finished cases of a run, in a file that only grows."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        """Reads what is there.

        Raises:
            GraftError: the file cannot be read or made.
        """
        self.path = path
        self._fingerprint = fingerprint
        self._lock = threading.Lock()
        self.rows: dict[str, Row] = {}
        """Case id → row, of this fingerprint."""
        self.others = 0
        """How many rows the file holds of other fingerprints."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes() if path.exists() else b""
            if content and not content.endswith(b"\n"):  # a kill cut the last line off: the next row must not go on in it
                with path.open("ab") as file:
                    file.write(b"\n")
        except OSError as error:
            raise GraftError(f"{path} cannot be used to keep a run: {error.strerror}; choose another folder") from error
        for line in content.split(b"\n"):
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            kept = json.loads(line)
            name, case, row = kept["fingerprint"], kept["case"], kept["row"]
        except (ValueError, KeyError, TypeError):
            return  # cut off by a kill
        if name == self._fingerprint:
            self.rows[case] = row
        else:
            self.others += 1

    def keep(self, case_id: str, row: Row) -> None:
        """Returns when the row is on the disk; may be called from several threads.

        Raises:
            GraftError: it cannot be written.
        """
        line = json.dumps({"fingerprint": self._fingerprint, "case": case_id, "row": row}, ensure_ascii=False) + "\n"
        try:
            with self._lock, self.path.open("ab") as file:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
                self.rows[case_id] = row
        except OSError as error:
            raise GraftError(f"{self.path} cannot be written: {error.strerror}") from error


def run_cases(
    cases: Sequence[Case],
    ask: Callable[[Case], Row],
    kept: RowFile,
    *,
    concurrency: int,
    progress: Callable[[Case], None] | None = None,
    stopping: Callable[[], None] | None = None,
) -> dict[str, Row]:
    """Case id → row for all cases; those that are kept already are not asked again.

    When a case fails, or Ctrl-C is pressed, nothing new is begun, `stopping` is called, and what is under way is still kept.

    Raises:
        InputRefused: two cases have the same id. GraftError: what `ask` raised. KeyboardInterrupt: Ctrl-C.
    """
    names = Counter(case.id for case in cases)
    if repeated := [name for name, times in names.items() if times > 1]:
        raise InputRefused(f"case id {repeated[0]!r} stands {names[repeated[0]]} times: give every case an id of its own")

    def work(case: Case) -> Case:
        kept.keep(case.id, ask(case))
        return case

    missing = [case for case in cases if case.id not in kept.rows]
    pool = ThreadPoolExecutor(max(1, concurrency))
    try:
        for done in as_completed([pool.submit(work, case) for case in missing]):
            case = done.result()
            if progress:
                progress(case)
    except BaseException:
        if stopping:
            stopping()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return {case.id: kept.rows[case.id] for case in cases}
