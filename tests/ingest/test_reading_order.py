"""Boxes are read column by column, what spans columns before or after them, and forms row by row; none is lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.reading_order import columns_in_order
from ingest.types import Bbox

SIZE = 10.0


def lines(left: float, right: float, top: float, *, count: int, step: float = 12.0) -> list[Bbox]:
    return [(left, top + step * n, right, top + step * n + 12) for n in range(count)]


def order(boxes: list[Bbox], *, right_to_left: bool = False) -> list[int]:
    columns = columns_in_order(boxes, size=SIZE, right_to_left=right_to_left)
    return [number for column in columns for row in column.rows for number in row]


PLACES = st.builds(
    lambda x, y, width, height: (x, y, x + width, y + height),
    st.floats(0, 500),
    st.floats(0, 800),
    st.floats(1, 300),
    st.floats(1, 60),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PLACES, max_size=40), st.booleans())
def test_every_box_is_read_once(boxes: list[Bbox], right_to_left: bool) -> None:
    assert sorted(order(boxes, right_to_left=right_to_left)) == list(range(len(boxes)))


def test_a_title_comes_before_the_left_column_and_the_left_one_before_the_right_one() -> None:
    title, left, right = lines(60, 540, 60, count=1), lines(60, 290, 100, count=8), lines(310, 540, 106, count=8)
    boxes = [*right, *title, *left]
    assert order(boxes) == [8, *range(9, 17), *range(8)]


def test_columns_on_the_same_lines_are_read_one_after_the_other() -> None:
    left, right = lines(60, 290, 100, count=6), lines(310, 540, 100, count=6)
    assert order([*left, *right]) == list(range(12))


def test_what_spans_the_page_parts_columns_above_it_from_those_below() -> None:
    boxes = [
        *lines(60, 290, 100, count=4),
        *lines(310, 540, 100, count=4),
        *lines(60, 540, 160, count=2),
        *lines(60, 290, 200, count=4),
        *lines(310, 540, 200, count=4),
    ]
    assert order(boxes) == list(range(18))


def test_a_column_that_begins_higher_than_the_other_keeps_its_first_lines() -> None:
    above, right, left = lines(60, 540, 60, count=3), lines(310, 540, 110, count=9), lines(60, 290, 134, count=7)
    assert order([*above, *left, *right]) == list(range(19))


def test_labels_and_what_was_filled_in_beside_them_are_read_row_by_row() -> None:
    labels, values = lines(60, 110, 100, count=5, step=20), lines(200, 420, 100, count=5, step=20)
    assert order([*labels, *values]) == [0, 5, 1, 6, 2, 7, 3, 8, 4, 9]


def test_from_right_to_left_the_right_column_comes_first_and_rows_begin_at_the_right() -> None:
    left, right = lines(60, 290, 100, count=3), lines(310, 540, 100, count=3)
    assert order([*left, *right], right_to_left=True) == [3, 4, 5, 0, 1, 2]
    labels, values = lines(400, 440, 100, count=2, step=20), lines(60, 300, 100, count=2, step=20)
    assert order([*values, *labels], right_to_left=True) == [2, 0, 3, 1]
