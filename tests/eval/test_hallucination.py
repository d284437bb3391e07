from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.hallucination import AnswerJudge, Line, check_line, count_lines, read_lines
from eval.judge import HouseJudge
from ingest.errors import InputRefused

CONTEXT = "The KX-200 delivers 12.5 m3/h at a head of 32 m. It weighs 48 kg without the motor."
GOOD: dict[str, Any] = {
    "id": "a",
    "question": "How heavy is it?",
    "context": CONTEXT,
    "answer": "It weighs 48 kg without the motor.",
    "label": 0,
}
BAD: dict[str, Any] = {"id": "b", "context": CONTEXT, "answer": "It was patented by Thomas Abernathy in 1961.", "label": 1}


@pytest.fixture(scope="module")
def judge() -> AnswerJudge:
    return HouseJudge()


def test_a_checked_line_has_the_documented_fields(judge: AnswerJudge) -> None:
    good, bad = check_line(Line.of(GOOD), judge=judge), check_line(Line.of(BAD), judge=judge)
    assert set(good) == {"id", "score", "hallucinated", "spans", "sentences"}
    assert good["score"] < 0.5 and not good["hallucinated"] and good["spans"] == []
    assert bad["score"] >= 0.5 and bad["hallucinated"]
    assert {"start", "end", "score"} == set(bad["spans"][0])
    assert BAD["answer"][bad["spans"][0]["start"] : bad["spans"][0]["end"]].strip()


def test_every_sentence_has_its_verdict_in_the_answers_own_offsets(judge: AnswerJudge) -> None:
    answer = f"{GOOD['answer']} {BAD['answer']}"
    good, bad = check_line(Line("c", (CONTEXT,), answer), judge=judge)["sentences"]
    assert [answer[one["start"] : one["end"]].strip() for one in (good, bad)] == [GOOD["answer"], BAD["answer"]]
    assert (good["supported"], good["fault"], good["reason"]) == (True, None, "")
    assert not bad["supported"] and bad["judged"] and bad["fault"] and bad["reason"]
    json.dumps([good, bad])


def test_a_supported_sentence_beside_the_question_keeps_its_support_and_says_so(judge: AnswerJudge) -> None:
    line = Line("d", (CONTEXT,), "The KX-200 delivers 12.5 m3/h at a head of 32 m.", "Who repairs broken windows in Leeds?")
    (sentence,) = check_line(line, judge=judge)["sentences"]
    assert sentence["supported"]
    assert sentence["fault"] == "off question"
    assert sentence["reason"]


def test_a_list_of_contexts_is_read_whole(judge: AnswerJudge) -> None:
    line = Line.of({**GOOD, "context": ["Something else entirely is told here.", CONTEXT]})
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
def test_a_line_that_cannot_be_judged_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputRefused):
        Line.of({**GOOD, **wrong})


def test_an_answer_of_a_bare_yes_is_not_called_fine(judge: AnswerJudge) -> None:
    assert check_line(Line.of({**GOOD, "answer": "Yes."}), judge=judge)["hallucinated"]


def test_lines_that_are_no_json_objects_are_refused_with_their_number(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"id": 1}\n[1]\n')
    with pytest.raises(InputRefused, match="line 2"):
        list(read_lines(tmp_path / "x.jsonl"))
    for read in (lambda path: list(read_lines(path)), count_lines):
        with pytest.raises(InputRefused, match="cannot be read"):
            read(tmp_path / "none.jsonl")


def test_a_file_is_read_a_line_at_a_time_and_empty_ones_are_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": 1}\n\n  \n{"id": 2}\nnothing')
    assert count_lines(path) == 3
    assert next(read_lines(path)) == {"id": 1}
