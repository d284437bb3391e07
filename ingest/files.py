"""The originals, kept by the hash of their bytes; what is acknowledged is on the disk."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from ingest.errors import StorageFull

_FULL = (errno.ENOSPC, errno.EDQUOT)
_PIECE_BYTES = 1 << 20


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """What is in the open file, a part at a time, as `FileStore.put` takes it."""
    while piece := file.read(_PIECE_BYTES):
        yield piece


def is_full_disk(error: BaseException) -> bool:
    """Whether the error is the operating system's `no space left`, however SQLite or an index has wrapped it."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    driver_error = getattr(error, "orig", error)  # SQLAlchemy's errors carry it; the library itself loads too slowly to name it
    if isinstance(driver_error, sqlite3.Error):
        return getattr(driver_error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return any(f"os error {number}" in str(error) for number in _FULL)  # how Rust libraries say it


@contextlib.contextmanager
def full_disk_said_plainly(folder: Path) -> Iterator[None]:
    """Turns whatever a full disk raises into `StorageFull`.

    Raises:
        StorageFull: the disk under `folder` is full.
    """
    try:
        yield
    except Exception as error:
        if is_full_disk(error):
            raise StorageFull(f"the disk that holds {folder} is full: free some space and try again; nothing was lost") from error
        raise


def fsync_folder(folder: Path) -> None:
    """Makes the names in a folder durable, which fsync of a file alone does not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FileStore:
    """`<folder>/<sha256>` for each original. Safe to use from several threads of one process."""

    def __init__(self, folder: Path) -> None:
        with full_disk_said_plainly(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._spared: dict[str, Callable[[], Collection[str]]] = {}
        """Files that were not needed but held, and who knows whether they are needed when they are let go."""

    def path(self, sha256: str) -> Path:
        """Where the file of this hash is, or would be."""
        return self.folder / sha256

    @contextlib.contextmanager
    def put(self, pieces: Iterable[bytes]) -> Iterator[str]:
        """The SHA-256 of the bytes, which are on the disk and which `keep_only` leaves alone until the block ends.

        Raises:
            StorageFull: the disk is full; nothing half-written stays.
        """
        digest = hashlib.sha256()
        temporary = self.folder / f".{secrets.token_hex(8)}.part"
        with self._holding(temporary.name):
            try:
                with full_disk_said_plainly(self.folder), temporary.open("wb") as file:
                    for piece in pieces:
                        digest.update(piece)
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                sha256 = digest.hexdigest()
                with self._holding(sha256):
                    temporary.replace(self.path(sha256))
                    fsync_folder(self.folder)
                    yield sha256
            finally:
                temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """Where a file may be written that is gone when the block ends; what a killed process left goes at the next start."""
        path = self.folder / f".{secrets.token_hex(8)}.part"
        with self._holding(path.name):
            try:
                yield path
            finally:
                path.unlink(missing_ok=True)

    def keep_only(self, needed: Callable[[], Collection[str]]) -> None:
        """Deletes every file that is not needed, unfinished ones of an earlier process too; one being put, once it is let go."""
        with self._lock:  # what is put meanwhile is held, or was named to the catalog or a job before `needed` looks there
            kept = set(needed())
            for path in self.folder.iterdir():
                if path.name in self._held:
                    self._spared[path.name] = needed
                elif path.name not in kept:
                    path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _holding(self, name: str) -> Iterator[None]:
        with self._lock:
            self._held[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[name] -= 1
                needed = None
                if not self._held[name]:
                    del self._held[name]
                    needed = self._spared.pop(name, None)
            if needed is not None and self.path(name).exists():
                self.keep_only(needed)
