"""From a file to its pages, whatever it is: the one table of readers, and the words for what they could not read.

Invariants. Every refusal is an `InputRefused`, whatever the library behind a reader raised. A file inside another is read
by the same readers under the same limits, and only so deep.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from ingest.errors import BrokenFile, GraftError, InputRefused, LimitPassed
from ingest.ocr.base import OcrEngine
from ingest.readers import delimited, hypertext, mail, markdown, picture, plain, printed, sheets, slides, word
from ingest.readers.base import Reader, Reading, Source
from ingest.readers.detect import FileType, detect
from ingest.settings import ReadLimits
from ingest.types import Bbox

READERS: Mapping[FileType, Reader] = {
    FileType.PDF: printed.read,
    FileType.WORD: word.read,
    FileType.SLIDES: slides.read,
    FileType.SHEETS: sheets.read,
    FileType.HTML: hypertext.read,
    FileType.MARKDOWN: markdown.read,
    FileType.TEXT: plain.read,
    FileType.TABLE: delimited.read,
    FileType.MAIL: mail.read,
    FileType.IMAGE: picture.read,
}

# A mail may hold a mail that holds a file; deeper nesting is a trap, or nobody's document.
_DEEPEST = 3


def open_file(path: Path, name: str, *, limits: ReadLimits, ocr: OcrEngine | None = None, depth: int = 0) -> Reading:
    """The file's title and pages, read by what its content is.

    Raises:
        InputRefused: it is empty, too large, of a type that is not read, broken, or past a limit.
    """
    kind = _detected(path, name, limits)
    with refusing(kind, limits):
        return READERS[kind](Source(path, name, limits, partial(_open_inside, limits=limits, ocr=ocr, depth=depth + 1), ocr))


def draw_page(path: Path, number: int, *, boxes: list[Bbox], dpi: int, limits: ReadLimits) -> bytes:
    """One page as PNG with the boxes marked.

    Raises:
        InputRefused: the file's pages have no picture, or this one cannot be drawn within the limits.
    """
    kind = _detected(path, "", limits)
    with refusing(kind, limits):
        if kind is FileType.PDF:
            return printed.draw(path, number, boxes=boxes, dpi=dpi, limits=limits)
        if kind is FileType.IMAGE:
            return picture.draw(path, number, boxes=boxes, dpi=dpi, limits=limits)
    raise InputRefused(f"a {kind} has no pages to draw: its text is all there is to show")


def _detected(path: Path, name: str, limits: ReadLimits) -> FileType:
    size = path.stat().st_size
    if size == 0:
        raise BrokenFile("the file is empty: 0 bytes")
    if size > limits.file_mib << 20:
        raise LimitPassed(f"the file has {size >> 20} MiB; at most {limits.file_mib} MiB are read (setting read.file_mib)")
    with refusing("file", limits):
        return detect(path, name)


def _open_inside(data: bytes, name: str, *, limits: ReadLimits, ocr: OcrEngine | None, depth: int) -> Reading:
    """What a file that another carries holds. It is kept in memory: a killed worker leaves nothing of it on a disk."""
    if depth > _DEEPEST:
        raise LimitPassed(f"it lies more than {_DEEPEST} files deep: save it by itself and add it")
    descriptor = os.memfd_create("inside")
    with open(descriptor, "wb", buffering=0) as file:  # noqa: PTH123 - a descriptor has no path to open
        file.write(data)
        reading = open_file(Path(f"/proc/self/fd/{descriptor}"), name, limits=limits, ocr=ocr, depth=depth)
        return Reading(reading.title, reading.total, tuple(reading.pages), reading.warnings)


@contextlib.contextmanager
def refusing(kind: str, limits: ReadLimits) -> Iterator[None]:
    """Turns whatever a library raises on a file into a refusal of it.

    Raises:
        BrokenFile: it cannot be read. LimitPassed: not with the memory that there is.
    """
    try:
        yield
    except GraftError:
        raise
    except MemoryError as error:
        raise LimitPassed(
            f"the {kind} needs more than {limits.memory_mib} MiB of memory to be read (setting read.memory_mib)"
        ) from error
    except Exception as error:  # a hostile file can make a library raise anything
        told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        reason = " ".join(told.split())[:200]
        raise BrokenFile(f"the {kind} is broken and cannot be read ({reason}). Save or download it again") from error
