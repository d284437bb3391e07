"""Files of any kind, hostile ones among them: how reading each of them ended, how much text came of it, and how far that text
lies from what stands there, where somebody wrote that down.

A file counts as openable when its manifest gives it a page and neither tags it as one that nothing opens nor as locked by a
password that it does not tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.answers import share
from eval.metrics.text_distance import character_error
from eval.parsing.figures import ratio
from eval.parsing.reading import Attempt, DocumentReader, Outcome, attempt, text_of
from eval.parsing.references import reference_text
from eval.parsing.sets import DataSet, manifest_of, reference_of

_NOT_OPENABLE = frozenset({"unopenable", "not-a-pdf"})
_LOCKED = "password"
# Endings that cost no process.
_IN_ORDER = (Outcome.READ, Outcome.REFUSED)


@dataclass(frozen=True, slots=True)
class _File:
    """One file's attempt, and what the manifest tells of it."""

    attempt: Attempt
    tags: tuple[str, ...]
    openable: bool | None
    error: float | None = None
    characters: int = 0
    """Of the reference, so that a long file counts for more than a short one."""

    @property
    def read(self) -> bool:
        return self.attempt.outcome is Outcome.READ


def measure_files(data: DataSet, reader: DocumentReader, *, progress: Callable[[], None]) -> dict[str, Any]:
    """Outcomes, text yield and character error of all files, outcomes by tag, and a row a file."""
    listed = manifest_of(data.folder)
    files = []
    for path in data.files:
        line = listed.get(path.name, {})
        files.append(_file(attempt(reader, path, password=str(line.get("password", ""))), line))
        progress()
    tags = sorted({tag for one in files for tag in one.tags})
    return {
        "figures": _figures(files),
        "by_tag": {tag: _outcomes([one for one in files if tag in one.tags]) for tag in tags},
        "files": [_row(one) for one in files],
    }


def _file(done: Attempt, line: Mapping[str, Any]) -> _File:
    tags = tuple(line.get("tags", ()))
    pages = line.get("pages")
    locked = _LOCKED in tags and not line.get("password")
    openable = (isinstance(pages, int) and pages > 0 and not locked and _NOT_OPENABLE.isdisjoint(tags)) if line else None
    reference = reference_of(done.path)
    if reference is None:
        return _File(done, tags, openable)
    wanted = reference_text(reference)
    return _File(done, tags, openable, character_error(wanted, text_of(done.pages)), len(wanted))


def _figures(files: Sequence[_File]) -> dict[str, Any]:
    pages = [page for one in files for page in one.attempt.pages]
    known = [(one.error * one.characters, float(one.characters)) for one in files if one.error is not None]
    measured = {
        **_outcomes(files),
        "ended": share(one.attempt.outcome in _IN_ORDER for one in files),
        "read_of_openable": share(one.read for one in files if one.openable),
        "pages": len(pages),
        "pages_with_text": share(bool(page.text.strip()) for page in pages),
        "pages_recognised": share(page.ocr for page in pages),
        "characters": sum(len(page.text) for page in pages),
        "character_error": ratio([wrong for wrong, _ in known], [characters for _, characters in known]),
        "slowest_s": round(max((one.attempt.seconds for one in files), default=0.0), 2),
    }
    return {name: value for name, value in measured.items() if value is not None}


def _outcomes(files: Sequence[_File]) -> dict[str, int]:
    counts = Counter(one.attempt.outcome for one in files)
    return {"files": len(files), **{str(outcome): counts[outcome] for outcome in Outcome}}


def _row(one: _File) -> dict[str, Any]:
    done = one.attempt
    return {
        "file": done.path.name,
        "outcome": str(done.outcome),
        "error": done.said or None,
        "code": done.code or None,
        "openable": one.openable,
        "tags": list(one.tags),
        "pages": len(done.pages),
        "characters": sum(len(page.text) for page in done.pages),
        "warnings": list(done.document.warnings) if done.document else [],
        "character_error": None if one.error is None else round(one.error, 4),
        "seconds": round(done.seconds, 2),
    }
