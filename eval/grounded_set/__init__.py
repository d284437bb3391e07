"""The grounded set: answers to questions about the sample corpus, each with its evidence and whether that bears it out.

`<language>-<part>.jsonl` holds the answers; the README beside them says how they were made and read twice. A document's
answers are all in one part: look at `dev` as much as you like, at `test` only to measure. Nothing is trained on either.
Evidence is kept as a place of the corpus and read from its PDFs as the product reads them. Importing this reads nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from eval import sample_corpus
from ingest.errors import GraftError

_HERE = Path(__file__).parent

LANGUAGES = ("en", "zh")

ReadPage = Callable[[str, int], str]
"""The text of a document's page, pages from 1."""


class Part(StrEnum):
    """What an answer may be used for."""

    DEV = "dev"
    TEST = "test"


def grounded_rows(part: Part, language: str) -> list[dict[str, Any]]:
    """The answers as they are stored: without their evidence's text."""
    path = _HERE / f"{language}-{part}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def grounded_lines(
    part: Part, *, languages: Sequence[str] = LANGUAGES, read_page: ReadPage | None = None
) -> Iterator[dict[str, Any]]:
    """Lines for `graft eval hallucination`: what is stored, with the evidence's text as `context`.

    Raises:
        GraftError: the evidence does not stand on its page.
    """
    read_page = read_page or corpus_pages()
    for language in languages:
        for row in grounded_rows(part, language):
            yield {**row, "context": [evidence_text(place, read_page) for place in row["evidence"]]}


def evidence_text(place: dict[str, Any], read_page: ReadPage) -> str:
    """The passage of a page from the words that it begins with to those that it ends with.

    Raises:
        GraftError: it does not stand there.
    """
    page = read_page(place["document"], place["page"])
    start = page.find(place["start"])
    end = page.find(place["end"], start)
    if start < 0 or end < 0:
        raise GraftError(
            f"page {place['page']} of {place['document']} has no passage from {place['start']!r} to {place['end']!r}: "
            "the sample corpus was changed, or is read otherwise than when the grounded set was written"
        )
    return page[start : end + len(place["end"])]


def corpus_pages() -> ReadPage:
    """Reads pages of the sample corpus as `graft add` does, each document once."""
    from ingest.pdf import open_pdf, read_pages
    from ingest.settings import IngestSettings

    limits = IngestSettings().limits

    @cache
    def pages(document: str) -> dict[int, str]:
        opened = open_pdf(sample_corpus.PDF_DIR / document, limits=limits)
        return {page.number: page.text for page in read_pages(opened, limits=limits)}

    return lambda document, number: pages(document).get(number, "")
