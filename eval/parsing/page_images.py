"""Page images annotated as OmniDocBench does it: how far the recognised text lies from what stands on the page.

Compared is the text of the whole page in its annotated order: paragraphs, titles, lists, captions, notes, and the cells of
tables. Not part of it are running heads, page numbers, what is marked to be ignored, and formulas set apart, which have no
plain text. `block_error` leaves order and additions out: of each annotated paragraph, the distance to the stretch of the
recognised text that is most like it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lxml import html

from eval.metrics.text_distance import as_printed, character_error, edit_distance
from eval.parsing.figures import mean, ratio
from eval.parsing.reading import DocumentReader, attempt, text_of
from eval.parsing.sets import DataSet, annotations_of

_PRINTED = frozenset(
    "text_block title list table table_caption table_footnote figure_caption figure_footnote page_footnote "
    "code_txt code_txt_caption reference".split()
)
_LANGUAGES = {"english": "en", "simplified_chinese": "zh", "traditional_chinese": "zh", "en_ch_mixed": "mixed"}
_MATHS = re.compile(r"\$([^$]*)\$")
# Shorter stretches are found anywhere.
_LEAST_BLOCK = 12


def measure_page_images(data: DataSet, reader: DocumentReader, *, progress: Callable[[], None]) -> dict[str, Any]:
    """The mean edit distance of a page over all pages and by language, and a row a page."""
    pages = {page["page_info"]["image_path"].rsplit("/", 1)[-1]: page for page in annotations_of(data.folder)}
    rows: list[dict[str, Any]] = []
    for path in data.files:
        done = attempt(reader, path)
        found = text_of(done.pages)
        blocks = list(annotated_texts(pages[path.name]))
        wanted = "\n\n".join(blocks)
        lengths, errors = _stretches(blocks, found)
        rows.append(
            {
                "file": path.name,
                "language": language_of(pages[path.name]),
                "outcome": str(done.outcome),
                "error": done.said or None,
                "edit_distance": round(edit_distance(wanted, found), 4),
                "character_error": round(character_error(wanted, found), 4),
                "block_error": round(sum(errors) / sum(lengths), 4) if lengths else None,
                "characters": len(wanted),
                "characters_read": len(found),
                "_lengths": sum(lengths),
                "_errors": sum(errors),
            }
        )
        progress()
    languages = sorted({row["language"] for row in rows})
    return {
        "figures": _figures(rows),
        "by_language": {name: _figures([row for row in rows if row["language"] == name]) for name in languages},
        "files": [{name: value for name, value in row.items() if not name.startswith("_")} for row in rows],
    }


def _figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "pages": len(rows),
        "edit_distance": mean([row["edit_distance"] for row in rows]),
        "block_error": ratio([row["_errors"] for row in rows], [row["_lengths"] for row in rows]),
    }


def language_of(page: Mapping[str, Any]) -> str:
    """en, zh or mixed; the annotation's own word for others."""
    named = str(page["page_info"].get("page_attribute", {}).get("language", ""))
    return _LANGUAGES.get(named, named)


def annotated_texts(page: Mapping[str, Any]) -> Iterator[str]:
    """The printed text of each annotated block in reading order."""
    blocks = [block for block in page["layout_dets"] if block["category_type"] in _PRINTED and not block.get("ignore")]
    for block in sorted(blocks, key=lambda block: block.get("order") or 0):
        text = _table_text(block["html"]) if block.get("html") else _without_marks(block.get("text") or "")
        if text.strip():
            yield text


def _table_text(markup: str) -> str:
    rows = html.fromstring(markup).iter("tr")
    return "\n".join(" ".join(filter(None, (cell.text_content().strip() for cell in row))) for row in rows)


def _without_marks(text: str) -> str:
    """The text without the signs that set formulas apart."""
    return _MATHS.sub(r"\1", text)


def _stretches(blocks: Sequence[str], found: str) -> tuple[list[float], list[float]]:
    """The length of each longer block, and its distance to the most similar stretch of the found text, in characters."""
    from rapidfuzz import fuzz
    from rapidfuzz.distance import Levenshtein

    whole = as_printed(found)
    lengths, errors = [], []
    for block in blocks:
        wanted = as_printed(block)
        if len(wanted) < _LEAST_BLOCK:
            continue
        place = fuzz.partial_ratio_alignment(wanted, whole) if len(whole) > len(wanted) else None
        nearest = whole[place.dest_start : place.dest_end] if place else whole
        lengths.append(float(len(wanted)))
        errors.append(float(min(Levenshtein.distance(wanted, nearest), len(wanted))))
    return lengths, errors
