"""Keeps the documents that were added from a folder in step with its files: new, changed and removed ones follow.

Invariants. Only what was added from this very folder is ever removed, and only while the folder can be read whole and holds
files at all: a disk that is not mounted removes nothing. A document keeps the groups that it has, whoever gave them. A file is
taken only once it has been the same for `quiet_s`, and counts as gone only once it has been missing for so long: what a
program is still writing, or replaces by another file, is left alone. What the reader refused is not sent again unchanged.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.client import Client
from services.folders import Given, files_in
from services.job_states import UNFINISHED

Signature = tuple[int, int, int, int]
"""Size, times of change of content and of the entry, and inode: another file, or another content, has another."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the knowledge base has of a file of the folder: a document, or the job of one that is on its way or was refused."""

    document: str
    groups: frozenset[str]
    sha256: str
    document_id: str | None
    job_id: str | None = None
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """What keeps folder and documents apart: files to send, with the groups that the document has, or None for a new one;
    documents whose files are gone; how many files are as they should be; how many are not quiet yet."""

    new: tuple[tuple[str, frozenset[str] | None], ...] = ()
    gone: tuple[Known, ...] = ()
    unchanged: int = 0
    unquiet: int = 0


def difference(files: Mapping[str, str], known: Sequence[Known], *, present: Collection[str]) -> Difference:
    """What must be done. `files` are hashes by name, of those that may be taken now; `present` are the names of all there are.

    Of what is known of one name in one set of groups, the first tells: jobs before the document that they are about.
    """
    newest: dict[tuple[str, frozenset[str]], Known] = {}
    for one in known:
        newest.setdefault((one.document, one.groups), one)
    of_name: dict[str, list[Known]] = {}
    for one in newest.values():
        of_name.setdefault(one.document, []).append(one)
    new: list[tuple[str, frozenset[str] | None]] = []
    for name, sha256 in files.items():
        if name not in of_name:
            new.append((name, None))
        new += [(name, one.groups) for one in of_name.get(name, ()) if one.sha256 != sha256]
    gone = tuple(one for one in known if one.document not in present and not one.unfinished)
    changed = {name for name, _ in new}
    return Difference(tuple(new), gone, len(files.keys() - changed), len(set(present) - files.keys()))


class FolderSync:
    """One folder and the knowledge base that follows it."""

    def __init__(
        self,
        client: Client,
        folder: Path,
        *,
        groups: Sequence[str],
        quiet_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`groups` are those of documents that are not there yet."""
        self._client = client
        self._folder = folder
        self._groups = groups
        self._quiet_s = quiet_s
        self._clock = clock
        self._seen: dict[str, tuple[Signature, float]] = {}
        self._hashes: dict[str, tuple[Signature, str]] = {}
        self._missing: dict[str, float] = {}
        self._given: dict[str, Given] = {}

    @property
    def source(self) -> str:
        """The folder's name in the knowledge base."""
        return str(self._folder.resolve())

    def look(self) -> Difference:
        """What must be done now.

        Raises:
            InputRefused: the folder holds no file that can be read, or cannot be read whole.
        """
        self._given = {given.name: given for given in files_in(self._folder)}
        files = {name: self._hash(given) for name, given in self._given.items() if self._is_quiet(given)}
        read = {name: sha256 for name, sha256 in files.items() if sha256 is not None}
        found = difference(read, self._known(), present=self._given.keys())
        gone = tuple(one for one in found.gone if self._is_gone(one.document))
        self._missing = {name: since for name, since in self._missing.items() if name not in self._given}
        return Difference(found.new, gone, found.unchanged, found.unquiet + len(found.gone) - len(gone))

    def file(self, name: str, groups: frozenset[str] | None) -> tuple[Given, list[str]]:
        """What is to be sent for an entry of `Difference.new`: the file, and the groups of its document."""
        return self._given[name], sorted(self._groups if groups is None else groups)

    def remove(self, known: Known) -> None:
        """Removes a document whose file is gone, with everything made from it, or forgets what was refused of one."""
        if known.job_id is not None:
            self._client.call("DELETE", f"/api/jobs/{known.job_id}")
        else:
            self._client.call("DELETE", f"/api/documents/{known.document_id}")
        self._missing.pop(known.document, None)

    def _known(self) -> list[Known]:
        answer = self._client.call("GET", "/api/folder", params={"source": self.source})
        return [*map(_of_job, answer["jobs"]), *map(_of_document, answer["documents"])]

    def _is_quiet(self, given: Given) -> bool:
        try:
            signature = _signature(given.path)
        except OSError:  # gone since the folder was listed
            return False
        seen, since = self._seen.get(given.name, (None, 0.0))
        if seen != signature:
            since = self._clock()
            self._seen[given.name] = (signature, since)
        return self._clock() - since >= self._quiet_s

    def _is_gone(self, name: str) -> bool:
        now = self._clock()
        return now - self._missing.setdefault(name, now) >= self._quiet_s

    def _hash(self, given: Given) -> str | None:
        """The SHA-256 of the file, from memory where it is the same as before; None for one that cannot be read now."""
        try:
            signature = _signature(given.path)
            known, sha256 = self._hashes.get(given.name, (None, ""))
            if known != signature:
                sha256 = _sha256(given.path)
                self._hashes[given.name] = (signature, sha256)
        except OSError:
            return None
        return sha256


def _signature(path: Path) -> Signature:
    state = path.stat()
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_document(told: dict[str, Any]) -> Known:
    return Known(told["document"], frozenset(told["groups"]), told["sha256"], told["document_id"])


def _of_job(told: dict[str, Any]) -> Known:
    unfinished = told["status"] in UNFINISHED
    return Known(told["document"], frozenset(told["groups"]), told["sha256"], None, told["job_id"], unfinished)
