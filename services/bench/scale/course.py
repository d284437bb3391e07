"""Which parts run at which size, each in a process of its own, two lanes beside each other.

Invariants. A part that fails or is not done in time is reported in words, and the others go on; those that need what it would
have left behind say so themselves. Nothing that was started is left behind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.errors import GraftError
from services.bench.clock import Deadline, Progress
from services.bench.scale.part import PARTS

SMALL, LARGE, LARGEST = 10_000, 100_000, 1_000_000
# Seconds: several times what the courses take on two cores that do nothing else.
WHOLE_S = 3600.0
QUICK_S = 600.0
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


@dataclass(slots=True)
class Course:
    """What is measured, and what became of it: figures of each part and size, and what failed, with the reason."""

    folder: Path
    data: Path | None
    progress: Progress
    deadline: Deadline
    measured: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def run(self, *, quick: bool) -> None:
        """Runs every part; the quick course has 10,000 chunks only."""
        parts = list(PARTS)
        small = [(name, SMALL) for name in parts]
        lanes = [small] if quick else [[*small, *((name, LARGE) for name in parts)], [("plain BM25", LARGEST)]]
        with ThreadPoolExecutor(len(lanes)) as pool:
            for done in [pool.submit(self._lane, lane) for lane in lanes]:
                done.result()

    def _lane(self, parts: Sequence[tuple[str, int]]) -> None:
        for name, size in parts:
            self.progress.say(f"{name}, {size:,} chunks")
            try:
                self.measured.append(self._part(name, size))
            except GraftError as error:
                self.left_out[f"{name}, {size:,} chunks"] = str(error)

    def _part(self, name: str, size: int) -> dict[str, Any]:
        command = [sys.executable, "-m", "services.bench.scale.part", name, str(size), str(self.folder)]
        command += [str(self.data)] if self.data else []
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=os.environ | _ONE_THREAD)
        try:
            said, wrong = process.communicate(timeout=self.deadline.left_s)
        except subprocess.TimeoutExpired as error:
            raise GraftError("there was no time left for it") from error
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            raise GraftError(wrong.strip().splitlines()[-1] if wrong.strip() else f"it ended with code {process.returncode}")
        figures: dict[str, Any] = json.loads(said)
        return figures
