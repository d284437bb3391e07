from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from eval.report import Goal, Report, Section, Table, share_text, to_html, to_json, to_markdown, write_report
from ingest.errors import GraftError

HOSTILE = '<script>alert("1")</script> | `x` *y*'


def report(*goals: Goal) -> Report:
    table = Table(("question", "葵澜"), [[HOSTILE, "二十七天"]], caption=f"About {HOSTILE}")
    return Report(
        title="A & B",
        circumstances={"machine": "2 cores"},
        goals=goals,
        sections=[Section(f"Answers {HOSTILE}", [f"Note {HOSTILE}"], [table])],
        measured={"key_fact": 0.9},
    )


MET = Goal("key fact", "at least 0.8", ".900", met=True)
MISSED = Goal("leaks", "0", "1", met=False)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_no_text_becomes_markup() -> None:
    tags = Tags()
    tags.feed(to_html(report(MET, MISSED)))
    assert tags.open == []
    assert tags.links == []
    assert not {"script", "img", "link", "iframe"} & set(tags.seen)
    assert "二十七天" in to_html(report())


def test_markdown_keeps_one_line_a_row_and_the_signs_of_a_cell_as_text() -> None:
    lines = to_markdown(report(MET)).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert "| key fact | at least 0.8 | .900 | met |" in rows
    (hostile,) = [row for row in rows if "alert" in row]
    assert hostile.replace("\\|", "").count("|") == 3
    assert "<script>" not in to_markdown(report()).replace("\\<", "")


def test_goals_come_first_and_circumstances_last() -> None:
    titles = [line for line in to_markdown(report(MET)).splitlines() if line.startswith("## ")]
    assert (titles[0], titles[-1]) == ("## Goals", "## Circumstances")


def test_one_missed_goal_is_enough_to_miss() -> None:
    assert report(MET).all_met
    assert not report(MET, MISSED).all_met
    assert "missed" in to_markdown(report(MISSED))


def test_json_holds_the_figures_the_goals_and_the_circumstances() -> None:
    content = json.loads(to_json(report(MISSED)))
    assert content["measured"] == {"key_fact": 0.9}
    assert content["goals"] == [{"name": "leaks", "wanted": "0", "seen": "1", "met": False}]
    assert content["circumstances"] == {"machine": "2 cores"}
    assert content["all_met"] is False


def test_three_files_are_written_into_a_folder_that_is_made(tmp_path: Path) -> None:
    written = write_report(report(MET), tmp_path / "new" / "out", "bench")
    assert [path.name for path in written] == ["bench.json", "bench.md", "bench.html"]
    assert all(path.read_text(encoding="utf-8") for path in written)


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GraftError, match="choose another folder"):
        write_report(report(), tmp_path / "file" / "out", "bench")


@pytest.mark.parametrize(
    ("share", "text"),
    [
        ({"value": 0.931, "low": 0.87, "high": 0.962, "n": 116}, ".931 (.87-.96, n=116)"),
        ({"value": 1.0, "low": 0.9, "high": 1.0, "n": 30}, "1.000 (.90-1.00, n=30)"),
        (None, "-"),
    ],
)
def test_a_share_shows_its_interval_and_n(share: dict[str, float] | None, text: str) -> None:
    assert share_text(share) == text
