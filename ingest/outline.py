"""What only all pages of a document together tell: how deep each heading stands.

A heading is deeper than another when it is set smaller, or alike and not bold, or alike and with a longer number (`2.1`, `2`).
Invariant. Only levels change, and only where none was told. Knows nothing of how headings are found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ingest.types import Block, BlockKind, Page

_Style = tuple[float, bool, int]

_NUMBER = re.compile(r"\s*(\d{1,3}(?:\.\d{1,3})*)[.)、．]?\s*\D|\s*[A-Z]((?:\.\d{1,3})+)[.)]?\s")
# Chinese numbering, from the outermost: 第一章, 第一节, 一、, （一）, 1、.
_CHINESE = [
    re.compile(r"\s*第[一二三四五六七八九十百零\d]+[章编部篇]"),
    re.compile(r"\s*第[一二三四五六七八九十百零\d]+[节条]"),
    re.compile(r"\s*[一二三四五六七八九十]{1,3}、"),
    re.compile(r"\s*[（(][一二三四五六七八九十]{1,3}[)）]"),
]
# Sizes that differ by less are meant to be one, in points.
_SAME_SIZE = 0.6
_DEEPEST = 6


def with_levels(pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages, their headings with levels from 1, the outermost."""
    headings = [_style(page, block) for page in pages for block in page.blocks if _needs_level(block)]
    sizes = _rounded({size for size, _, _ in headings})
    order = sorted({_shown(style, sizes) for style in headings}, key=lambda style: (-style[0], not style[1], style[2]))
    levels = {style: min(place, _DEEPEST) for place, style in enumerate(order, start=1)}

    def levelled(page: Page) -> Page:
        if not any(_needs_level(block) for block in page.blocks):
            return page
        blocks = (
            replace(block, level=levels[_shown(_style(page, block), sizes)]) if _needs_level(block) else block
            for block in page.blocks
        )
        return replace(page, blocks=tuple(blocks))

    return tuple(map(levelled, pages))


def _needs_level(block: Block) -> bool:
    return block.kind is BlockKind.HEADING and not block.level and block.size > 0


def _style(page: Page, block: Block) -> _Style:
    return block.size, block.bold, _number_depth(page.text[block.start : block.end])


def _shown(style: _Style, sizes: dict[float, float]) -> _Style:
    return sizes[style[0]], style[1], style[2]


def _rounded(sizes: set[float]) -> dict[float, float]:
    """For each size the largest of those that are meant to be the same."""
    rounded: dict[float, float] = {}
    largest = float("inf")
    for size in sorted(sizes, reverse=True):
        if largest - size >= _SAME_SIZE:
            largest = size
        rounded[size] = largest
    return rounded


def _number_depth(text: str) -> int:
    """How deep the heading's number is, 0 where it has none."""
    for depth, pattern in enumerate(_CHINESE, start=1):
        if pattern.match(text):
            return depth
    if found := _NUMBER.match(text):
        return 1 + (found[1] or found[2]).count(".")
    return 0
