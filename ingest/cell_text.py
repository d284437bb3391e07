"""The words in a cell as its text, with exact numbers.

Invariants. Text is as printed: words a space apart, Chinese ones not. Where a number is broken at the cell's edge its parts are
one number again, and nothing else is joined. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from ingest.layout import is_wide
from ingest.lines import PrintedWord, holds_middle, rows_of
from ingest.types import Bbox

_NUMBER = re.compile(r"[-－+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?%?|[-－+]?\d+\.\d+%?")
_CUT_WITHIN = re.compile(r",\d{0,2}$|\.$")


def lines_in(cell: Bbox, words: Sequence[PrintedWord]) -> list[str]:
    """The lines of text in the cell: those words whose middle lies in it. PyMuPDF's own `extract` pulls "21,012" apart into
    "21012 ,"."""
    inside = [word for word in words if holds_middle(cell, word.bbox)]
    return [joined([inside[number].text for number in sorted(row)]) for row in rows_of([word.bbox for word in inside])]


def cell_text(lines: Sequence[str]) -> str:
    """The lines as one text."""
    return "".join(lines) if are_broken(lines) else joined(lines)


def are_broken(lines: Sequence[str]) -> bool:
    """Whether the lines are the parts of one number: it is one with all its groups of digits, and it is cut within a group or at
    a sign between two."""
    if len(lines) < 2 or _NUMBER.fullmatch("".join(lines)) is None:
        return False
    return all(_CUT_WITHIN.search(before) or after[0] in ",." for before, after in pairwise(lines))


def joined(texts: Sequence[str]) -> str:
    """The words as printed: a space apart, nothing between Chinese characters."""
    whole = ""
    for text in texts:
        whole += text if not whole or (is_wide(whole[-1]) and is_wide(text[0])) else f" {text}"
    return whole
