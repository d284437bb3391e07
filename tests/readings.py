"""Reading a file in the test's own process, and what must hold for every page that comes of it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from ingest.layout import page_from_row, page_to_row
from ingest.readers.base import Reading
from ingest.readers.registry import open_file
from ingest.settings import ReadLimits
from ingest.types import BlockKind, Page

LIMITS = ReadLimits()
Told = tuple[BlockKind, str]


def read(data: bytes, name: str, folder: Path, *, limits: ReadLimits = LIMITS) -> Reading:
    """The file's reading, its pages sound."""
    path = folder / "file"
    path.write_bytes(data)
    reading = open_file(path, name, limits=limits)
    pages = tuple(reading.pages)
    assert reading.total == len(pages)
    for number, page in enumerate(pages, start=1):
        assert page.number == number
        assert_sound(page)
    return Reading(reading.title, reading.total, pages, reading.warnings)


def pages_of(data: bytes, name: str, folder: Path) -> list[Page]:
    """The file's pages."""
    return list(read(data, name, folder).pages)


def told(page: Page) -> list[Told]:
    """Kind and text of each block."""
    return [(block.kind, page.text[block.start : block.end]) for block in page.blocks]


def texts(page: Page) -> list[str]:
    """The text of each block."""
    return [text for _, text in told(page)]


def assert_sound(page: Page) -> None:
    """The invariants of a page that flows."""
    end = 0
    for block in page.blocks:
        assert block.start == (end + 2 if end else 0)
        assert page.text[end : block.start] in ("", "\n\n")
        assert block.start < block.end <= len(page.text)
        assert (block.bbox is not None) is page.has_picture
        if block.kind is BlockKind.TABLE:
            first, *others = (" | ".join(row) for row in block.rows)
            dashes = " | ".join("---" for _ in block.rows[0])
            assert page.text[block.start : block.end] == "\n".join([first, dashes, *others])
        end = block.end
    assert end == len(page.text)
    page.text.encode("utf-8")
    assert "\x00" not in page.text
    assert page_from_row(type("Row", (), page_to_row("", page))) == page


def with_member(archive: bytes, name: str, change: bytes | None) -> bytes:
    """The zip archive with one member in another form, or without it."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        if change is not None:
            new.writestr(name, change)
    return changed.getvalue()


def member(archive: bytes, name: str) -> bytes:
    """One member of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.read(name)
