"""Lines come out as they are read: rows from the top, columns one after another, a table row by row."""

from __future__ import annotations

import random

from ingest.ocr.base import OcrLine
from ingest.ocr.order import in_reading_order, paragraphs
from tests.scans import line


def ordered(lines: list[OcrLine]) -> str:
    shuffled = list(lines)
    random.Random(1).shuffle(shuffled)
    return "".join(one.text for one in in_reading_order(shuffled))


def column(texts: str, x0: float, x1: float, top: float = 100) -> list[OcrLine]:
    return [line(text, x0, top + 14 * number, x1, top + 12 + 14 * number) for number, text in enumerate(texts)]


def test_lines_of_one_column_are_read_from_the_top() -> None:
    assert ordered(column("abcd", 50, 500)) == "abcd"


def test_pieces_of_one_row_are_read_from_the_left_though_they_do_not_stand_level() -> None:
    assert ordered([line("a", 50, 100, 200, 112), line("b", 300, 97, 400, 109), line("c", 450, 102, 500, 114)]) == "abc"


def test_columns_of_running_text_are_read_one_after_another() -> None:
    assert ordered(column("abcd", 50, 280) + column("efgh", 310, 540)) == "abcdefgh"


def test_three_columns_too() -> None:
    assert ordered(column("abc", 40, 190) + column("def", 210, 360) + column("ghi", 380, 530)) == "abcdefghi"


def test_what_goes_across_the_columns_parts_them() -> None:
    title, across = line("T", 50, 60, 540, 80), line("X", 50, 150, 540, 164)
    upper = column("abc", 50, 280) + column("def", 310, 540)
    lower = column("ghi", 50, 280, top=180) + column("jkl", 310, 540, top=180)
    assert ordered([title, *upper, across, *lower]) == "TabcdefXghijkl"


def test_a_table_is_read_row_by_row() -> None:
    labels = [line(text, 50, 100 + 14 * n, 200, 112 + 14 * n) for n, text in enumerate("adgj")]
    first = [line(text, 380, 100 + 14 * n, 420, 112 + 14 * n) for n, text in enumerate("behk")]
    second = [line(text, 480, 100 + 14 * n, 520, 112 + 14 * n) for n, text in enumerate("cfil")]
    assert ordered(labels + first + second) == "abcdefghijkl"


def test_a_wider_gap_or_another_column_begins_a_paragraph() -> None:
    lines = column("abc", 50, 280) + column("de", 50, 280, top=170) + column("fgh", 310, 540)
    parted = paragraphs(in_reading_order(lines))
    assert ["".join(one.text for one in part) for part in parted] == ["abc", "de", "fgh"]


def test_nothing_has_an_order() -> None:
    assert in_reading_order([]) == []
    assert paragraphs([]) == []
