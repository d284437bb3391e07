"""A question that leans on an earlier one gets its words; one that stands by itself is left as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.conversation import Lean, Turn, condensed, leaning

CEILING = Turn("user", "What is the hotel ceiling in Frankfurt?")
WEIGHT = Turn("user", "HV-80的净重是多少？")


@pytest.mark.parametrize(
    ("question", "lean"),
    [
        # pronouns
        ("How much does it weigh?", Lean.PRONOUN),
        ("How long is its warranty?", Lean.PRONOUN),
        ("Is that the same in Boston?", Lean.PRONOUN),
        ("Who signed for them?", Lean.PRONOUN),
        ("Which gifts must be reported to him?", Lean.PRONOUN),
        ("Which ones?", Lean.PRONOUN),
        ("它的净重是多少？", Lean.PRONOUN),
        ("他们有津贴吗？", Lean.PRONOUN),
        ("其维修花了多少钱？", Lean.PRONOUN),
        ("该阀门的行程是多少？", Lean.PRONOUN),
        ("这个要审批吗？", Lean.PRONOUN),
        # what points nowhere outside its own question
        ("Is it allowed to smoke in the yard?", Lean.NOT),
        ("How long does it take to get a loan pump?", Lean.NOT),
        ("Who signs the agreement that Norrdal wants?", Lean.NOT),
        ("How much do I get this year?", Lean.NOT),
        ("When the pump is delivered and checked, who installs it?", Lean.NOT),
        ("应该找谁报销？", Lean.NOT),
        ("其他城市的住宿标准是多少？", Lean.NOT),
        ("报销材料其中包括哪些？", Lean.NOT),
        ("他人借用设备怎么办？", Lean.NOT),
        ("那么研发岗位的试用期多久？", Lean.NOT),
        # ellipsis
        ("And for managers?", Lean.ELLIPSIS),
        ("What about 2023?", Lean.ELLIPSIS),
        ("Mechanical seals?", Lean.ELLIPSIS),
        ("Why?", Lean.ELLIPSIS),
        ("Until when?", Lean.ELLIPSIS),
        ("What is the deadline?", Lean.ELLIPSIS),
        ("那经理呢？", Lean.ELLIPSIS),
        ("压力表呢", Lean.ELLIPSIS),
        ("那P7？", Lean.ELLIPSIS),
        ("为什么？", Lean.ELLIPSIS),
        ("期限是多久？", Lean.ELLIPSIS),
        # comparisons
        ("Is that higher for the KX-350?", Lean.PRONOUN),
        ("Is there a longer one?", Lean.PRONOUN),
        ("用波纹管密封会更高吗？", Lean.PRONOUN),
        ("Does the KX-500 weigh more than the KX-350?", Lean.NOT),
        ("KX-500比KX-350更重吗？", Lean.NOT),
        ("更换填料要多少工时？", Lean.NOT),
        # whole questions and phrases
        ("Who is the ombudswoman?", Lean.NOT),
        ("Price of the HV-80?", Lean.NOT),
        ("And how many days of paid holiday do full-time employees get?", Lean.NOT),
        ("年假有几天？", Lean.NOT),
        ("定位器的防护等级？", Lean.NOT),
        ("报销要怎么办呢？", Lean.NOT),
        ("宿舍每月收费多少？", Lean.NOT),
    ],
)
def test_words_tell_whether_a_question_leans(question: str, lean: Lean) -> None:
    assert leaning(question) is lean


def test_a_question_that_stands_by_itself_is_not_changed() -> None:
    assert condensed("Who is the ombudswoman?", [CEILING, Turn("assistant", "EUR 170.")]) == "Who is the ombudswoman?"
    assert condensed("宿舍每月收费多少？", [WEIGHT]) == "宿舍每月收费多少？"


def test_the_words_of_the_question_before_come_on_a_line_of_their_own() -> None:
    assert condensed("And breakfast?", [CEILING]) == "hotel ceiling Frankfurt\nAnd breakfast?"
    assert condensed("它的行程呢？", [WEIGHT]) == "HV-80 净重\n它的行程呢？"


def test_a_name_a_code_and_a_year_give_way_to_another_of_their_kind() -> None:
    assert condensed("What about Oslo?", [CEILING]) == "hotel ceiling\nWhat about Oslo?"
    assert condensed("那HV-150呢？", [WEIGHT]) == "净重\n那HV-150呢？"
    assert condensed("2025年呢？", [Turn("user", "2024年的准时交付率是多少？")]) == "准时交付率\n2025年呢？"


def test_a_chain_of_follow_ups_keeps_its_topic_and_a_new_topic_ends_it() -> None:
    chain = [CEILING, Turn("assistant", "EUR 170."), Turn("user", "What about Oslo?"), Turn("assistant", "NOK 2,150.")]
    assert condensed("And Milan?", chain) == "hotel ceiling\nAnd Milan?"
    changed = [*chain, Turn("user", "Who is the ombudswoman of Quillmere?"), Turn("assistant", "Hanne Vestergaard.")]
    assert condensed("How can I reach her?", changed) == "ombudswoman Quillmere Hanne Vestergaard\nHow can I reach her?"


def test_only_the_last_questions_are_looked_back_at() -> None:
    chain = [CEILING, *(Turn("user", f"And for case {letter}?") for letter in "abcdef")]
    assert "ceiling" not in condensed("And why?", chain)


def test_of_an_answer_only_names_are_carried_and_only_for_a_pronoun() -> None:
    asked = [
        Turn("user", "Who chairs the council?"),
        Turn("assistant", "It is chaired by Edith Garrow [1]. Elections are in May."),
    ]
    assert condensed("When was she elected?", asked) == "chairs council Edith Garrow\nWhen was she elected?"
    assert condensed("And the deputy?", asked) == "chairs council\nAnd the deputy?"
    asked = [Turn("user", "质量总监是谁？"), Turn("assistant", "温若岚。")]
    assert condensed("她的电话是多少？", asked) == "质量总监 温若岚\n她的电话是多少？"


def test_what_the_question_holds_itself_is_not_said_twice() -> None:
    asked = [Turn("user", "How long is the warranty of KX pumps?")]
    assert condensed("And of KX pumps in Boston?", asked).split("\n")[0] == "warranty"


def test_without_a_question_before_there_is_nothing_to_lean_on() -> None:
    for history in ([], [Turn("assistant", "Ask me anything about Norrdal.")]):
        assert condensed("And for managers?", history) == "And for managers?"


@given(st.lists(st.builds(Turn, st.sampled_from(["user", "assistant", "system"]), st.text()), max_size=6), st.text())
def test_any_conversation_is_read_and_the_question_stays_word_for_word(history: list[Turn], question: str) -> None:
    assert condensed(question, history).endswith(question)
