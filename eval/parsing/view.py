"""One file as it was read: each page's picture beside its text, boxes by kind of block, tables as tables, recognised words on
the ground of their confidence, doubtful ones marked in the picture.

Invariants. The page is one file: no script, no font, nothing fetched, and a policy in its head that forbids the rest. All text of
the document is escaped. Its size is bounded: when the room for pictures is used up the boxes stand on empty pages, when the
room for text is, the last pages are left out; both are said. Knows nothing of how a page was read or is drawn.
"""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from eval.parsing.confidence import coloured, doubtful_boxes
from eval.parsing.view_style import BANDS, STYLE
from ingest.errors import InputRefused
from ingest.types import Bbox, Block, BlockKind, Page, ParsedDocument

Draw = Callable[[int], bytes]
"""Page number → its picture as PNG. Raises InputRefused where there is none."""

PICTURE_DPI = 110
"""About 900 pixels across for A4: sharp where half a window is a page wide."""

# 62 KB a page, measured on 36 pages of reports, articles and forms: pictures for some 400 pages.
_MOST_PICTURE_BYTES = 24 << 20
_MOST_CHARACTERS = 8_000_000
# Of markup, beside the text: two elements with their ids and a box; a cell.
_CHARACTERS_OF_A_BLOCK = 400
_CHARACTERS_OF_A_CELL = 25
_MOST_PIXELS_ACROSS = 1400
_WEBP_QUALITY = 40


@dataclass(frozen=True, slots=True)
class ViewLimits:
    """How large the report may become."""

    picture_bytes: int = _MOST_PICTURE_BYTES
    characters: int = _MOST_CHARACTERS


def to_html(
    document: ParsedDocument,
    *,
    name: str,
    draw: Draw,
    limits: ViewLimits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """The report as one page that stands alone; `progress(pages_done, pages_total)` is called after each page."""
    room = limits or ViewLimits()
    pictures, left = room.picture_bytes, room.characters
    shown: list[str] = []
    without_picture = 0
    for page in document.pages:
        left -= _weight(page)
        if left < 0:
            break
        picture = _picture(page, draw, room=pictures) if page.has_picture else _Picture()
        pictures -= len(picture.webp)
        without_picture += picture.no_room
        shown.append(_page_html(page, picture))
        if progress is not None:
            progress(len(shown), len(document.pages))
    notes = [*document.warnings, *_left_out(document, pages=len(shown), without_picture=without_picture)]
    return "\n".join([*_head(document, name, notes), *shown, "</body></html>\n"])


@dataclass(frozen=True, slots=True)
class _Picture:
    """A page's picture, or why there is none."""

    webp: bytes = b""
    reason: str = ""
    no_room: bool = False


def _picture(page: Page, draw: Draw, *, room: int) -> _Picture:
    if room <= 0:
        return _Picture(reason="no room for more pictures in this file", no_room=True)
    try:
        return _Picture(_smaller(draw(page.number)))
    except InputRefused as error:
        return _Picture(reason=f"cannot be drawn: {error}")


def _smaller(png: bytes) -> bytes:
    """The picture as WebP, without what a browser window cannot show."""
    from PIL import Image

    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        image.thumbnail((_MOST_PIXELS_ACROSS, _MOST_PIXELS_ACROSS * 4))
        written = io.BytesIO()
        image.convert("RGB").save(written, "WEBP", quality=_WEBP_QUALITY, method=2)
    return written.getvalue()


def _weight(page: Page) -> int:
    """About how many characters the page takes in the report: an empty cell is some too."""
    cells = [cell for block in page.blocks for row in block.rows for cell in row]
    return len(page.text) + len(page.blocks) * _CHARACTERS_OF_A_BLOCK + len(cells) * _CHARACTERS_OF_A_CELL


def _left_out(document: ParsedDocument, *, pages: int, without_picture: int) -> Iterator[str]:
    total = len(document.pages)
    if pages < total:
        yield f"pages {pages + 1} to {total} are left out of this report: it would become too large. `graft parse --json` has all"
    if without_picture:
        yield f"the last {without_picture} pages are shown without their pictures: the report would become too large"


def _head(document: ParsedDocument, name: str, notes: Sequence[str]) -> Iterator[str]:
    kinds = Counter(block.kind for page in document.pages for block in page.blocks)
    recognised = sum(page.ocr for page in document.pages)
    total = len(document.pages)
    facts = ["1 page" if total == 1 else f"{total} pages", *([f"{recognised} recognised (OCR)"] if recognised else [])]
    yield f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(name)}: as read</title>'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
    yield f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
    yield f"<header><h1>{escape(name)}</h1>"
    if document.title:
        yield f'<p class="title" dir="auto">{escape(document.title)}</p>'
    yield f"<p>{', '.join(facts)}</p>"
    yield from (f'<p class="note">{escape(note)}</p>' for note in notes)
    keys = (f'<li class="{kind}"><i></i>{kind} <b>{kinds[kind]}</b></li>' for kind in BlockKind if kinds[kind])
    yield f'<ul class="key">{"".join(keys)}</ul>'
    if recognised:
        bands = "".join(f'<span class="{band.name}">{band.name}: {band.said}</span>' for band in BANDS)
        yield f'<p class="bands">confidence of recognised words: {bands}</p>'
    yield '<label><input type="checkbox" id="boxes" checked> boxes</label>'
    yield '<label><input type="checkbox" id="order"> reading order</label></header>'


def _page_html(page: Page, picture: _Picture) -> str:
    how = f"recognised (OCR), confidence {page.confidence:.2f}" if page.ocr else ""
    size = f"{page.width:g} × {page.height:g} pt" if page.has_picture else ""
    facts = " · ".join(filter(None, [f"{len(page.text)} characters", size, how]))
    left = f"<figure>{_drawing(page, picture)}</figure>" if page.has_picture else ""
    blocks = "\n".join(_block_html(page, number, block) for number, block in enumerate(page.blocks, start=1))
    read = f'<div class="read">\n{blocks or "<p><em>no text</em></p>"}\n</div>'
    return (
        f'<section id="page-{page.number}"><h2>Page {page.number} <small>{facts}</small></h2>\n'
        f'<div class="{"pair" if left else "alone"}">{left}{read}</div>'
        "</section>"
    )


def _drawing(page: Page, picture: _Picture) -> str:
    """The picture with the boxes of all blocks over it, numbered in reading order; each leads to what was read there."""
    image = (
        f'<image href="data:image/webp;base64,{base64.b64encode(picture.webp).decode()}" '
        f'width="{page.width}" height="{page.height}" preserveAspectRatio="none"/>'
        if picture.webp
        else f'<rect class="empty" width="{page.width}" height="{page.height}"/>'
        f'<text class="reason" x="{page.width / 2}" y="20">{escape(picture.reason)}</text>'
    )
    doubtful = "".join(map(_rect, doubtful_boxes(page)))
    boxes = "".join(_box(page, number, block) for number, block in enumerate(page.blocks, start=1))
    middles = " ".join(
        f"{(x0 + x1) / 2:.1f},{(y0 + y1) / 2:.1f}" for x0, y0, x1, y1 in (block.bbox for block in page.blocks if block.bbox)
    )
    return (
        f'<svg role="img" aria-label="page {page.number}" viewBox="0 0 {page.width} {page.height}">{image}'
        f'<g class="boxes">{boxes}</g><g class="doubt">{doubtful}</g><polyline class="order" points="{middles}"/></svg>'
    )


def _box(page: Page, number: int, block: Block) -> str:
    if block.bbox is None:
        return ""
    x0, y0, _, _ = block.bbox
    name = f"{page.number}-{number}"
    return (
        f'<a href="#read-{name}" id="box-{name}" class="{block.kind}">{_rect(block.bbox)}'
        f'<text x="{max(x0 - 2, 1)}" y="{y0 + 7}">{number}</text></a>'
    )


def _rect(box: Bbox) -> str:
    x0, y0, x1, y1 = box
    return f'<rect x="{x0}" y="{y0}" width="{max(x1 - x0, 0.5):.1f}" height="{max(y1 - y0, 0.5):.1f}"/>'


def _block_html(page: Page, number: int, block: Block) -> str:
    name = f"{page.number}-{number}"
    label = f"{number} {block.kind}{f' {block.level}' if block.level else ''}"
    badge = f'<a href="#box-{name}">{label}</a>' if page.has_picture else f"<span>{label}</span>"
    content = _table(page, block) if block.rows else f'<p dir="auto">{coloured(page, block.start, block.end)}</p>'
    return f'<div id="read-{name}" class="block {block.kind}">{badge}{content}</div>'


def _table(page: Page, block: Block) -> str:
    """The rows; a cell that takes several places has the width and height that it was read with."""
    sizes = {(row, column): size for row, column, *size in block.spans}
    covered = {
        (row + down, column + right)
        for (row, column), (height, width) in sizes.items()
        for down in range(height)
        for right in range(width)
    } - sizes.keys()
    rows = []
    end = block.start
    for number, row in enumerate(block.rows):
        cells = []
        for column, text in enumerate(row):
            if (number, column) in covered:
                continue
            start = page.text.find(text, end, block.end)  # cells stand in the page's text in this order
            end = end if start < 0 else start + len(text)
            shown = escape(text) if start < 0 else coloured(page, start, end)
            cells.append(_cell(shown, *sizes.get((number, column), (1, 1))))
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="wide"><table>{"".join(rows)}</table></div>'


def _cell(shown: str, height: int, width: int) -> str:
    size = (f' rowspan="{height}"' if height > 1 else "") + (f' colspan="{width}"' if width > 1 else "")
    return f'<td dir="auto"{size}>{shown}</td>'
