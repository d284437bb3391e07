"""Folders of files that become documents: which files there are, what their documents are called.

Invariants. A document's name is the path of its file within the folder that was given, so that two files of one folder never
share a name. A folder that cannot be read whole is an error, never a folder with fewer files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import InputRefused
from ingest.readers.detect import ALLOWED, SUFFIXES


@dataclass(frozen=True, slots=True)
class Given:
    """A file to be added, the name that its document gets, and the folder that it was found in, "" for a file by itself."""

    name: str
    path: Path
    source: str = ""


def given_files(paths: Iterable[Path]) -> list[Given]:
    """Every file that the paths mean.

    Raises:
        InputRefused: a path is missing, a folder holds nothing that can be read, or two files would be one document, of which
            only the second would be seen.
    """
    taken: dict[str, Given] = {}
    for path in paths:
        for one in _files(path):
            if (other := taken.setdefault(one.name, one)).path != one.path:
                raise InputRefused(
                    f"{other.path} and {one.path} would both be called {one.name!r}: add the folder that holds both"
                )
    return list(taken.values())


def _files(path: Path) -> list[Given]:
    if path.is_dir():
        return files_in(path)
    if path.is_file():
        return [Given(_printable(path.name), path)]
    raise InputRefused(f"there is no file or folder {path}")


def files_in(folder: Path) -> list[Given]:
    """The files of a folder, and of those in it, whose endings are known, by path.

    Raises:
        InputRefused: there is none, or the folder or one in it cannot be read.
    """
    source = str(folder.resolve())
    found = sorted(path for path in _walk(folder) if _is_read(path))
    if not found:
        raise InputRefused(f"folder {folder} holds no file that can be read. {ALLOWED}")
    return [Given(_printable(str(path.relative_to(folder))), path, source) for path in found]


def _is_read(path: Path) -> bool:
    """Whether the file's ending is known; what Office lays beside a file that is open has that file's ending too."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith("~$")


def _walk(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise InputRefused(f"folder {error.filename} cannot be read ({error.strerror}): nothing was added or removed") from error

    for parent, _, names in os.walk(folder, onerror=refuse):
        for name in names:
            path = Path(parent, name)
            if path.is_file():
                yield path


def _printable(name: str) -> str:
    """The name with a mark for each byte that is no text."""
    return name.encode("utf-8", "replace").decode()
