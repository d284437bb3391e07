"""The states of long work, in the words of tables, HTTP and commands: queued → running → done, failed or stopped."""

from __future__ import annotations

UNFINISHED = ("queued", "running")
