from __future__ import annotations

from collections.abc import Collection

import pytest

from eval.evidence import judge_evidence
from eval.missing import missing_words
from eval.quoting import Reading
from eval.terms import asked_part, own_terms
from eval.units import read_units, shipped_background
from ingest.crosslingual import Group
from ingest.types import Hit


def missing(question: str, text: str, words: Collection[str] = ()) -> tuple[str, ...]:
    asked, held = asked_part(question), frozenset(unit.term for unit in read_units(text))
    terms = own_terms(asked, [held], background=shipped_background())
    return missing_words(asked, terms.terms, [term.key for term in terms.terms if term.key not in held], words)


@pytest.mark.parametrize(
    ("question", "text", "words", "named"),
    [
        ("食堂的晚餐几点开始？", "食堂每天开放。", ("食堂", "晚餐", "开始"), ("晚餐", "开始")),
        ("廣州的試用期有多長？", "广州有办事处。", ("广州", "试用期"), ("試用期",)),
        ("公司在哪里购买离心泵？", "公司有水泵。", ("公司", "购买", "离心泵"), ("购买", "离心泵")),
    ],
)
def test_chinese_is_named_in_words_of_the_dictionary(
    question: str, text: str, words: tuple[str, ...], named: tuple[str, ...]
) -> None:
    assert missing(question, text, words) == named


def test_characters_without_a_word_are_named_together() -> None:
    assert missing("茨柏克沃斯基毕业于哪所大学？", "大学在北京。", ("毕业", "大学")) == ("茨柏克沃斯基毕业",)
    assert missing("谁发明了蒸汽机车？", "正式员工享有年假。") == ("发明", "蒸汽机车")


def test_what_may_be_the_rest_of_a_word_is_not_named() -> None:
    assert missing("伊丽莎白港机场有跑道吗？", "伊丽莎白没有来。", ("伊丽莎白", "机场", "跑道")) == ("机场", "跑道")


@pytest.mark.parametrize("question", ["哪条河最长？", "2009年几月？", "他怎样？", "在何处？"])
def test_what_asks_and_what_counts_is_not_named(question: str) -> None:
    assert not {"条河", "条", "年", "他", "怎样", "何处"} & set(missing(question, "正式员工享有年假。", ("怎样", "何处")))


def test_words_of_a_latin_alphabet_are_named_as_they_are_written() -> None:
    assert missing("Which Colours has the KX-200?", "The pump weighs 48 kg.") == ("Colours", "KX-200")
    assert missing("Norrdal铸件有多重？", "水泵重48公斤。", ("铸件",)) == ("Norrdal", "铸件")


def test_a_refusal_names_the_words_of_the_dictionary_that_reads_the_question() -> None:
    hit = Hit("a.pdf", "a", 1, 1, "c", 1.0, "出差期间的费用须在多日内报销。", 0, ())
    groups = [Group(tuple(word), ()) for word in ("食堂", "午餐", "费用", "补贴")]
    verdict = judge_evidence(Reading("食堂午餐费用补贴多少钱？", [hit], translate=lambda _: groups))
    assert not verdict.enough
    assert verdict.missing == ("食堂", "午餐", "补贴")
    assert "食堂、午餐、补贴" in verdict.reason
