"""A command, run in this process as `graft` runs it, and how it ended."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services import cli


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed."""
        return json.loads(self.out)


Graft = Callable[..., Ran]


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path, given: str = "") -> Ran:
    """Runs a command in this process, as `main` would end its own; `given` is on its standard input."""
    out, err = io.StringIO(), io.StringIO()  # never closed: the job system goes on logging to the one that it saw first
    with monkeypatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["graft", *map(str, arguments)])
        patch.setattr(sys, "stdin", io.StringIO(given))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        cli.main()
    return Ran(int(ended.value.code or 0), out.getvalue(), err.getvalue())
