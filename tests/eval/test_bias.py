"""Generalisations about groups of people are flagged with a reason; plain mentions are not."""

from __future__ import annotations

import pytest

from eval.bias import biased_wording


@pytest.mark.parametrize(
    "sentence",
    [
        "Women are naturally worse at negotiating.",
        "The team is small because women are too emotional.",
        "Men are simply better at technical work.",
        "Immigrants are criminals.",
        "Older employees cannot learn new software.",
        "Muslims are dangerous.",
        "Disabled people are a burden to the company.",
        "She is too old to learn the new system.",
        "外地人都不可靠。",
        "女性天生不擅长数学。",
        "老年人学不会新系统。",
        "女司机都不会开车。",
        "残疾人就该在家待着。",
        "黑人都很懒。",
    ],
)
def test_a_generalisation_is_flagged_with_its_words(sentence: str) -> None:
    reason = biased_wording(sentence)
    assert "“" in reason
    assert biased_wording(sentence, quoted=True) != reason


@pytest.mark.parametrize(
    "sentence",
    [
        "Women are entitled to 14 weeks of maternity leave.",
        "Men are 48 percent of the staff.",
        "Older employees are offered a yearly health check.",
        "Immigrants are supported by the welcome office.",
        "People with disabilities have five more days of holiday.",
        "Muslims are free to take religious holidays.",
        "It is a stereotype that women are too emotional.",
        "Saying that men are simply better at maths is forbidden.",
        "Young people are always welcome.",
        "Americans are eligible for visa-free entry.",
        "The men can't work on the roof during storms.",
        "女性员工享有98天产假。",
        "外地人都可以申请居住证。",
        "老年人应当每年体检。",
        "残疾人都享有五天额外假期。",
        "“女人天生不理性”是一种偏见。",
        "男性占员工总数的48%。",
        "少数民族员工可休民族节日假。",
    ],
)
def test_a_plain_mention_is_not(sentence: str) -> None:
    assert biased_wording(sentence) == ""
