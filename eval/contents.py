"""Which lines only name what stands elsewhere: a table of contents, the caption of a table or figure.

They hold a question's words, often all of them, and answer nothing. Read by their form alone, Chinese and English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from ingest.types import Hit

_LEAST_ENTRIES = 4
_LEAST_SHARE = 0.7
"""Of a contents' lines that are entries: its heading and an entry that runs over two lines are not."""

_HEAD = re.compile(r"\W*(?:table of )?contents\b|\W*目\s*[录錄次]", re.IGNORECASE)
# Files often lose the line breaks between entries.
_LED = re.compile(r"(?:[.…·‥]\s?){4,}\d{1,4}(?!\d)")
_ENTRY = re.compile(r"\S.*?(?:\s*\|\s*|\t+|\s{2,}|(?:[.…·‥]\s?){3,})(?P<page>\d{1,4})")
_NUMBERED = re.compile(
    r"\d{1,2}(?:\.\d{1,2})*[.、]?\s*[^\W\d]|第\s?[\d一二三四五六七八九十百]+\s?[章节節条條篇部]|[一二三四五六七八九十]+、"
    r"|(?:chapter|part|annex|appendix) ",
    re.IGNORECASE,
)
_RULE = re.compile(r"[\s|:-]*")
# 表3列出了 is a sentence, and so is "Table 3 shows".
_CAPTION = re.compile(
    r"(?:table|figure|fig\.|chart|exhibit) ?[\dA-Z]+(?:[.-]\d+)*\s*[:.–—-]\s.*"
    r"|[表图圖]\s?[\d一二三四五六七八九十]+(?:[.-]\d+)*[\s:：、][^。]*。?",
    re.IGNORECASE,
)


def is_contents(text: str) -> bool:
    """Whether a passage is a table of contents: most lines end in a page number, and these never fall."""
    led = _LED.sub(r"\g<0>\n", text)
    lines = [line.strip() for line in led.splitlines() if not _RULE.fullmatch(line)]
    entries = [entry for line in lines if (entry := _ENTRY.fullmatch(line))]
    if len(entries) < _LEAST_ENTRIES or len(entries) < _LEAST_SHARE * len(lines):
        return False
    if any(int(after["page"]) < int(before["page"]) for before, after in pairwise(entries)):
        return False
    named = sum(_LED.search(entry[0]) is not None or _NUMBERED.match(entry[0]) is not None for entry in entries)
    return _HEAD.match(text) is not None or 2 * named >= len(entries)


def without_contents(hits: Sequence[Hit]) -> list[Hit]:
    """The hits that are no table of contents; all of them where there is nothing else."""
    return [hit for hit in hits if not is_contents(hit.text)] or list(hits)


def is_caption(text: str) -> bool:
    """Whether a line is the caption of a table or figure and no sentence about it."""
    return _CAPTION.fullmatch(text.strip()) is not None
