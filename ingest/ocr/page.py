"""Read lines in the form in which PyMuPDF gives printed ones, so that a page read from its picture is laid out like any other;
and a page that was laid out upright, back to how it lies.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from ingest.ocr.base import OcrLine
from ingest.ocr.order import paragraphs
from ingest.tables import TableOnPage
from ingest.types import Bbox, Page, Word

# The box of a line is taller than its type by the room that the detector leaves around it.
_TYPE_OF_BOX = 0.75
# A box says the size of type to a fifth: with or without descenders, in capitals, in digits. Less is the body's own size.
_NOT_LARGER = 1.25


def read_blocks(lines: Sequence[OcrLine], tables: Sequence[TableOnPage] = ()) -> list[dict[str, Any]]:
    """The lines, which are in reading order, as blocks of PyMuPDF's `get_text("dict")`; none is half inside a table."""
    if not lines:
        return []
    body = statistics.median(line.height for line in lines)
    parts = groupby(lines, key=lambda line: next((n for n, table in enumerate(tables) if table.contains(line.bbox)), None))
    return [_block(paragraph, body) for _, part in parts for paragraph in paragraphs(list(part))]


def with_read_blocks(blocks: list[Any], lines: Sequence[OcrLine]) -> list[Any]:
    """The blocks of a text layer, in their order, and where they end above an image, the blocks that were read from it."""
    merged = list(blocks)
    for block in read_blocks(lines):
        below = (number for number, other in enumerate(merged) if other["bbox"][1] > block["bbox"][1])
        merged.insert(next(below, len(merged)), block)
    return merged


def with_words(page: Page, lines: Sequence[OcrLine]) -> Page:
    """The page, with the words of the lines that were read, each where its line came to stand in the page's text."""
    words: list[Word] = []
    for printed in page.lines:
        x0, y0, x1, y1 = printed.bbox
        start = printed.start
        for line in lines:
            if x0 <= (line.bbox[0] + line.bbox[2]) / 2 <= x1 and y0 <= (line.bbox[1] + line.bbox[3]) / 2 <= y1:
                found = page.text.find(line.text, start, printed.end)
                if found >= 0:
                    words += [Word(found + word.start, found + word.end, word.confidence) for word in line.words]
                    start = found + len(line.text)
    return replace(page, ocr=True, words=tuple(words))


def turned_back(page: Page, turn: int) -> Page:
    """The page, read after it was turned clockwise by `turn` degrees, with its boxes where they are when it is not."""
    if not turn:
        return page
    width, height = (page.height, page.width) if turn in (90, 270) else (page.width, page.height)

    def back(box: Bbox) -> Bbox:
        x0, y0, x1, y1 = box
        if turn == 90:
            x0, y0, x1, y1 = y0, height - x1, y1, height - x0
        elif turn == 180:
            x0, y0, x1, y1 = width - x1, height - y1, width - x0, height - y0
        else:
            x0, y0, x1, y1 = width - y1, x0, width - y0, x1
        return round(x0, 1), round(y0, 1), round(x1, 1), round(y1, 1)

    return replace(
        page,
        width=width,
        height=height,
        blocks=tuple(replace(block, bbox=back(block.bbox)) for block in page.blocks),
        lines=tuple(replace(line, bbox=back(line.bbox)) for line in page.lines),
    )


def _block(lines: Sequence[OcrLine], body: float) -> dict[str, Any]:
    x0, y0, x1, y1 = zip(*(line.bbox for line in lines), strict=True)
    return {"type": 0, "bbox": (min(x0), min(y0), max(x1), max(y1)), "lines": [_printed(line, body) for line in lines]}


def _printed(line: OcrLine, body: float) -> dict[str, Any]:
    size = (line.height if line.height > _NOT_LARGER * body else body) * _TYPE_OF_BOX
    span = {"text": line.text, "size": size, "flags": 0, "font": "", "bbox": line.bbox}
    return {"bbox": line.bbox, "dir": (1.0, 0.0), "spans": [span]}
