from __future__ import annotations

import pytest

from eval.terms import Terms, asked_part, own_terms
from eval.topic import Topic
from eval.units import read_units, shipped_background


def read(question: str, text: str) -> tuple[Topic, Terms, frozenset[str]]:
    words = frozenset(unit.term for unit in read_units(text))
    terms = own_terms(asked_part(question), [words], background=shipped_background())
    return Topic(asked_part(question), terms.terms), terms, words


def told(question: str, text: str) -> float:
    topic, terms, words = read(question, text)
    return topic.told(terms.held(words), text)


@pytest.mark.parametrize(
    ("question", "text"),
    [("How heavy is the impeller?", "The impeller is heavy."), ("年假应该在什么时候之前休完？", "年假应在次年三月底前休完。")],
)
def test_a_text_that_says_it_tells_nearly_all(question: str, text: str) -> None:
    assert told(question, text) > 0.85


@pytest.mark.parametrize(("question", "text"), [("How heavy is the impeller?", "Nobody came."), ("年假有几天？", "蒸汽机车")])
def test_a_text_about_something_else_tells_nothing(question: str, text: str) -> None:
    assert told(question, text) == 0.0


def test_characters_at_the_ends_of_words_are_told_by_the_words() -> None:
    text = "登录密码连续三次输错，账号将锁定。"
    assert told("密码输错账号锁定", text) == pytest.approx(1.0)


def test_a_character_outside_of_its_word_counts_in_part() -> None:
    assert 0 < told("假期", "请假须经批准。") < told("假期", "假期须经批准。") == pytest.approx(1.0)


def test_a_rare_word_tells_more_than_a_common_one() -> None:
    question = "Was the zymurgy year good?"
    assert told(question, "Zymurgy is hard.") > told(question, "The year was long.")


def test_the_share_of_characters_is_of_a_chinese_question_alone() -> None:
    topic, _, _ = read("年假有几天", "年假十天")
    assert topic.characters_told("年假十天") == 1.0
    assert read("How heavy?", "x")[0].characters_told("年假") is None
