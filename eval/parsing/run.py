"""Measures the product's reading on one folder of files, or on all sets that a folder holds.

The reader is the caller's, made by the same code that serves. Knows nothing of how a figure is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from eval.parsing.files import measure_files
from eval.parsing.page_images import measure_page_images
from eval.parsing.reading import DocumentReader
from eval.parsing.references import measure_references
from eval.parsing.sets import DataSet, SetKind
from eval.parsing.tables import measure_tables

Measure = Callable[..., dict[str, Any]]

MEASURES: Mapping[SetKind, Measure] = {
    SetKind.FILES: measure_files,
    SetKind.TABLES: measure_tables,
    SetKind.REFERENCES: measure_references,
    SetKind.OMNIDOCBENCH: measure_page_images,
}


def evaluate_parsing(sets: list[DataSet], reader: DocumentReader, *, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """For each set its name, kind, figures and a row a file; `progress(name of the set)` is called after each file."""
    return [
        {"set": one.name, "kind": str(one.kind), **MEASURES[one.kind](one, reader, progress=lambda: progress(one.name))}
        for one in sets
    ]
