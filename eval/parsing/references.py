"""Files with a Markdown reference: how far the text that was read lies from the reference's, reading order included.

Both are compared as print shows them: of the reference, the marks of Markdown and its comments are no text; of ours, the marks
between cells are none. A reference may be another tool's output, so a distance of 0 is not to be had.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from eval.metrics.text_distance import character_error, edit_distance
from eval.parsing.figures import mean
from eval.parsing.reading import DocumentReader, attempt, text_of
from eval.parsing.sets import DataSet, reference_of

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def measure_references(data: DataSet, reader: DocumentReader, *, progress: Callable[[], None]) -> dict[str, Any]:
    """The mean edit distance over all files, and a row a file; a file that was not read has distance 1."""
    rows: list[dict[str, Any]] = []
    for path in data.files:
        done = attempt(reader, path)
        reference = reference_of(path)
        wanted = reference_text(reference) if reference else ""
        found = text_of(done.pages)
        rows.append(
            {
                "file": path.name,
                "outcome": str(done.outcome),
                "error": done.said or None,
                "edit_distance": round(edit_distance(wanted, found), 4),
                "character_error": round(character_error(wanted, found), 4),
                "characters": len(wanted),
                "characters_read": len(found),
                "pages": len(done.pages),
                "pages_recognised": sum(page.ocr for page in done.pages),
            }
        )
        progress()
    return {"figures": {"files": len(rows), "edit_distance": mean([row["edit_distance"] for row in rows])}, "files": rows}


def reference_text(path: Path) -> str:
    """The text of a reference: that of a Markdown file without its marks, any other as it is."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return markdown_text(text) if path.suffix == ".md" else text


def markdown_text(markdown: str) -> str:
    """What a reader of the Markdown sees: its paragraphs, headings and items, a table's cells parted by spaces."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(_COMMENT.sub("", markdown))
    return "\n\n".join(filter(None, _parts(tokens)))


def _parts(tokens: list[Token]) -> Iterator[str]:
    row: list[str] | None = None
    for token in tokens:
        if token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            yield " ".join(filter(None, row))
            row = None
        elif token.type == "inline":
            text = "".join(_text(child) for child in token.children or ())
            if row is None:
                yield text
            else:
                row.append(text)
        elif token.type in ("fence", "code_block"):
            yield token.content


def _text(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    return "" if token.type in ("html_inline", "image") else token.content
