"""A sentence is off the question only where nothing speaks for it."""

from __future__ import annotations

import pytest

from eval.relevance import off_question


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("How many days of paid holiday does an employee have?", "Trains are booked in second class."),
        ("When was the Leeds office opened?", "Trains are booked in second class for colleagues travelling abroad."),
        ("Who approves travel requests?", "The filter housing contains rubber seals and steel springs made in Turin."),
        ("谁负责审批差旅申请？", "滤芯外壳由不锈钢弹簧和橡胶密封圈组成。"),
    ],
)
def test_what_speaks_of_nothing_that_was_asked_is_told(question: str, sentence: str) -> None:
    assert off_question(sentence, question)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("How many days of paid holiday does an employee have?", "27 days."),
        ("How many days of paid holiday does an employee have?", "It is twenty-seven."),
        ("How many days of paid holiday does an employee have?", "Employees have 27 days of paid holiday."),
        ("When was the founder born?", "He grew up with three sisters in the north of England and left early."),
        ("When do trains run?", "They run daily."),
        ("Who approves travel requests?", "The head of department."),
        ("Who approves travel requests?", "请向部门负责人提出出差申请并附上预算表格。"),
        ("Who?", "The filter housing contains rubber seals and steel springs."),
        ("谁负责审批差旅申请？", "部门负责人。"),
        ("谁负责审批差旅申请？", "出差须经部门负责人同意。"),
        ("", "Trains are booked in second class."),
    ],
)
def test_what_may_be_an_answer_is_left_alone(question: str, sentence: str) -> None:
    assert off_question(sentence, question) == ""


def test_the_reason_is_in_the_language_of_the_question() -> None:
    assert "question" in off_question("Trains are booked in second class.", "How many days of holiday does an employee have?")
    assert "问题" in off_question("滤芯外壳由不锈钢弹簧和橡胶密封圈组成。", "谁负责审批差旅申请？")
