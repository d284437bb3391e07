"""Recognised words on the ground of their confidence: as escaped HTML, and as the places of doubtful ones on the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from eval.parsing.view_style import BANDS
from ingest.layout import boxes_of_span
from ingest.types import Bbox, Page, Word


def words_of(page: Page) -> Sequence[Word]:
    """The page's recognised words in the order of its text; none where all text is the file's own."""
    return sorted(page.words, key=lambda word: word.start)


def band_of(confidence: float) -> str:
    """The name of the band that the confidence lies in."""
    return next((band.name for band in BANDS if confidence >= band.least), BANDS[-1].name)


def coloured(page: Page, start: int, end: int) -> str:
    """The span of the page's text as HTML, neighbouring words of one band together with the lowest confidence among them."""
    parts: list[str] = []
    inside = [word for word in words_of(page) if start <= word.start and word.end <= end]
    for band, group in groupby(inside, key=lambda word: band_of(word.confidence)):
        words = list(group)
        first, last = words[0].start, words[-1].end
        lowest = min(word.confidence for word in words)
        parts.append(escape(page.text[start:first]))
        parts.append(f'<span class="{band}" title="{lowest:.2f}">{escape(page.text[first:last])}</span>')
        start = last
    return "".join([*parts, escape(page.text[start:end])])


def doubtful_boxes(page: Page) -> Iterator[Bbox]:
    """Where the words of the lowest band stand."""
    for word in words_of(page):
        if band_of(word.confidence) == BANDS[-1].name:
            yield from boxes_of_span(page, word.start, word.end)
