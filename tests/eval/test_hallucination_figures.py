from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from eval.hallucination_figures import MOST_MISTAKES, evaluate_hallucination
from eval.hallucination_report import goals, hallucination_report, kind_tables, main_table
from eval.judge import HouseJudge, JudgedAnswer
from eval.report import to_html, to_markdown, write_report
from eval.types import Fault, Verdict
from ingest.errors import InputRefused

CONTEXT = "The KX-200 delivers 12.5 m3/h at a head of 32 m. It weighs 48 kg without the motor."
GOOD = {"id": "a", "context": CONTEXT, "answer": "It weighs 48 kg without the motor.", "label": 0}
BAD = {"id": "b", "context": CONTEXT, "answer": "It was patented by Thomas Abernathy in 1961.", "label": 1}


@dataclass(frozen=True, slots=True)
class Saying:
    """A judge that says what the question tells it to."""

    version: str = "saying"
    threshold: float = 0.5

    def judge_answer(self, answer: str, *, evidence: Sequence[str], question: str = "") -> JudgedAnswer:
        assert evidence
        score = float(question)
        bad = score >= self.threshold
        verdict = Verdict(1 - score, not bad, reason="so it says", fault=Fault.NOT_IN_EVIDENCE if bad else None)
        return JudgedAnswer(score, bad, ((0, 4, score),) if bad else (), ((0, len(answer), verdict),))


def row(label: int, score: float, *, lang: str = "en", kind: str = "plain", **more: Any) -> dict[str, Any]:
    name = f"{lang}-{label}-{score}"
    return {
        "id": name,
        "lang": lang,
        "kind": kind,
        "context": name,
        "answer": "Some words.",
        "question": str(score),
        "label": label,
    } | more


ROWS = [
    row(1, 0.9, kind="number", spans=[{"start": 0, "end": 4}]),
    row(1, 0.8),
    row(1, 0.2, kind="scope", spans=[{"start": 5, "end": 10}]),
    row(0, 0.7),
    row(0, 0.1),
    row(0, 0.3),
    row(1, 0.6, lang="zh"),
    row(0, 0.4, lang="zh"),
]


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    return evaluate_hallucination(ROWS, judge=Saying())


def test_the_documented_figures_of_the_house_judge() -> None:
    rows = [{**GOOD, "id": str(i)} for i in range(3)] + [
        {**BAD, "id": f"b{i}", "spans": [{"start": 0, "end": 10}]} for i in range(3)
    ]
    found = evaluate_hallucination(rows, judge=HouseJudge())
    assert found["n"] == 6
    assert found["auroc"] == found["f1"] == found["balanced_accuracy"] == found["recall"] == found["precision"] == 1.0
    assert found["auroc_interval"] == [1.0, 1.0]
    assert found["threshold"] == 0.5
    assert found["items_per_s"] > 0
    assert 0 < found["span_f1"] <= 1
    assert list(found["by_language"]) == ["en"]


def test_what_is_counted_and_shared_by_language_and_kind(measured: dict[str, Any]) -> None:
    found = measured
    assert (found["n"], found["unsupported"], found["recall"], found["precision"]) == (8, 4, 0.75, 0.75)
    assert found["confusion"] == {
        "unsupported_flagged": 3,
        "unsupported_passed": 1,
        "supported_flagged": 1,
        "supported_passed": 3,
    }
    assert found["by_language"]["zh"]["recall"] == 1.0
    shares = {(one["lang"], one["label"], one["kind"]): one["flagged"]["value"] for one in found["by_kind"]}
    assert shares["en", 1, "number"] == 1.0
    assert shares["en", 1, "scope"] == 0.0
    assert shares["en", 0, "plain"] == pytest.approx(1 / 3, abs=1e-3)
    assert found["faults"] == {"unsupported": {"not in evidence": 3}, "supported": {"not in evidence": 1}}
    assert found["brier"] == pytest.approx((0.01 + 0.04 + 0.64 + 0.49 + 0.01 + 0.09 + 0.16 + 0.16) / 8)
    assert found["recall_at_precision_.8"] == 0.5
    assert found["span_f1"] == pytest.approx(2 * 4 / (9 + 4))
    assert found["roc"]["all"][0] == (0.0, 0.0)
    assert found["roc"]["all"][-1] == (1.0, 1.0)
    low, high = found["auroc_interval"]
    assert low <= found["auroc"] <= high


def test_the_surest_mistakes_are_kept_missed_ones_first() -> None:
    missed = [row(1, i / 100, lang="en") for i in range(1, 3 * MOST_MISTAKES)]
    found = evaluate_hallucination([*missed, row(0, 0.7)], judge=Saying())["mistakes"]
    assert [one["score"] for one in found] == [*(i / 100 for i in range(1, MOST_MISTAKES + 1)), 0.7]
    assert found[0]["context"] == "en-1-0.01"
    assert found[0]["reasons"] == ["so it says"]


def test_a_judge_that_flags_nothing_has_no_precision() -> None:
    found = evaluate_hallucination([row(1, 0.3), row(0, 0.1)], judge=Saying())
    assert (found["precision"], found["precision_interval"], found["recall"], found["f1"]) == (None, None, 0.0, 0.0)
    assert ("precision", "-") in [row[:2] for row in main_table(found).rows]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [GOOD],
        [{k: v for k, v in GOOD.items() if k != "label"}],
        [{**GOOD, "label": 2}],
        [{**GOOD, "spans": [3]}, BAD],
        [{**GOOD, "answer": ""}, BAD],
    ],
)
def test_lines_without_usable_labels_are_refused(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(InputRefused):
        evaluate_hallucination(rows, judge=HouseJudge())


def test_every_line_is_told_to_the_progress_bar() -> None:
    steps: list[None] = []
    evaluate_hallucination(iter(ROWS), judge=Saying(), progress=lambda: steps.append(None))
    assert len(steps) == len(ROWS)


# The report


def test_the_report_shows_figures_curves_kinds_and_the_worst_mistakes_with_their_bad_parts(
    measured: dict[str, Any], tmp_path: Path
) -> None:
    report = hallucination_report(measured, circumstances={"answers": "a file <&>"}, own=False)
    assert report.goals == ()
    html, markdown = to_html(report), to_markdown(report)
    assert html.count("<svg") == 2
    assert "a file &lt;&amp;&gt;" in html
    assert "<mark>words</mark>" in html
    for text in (html, markdown):
        assert "Confusion matrix, zh" in text
        assert "scope" in text
        assert "so it says" in text
    written = write_report(report, tmp_path, "found")
    assert {path.suffix for path in written} == {".json", ".md", ".html"}
    assert json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["measured"]["n"] == 8


def test_goals_are_set_on_the_own_set_alone_by_language(measured: dict[str, Any]) -> None:
    wanted = goals(measured)
    assert [(goal.name[-2:], goal.met) for goal in wanted] == [("en", False), ("zh", True)]
    assert tuple(hallucination_report(measured, circumstances={}, own=True).goals) == tuple(wanted)


def test_overlapping_spans_and_texts_that_go_on_are_shown_once() -> None:
    spans = [{"start": 2, "end": 8}, {"start": 0, "end": 4}]
    measured = evaluate_hallucination([row(1, 0.1, spans=spans, context="long " * 1000), row(0, 0.2)], judge=Saying())
    html = to_html(hallucination_report(measured, circumstances={}, own=False))
    assert "<mark>Some</mark> <mark> wor</mark> ds." in html
    assert " …" in html


def test_one_language_has_one_column() -> None:
    measured = evaluate_hallucination([row(1, 0.9), row(0, 0.2)], judge=Saying())
    assert main_table(measured).headings == ("", "all")
    assert [table.headings for table in kind_tables(measured)] == [("kind", "en"), ("kind", "en")]
