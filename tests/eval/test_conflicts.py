"""Documents that say otherwise are named, with their dates and the newer first; nothing is disputed that may well be both."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eval.conflicts import document_date, find_dispute
from ingest.types import Hit


def hit(text: str, *, document: str = "handbook.pdf", title: str = "", headings: tuple[str, ...] = ()) -> Hit:
    return Hit(document, f"doc_{document}", 1, 1, f"chk_{document}", 1.0, text, 0, headings, title=title)


OLD = hit("Every full-time employee has 27 days of paid holiday in each calendar year.", document="handbook-2022.pdf")
NEW = hit("Every full-time employee has 30 days of paid holiday in each calendar year.", document="handbook-2024-05.pdf")


@pytest.mark.parametrize("hits", [(OLD, NEW), (NEW, OLD)])
def test_both_sides_are_shown_with_their_dates_and_the_newer_first(hits: tuple[Hit, ...]) -> None:
    found = find_dispute("A full-time employee has 27 days of paid holiday in each calendar year.", hits)
    assert found is not None
    assert [(side.value, side.date) for side in found.sides] == [("30 days", "2024-05"), ("27 days", "2022")]
    assert found.reason == (
        "the documents disagree: handbook-2024-05.pdf (2024-05) says “30 days”, but handbook-2022.pdf (2022) says “27 days”"
    )
    assert all(side.hit.text[side.start : side.start + len(side.text)] == side.text for side in found.sides)


def test_a_document_without_a_date_has_the_day_on_which_it_was_added() -> None:
    first = hit("A hotel night in Germany is paid up to 140 euros.", document="a.pdf")
    second = hit("A hotel night in Germany is paid up to 160 euros.", document="b.pdf")
    dated = [replace(first, added="2023-01-01"), replace(second, added="2025-01-01")]
    found = find_dispute("A hotel night in Germany is paid up to 140 euros.", dated)
    assert found is not None
    assert [side.date for side in found.sides] == ["2025-01-01", "2023-01-01"]
    assert found.sides[0].hit is dated[1]
    unknown = find_dispute("A hotel night in Germany is paid up to 140 euros.", [first, second])
    assert unknown is not None
    assert "a.pdf (no date)" in unknown.reason


def test_chinese_documents_disagree_in_chinese() -> None:
    old = hit("正式员工每个日历年享有二十七天带薪年假。", document="手册2022.pdf")
    new = hit("正式员工每个日历年享有30天带薪年假。", document="手册2024.pdf")
    found = find_dispute("正式员工享有27天带薪年假。", [old, new])
    assert found is not None
    assert found.reason == "文档说法不一：手册2024.pdf（2024）为“30天”；而手册2022.pdf（2022）为“二十七天”"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The expense report must be filed by 3 March.", "The expense report must be filed by 5 March."),
        ("Visitors must wear a helmet in hall 3.", "Visitors need not wear a helmet in hall 3."),
        ("访客在三号车间必须佩戴安全帽。", "访客在三号车间无需佩戴安全帽。"),
        ("The filter is replaced after 800 operating hours.", "The filter is replaced after 1,000 operating hours."),
    ],
)
def test_dates_and_force_are_values_too(one: str, other: str) -> None:
    assert find_dispute(one, [hit(one, document="a.pdf"), hit(other, document="b.pdf")]) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A hotel night in Germany is paid up to 140 euros.", "A hotel night in France is paid up to 160 euros."),
        ("The HX-200 pump weighs 35 kg without oil.", "The HX-300 pump weighs 41 kg without oil."),
        ("In 2022 the company had 140 employees in Leeds.", "In 2023 the company had 160 employees in Leeds."),
        ("A full-time employee has 27 days of holiday.", "A part-time employee has 14 days of holiday."),
        ("The pump runs at about 35 degrees in summer.", "The pump runs at about 40 degrees in summer."),
        ("Notice must be given at least 3 weeks before.", "Notice must be given at most 8 weeks before."),
        ("The tank holds 500 litres of diesel fuel.", "The tank holds 0.5 cubic metres of diesel fuel."),
        ("The room is 30 m long and 20 m wide inside.", "The room is 20 m long and 30 m wide inside."),
        ("部门经理审批五千元以内的采购。", "总经理审批五万元以内的采购。"),
        ("Item | 27 days | paid holiday each year", "Item | 30 days | paid holiday each year"),
    ],
)
def test_what_may_both_be_so_is_no_dispute(one: str, other: str) -> None:
    assert find_dispute(one, [hit(one, document="a.pdf"), hit(other, document="b.pdf")]) is None


def test_one_document_and_periodic_reports_do_not_disagree() -> None:
    first, second = "The company had 140 employees in Leeds.", "The company had 160 employees in Leeds."
    assert find_dispute(first, [hit(first), hit(second)]) is None
    assert find_dispute(first, [hit(first, document="annual report A.pdf"), hit(second, document="annual report B.pdf")]) is None


def test_a_code_in_the_title_tells_documents_apart() -> None:
    texts = "The filter is replaced after 800 operating hours.", "The filter is replaced after 900 operating hours."
    manuals = [hit(text, document=f"{n}.pdf", title=f"Pump HX-{n}00 manual") for n, text in enumerate(texts, 2)]
    assert find_dispute(texts[0], manuals) is None


@pytest.mark.parametrize(
    ("given", "date"),
    [
        (hit("x", document="policy-2024-03-01.pdf"), "2024-03-01"),
        (hit("x", document="policy_20240301.pdf"), "2024-03-01"),
        (hit("x", title="Travel policy, 1 March 2024"), "2024-03-01"),
        (hit("Effective from 1 May 2023. Trains are booked."), "2023-05-01"),
        (hit("本办法自2023年5月1日起施行。"), "2023-05-01"),
        (hit("The accident happened on 1 May 2023."), ""),
        (hit("x", document="form 12345678.pdf"), ""),
    ],
)
def test_documents_tell_their_date(given: Hit, date: str) -> None:
    assert document_date(given) == date
