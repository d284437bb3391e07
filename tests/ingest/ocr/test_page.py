"""A page that was read from its picture is laid out as a printed one is, and its words are found in its text."""

from __future__ import annotations

import random
from collections.abc import Iterable

from ingest.composition import compose
from ingest.ocr.base import OcrLine
from ingest.ocr.page import as_printed, with_words
from ingest.types import BlockKind, Page
from tests.scans import line


def laid_out(lines: Iterable[OcrLine]) -> Page:
    shuffled = list(lines)
    random.Random(1).shuffle(shuffled)
    return with_words(compose(as_printed(shuffled).lines, number=1, width=600, height=800), shuffled)


def column(word: str, x0: float, x1: float, *, count: int = 6, top: float = 100) -> list[OcrLine]:
    return [line(f"{word}{number} and more of it", x0, top + 14 * number, x1, top + 14 + 14 * number) for number in range(count)]


def test_columns_are_read_one_after_the_other() -> None:
    page = laid_out([line("A title across both", 50, 40, 540, 70), *column("left", 50, 280), *column("right", 310, 540)])
    assert [text.split()[0] for text in page.text.replace("it ", "it\n").split("\n") if text] == [
        "A",
        *(f"left{number}" for number in range(6)),
        *(f"right{number}" for number in range(6)),
    ]


def test_what_is_much_larger_than_most_is_a_heading_and_what_varies_a_little_is_not() -> None:
    lines = [
        line(f"Line {number} of the text", 50, 100 + 20 * number, 300, 112 + 20 * number + number % 3) for number in range(6)
    ]
    page = laid_out([line("Large", 50, 40, 200, 70), *lines])
    assert [block.kind for block in page.blocks] == [BlockKind.HEADING, BlockKind.TEXT]


def test_a_line_up_the_margin_does_not_part_the_text() -> None:
    page = laid_out([line("up the margin", 10, 90, 24, 300), *column("text", 50, 500)])
    assert page.text.endswith("\n\nup the margin")
    assert len(page.blocks) == 2


def test_every_word_is_found_where_it_stands_though_lines_say_the_same() -> None:
    lines = [
        line("total", 50, 100, 90, 114, confidence=0.9),
        line("total of 1", 50, 113, 120, 127, confidence=0.8),
        line("1", 50, 126, 60, 140, confidence=0.7),
    ]
    page = laid_out(lines)
    assert [(page.text[word.start : word.end], word.confidence) for word in page.words] == [
        ("total", 0.9),
        ("total of 1", 0.8),
        ("1", 0.7),
    ]
