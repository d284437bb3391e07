"""Other libraries that read PDFs, for comparison, and the bare text layer that a reading is held against.

Nothing here is safe against hostile files: `eval.parsing.apart` calls it in a process of its own. Each library is used as its
own manual shows it, for the same content as ours gives: text and tables of every page. Text is not recognised from pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TextLayer:
    """A page's text in the order in which the file gives it, and the share of the page that pictures cover."""

    text: str
    pictures: float


def excerpt(path: Path, target: Path, numbers: Sequence[int]) -> None:
    """Writes these pages (from 1) of a PDF as a PDF of their own, without pictures: a logo holds text that no layer does."""
    import pymupdf

    with pymupdf.open(path) as document, pymupdf.open() as part:
        for number in numbers:
            part.insert_pdf(document, from_page=number - 1, to_page=number - 1)
        for page in part:
            for xref in {image[0] for image in page.get_images()}:
                page.delete_image(xref)
        part.save(target, garbage=3, deflate=True)


def text_layers(path: Path, most: int) -> dict[int, TextLayer]:
    """The bare text layer by page number (from 1), of so many pages, evenly from first to last; none of a locked file."""
    import pymupdf

    with pymupdf.open(path) as document:
        total = 0 if document.needs_pass else document.page_count
        kept = min(most, total)
        pages = [document[index * total // kept] for index in range(kept)]
        return {page.number + 1: TextLayer(page.get_text(), _covered(page)) for page in pages}


def _covered(page: object) -> float:
    import pymupdf

    assert isinstance(page, pymupdf.Page)  # noqa: S101 - for the type checker
    areas = [abs(pymupdf.Rect(image["bbox"]) & page.rect) for image in page.get_image_info()]
    return float(sum(areas) / abs(page.rect)) if abs(page.rect) else 1.0


def read_with_pymupdf4llm(path: Path) -> int:
    """The characters of its Markdown."""
    import pymupdf4llm

    return len(pymupdf4llm.to_markdown(str(path), use_ocr=False, show_progress=False))


def read_with_pdfplumber(path: Path) -> int:
    """The characters of its text and tables."""
    import pdfplumber

    with pdfplumber.open(path) as document:
        pages = [(page.extract_text(), page.extract_tables()) for page in document.pages]
    return sum(len(text) + sum(len(cell or "") for table in tables for row in table for cell in row) for text, tables in pages)


PEERS: dict[str, Callable[[Path], int]] = {"pymupdf4llm": read_with_pymupdf4llm, "pdfplumber": read_with_pdfplumber}
