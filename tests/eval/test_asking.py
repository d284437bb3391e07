from __future__ import annotations

import pytest

from eval.asking import AnswerKind, answer_kind, holds_candidate
from eval.units import read_units
from ingest.tokens import language


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When was the harbour built?", AnswerKind.DATE),
        ("In which year did it open?", AnswerKind.DATE),
        ("How many bolts hold it?", AnswerKind.NUMBER),
        ("How much does the pump weigh?", AnswerKind.NUMBER),
        ("How often is the oil changed?", AnswerKind.TIMING),
        ("What is the price of the KX-200?", AnswerKind.MONEY),
        ("How much does a second pump cost?", AnswerKind.MONEY),
        ("What is the extension of the gatehouse?", AnswerKind.CONTACT),
        ("Which insurer covers the building?", AnswerKind.ORGANISATION),
        ("Who signs the order?", AnswerKind.NAME),
        ("Where are spare seals kept?", AnswerKind.PLACE),
        ("Why was the valve replaced?", AnswerKind.REASON),
        ("What does the manual recommend?", AnswerKind.OTHER),
        ("合同何时到期？", AnswerKind.DATE),
        ("年假有几天？", AnswerKind.TIMING),
        ("阀盖有几个螺母？", AnswerKind.NUMBER),
        ("午餐每餐补贴多少？", AnswerKind.MONEY),
        ("门卫的电话是多少？", AnswerKind.CONTACT),
        ("体检由哪家医院负责？", AnswerKind.ORGANISATION),
        ("报销由谁审批？", AnswerKind.NAME),
        ("仓库在哪里？", AnswerKind.PLACE),
        ("为什么要更换阀门？", AnswerKind.REASON),
        ("這種軌道共振被稱為什麼？", AnswerKind.OTHER),
    ],
)
def test_what_a_question_asks_for(question: str, kind: AnswerKind) -> None:
    assert answer_kind(question) is kind


@pytest.mark.parametrize(
    ("kind", "text", "holds"),
    [
        (AnswerKind.NUMBER, "It weighs 48 kg.", True),
        (AnswerKind.NUMBER, "It is heavy.", False),
        (AnswerKind.DATE, "It was built in 1871.", True),
        (AnswerKind.DATE, "It was built on a Monday.", True),
        (AnswerKind.DATE, "It holds 48 boxes.", False),
        (AnswerKind.NAME, "The order is signed by Birgit Solheim.", True),
        (AnswerKind.NAME, "The order is signed by the buyer.", False),
        (AnswerKind.TIMING, "It is changed twice a year.", True),
        (AnswerKind.TIMING, "It is changed by the fitter.", False),
        (AnswerKind.MONEY, "It costs EUR 48.", True),
        (AnswerKind.MONEY, "It weighs 48 kg.", False),
        (AnswerKind.CONTACT, "Call 4471.", True),
        (AnswerKind.CONTACT, "Call the gatehouse.", False),
        (AnswerKind.MONEY, "每餐补贴14元。", True),
        (AnswerKind.ORGANISATION, "体检由仁和医院负责。", True),
        (AnswerKind.REASON, "It was replaced because of wear.", True),
        (AnswerKind.REASON, "It was replaced.", False),
        (AnswerKind.DATE, "合同于2027年到期。", True),
        (AnswerKind.NAME, "由财务部审批。", True),
        (AnswerKind.PLACE, "仓库位于苏州市。", True),
        (AnswerKind.PLACE, "由他审批。", False),
        (AnswerKind.OTHER, "It was replaced.", True),
    ],
)
def test_a_sentence_fits_where_it_holds_something_of_the_kind(kind: AnswerKind, text: str, holds: bool) -> None:
    assert holds_candidate(kind, text, read_units(text), asked=frozenset(), han=language(text) == "zh") is holds


def test_what_the_question_says_itself_is_no_candidate() -> None:
    text = "The 48 bolts are tightened."
    assert not holds_candidate(AnswerKind.NUMBER, text, read_units(text), asked={"48"}, han=False)
