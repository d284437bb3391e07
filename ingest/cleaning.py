"""What on a page is not its content: running headers, footers, page numbers, and what is printed on every page. The stored text
is never changed: these blocks are left out of the passages.

A running header or footer stands in the margin, alike on several pages; its block says that it is one, and it is left out
everywhere. What stands elsewhere, word for word at the same place of most pages (a watermark, a note of confidentiality), is
content where it stands first and is left out after that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ingest.types import Block, BlockKind, Page

_Stamp = tuple[int, int, str]
_Running = tuple[int, str]
_RUNNING_KINDS = (BlockKind.HEADER, BlockKind.FOOTER)

# The margin, as a share of the page's height, in which running headers and footers are looked for.
_MARGIN = 0.1
# A line is a running one when it stands at the same place in the margin of at least this many pages: chapters have their own.
_LEAST_PAGES = 3
# What stands outside the margins must be on this share of the pages to be no content.
_SHARE_OF_PAGES = 0.5
# What stands outside the margins and is shorter may be a label of a form, which belongs to what was filled in beside it.
_LEAST_CHARACTERS = 24
# The same place, in points.
_PLACE = 4
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(r"\W*(?:page|第)?\s*(?:\d+|[ivxlc]{1,7})\s*(?:页|of \d+|/\s*\d+|共\s*\d+\s*页)?\W*", re.IGNORECASE)


def mark_running(pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages, with their running headers, footers and page numbers marked as what they are."""
    seen = Counter(line for page in pages for line in {_in_margin(page, block) for block in page.blocks})
    running = {line for line, count in seen.items() if line and count >= _LEAST_PAGES}

    def marked(page: Page, block: Block) -> Block:
        line = _in_margin(page, block)
        if line is None or block.kind is BlockKind.TABLE:
            return block
        if line not in running and not _PAGE_NUMBER.fullmatch(page.text[block.start : block.end]):
            return block
        above = line[0] * _PLACE < page.height / 2
        return replace(block, kind=BlockKind.HEADER if above else BlockKind.FOOTER, level=0)

    return tuple(replace(page, blocks=tuple(marked(page, block) for block in page.blocks)) for page in pages)


def content_blocks(pages: Sequence[Page]) -> list[list[Block]]:
    """For each page its blocks without what is not its content, in reading order."""
    pages = mark_running(pages)  # read by an earlier version, they are not marked
    least = max(_LEAST_PAGES, _SHARE_OF_PAGES * len(pages))
    stamps = Counter(stamp for page in pages for stamp in {_stamp(page, block) for block in page.blocks})
    repeated = {stamp for stamp, count in stamps.items() if stamp and count >= least}
    shown: set[_Stamp] = set()
    kept: list[list[Block]] = []
    for page in pages:
        stamped = [(block, _stamp(page, block)) for block in page.blocks if block.kind not in _RUNNING_KINDS]
        kept.append([block for block, stamp in stamped if stamp not in repeated or stamp not in shown])
        shown.update(stamp for _, stamp in stamped if stamp)
    return kept


def _stamp(page: Page, block: Block) -> _Stamp | None:
    """What and where a block outside the margins is, to tell one that stands on every page; None for what is content anyway."""
    text = page.text[block.start : block.end]
    if block.bbox is None or block.kind is BlockKind.HEADING or len(text) < _LEAST_CHARACTERS or _in_margin(page, block):
        return None
    return round(block.bbox[0] / _PLACE), round(block.bbox[1] / _PLACE), text


def _in_margin(page: Page, block: Block) -> _Running | None:
    """The height of a block in the margin and its text with all numbers alike: `Page 3 of 9` is the same on every page. None for
    a block that stands elsewhere."""
    if block.bbox is None or (page.height * _MARGIN <= block.bbox[3] and block.bbox[1] <= page.height * (1 - _MARGIN)):
        return None
    return round(block.bbox[1] / _PLACE), _DIGITS.sub("#", page.text[block.start : block.end])
