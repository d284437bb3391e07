"""`$GRAFT_HOME`: the folder of all state, owned by one process at a time, and the note that a running server leaves there."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import httpx

from ingest.errors import Unavailable
from ingest.files import full_disk_said_plainly

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that mean this machine."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """What a local command needs to call the server that owns the home."""

    address: str
    key: str
    pid: int


class Home:
    """Paths under the home folder, and its lock."""

    def __init__(self, folder: Path) -> None:
        """Makes the folders.

        Raises:
            Unavailable: they cannot be made there.
        """
        self.folder = folder
        try:
            with full_disk_said_plainly(folder):
                for part in (folder, self.indexes, self.logs):
                    part.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Unavailable(f"{folder} cannot be the home ({error.strerror}): set GRAFT_HOME to another folder") from error
        self._lock: IO[str] | None = None

    @property
    def files(self) -> Path:
        """Originals, by hash."""
        return self.folder / "files"

    @property
    def indexes(self) -> Path:
        """Index builds: derived, may be deleted while nothing runs."""
        return self.folder / "indexes"

    @property
    def adapters(self) -> Path:
        """Trained adapters, a folder each."""
        return self.folder / "adapters"

    @property
    def training(self) -> Path:
        """Trainings under way, a folder each."""
        return self.folder / "training"

    @property
    def passwords(self) -> Path:
        """Passwords of encrypted files that are being added."""
        return self.folder / "passwords"

    @property
    def logs(self) -> Path:
        """Logs of the server and the engine."""
        return self.folder / "logs"

    @property
    def _note(self) -> Path:
        return self.folder / "run.json"

    def acquire(self) -> None:
        """Takes the home for this process, until `release` or its end.

        Raises:
            Unavailable: another process has it.
        """
        with full_disk_said_plainly(self.folder):
            self._acquire()

    def _acquire(self) -> None:
        lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise Unavailable(
                f"{self.folder} is in use by process {holder}: wait for it, stop it (graft stop), or set another GRAFT_HOME"
            ) from error
        self._lock = lock
        self._note.unlink(missing_ok=True)  # of a server that was killed: another may listen at its address by now
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()

    def release(self) -> None:
        """Lets go of the home."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def announce(self, server: RunningServer) -> None:
        """Leaves the server's address and key for local commands, readable by this user alone."""
        with full_disk_said_plainly(self.folder):
            descriptor = os.open(self._note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(asdict(server), file)

    def withdraw(self) -> None:
        """Takes the note away again."""
        self._note.unlink(missing_ok=True)

    def running_server(self) -> RunningServer | None:
        """The server that owns this home, or None; a note that a killed server left behind counts for nothing."""
        try:
            server = RunningServer(**json.loads(self._note.read_text()))
            if not _is_alive(server.pid):
                return None
            httpx.get(f"{server.address}/healthz", timeout=10, trust_env=False).raise_for_status()
        except (OSError, ValueError, TypeError, httpx.HTTPError):
            return None
        return server


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
