"""Prompts as files: a folder a version, and a manifest with each version's hash.

Invariants. A file that differs from its recorded hash is refused: a change of any text is a new version, whose name and hash are
remembered wherever something was made or judged with it. Knows nothing of what the prompts say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import GraftError, UsageError

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class PromptFiles:
    """The texts of one version by the names of their files, such as `asked.en`; `version` is its name and the beginning of its
    hash."""

    texts: Mapping[str, str]
    version: str


def read_prompts(folder: Path, version: str) -> PromptFiles:
    """The prompts of a version, from `v<version>` in the folder.

    Raises:
        UsageError: the version is not there. GraftError: its files were changed.
    """
    recorded = recorded_versions(folder)
    if version not in recorded:
        raise UsageError(f"there are no prompts of version {version!r}; there are: {', '.join(recorded)}")
    files = folder / f"v{version}"
    if digest_of(files) != recorded[version]:
        raise GraftError(
            f"the prompts in {files} are not those of version {version} any more: put them back, or make a new version of them"
        )
    texts = {path.stem: path.read_text(encoding="utf-8").rstrip("\n") for path in files.glob("*.txt")}
    return PromptFiles(texts, f"{version}-{recorded[version][:12]}")


def recorded_versions(folder: Path) -> Mapping[str, str]:
    """Each version's hash as it was recorded when the version was made."""
    recorded: dict[str, str] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return recorded


def digest_of(folder: Path) -> str:
    """SHA-256 over the names and bytes of a version's files, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.txt")):
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
