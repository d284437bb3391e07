"""Runs one command and never outlives its owner: a script of the standard library alone.

    python -I leash.py OWNER_PID COMMAND...

Invariants. The command runs in the leash's own process group. When the owner is gone (even by kill -9), or the leash is asked
to end (SIGTERM, SIGINT), the whole group gets SIGTERM and, after ten seconds, SIGKILL. When the leash itself is killed, the
kernel ends the command. Exits with the command's own code. Knows nothing of what it runs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time

GRACE_S = 10.0
PR_SET_PDEATHSIG = 1


def _die_with_leash() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def main(owner: int, command: list[str]) -> int:
    """The command's exit code, once it has ended or was ended."""
    asked_to_end = False

    def ask(_signal: int, _frame: object) -> None:
        nonlocal asked_to_end
        asked_to_end = True

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_leash)
    while child.poll() is None and not asked_to_end and os.getppid() == owner:
        time.sleep(0.2)
    if child.poll() is None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if child.poll() is None:
            os.killpg(0, signal.SIGKILL)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
