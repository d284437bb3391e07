"""Processor time of this process and of those it started: what a reading costs, whoever else uses the machine."""

from __future__ import annotations

import contextlib
import time

import psutil


class CpuClock:
    """Counts from when it is made. Looking at the children takes milliseconds, which are left out."""

    def __init__(self) -> None:
        self._children_s = _children_s()
        self._own_s = time.process_time()

    def elapsed_s(self) -> float:
        """Seconds since then, of this process and its children; what a child that ended meanwhile took is not known."""
        own_s = time.process_time() - self._own_s
        return own_s + max(0.0, _children_s() - self._children_s)


def _children_s() -> float:
    total = 0.0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            spent = child.cpu_times()
            total += spent.user + spent.system
    return total
