from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.hallucination import check_line, evaluate_hallucination, read_lines
from eval.judge import HouseJudge
from ingest.errors import InputRefused

CONTEXT = "The KX-200 delivers 12.5 m3/h at a head of 32 m. It weighs 48 kg without the motor."
GOOD = {"id": "a", "question": "How heavy is it?", "context": CONTEXT, "answer": "It weighs 48 kg without the motor.", "label": 0}
BAD = {"id": "b", "context": CONTEXT, "answer": "It was patented by Thomas Abernathy in 1961.", "label": 1}


@pytest.fixture(scope="module")
def judge() -> HouseJudge:
    return HouseJudge()


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n", encoding="utf-8")
    return path


def test_a_checked_line_has_the_documented_fields(judge: HouseJudge) -> None:
    good, bad = check_line(GOOD, judge=judge), check_line(BAD, judge=judge)
    assert set(good) == {"id", "score", "hallucinated", "spans"}
    assert good["score"] < 0.5 and not good["hallucinated"] and good["spans"] == []
    assert bad["score"] >= 0.5 and bad["hallucinated"]
    assert {"start", "end", "score"} == set(bad["spans"][0])
    assert BAD["answer"][bad["spans"][0]["start"] : bad["spans"][0]["end"]].strip()


def test_a_list_of_contexts_is_read_whole(judge: HouseJudge) -> None:
    line = {**GOOD, "context": ["Something else entirely is told here.", CONTEXT]}
    assert not check_line(line, judge=judge)["hallucinated"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": None},
        {"context": ""},
        {"context": []},
        {"context": 3},
        {"answer": ""},
        {"answer": None},
        {"question": 7},
        {"context": [""]},
    ],
)
def test_a_line_that_cannot_be_judged_is_refused_by_name(judge: HouseJudge, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputRefused):
        check_line({**GOOD, **wrong}, judge=judge)


def test_an_answer_of_a_bare_yes_is_not_called_fine(judge: HouseJudge) -> None:
    assert check_line({**GOOD, "answer": "Yes."}, judge=judge)["hallucinated"]


def test_lines_that_are_no_json_objects_are_refused_with_their_number(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"id": 1}\n[1]\n')
    with pytest.raises(InputRefused, match="line 2"):
        list(read_lines(tmp_path / "x.jsonl"))
    with pytest.raises(InputRefused, match="cannot be read"):
        list(read_lines(tmp_path / "none.jsonl"))


def test_evaluation_gives_the_documented_figures(tmp_path: Path, judge: HouseJudge) -> None:
    lines = [{**GOOD, "id": str(i)} for i in range(3)] + [
        {**BAD, "id": f"b{i}", "spans": [{"start": 0, "end": 10}]} for i in range(3)
    ]
    found = evaluate_hallucination(write(tmp_path / "x.jsonl", lines), judge=judge)
    assert found["n"] == 6
    assert found["auroc"] == found["f1"] == found["balanced_accuracy"] == 1.0
    assert found["threshold"] == 0.5
    assert found["items_per_s"] > 0
    assert 0 < found["span_f1"] <= 1


@pytest.mark.parametrize("lines", [[], [GOOD], [{k: v for k, v in GOOD.items() if k != "label"}], [{**GOOD, "label": 2}]])
def test_a_file_without_usable_labels_is_refused(tmp_path: Path, judge: HouseJudge, lines: list[dict[str, Any]]) -> None:
    with pytest.raises(InputRefused):
        evaluate_hallucination(write(tmp_path / "x.jsonl", lines), judge=judge)
