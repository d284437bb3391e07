"""Reading one file by the product's own path, and what came of it: text, a refusal in words, a crash, or no end.

The reader is given (the isolated worker with its limits), so that what is measured is what serves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from ingest.errors import InputRefused
from ingest.types import Bbox, BlockKind, Page, ParsedDocument

# What `ingest.isolation` says of a reading that did not end by itself.
_DIED = "the reader died"
_OVER_TIME = "took longer than"
# Kinds of blocks that run through the pages of a document and are no part of its text.
_RUNNING = frozenset({"header", "footer"})


class DocumentReader(Protocol):
    """Reads files as the product does; `ingest.isolation.FileWorker` is the one that serves."""

    def read(self, path: Path, *, name: str = "", progress: Callable[[int, int], None] | None = None) -> ParsedDocument:
        """All pages of the file. Raises InputRefused where it cannot be read."""
        ...

    def opened(self, path: Path, password: str) -> AbstractContextManager[Path]:
        """The file, or where a password is given a copy that opens without one. Raises InputRefused where it does not open."""
        ...

    def render(self, path: Path, number: int, *, boxes: Sequence[Bbox], dpi: int) -> bytes:
        """One page as PNG. Raises InputRefused where it cannot be drawn."""
        ...


class Outcome(StrEnum):
    """How the reading of a file ended. Of those that are no text, all but a crash are refusals in words."""

    READ = "read"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    """The reader process was stopped at its limit."""
    DIED = "died"
    """The reader process died, alone."""
    CRASH = "crash"
    """An error that nobody foresaw reached the caller."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of reading one file; `said` and `code` are those of the refusal."""

    path: Path
    outcome: Outcome
    seconds: float
    document: ParsedDocument | None = None
    said: str = ""
    code: str = ""

    @property
    def pages(self) -> tuple[Page, ...]:
        """The pages that were read."""
        return self.document.pages if self.document else ()


def attempt(reader: DocumentReader, path: Path, *, password: str = "") -> Attempt:
    """The outcome for one file; no error of the reader ends the run."""
    began = time.monotonic()
    try:
        with reader.opened(path, password) as readable:
            document = reader.read(readable, name=path.name)
    except InputRefused as error:
        said = str(error)
        outcome = Outcome.DIED if _DIED in said else Outcome.TIMEOUT if _OVER_TIME in said else Outcome.REFUSED
        return Attempt(path, outcome, time.monotonic() - began, said=said, code=error.code)
    except Exception as error:  # noqa: BLE001 - an error that nobody foresaw is what is looked for here
        return Attempt(path, Outcome.CRASH, time.monotonic() - began, said=f"{type(error).__name__}: {error}")
    return Attempt(path, Outcome.READ, time.monotonic() - began, document)


def text_of(pages: Sequence[Page], *, running: bool = False) -> str:
    """The pages' text, with running heads and feet or without. The cells of a table are parted by nothing but space: the marks
    between them are ours, not the page's."""
    return "\n\n".join("\n\n".join(_texts(page, running)) for page in pages)


def _texts(page: Page, running: bool) -> Iterator[str]:
    for block in page.blocks:
        if block.kind in _RUNNING and not running:
            continue
        if block.kind is BlockKind.TABLE and block.rows:
            yield "\n".join(" ".join(cell for cell in row if cell) for row in block.rows)
        else:
            yield page.text[block.start : block.end]
