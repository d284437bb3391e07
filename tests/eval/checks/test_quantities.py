from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.checks.calendar_dates import read_dates
from eval.checks.quantities import Bound, Quantity
from eval.checks.statements import fold_in_place, read_statement


def only(text: str) -> Quantity:
    (quantity,) = read_statement(text).quantities
    return quantity


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("费用为3.5万元", 35_000, "yuan"),
        ("the fee is 35,000 yuan", 35_000, "yuan"),
        ("产量1200万台", 12_000_000, ""),
        ("销售额2.4亿元", 240_000_000, "yuan"),
        ("三千万美元", 30_000_000, "dollar"),
        ("sales of $5 million", 5_000_000, "dollar"),
        ("EUR 2,400 a year", 2_400, "euro"),
        ("百分之十二", 12, "percent"),
        ("百分之五", 5, "percent"),
        ("135 percent", 135, "percent"),
        ("a 30-day period", 30, "time"),
        ("twenty-five weeks", 25, "time"),
        ("20℃", 20, "celsius"),
        ("30 working days", 30, "working day"),
        ("30个自然日", 30, "calendar day"),
        ("工资的九成", 90, "percent"),
        ("基数为三成五", 35, "percent"),
        ("千分之六", Fraction(6, 10), "percent"),
        ("百分之一点五", Fraction(3, 2), "percent"),
        ("提高零点六个百分点", Fraction(6, 10), "percent"),
        ("锁定期三年半", Fraction(7, 2), "month"),
        ("两年零两个月", 26, "month"),
        ("晚上10点", 22, "clock"),
        ("22点", 22, "clock"),
        ("open until 10 p.m.", 22, "clock"),
        ("half a year", Fraction(1, 2), "month"),
        ("three quarters of the sum", 75, "percent"),
        ("34 cents", Fraction(34, 100), ""),
        ("1480 revolutions per minute", 1480, "rotation"),
    ],
)
def test_a_number_is_read_with_its_scale_and_unit(text: str, value: Fraction, dimension: str) -> None:
    assert (only(text).value, only(text).dimension) == (value, dimension)


@pytest.mark.parametrize("text", ["KX-200", "v1.5.9", "二十分之一", "1億1234萬5678年前", "第十条\n6.\n", "10:00", "一成不变"])
def test_what_is_no_plain_number_is_left_out(text: str) -> None:
    assert [q for q in read_statement(text).quantities if q.measure or q.value > 10] == []


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("at least 30 days", Bound.LEAST),
        ("no less than 5 kg", Bound.LEAST),
        ("within 30 days", Bound.MOST),
        ("no more than 5 kg", Bound.MOST),
        ("不得超过20天", Bound.MOST),
        ("不少于20天", Bound.LEAST),
        ("20天以内", Bound.MOST),
        ("20天以上", Bound.LEAST),
        ("30 days", None),
    ],
)
def test_a_bound_is_read_with_its_side(text: str, bound: Bound | None) -> None:
    assert only(text).bound is bound


def test_both_ends_of_a_range_are_in_its_unit() -> None:
    low, high = read_statement("It takes 3 to 5 days.").quantities
    assert (low.dimension, low.partner, high.partner) == ("time", 5, 3)


@given(st.integers(min_value=11, max_value=9_999_999))
def test_thousands_separators_change_nothing(number: int) -> None:
    assert only(f"{number:,} kg").base == only(f"{number} kg").base


@given(st.integers(min_value=1, max_value=999))
def test_units_that_convert_exactly_are_equal(number: int) -> None:
    assert only(f"{number} kg").base == only(f"{number * 1000} g").base == only(f"{number}公斤").base
    assert only(f"{number}小时").base == only(f"{number * 60} minutes").base
    assert only(f"{number}万元").value == number * 10_000 == only(f"{number * 10_000}元").value
    assert only(f"{number} mm").base == Fraction(number)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31)))
def test_a_date_is_the_same_in_every_format(day_of_year: date) -> None:
    year, month, day = (int(part) for part in str(day_of_year).split("-"))
    name = "january february march april may june july august september october november december".split()[month - 1]
    written = [f"{year}年{month}月{day}日", f"{day} {name} {year}", f"{name} {day}, {year}", f"{year}-{month:02}-{day:02}"]
    for text in written:
        (found,) = read_dates(text)
        assert (found.year, found.month, found.day) == (year, month, day)


@given(st.text(max_size=60))
def test_folding_keeps_every_place(text: str) -> None:
    assert len(fold_in_place(text)) == len(text)


@given(st.text(alphabet="0123456789.,-–% 千万亿元年月日天kgto至不超过以上百分之一二十", max_size=40))
def test_any_text_is_read_without_an_error_and_spans_lie_inside(text: str) -> None:
    found = read_statement(text)
    for one in (*found.quantities, *found.dates):
        assert 0 <= one.start < one.end <= len(text)
