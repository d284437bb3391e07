"""What on a page is not its content: running headers, footers, page numbers, and what is printed on every page. The stored text
is never changed: these blocks are left out of the passages.

A running header or footer stands in the margin and is left out everywhere. What stands elsewhere, word for word at the same place
of most pages (a watermark, a note of confidentiality), is content where it stands first and is left out after that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ingest.types import Block, BlockKind, Page

_Stamp = tuple[int, int, str]

# The margin, as a share of the page's height, in which running headers and footers are looked for.
_MARGIN = 0.1
# A line is a running one when it stands in the margin of at least this share of the pages, and of this many.
_SHARE_OF_PAGES = 0.5
_LEAST_PAGES = 3
# What stands outside the margins and is shorter may be a label of a form, which belongs to what was filled in beside it.
_LEAST_CHARACTERS = 24
# The same place, in points.
_PLACE = 4
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(r"\W*(?:page|第)?\s*\d+\s*(?:页|of \d+|/\s*\d+|共\s*\d+\s*页)?\W*", re.IGNORECASE)


def content_blocks(pages: Sequence[Page]) -> list[list[Block]]:
    """For each page its blocks without what is not its content, in reading order."""
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_pattern(page, block) for block in page.blocks if _in_margin(page, block)})
    least = max(_LEAST_PAGES, _SHARE_OF_PAGES * len(pages))
    running = {pattern for pattern, count in seen.items() if count >= least}
    stamps = Counter(stamp for page in pages for stamp in {_stamp(page, block) for block in page.blocks})
    repeated = {stamp for stamp, count in stamps.items() if stamp and count >= least}
    shown: set[_Stamp] = set()
    kept: list[list[Block]] = []
    for page in pages:
        content = [block for block in page.blocks if not _is_running(page, block, running)]
        stamped = [(block, _stamp(page, block)) for block in content]
        kept.append([block for block, stamp in stamped if stamp not in repeated or stamp not in shown])
        shown.update(stamp for _, stamp in stamped if stamp)
    return kept


def _stamp(page: Page, block: Block) -> _Stamp | None:
    """What and where a block outside the margins is, to tell one that stands on every page; None for what is content anyway."""
    text = page.text[block.start : block.end]
    if block.bbox is None or block.kind is BlockKind.HEADING or len(text) < _LEAST_CHARACTERS or _in_margin(page, block):
        return None
    return round(block.bbox[0] / _PLACE), round(block.bbox[1] / _PLACE), text


def _is_running(page: Page, block: Block, running: set[str]) -> bool:
    if not _in_margin(page, block):
        return False
    return _pattern(page, block) in running or _PAGE_NUMBER.fullmatch(page.text[block.start : block.end]) is not None


def _in_margin(page: Page, block: Block) -> bool:
    if block.bbox is None:
        return False
    return block.bbox[3] < page.height * _MARGIN or block.bbox[1] > page.height * (1 - _MARGIN)


def _pattern(page: Page, block: Block) -> str:
    """The block's text with all numbers alike, so that `Page 3 of 9` is the same on every page."""
    return _DIGITS.sub("#", page.text[block.start : block.end])
