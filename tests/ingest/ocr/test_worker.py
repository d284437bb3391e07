"""Pictures are read in the reading process, within its limits; what was read unsurely is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import Unavailable
from ingest.isolation import FileWorker
from ingest.layout import page_to_row
from ingest.reading_warnings import READ_UNSURELY
from ingest.settings import OcrSettings, ReadLimits
from ingest.types import Page, Word
from tests.product import SharedWorker
from tests.scans import ENGLISH, photographed, png_of, printed


def test_the_reading_process_reads_an_image_within_its_memory(worker: SharedWorker, tmp_path: Path) -> None:
    file = tmp_path / "scan.png"
    file.write_bytes(png_of(photographed(printed(*ENGLISH))))
    document = worker.read(file, name="scan.png")
    assert document.pages[0].ocr
    assert document.pages[0].text.split() == " ".join(ENGLISH).split()
    assert document.warnings == ()


def test_an_engine_that_is_not_there_is_not_the_file_s_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "scan.png"
    file.write_bytes(png_of(photographed(printed(*ENGLISH))))
    monkeypatch.setenv("PATH", "")
    with (
        FileWorker(ReadLimits(), OcrSettings(engine="tesseract")) as worker,
        pytest.raises(Unavailable, match="tesseract is not installed"),
    ):
        worker.read(file, name="scan.png")


class Told(FileWorker):
    """A worker that answers with these pages."""

    def __init__(self, *pages: Page) -> None:
        super().__init__(ReadLimits(), OcrSettings())
        self._pages = pages

    def _call(self, request: dict[str, Any], check: Callable[[], None] = lambda: None) -> Iterator[dict[str, Any]]:
        yield {"title": "", "total": len(self._pages), "warnings": []}
        yield from ({"page": page_to_row("", page)} for page in self._pages)


def test_pages_that_were_read_unsurely_are_named() -> None:
    sure = Page(1, 100, 100, "sure own", ocr=True, words=(Word(0, 4, 0.95),))
    unsure = Page(2, 100, 100, "unsure", ocr=True, words=(Word(0, 6, 0.5),))
    own = Page(3, 100, 100, "own")
    assert Told(sure, unsure, own).read(Path("any")).warnings == (f"{READ_UNSURELY}: page 2",)


def test_the_confidence_of_a_page_counts_characters() -> None:
    page = Page(1, 100, 100, "a bcd", ocr=True, words=(Word(0, 1, 0.2), Word(2, 5, 1.0)))
    assert page.confidence == pytest.approx(0.8)
