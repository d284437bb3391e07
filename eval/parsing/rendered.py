"""How well pages are recognised that were rendered from PDFs with a good text layer, so that what stands on them is known.

The reference is the bare text layer in the file's own order, which no code of ours has touched. `text_layer_error` is how far
the product's reading of that same text layer lies from it: the part of the error that is order and convention, not recognition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.metrics.text_distance import as_printed, character_error
from eval.parsing.clock import CpuClock
from eval.parsing.excerpts import GoodPage
from eval.parsing.figures import ratio
from eval.parsing.reading import Attempt, DocumentReader, attempt, text_of
from ingest.errors import InputRefused

DPI = 150


def choose(pages: Sequence[GoodPage], number: int) -> list[GoodPage]:
    """At most so many pages of each language, evenly from all files."""
    chosen = []
    for language in ("en", "zh"):
        some = [page for page in pages if page.language == language]
        kept = min(number, len(some))
        chosen += [some[index * len(some) // kept] for index in range(kept)]
    return chosen


def measure_rendered(
    pages: Sequence[GoodPage], reader: DocumentReader, folder: Path, *, progress: Callable[[], None]
) -> dict[str, Any]:
    """Character errors over all pages and by language, the speed of recognition, and a row a page."""
    rows: list[dict[str, Any]] = []
    for page in pages:
        clock = CpuClock()
        done = _recognised(page, reader, folder)
        spent_s = clock.elapsed_s()
        length = len(as_printed(page.text))
        rows.append(
            {
                "file": page.file,
                "page": page.number,
                "language": page.language,
                "table": page.has_table,
                "outcome": str(done.outcome),
                "recognised": any(one.ocr for one in done.pages),
                "error": done.said or None,
                "character_error": round(character_error(page.text, text_of(done.pages, running=True)), 4),
                "text_layer_error": round(character_error(page.text, text_of([page.read], running=True)), 4),
                "characters": length,
                "cpu_s": round(spent_s, 2),
            }
        )
        progress()
    languages = sorted({row["language"] for row in rows})
    return {
        "figures": _figures(rows),
        "by_language": {one: _figures([row for row in rows if row["language"] == one]) for one in languages},
        "pages": rows,
    }


def _recognised(page: GoodPage, reader: DocumentReader, folder: Path) -> Attempt:
    image = folder / "page.png"
    try:
        image.write_bytes(reader.render(page.excerpt, page.number, boxes=(), dpi=DPI))
    except InputRefused as error:
        raise InputRefused(f"{page.file}, a page of it that was read cannot be drawn: {error}") from error
    return attempt(reader, image)


def _figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    plain = [row for row in rows if not row["table"]]
    recognised = [row for row in rows if row["recognised"]]
    return {
        "pages": len(rows),
        "files": len({row["file"] for row in rows}),
        "character_error": _error(rows, "character_error"),
        "character_error_without_tables": _error(plain, "character_error"),
        "text_layer_error": _error(rows, "text_layer_error"),
        "text_layer_error_without_tables": _error(plain, "text_layer_error"),
        "recognised_per_cpu_s": ratio([1.0] * len(recognised), [row["cpu_s"] for row in recognised], digits=3),
    }


def _error(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, float | int] | None:
    """Wrong characters by all characters; the interval is over files, n counts pages."""
    files = sorted({row["file"] for row in rows})
    members = [[row for row in rows if row["file"] == file] for file in files]
    wrong = [float(sum(row[name] * row["characters"] for row in some)) for some in members]
    return ratio(wrong, [float(sum(row["characters"] for row in some)) for some in members], n=len(rows))
