"""What on a page is not its content: running headers, footers and page numbers. The stored text is never changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ingest.types import Block, Page

# The margin, as a share of the page's height, in which running headers and footers are looked for.
_MARGIN = 0.1
# A line is a running one when it stands in the margin of at least this share of the pages, and of this many.
_SHARE_OF_PAGES = 0.5
_LEAST_PAGES = 3
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(r"\W*(?:page|第)?\s*\d+\s*(?:页|of \d+|/\s*\d+|共\s*\d+\s*页)?\W*", re.IGNORECASE)


def content_blocks(pages: Sequence[Page]) -> list[list[Block]]:
    """For each page its blocks without running headers, footers and page numbers, in reading order."""
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_pattern(page, block) for block in page.blocks if _in_margin(page, block)})
    least = max(_LEAST_PAGES, _SHARE_OF_PAGES * len(pages))
    running = {pattern for pattern, count in seen.items() if count >= least}
    return [[block for block in page.blocks if not _is_running(page, block, running)] for page in pages]


def _is_running(page: Page, block: Block, running: set[str]) -> bool:
    if not _in_margin(page, block):
        return False
    return _pattern(page, block) in running or _PAGE_NUMBER.fullmatch(page.text[block.start : block.end]) is not None


def _in_margin(page: Page, block: Block) -> bool:
    return block.bbox[3] < page.height * _MARGIN or block.bbox[1] > page.height * (1 - _MARGIN)


def _pattern(page: Page, block: Block) -> str:
    """The block's text with all numbers alike, so that `Page 3 of 9` is the same on every page."""
    return _DIGITS.sub("#", page.text[block.start : block.end])
