"""The originals, kept by the hash of their bytes; what is acknowledged is on the disk."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from ingest.errors import StorageFull


@contextlib.contextmanager
def full_disk_said_plainly(folder: Path) -> Iterator[None]:
    """Turns the operating system's `no space left` into `StorageFull`.

    Raises:
        StorageFull: the disk under `folder` is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
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
    """`<folder>/<sha256>` for each original."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Where the file of this hash is, or would be."""
        return self._folder / sha256

    def put(self, pieces: Iterable[bytes]) -> str:
        """The SHA-256 of the bytes, which are on the disk when this returns.

        Raises:
            StorageFull: the disk is full; nothing half-written stays.
        """
        digest = hashlib.sha256()
        temporary = self._folder / f".{secrets.token_hex(8)}.part"
        try:
            with full_disk_said_plainly(self._folder), temporary.open("wb") as file:
                for piece in pieces:
                    digest.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path(digest.hexdigest()))
            fsync_folder(self._folder)
        finally:
            temporary.unlink(missing_ok=True)
        return digest.hexdigest()

    def keep_only(self, needed: Collection[str]) -> None:
        """Deletes every file that is not needed, unfinished ones too."""
        for path in self._folder.iterdir():
            if path.name not in needed:
                path.unlink(missing_ok=True)
