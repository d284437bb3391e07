"""Waiting for what happens in another thread or process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TypeVar

Seen = TypeVar("Seen")


def until(look: Callable[[], Seen | Literal[False]], *, seconds: float = 120) -> Seen:
    """What `look` returns once that is true; the limit is there to end a test that hangs, not to measure anything."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return seen
