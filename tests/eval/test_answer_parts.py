"""How an answer is cut into the parts that are judged."""

from __future__ import annotations

import pytest

from eval.answer_parts import answer_spans, judged_part


def parts(answer: str) -> list[str]:
    return [answer[start:end] for start, end in answer_spans(answer)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It is so.\n\n1. Open the valve.\n2. Close the valve.", ["It is so.", "1. Open the valve.", "2. Close the valve."]),
        (
            "Two ways:\n* the first without a stop\n* the second one",
            ["Two ways:", "* the first without a stop", "* the second one"],
        ),
        ("依据有三：\n1、甲是乙的上级。\n（2）丙属于丁。", ["依据有三：", "1、甲是乙的上级。", "（2）丙属于丁。"]),
        ("The pump runs at\n2.5 bar in all of the tests.", ["The pump runs at\n2.5 bar in all of the tests."]),
    ],
)
def test_each_item_of_a_list_is_a_part_of_its_own_with_its_marker(answer: str, expected: list[str]) -> None:
    assert parts(answer) == expected


def test_an_english_fragment_belongs_to_the_sentence_before_it() -> None:
    assert parts("The pump stops at 5 bar. Not before. It starts again at 3 bar.") == [
        "The pump stops at 5 bar. Not before.",
        "It starts again at 3 bar.",
    ]


def test_every_character_but_white_space_is_in_exactly_one_part() -> None:
    answer = "In short:\n\n1. One thing is so.\n\n2.\nAnother. (b) And a third 3) thing\n- last"
    assert "".join("".join(part.split()) for part in parts(answer)) == "".join(answer.split())


def test_a_marker_is_not_judged_and_a_citation_is_blanked() -> None:
    assert judged_part("2. The pump stops [3].") == ("The pump stops    .", 3)
