"""Makes the sample corpus: `python -m eval.sample_corpus.make [DIRECTORY]` writes the PDFs, facts, cases and groups.

Every fact is looked up again in the text that PyMuPDF extracts from the page it was printed on; a fact that is not found
there stops the build. The same sources give the same bytes with the same PyMuPDF.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pymupdf

from eval.sample_corpus.layout import print_document
from eval.sample_corpus.questions import case_row, read_questions
from eval.sample_corpus.source import SourceDocument, read_documents
from ingest.errors import GraftError


class CorpusError(GraftError):
    """A source says something that the printed page does not."""


def without_space(text: str) -> str:
    """The text without any white space, which is how facts and pages are compared."""
    return "".join(text.split())


def fact_rows(source: SourceDocument, block_pages: tuple[int, ...]) -> list[dict[str, Any]]:
    """The lines of `facts.jsonl` for one printed document."""
    return [
        {
            "id": fact.id,
            "subject": fact.subject,
            "attribute": fact.attribute,
            "value": fact.value,
            "document": source.file,
            "page": page,
            "language": source.language,
            "in": fact.place,
            "sentence": fact.sentence,
        }
        for block, page in zip(source.blocks, block_pages, strict=True)
        for fact in block.facts
    ]


def check_facts(rows: list[dict[str, Any]], content: bytes) -> None:
    """Finds each fact again on its page.

    Raises:
        CorpusError: the extracted text lacks a fact's value or sentence.
    """
    with pymupdf.open(stream=content) as pdf:
        texts = [without_space(page.get_text()) for page in pdf]
    for row in rows:
        for part in ("value", "sentence"):
            if without_space(row[part]) not in texts[row["page"] - 1]:
                raise CorpusError(f"{row['id']}: page {row['page']} of {row['document']} lacks its {part} {row[part]!r}")


def make(directory: Path) -> dict[str, int]:
    """Writes the whole corpus under `directory` and returns how much there is of it."""
    (directory / "pdf").mkdir(parents=True, exist_ok=True)
    facts: list[dict[str, Any]] = []
    groups: dict[str, list[str]] = {}
    pages = size = 0
    sources = read_documents()
    for source in sources:
        printed = print_document(source)
        rows = fact_rows(source, printed.block_pages)
        check_facts(rows, printed.content)
        facts += rows
        (directory / "pdf" / source.file).write_bytes(printed.content)
        pages += printed.page_count
        size += len(printed.content)
        if source.groups:
            groups[source.file] = list(source.groups)
    cases = [case_row(question, facts, groups) for question in read_questions()]
    _write_lines(directory / "facts.jsonl", facts)
    _write_lines(directory / "cases.jsonl", cases)
    (directory / "groups.json").write_text(json.dumps(groups, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return {"documents": len(sources), "pages": pages, "bytes": size, "facts": len(facts), "cases": len(cases)}


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    sys.stdout.write(json.dumps(make(target)) + "\n")
