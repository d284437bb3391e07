"""The distance of two texts counts what print shows, in order, and nothing else."""

from __future__ import annotations

import pytest

from eval.metrics.text_distance import as_printed, character_error, edit_distance


def test_the_same_text_has_no_distance() -> None:
    assert edit_distance("Annual report 年报", "Annual report 年报") == 0
    assert character_error("Annual report 年报", "Annual report 年报") == 0


def test_each_wrong_character_counts_once() -> None:
    assert character_error("abcdefghij", "abcdefghiX") == pytest.approx(0.1)
    assert character_error("abcdefghij", "abcdefghi") == pytest.approx(0.1)
    assert edit_distance("abcdefghij", "abcdefghijk") == pytest.approx(1 / 11)


def test_a_missing_space_between_words_counts() -> None:
    assert character_error("annual report", "annualreport") > 0


def test_order_counts() -> None:
    assert character_error("first, what stands left; then the rest", "then the rest; first, what stands left") > 0.4


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("two\n\nlines", "two lines"),
        ("中文\n换行", "中文换行"),
        ("中文 and 英文", "中文and英文"),
        ("（一）", "(一)"),
        ("ﬁnal\u00a0word", "final word"),
        ("　首行缩进", "首行缩进"),
    ],
)
def test_what_print_does_not_show_is_no_difference(reference: str, found: str) -> None:
    assert as_printed(reference) == as_printed(found)


def test_nothing_to_read_is_wrong_only_where_something_was_invented() -> None:
    assert character_error("", "") == 0
    assert character_error(" ", "x") == 1
    assert edit_distance("", "") == 0


def test_more_invented_than_there_was_is_more_than_all_wrong() -> None:
    assert character_error("a", "bcde") > 1
    assert edit_distance("a", "bcde") == 1
