"""Measures the product's reading on one folder of files, or on all sets that a folder holds.

The reader is the caller's, made by the same code that serves. Knows nothing of how a figure is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eval.parsing.apart import Apart
from eval.parsing.excerpts import GoodPage, good_pages
from eval.parsing.files import measure_files
from eval.parsing.page_images import measure_page_images
from eval.parsing.reading import DocumentReader
from eval.parsing.references import measure_references
from eval.parsing.rendered import choose, measure_rendered
from eval.parsing.sets import DataSet, SetKind, find_sets
from eval.parsing.speed import measure_speed
from eval.parsing.tables import measure_tables

Progress = Callable[[str, int], None]
"""Called after each step with what is being done and how many steps that has."""
Measure = Callable[..., dict[str, Any]]

_MEASURES: Mapping[SetKind, Measure] = {
    SetKind.FILES: measure_files,
    SetKind.TABLES: measure_tables,
    SetKind.REFERENCES: measure_references,
    SetKind.OMNIDOCBENCH: measure_page_images,
}

# Of one call to another library, which has no limits of its own.
_PEER_TIMEOUT_S = 180.0


def evaluate_parsing(
    folder: Path, reader: DocumentReader, *, render: int = 0, speed: bool = False, progress: Progress
) -> dict[str, Any]:
    """`sets`: name, kind, figures and a row a file of each set. `rendered`, for so many pages of each language, where `render` is
    not 0. `speed` against other libraries, where it is asked for.

    Raises:
        InputRefused: the folder holds no set. Unavailable: a library to compare with is not installed.
    """
    sets = find_sets(folder)
    measured: dict[str, Any] = {"sets": [_measured(one, reader, progress) for one in sets]}
    if render or speed:
        with TemporaryDirectory() as temporary, Apart(timeout_s=_PEER_TIMEOUT_S) as apart:
            place = Path(temporary)
            files = _pdfs(sets)
            pages = good_pages(files, reader, apart, place, progress=partial(progress, "choosing pages", len(files)))
            if render:
                measured["rendered"] = _rendered(choose(pages, render), reader, place, progress)
            if speed:
                measured["speed"] = measure_speed(pages, reader, apart, place, progress=partial(progress, "timing"))
    return measured


def _measured(data: DataSet, reader: DocumentReader, progress: Progress) -> dict[str, Any]:
    step = partial(progress, data.name, len(data.files))
    return {"set": data.name, "kind": str(data.kind), **_MEASURES[data.kind](data, reader, progress=step)}


def _rendered(pages: Sequence[GoodPage], reader: DocumentReader, place: Path, progress: Progress) -> dict[str, Any]:
    return measure_rendered(pages, reader, place, progress=partial(progress, "recognising rendered pages", len(pages)))


def _pdfs(sets: Sequence[DataSet]) -> list[Path]:
    return sorted({path for one in sets for path in one.folder.rglob("*.pdf")})
