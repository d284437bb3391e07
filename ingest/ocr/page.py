"""Read lines as printed ones, so that a page read from its picture is laid out like any other; and on the page that came of
it, where the words of the lines came to stand.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.lines import PrintedLine, PrintedWord, holds_middle, rows_of
from ingest.ocr.base import OcrLine
from ingest.types import Line, Page, Word

# The box of a line is taller than its type, which is told in points: 1.11 times (en), 1.19 (zh), medians of 2575 lines.
_TYPE_OF_BOX = 0.9
# A box says the size of type to a fifth: with or without descenders, in capitals, in digits. Less is the body's own size.
_NOT_LARGER = 1.25


@dataclass(frozen=True, slots=True)
class ReadText:
    """What was read, as printed text. Where a word stands in its line nobody knows, so each line is a word too."""

    lines: tuple[PrintedLine, ...]
    words: tuple[PrintedWord, ...]


def as_printed(lines: Sequence[OcrLine]) -> ReadText:
    """The lines as printed ones, in points as they are; those that are no larger than most have one size of type."""
    body = statistics.median(line.height for line in lines) if lines else 0.0
    return ReadText(
        tuple(PrintedLine(line.text, line.bbox, _size(line, body), aslant=runs_up_or_down(line)) for line in lines),
        tuple(PrintedWord(line.text, line.bbox) for line in lines),
    )


def runs_up_or_down(line: OcrLine) -> bool:
    """Whether the line's box is taller than wide; single characters tell nothing."""
    return len(line.text) > 2 and line.height > line.width


def with_words(page: Page, lines: Sequence[OcrLine]) -> Page:
    """The page, with the words of the lines that were read, each where its line came to stand in the page's text."""
    places: dict[Line, list[OcrLine]] = {}
    for line in lines:
        holding = [one for one in page.lines if holds_middle(one.bbox, line.bbox) and line.text in page.text[one.start : one.end]]
        if holding:  # boxes of lines reach into each other: the shortest text is the line's own
            places.setdefault(min(holding, key=lambda one: one.end - one.start), []).append(line)
    words: list[Word] = []
    for place in sorted(places, key=lambda one: one.start):
        inside, start = places[place], place.start
        for number in (number for row in rows_of([line.bbox for line in inside]) for number in row):
            line = inside[number]
            found = page.text.find(line.text, start, place.end)
            if found >= 0:
                words += [Word(found + word.start, found + word.end, word.confidence) for word in line.words]
                start = found + len(line.text)
    return replace(page, ocr=True, words=tuple(words))


def _size(line: OcrLine, body: float) -> float:
    height = line.width if runs_up_or_down(line) else line.height
    return (height if height > _NOT_LARGER * body else body) * _TYPE_OF_BOX
