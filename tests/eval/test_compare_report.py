"""The report of a comparison: every table and drawing in one file that opens anywhere, with nothing in it that could act."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from eval.compare import compare_answers
from eval.compare_report import MEASURES, MOST_EXAMPLES, comparison_report, difference_text, figure_text
from eval.report import to_html, to_markdown, write_report
from eval.types import Arm, Case, GoldPage

ARMS = list(Arm)
EVIL = "<script>alert(1)</script> | *how many*?"


def case(number: int, *, answerable: bool = True) -> Case:
    question = EVIL if number == 0 else f"Question {number}?"
    gold = (GoldPage("a.pdf" if number % 2 else "b.pdf", 1),)
    return Case(
        f"c{number}", "zh" if number % 3 else "en", "plain", question, answerable, ("27 days",) if answerable else (), gold
    )


def answer(text: str, *, supported: bool = True, abstained: bool = False) -> dict[str, Any]:
    sentences = [] if abstained else [{"text": text, "supported": supported, "support": 0.9 if supported else 0.1}]
    usage = {"prompt_tokens": 400, "completion_tokens": 12}
    timings = {"total": 1500.0, "first_token": 300.0}
    return {"answer": text, "abstained": abstained, "sentences": sentences, "usage": usage, "timings_ms": timings}


CASES = [case(number, answerable=number % 10 != 9) for number in range(100)]
ANSWERS = {
    one.id: {
        "base": answer("Perhaps 12.", supported=False),
        "rag": answer("It is 27 days.") if number % 2 else answer("nothing", abstained=True),
        "tuned": answer("It is <b>27 days</b>.", supported=False),
        "tuned-rag": {"error": {"detail": "the engine failed"}} if number == 7 else answer("It is 27 days."),
    }
    for number, one in enumerate(CASES)
}
FIGURES = compare_answers(CASES, ANSWERS, arms=ARMS, learned={"a.pdf"}, resamples=200)
REPORT = comparison_report(FIGURES, CASES, ANSWERS, circumstances={"model": "tiny"})


class Page(HTMLParser):
    """What a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("src", "href", "xlink:href", "srcset", "action")]


def test_the_page_holds_all_parts_and_stands_alone() -> None:
    html = to_html(REPORT)
    page = Page(html)
    assert page.tags.count("svg") == 3
    assert not {"script", "link", "img", "iframe", "object", "b"} & set(page.tags)
    assert all(link.startswith("#") for link in page.links)
    assert not re.search(r"url\((?!#)", html)
    for title in ("Arms", "Differences", "Languages", "Kinds of questions", "Learned documents", "Where the arms differ"):
        assert f"<h2>{title}</h2>" in html
    for words in (*MEASURES.values(), "tuned − base", "tuned-rag − rag", "tiny"):
        assert words in html


def test_what_is_not_supported_is_marked_and_what_failed_is_said() -> None:
    html = to_html(REPORT)
    assert "<mark>Perhaps 12.</mark>" in html
    assert "<mark>It is &lt;b&gt;27 days&lt;/b&gt;.</mark>" in html
    assert "left out of its figures: tuned-rag: 1." in html
    assert "**Perhaps 12.** (not supported)" in to_markdown(REPORT)
    assert "<script>" not in html


def test_at_most_so_many_examples_are_shown_evenly_from_all_cases() -> None:
    (section,) = [one for one in REPORT.sections if one.title == "Where the arms differ"]
    rows = section.tables[0].rows
    assert len(rows) == MOST_EXAMPLES
    assert "90 cases" in section.notes[0]
    last = rows[-1][0]
    assert not isinstance(last, str)
    assert int(last[0].text.split(":")[0].removeprefix("c")) > 90


def test_a_figure_is_told_with_interval_and_n_and_times_in_seconds() -> None:
    figure = {"value": 1500.0, "low": 1200.0, "high": 1800.0, "n": 20}
    assert figure_text(figure, "total_ms_p50") == "1.50 (1.20-1.80, n=20)"
    share = {"value": 0.1, "low": -0.02, "high": 0.2, "n": 20}
    assert difference_text(share, "key_fact") == "+0.100 (-0.020 to +0.200, n=20)"
    assert figure_text(share | {"low": 0.0}, "key_fact") == ".100 (.00-.20, n=20)"
    assert figure_text(None, "key_fact") == difference_text(None, "key_fact") == "-"


def test_json_markdown_and_page_lie_beside_each_other(tmp_path: Path) -> None:
    names = [path.name for path in write_report(REPORT, tmp_path / "out", "comparison")]
    assert names == ["comparison.json", "comparison.md", "comparison.html"]


def test_one_arm_alone_is_reported_without_differences() -> None:
    answers = {one.id: {"base": answer("It is 27 days.")} for one in CASES[:3]}
    figures = compare_answers(CASES[:3], answers, arms=[Arm.BASE], resamples=50)
    html = to_html(comparison_report(figures, CASES[:3], answers, circumstances={}))
    assert "0 cases in which the arms differ" in html
    assert "Learned documents" not in html
