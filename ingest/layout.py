"""Where text stands on a page: pages to and from the catalog's rows, and the boxes of a span of text."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

from ingest.types import Bbox, Block, BlockKind, Line, Page, Word

# A line this many times as high as it is wide stands on its side.
_UPRIGHT = 2


def page_to_row(sha256: str, page: Page) -> dict[str, Any]:
    """The page as a row of the table `pages`."""
    return {
        "sha256": sha256,
        "number": page.number,
        "width": page.width,
        "height": page.height,
        "ocr": page.ocr,
        "text": page.text,
        "layout": {
            "blocks": [[b.kind, b.start, b.end, b.bbox, b.rows, b.level, b.spans, b.size, b.bold] for b in page.blocks],
            "lines": [[line.start, line.end, line.bbox] for line in page.lines],
            "words": [[word.start, word.end, word.confidence] for word in page.words],
            "hidden": page.hidden,
        },
    }


def page_from_row(row: Any) -> Page:
    """The page that `page_to_row` wrote."""
    return Page(
        number=row.number,
        width=row.width,
        height=row.height,
        text=row.text,
        ocr=row.ocr,
        blocks=tuple(_block(*values) for values in row.layout["blocks"]),
        lines=tuple(Line(start, end, tuple(bbox)) for start, end, bbox in row.layout["lines"]),
        words=tuple(Word(*word) for word in row.layout.get("words", ())),  # pages read by earlier versions tell none
        hidden=row.layout.get("hidden", 0),
    )


def _block(kind: str, start: int, end: int, bbox: Any, rows: Any, level: int = 0, spans: Any = (), *type_: Any) -> Block:
    """The block; pages read by earlier versions tell less of it."""
    where = tuple(bbox) if bbox else None
    return Block(BlockKind(kind), start, end, where, tuple(map(tuple, rows)), level, tuple(map(tuple, spans)), *type_)


def turned_clockwise(page: Page, degrees: int) -> Page:
    """The page with all boxes where they are after it was turned by 90, 180 or 270 degrees."""
    width, height = page.width, page.height

    def turned(box: Bbox) -> Bbox:
        x0, y0, x1, y1 = box
        if degrees == 180:
            box = (width - x1, height - y1, width - x0, height - y0)
        elif degrees == 90:
            box = (height - y1, x0, height - y0, x1)
        else:
            box = (y0, width - x1, y1, width - x0)
        return round(box[0], 1), round(box[1], 1), round(box[2], 1), round(box[3], 1)

    return replace(
        page,
        width=width if degrees == 180 else height,
        height=height if degrees == 180 else width,
        blocks=tuple(replace(block, bbox=block.bbox and turned(block.bbox)) for block in page.blocks),
        lines=tuple(replace(line, bbox=turned(line.bbox)) for line in page.lines),
    )


def boxes_of_span(page: Page, start: int, end: int) -> tuple[Bbox, ...]:
    """One box a printed line that the span touches, trimmed to the part of the line that it covers.

    The trim assumes even spacing within a line (wide characters count twice), which is right to about a character.
    """
    boxes = []
    for line in page.lines:
        first, last = max(start, line.start), min(end, line.end)
        if first >= last:
            continue
        x0, y0, x1, y1 = line.bbox
        if y1 - y0 > _UPRIGHT * (x1 - x0) and line.end - line.start > 2:  # on its side: which way is not told
            boxes.append(line.bbox)
            continue
        total = max(1, _printed_width(page.text[line.start : line.end]))
        before = _printed_width(page.text[line.start : first]) / total
        until = _printed_width(page.text[line.start : last]) / total
        boxes.append((round(x0 + (x1 - x0) * before, 1), y0, round(x0 + (x1 - x0) * until, 1), y1))
    return tuple(boxes)


def is_wide(character: str) -> bool:
    """Whether the character is written full width (Chinese, its punctuation): such text takes no space at a line's end. Korean,
    which is as wide, has spaces between its words."""
    hangul = "\uac00" <= character <= "\ud7a3"
    return (not hangul and unicodedata.east_asian_width(character) in "WF") or character in "“”‘’…—"


def _printed_width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
