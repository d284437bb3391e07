"""What a part costs: processor time and memory of its own process, and what it found.

Invariants. Times are processor time of the whole process, all its threads together, so that a library with threads of its own
gains nothing by them and other work on the machine costs little. Memory is what is resident, files that are mapped among it.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

from services.bench.clock import percentiles
from services.bench.scale.corpus import Question

Found = Sequence[tuple[str, float]]
"""Ids of chunks with scores, best first."""

DEPTH = 10
KEPT_ANSWERS = 100
"""Of so many questions the hits are kept, for comparison with other parts."""
_WARMING = 5


def resident_mb() -> float:
    """Memory of this process that is resident, in MB."""
    return float(psutil.Process().memory_info().rss) / 1e6


def peak_mb() -> float:
    """The most that was ever resident, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


@dataclass(slots=True)
class Building:
    """Counts the processor seconds of what runs within it."""

    cpu_s: float = 0.0
    _began: float = 0.0

    def __enter__(self) -> Building:
        self._began = time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_s += time.process_time() - self._began


def ask_all(search: Callable[[str], Found], questions: Sequence[Question], *, count: int, depth: int = DEPTH) -> dict[str, Any]:
    """CPU-ms a search over the first `count` questions, how often the right chunk is first or within `depth`, and hits."""
    for question in questions[-_WARMING:]:
        search(question.text)
    times: list[float] = []
    hits: list[list[tuple[str, float]]] = []
    first = within = 0
    for question in questions[:count]:
        began = time.process_time()
        found = search(question.text)
        times.append(1000 * (time.process_time() - began))
        ids = [chunk_id for chunk_id, _ in found]
        first += ids[:1] == [question.chunk_id]
        within += question.chunk_id in ids[:depth]
        if len(hits) < KEPT_ANSWERS:
            hits.append([(chunk_id, round(float(score), 4)) for chunk_id, score in found])
    return {
        "searches": len(times),
        "cpu_ms": {**percentiles(times, 50, 99, digits=3), "mean": round(float(np.mean(times)), 3)},
        "right@1": round(first / max(1, len(times)), 4),
        "right@10": round(within / max(1, len(times)), 4),
        "hits": hits,
    }
