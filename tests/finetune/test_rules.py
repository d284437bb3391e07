"""Passages → points: what is asked is understood alone, is answered by the value, and stands in the passage."""

from __future__ import annotations

import pytest

from eval.metrics.text import holds_key_fact
from finetune.points import Point
from finetune.rules import points_of
from ingest.types import Hit


def hit(text: str, *headings: str) -> Hit:
    return Hit("handbook.pdf", "doc_1", 1, 3, "chunk_1", 0.0, text, 0, headings or ("Handbook", "2 Rules of the house"))


def asked(text: str, *headings: str) -> list[str]:
    return [question for point in points_of(hit(text, *headings)) for question in point.questions]


def point(text: str, value: str, *headings: str) -> Point:
    return next(one for one in points_of(hit(text, *headings)) if one.value == value)


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        (
            "Full-time staff are entitled to 27 working days of paid holiday in each calendar year, in addition to others.",
            "To how many working days of paid holiday are full-time staff entitled in each calendar year?",
        ),
        ("The casing withstands a pressure of 16 bar in daily use.", None),
        ("A full-time week is 38 hours in Lund and 40 hours in Porto.", "How many hours is a full-time week in Lund?"),
        ("A full-time week is 38 hours in Lund and 40 hours in Porto.", "How many hours is a full-time week in Porto?"),
        ("The old spreadsheet for quotations is switched off on 30 November.",
         "When is the old spreadsheet for quotations switched off?"),
        ("The canteen in Lund charges EUR 4.80 for a hot lunch.", "How much does the canteen in Lund charge for a hot lunch?"),
        ("Two days a year may be spent on volunteer work with a registered charity.",
         "How many days a year may be spent on volunteer work with a registered charity?"),
        ("When a child under twelve falls ill, parents may stay at home for up to ten days a year.",
         "For how many days a year may parents stay at home when a child under twelve falls ill?"),
        ("Company credit cards for travel are issued by Banque Orsel; private purchases are forbidden.",
         "By whom are company credit cards for travel issued?"),
        ("A defect is a fault in design, material or workmanship that was present from the beginning.", "What is a defect?"),
        ("Concerns may be raised with the Compliance Officer, Tobias Renfrew, or with any manager.",
         "Who is the Compliance Officer?"),
    ],
)  # fmt: skip
def test_an_english_value_is_moved_to_the_front(sentence: str, question: str | None) -> None:
    if question is None:
        assert asked(sentence) == []
    else:
        assert question in asked(sentence)


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("膜片的保存期限为四年，生产日期印在边缘。", "膜片的保存期限为多少年"),
        ("登录密码不少于14位，至少包含三类字符。", "登录密码不少于多少位"),
        ("介质温度超过60℃的，阀体外应加装防烫护罩。", "介质温度超过多少℃的，阀体外应加装防烫护罩"),
        ("入职满两年即享有七天年假，最多18天。", "入职满两年即享有七天年假，最多多少天"),
        ("不合格品由评审小组处理。", "不合格品由谁处理"),
        ("全厂禁烟，吸烟点设在北门凉亭。", "吸烟点设在哪里"),
        ("年终奖总额按税后利润的8.5%提取。", "年终奖总额按税后利润的多少提取"),
    ],
)
def test_a_chinese_value_is_asked_for_in_its_place(sentence: str, question: str) -> None:
    assert any(question in one for one in asked(sentence, "员工手册", "3 规定"))


def test_a_table_asks_with_row_and_column() -> None:
    rows = "City | Hotel ceiling | Partner hotel\nOslo | NOK 2,150 | Havnegata 9\nany other city | EUR 140 | -"
    table = f"Table 1: Hotel ceilings\n\n{rows}"
    points = points_of(hit(table, "Travel", "4 Hotels"))
    assert [(one.value, one.questions[0]) for one in points] == [
        ("NOK 2,150", "What is the hotel ceiling for Oslo?"),
        ("Havnegata 9", "What is the partner hotel for Oslo?"),
        ("EUR 140", "What is the hotel ceiling for “any other city”?"),
    ]
    assert points[0].answer == "The hotel ceiling for Oslo is NOK 2,150."
    assert points[0].evidence == "Oslo | NOK 2,150 | Havnegata 9"


def test_a_table_whose_columns_are_the_things_is_read_the_other_way_round() -> None:
    assert "额定流量的" not in asked("项目 | HV-40 | HV-80\n净重 | 23公斤 | 58公斤", "参数")[0]
    assert asked("项目 | HV-40 | HV-80\n净重 | 23公斤 | 58公斤", "参数")[0] == "HV-40的净重是多少？"
    assert asked("Quantity | KX-200 | KX-350\nRated head | 32 m | 41 m", "Data")[0] == "What is the rated head of KX-200?"


def test_who_does_what_until_when_is_asked_in_words() -> None:
    table = "No. | Action | Who | Due\nA4-1 | Order the foundation | Callum Oyelaran | 15 September"
    questions = asked(table, "Actions from meeting 4")
    assert "Who is responsible for action A4-1 (order the foundation)?" in questions
    assert "When is action A4-1 (order the foundation) due?" in questions


def test_a_pronoun_takes_its_noun_from_the_sentence_before_or_there_is_no_question() -> None:
    clear = "The company lends staff a screen. It contributes EUR 45 a month towards electricity."
    assert any("does the company contribute" in question for question in asked(clear))
    assert point(clear, "EUR 45").answer.startswith("The company contributes EUR 45")
    assert asked("Up to six days may be carried over. They lapse on 30 April.")[-1:] != ["When do they lapse?"]


def test_who_is_addressed_learns_the_heading_too() -> None:
    questions = asked("You receive EUR 310 for each turn.", "Working time", "2.3 On-call duty for engineers")
    assert questions and all("On-call duty for engineers" in question for question in questions)


def test_every_point_holds_its_value_and_several_wordings() -> None:
    text = "Salaries are paid on the 24th of each month. The probation of new colleagues lasts four months in every office."
    for one in points_of(hit(text)):
        assert one.evidence in text
        assert holds_key_fact(one.answer, [one.value])
        assert len(set(one.questions)) >= 2
        assert not any(holds_key_fact(question, [one.value]) for question in one.questions)


def test_contents_and_fragments_state_nothing() -> None:
    assert points_of(hit("2 Working time 4 2.1 Hours 4", "Handbook", "Contents", "2 Working time")) == []
    assert points_of(hit("Effective 1 March 2025", "Handbook")) == []


def test_the_same_passage_gives_the_same_points() -> None:
    text = "The Buyer keeps a stock of 400 impellers.\n\nPart | Price\nA-1 | EUR 5\nA-2 | EUR 6"
    assert points_of(hit(text)) == points_of(hit(text))
