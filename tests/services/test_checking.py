"""`/api/check`, `graft check` and `graft eval hallucination`: the same lines in, the same verdicts out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from eval.hallucination import Line, check_line
from eval.judge import HouseJudge
from ingest.errors import InputRefused
from services.checking import MOST_CHARACTERS, MOST_LINES, Checker
from services.commands import checking
from tests.command_line import Graft
from tests.product import Product

CONTEXT = "The KX-200 delivers 12.5 m3/h at a head of 32 m. It weighs 48 kg without the motor."
GOOD = {"id": 1, "question": "How heavy is it?", "context": CONTEXT, "answer": "It weighs 48 kg without the motor.", "label": 0}
BAD = {"id": "b", "context": ["Something else.", CONTEXT], "answer": "It was patented by Thomas Abernathy in 1961.", "label": 1}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", encoding="utf-8")
    return path


# HTTP


def test_an_object_is_answered_by_an_object_and_a_list_by_a_list(http: TestClient) -> None:
    good, bad = http.post("/api/check", json=[GOOD, BAD]).json()
    assert (good["id"], good["hallucinated"], good["spans"]) == (1, False, [])
    assert (bad["id"], bad["hallucinated"]) == ("b", True)
    assert bad["sentences"][0]["fault"]
    assert http.post("/api/check", json=BAD).json() == bad
    assert http.post("/api/check", json=[]).json() == []
    assert http.post("/api/check", json={**BAD, "question": None}).json() == bad


def test_what_cannot_be_checked_is_a_problem_that_says_why(http: TestClient) -> None:
    wrong: list[tuple[Any, str]] = [
        ({**GOOD, "answer": " "}, 'line 1: "answer" must be a text, and not empty'),
        ([GOOD, {**BAD, "context": []}], "line 'b': \"context\" must be"),
        ({"id": 1, "answer": "x"}, "context"),
        ([GOOD] * (MOST_LINES + 1), f"at most {MOST_LINES}"),
        ("text", ""),
        ({**GOOD, "context": {"a": 1}}, "context: Input should be a valid string, or: Input should be a valid list"),
        ([GOOD, {**BAD, "answer": 5}], "1.answer: Input should be a valid string"),
    ]
    for body, words in wrong:
        answer = http.post("/api/check", json=body)
        assert answer.status_code == 422
        assert words in answer.json()["detail"]


def test_a_caller_needs_a_key_where_keys_are_needed_and_no_group(product: Product, http: TestClient) -> None:
    product.kb.keys.create("somebody", groups=(), administrator=False)
    assert http.post("/api/check", json=GOOD).status_code == 401


def test_text_without_end_is_refused() -> None:
    checker = Checker(HouseJudge())
    with pytest.raises(InputRefused, match="2,000,0"):
        checker.check([Line(1, ("x" * MOST_CHARACTERS,), "An answer.")])


# Commands


def test_check_prints_the_same_lines_beside_a_server_as_http_answers(
    running: Product, graft: Graft, http: TestClient, tmp_path: Path
) -> None:
    ran = graft("check", write(tmp_path / "x.jsonl", [GOOD, BAD]))
    assert ran.code == 0, ran.err
    assert [json.loads(line) for line in ran.out.splitlines()] == http.post("/api/check", json=[GOOD, BAD]).json()


def test_check_needs_no_server(graft: Graft, tmp_path: Path) -> None:
    ran = graft("check", write(tmp_path / "x.jsonl", [GOOD, BAD]))
    judge = HouseJudge()
    assert [json.loads(line) for line in ran.out.splitlines()] == [check_line(Line.of(row), judge=judge) for row in (GOOD, BAD)]


def test_a_file_without_a_line_is_refused(graft: Graft, tmp_path: Path) -> None:
    ran = graft("check", write(tmp_path / "x.jsonl", []))
    assert (ran.code, ran.out) == (3, "")
    assert "holds no line to check" in ran.err


def test_a_line_that_cannot_be_checked_ends_the_command_after_those_before_it(graft: Graft, tmp_path: Path) -> None:
    ran = graft("check", write(tmp_path / "x.jsonl", [GOOD, {**BAD, "answer": ""}]))
    assert ran.code == 3
    assert "'b'" in ran.err
    assert [json.loads(line)["id"] for line in ran.out.splitlines()] == [1]


def test_a_long_file_is_sent_in_parts() -> None:
    lines = [Line(number, ("text",), "An answer.") for number in range(120)]
    assert [len(part) for part in checking.parts(iter(lines))] == [50, 50, 20]
    long = [Line(number, ("x" * 300_000,), "An answer.") for number in range(3)]
    assert [[line.id for line in part] for part in checking.parts(long)] == [[0], [1], [2]]
    assert list(checking.parts([])) == []


def test_the_judge_is_evaluated_on_a_file_and_reported(graft: Graft, tmp_path: Path) -> None:
    rows = [{**row, "id": f"{row['id']}-{number}"} for row in (GOOD, BAD) for number in range(3)]
    ran = graft("eval", "hallucination", write(tmp_path / "x.jsonl", rows), "--report", tmp_path / "out" / "found.html", "--json")
    assert (ran.json["n"], ran.json["auroc"], ran.json["f1"], ran.json["threshold"]) == (6, 1.0, 1.0, 0.5)
    assert ran.json["goals"] == []
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"found.html", "found.json", "found.md"}


def test_without_a_file_the_shipped_set_is_evaluated_and_held_to_its_goals(graft: Graft) -> None:
    ran = graft("eval", "hallucination", "--part", "dev")
    assert ran.code == 0, ran.err
    assert "the shipped grounded set, dev" in ran.out
    assert "unsupported answers found, zh: recall" in ran.out
