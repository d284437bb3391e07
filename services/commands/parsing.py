"""`graft parse`: one file as it is read, without adding it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.errors import GraftError, InputRefused
from ingest.isolation import FileWorker
from ingest.types import Page, ParsedDocument
from services.commands.adding import PasswordOption, asked_for
from services.commands.output import Json, counting, err, out, print_json
from services.settings import load_settings


def parse(
    file: Annotated[Path, typer.Argument(help="A file of any kind that can be read.")],
    report: Annotated[Path | None, typer.Option(help="HTML file: each page's picture beside what was read.")] = None,
    password: PasswordOption = "",
    as_json: Json = False,
) -> None:
    """Read a file as adding it would, and show what was read. Nothing is stored."""
    if not file.is_file():
        raise InputRefused(f"there is no file {file}")
    ingest = load_settings().ingest
    with (
        FileWorker(ingest.limits, ingest.ocr) as worker,
        worker.opened(file, asked_for(password)) as path,
        counting() as progress,
    ):
        document = worker.read(path, name=file.name, progress=lambda _done, total: progress("reading", total))
        if report is not None:
            html = _html(path, file.name, document, worker, lambda _done, total: progress("drawing", total))
            _write(report, html)
    if as_json:
        return print_json(_as_data(file.name, document) | ({"report": str(report)} if report else {}))
    for warning in document.warnings:
        err.print(f"Warning: {warning}", markup=False)
    if report is not None:
        return out.print(f"report: {report}", markup=False)
    for page in document.pages:
        out.print(f"page {page.number}" + (" (recognised)" if page.ocr else ""), style="bold", markup=False)
        out.print(page.text, end="\n\n", markup=False)
    return None


def _html(path: Path, name: str, document: ParsedDocument, worker: FileWorker, progress: Callable[[int, int], None]) -> str:
    from eval.parsing.view import PICTURE_DPI, to_html

    def draw(number: int) -> bytes:
        return worker.render(path, number, boxes=(), dpi=PICTURE_DPI)

    return to_html(document, name=name, draw=draw, progress=progress)


def _write(report: Path, html: str) -> None:
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(html, encoding="utf-8")
    except OSError as error:
        raise GraftError(f"the report cannot be written to {report}: {error.strerror}; choose another place") from error


def _as_data(name: str, document: ParsedDocument) -> dict[str, Any]:
    return {
        "document": name,
        "title": document.title,
        "warnings": list(document.warnings),
        "pages": [_page_as_data(page) for page in document.pages],
    }


def _page_as_data(page: Page) -> dict[str, Any]:
    return {
        "number": page.number,
        "width": page.width,
        "height": page.height,
        "ocr": page.ocr,
        "blocks": [
            {
                "kind": block.kind,
                "level": block.level,
                "text": page.text[block.start : block.end],
                "bbox": list(block.bbox) if block.bbox else None,
                "rows": [list(row) for row in block.rows],
            }
            for block in page.blocks
        ],
    }
