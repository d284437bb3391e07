"""Markers are taken out in whatever form they come, citations are the fewest that bear a sentence out, quotes are found again."""

from __future__ import annotations

import pytest

from ingest.types import Hit
from services.citing import bearing_quotes, span_of_quote, without_markers

SEALS = "The seals of the pump are inspected every 500 hours. Filters are replaced twice a year."
OIL = "The gearbox holds 12 litres of mineral oil. It is drained in the cold season."
PUMP_ZH = "泵的密封件每运行五百小时检查一次。过滤器每年更换两次。"
OIL_ZH = "齿轮箱加注十二升矿物油。寒冷季节需要排空。"


def hit(text: str, number: int, *headings: str) -> Hit:
    return Hit("manual.pdf", f"doc_{number}", 1, number, f"chk_{number}", 1.0, text, 0, headings)


@pytest.mark.parametrize(
    "marker",
    [
        *("[1]", "[12]", "[1][2]", "[1] [2]", "[1, 2]", "[1，2]", "[1-3]", "[^1]", "[ 1 ]", "[passage 1]", "[Source 2]"),
        *("［1］", "【1】", "【1】【2】", "【1†source】", "〔1〕", "〖2〗", "[段落1]", "【来源 2】"),
        *("(passage 1)", "（段落1）", "(Passages 1, 2)"),
    ],
)
def test_a_marker_of_the_models_own_is_taken_out_wherever_it_stands(marker: str) -> None:
    assert without_markers(f"It is paid {marker}.") == "It is paid."
    assert without_markers(f"It is paid. {marker}") == "It is paid."
    assert without_markers(f"{marker} It is paid.") == "It is paid."
    assert without_markers(f"每年二十天{marker}。") == "每年二十天。"


@pytest.mark.parametrize("marker", ["(1)", "(2)", "( 1 )", "(1, 2)", "（1）"])
def test_round_brackets_are_a_marker_where_they_end_a_clause(marker: str) -> None:
    assert without_markers(f"It is paid {marker}.") == "It is paid."
    assert without_markers(f"It is paid. {marker}") == "It is paid."
    assert without_markers(f"每年二十天{marker}。") == "每年二十天。"


@pytest.mark.parametrize(
    "text",
    [
        "(1) Press the button, then (2) wait.",
        "Section 4(2) applies.",
        "As stated in 4(2).",
        "It was founded later (1998).",
        "第四条（2）。",
        "The list [of 3 items] is long.",
        "The array [2024] holds it.",
    ],
)
def test_brackets_that_are_part_of_what_is_said_stay(text: str) -> None:
    assert without_markers(text) == text


def test_a_sentence_cites_the_one_passage_that_bears_it_out() -> None:
    hits = [hit(OIL, 1), hit(SEALS, 2)]
    (quote,) = bearing_quotes("The seals are inspected every 500 hours.", hits)
    assert (quote.hit.chunk, quote.text) == ("chk_2", "The seals of the pump are inspected every 500 hours.")
    assert quote.hit.text[quote.start : quote.end] == quote.text


@pytest.mark.parametrize(
    ("sentence", "texts"),
    [
        ("The seals are inspected every 500 hours, and the gearbox holds 12 litres of mineral oil.", (SEALS, OIL)),
        ("泵的密封件每运行五百小时检查一次，齿轮箱加注十二升矿物油。", (PUMP_ZH, OIL_ZH)),
    ],
)
def test_a_sentence_that_rests_on_two_passages_cites_both(sentence: str, texts: tuple[str, str]) -> None:
    quotes = bearing_quotes(sentence, [hit(text, number) for number, text in enumerate(texts, 1)])
    assert {quote.hit.chunk for quote in quotes} == {"chk_1", "chk_2"}


def test_what_the_heading_says_needs_no_second_citation() -> None:
    hits = [hit("Every 500 hours the seals are inspected.", 1, "Pump HX-200"), hit("The pump HX-200 is painted green.", 2)]
    (quote,) = bearing_quotes("The seals of the pump HX-200 are inspected every 500 hours.", hits)
    assert quote.hit.chunk == "chk_1"


def test_the_same_words_elsewhere_need_no_second_citation() -> None:
    assert len(bearing_quotes("The seals are inspected every 500 hours.", [hit(SEALS, 1), hit(SEALS, 2)])) == 1


def test_nothing_is_cited_for_what_no_passage_says() -> None:
    assert bearing_quotes("Purple elephants deliver payslips.", [hit(SEALS, 1)]) == []


def test_a_quote_is_found_where_it_stands() -> None:
    page = "One. Two three. One. Two three."
    assert span_of_quote("Two three.", page) == (5, 15)
    assert span_of_quote("Two three.", page, start=10) == (21, 31)
    assert span_of_quote("Two three.", page, start=25) == (5, 15)
    assert span_of_quote("Four.", page) is None
    assert span_of_quote(" ", page) is None


@pytest.mark.parametrize(
    ("quote", "page", "printed"),
    [
        (
            "The maintenance interval is long.",
            "A. The mainte-\nnance interval\nis long. B.",
            "The mainte-\nnance interval\nis long.",
        ),
        ("The maintenance is long.", "The mainte\u00ad\nnance is long.", "The mainte\u00ad\nnance is long."),
        ("每运行五百小时检查一次", "每运行五百\n小时检查一次。", "每运行五百\n小时检查一次"),
    ],
)
def test_a_quote_that_was_made_readable_is_found_across_hyphens_and_lines(quote: str, page: str, printed: str) -> None:
    span = span_of_quote(quote, page)
    assert span is not None
    assert page[slice(*span)] == printed


def test_other_words_are_no_quote() -> None:
    assert span_of_quote("The interval is short.", "The interval is long.") is None
    assert span_of_quote("12", "1 - 2 - 12") == (8, 10)
