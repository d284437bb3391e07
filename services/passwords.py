"""The passwords of encrypted files whose jobs are under way: a file each, readable by this user alone, gone when the job ends.

They are kept at all because a job that was acknowledged must come to its end though the process is killed. They are kept
out of the database, so that no row, write-ahead log, dump or replica of it ever holds one.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from ingest.files import fsync_folder, full_disk_said_plainly


class Passwords:
    """`<folder>/<job>` for each password that is still needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, job_id: str, password: str) -> None:
        """Makes the password durable.

        Raises:
            StorageFull: there is no room for it.
        """
        with full_disk_said_plainly(self._folder):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self._folder / job_id, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(password.encode("utf-8", "surrogatepass"))
                file.flush()
                os.fsync(file.fileno())
            fsync_folder(self._folder)

    def of(self, job_id: str) -> str:
        """The password that came with this job; empty where none did."""
        try:
            return (self._folder / job_id).read_bytes().decode("utf-8", "surrogatepass")
        except FileNotFoundError:
            return ""

    def forget(self, job_id: str) -> None:
        """Deletes it, if it is there."""
        (self._folder / job_id).unlink(missing_ok=True)

    def keep_only(self, job_ids: Collection[str]) -> None:
        """Deletes those of all other jobs."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name not in job_ids:
                    path.unlink()
