from __future__ import annotations

from collections.abc import Sequence

import pytest

from eval.terms import Terms, asked_part, own_terms, translated_terms
from eval.units import read_units, shipped_background
from ingest.crosslingual import Group
from ingest.dictionary import Alternative


def words(text: str) -> frozenset[str]:
    return frozenset(unit.term for unit in read_units(text))


def own(question: str, *texts: str) -> Terms:
    return own_terms(asked_part(question), [words(text) for text in texts], background=shipped_background())


def test_a_text_holds_the_words_of_the_question_and_no_others() -> None:
    terms = own("How heavy is the pump?", "The pump is heavy.", "The valve is light.")
    assert terms.coverage(terms.held(words("The pump is heavy."))) == pytest.approx(1.0)
    assert terms.held(words("The valve is light.")) == {}


def test_a_word_like_it_or_of_like_meaning_holds_a_word_in_part() -> None:
    terms = own("Which physician approves compositions?", "The doctor approves every composite.")
    held = terms.held(words("The doctor approves every composite."))
    assert 0 < held["physician"] < 1
    assert 0 < held["composit"] <= 1


def test_traditional_and_simplified_characters_are_the_same() -> None:
    terms = own("年假應在何時休完？", "年假应在次年三月底前休完。")
    assert terms.coverage(terms.held(words("年假应在次年三月底前休完。"))) > 0.9


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    terms = own("Did the school of zymurgy begin well?", "The school began well.")
    assert terms.rarity["zymurgi"] > terms.rarity["school"]


def test_a_translation_in_the_text_stands_for_the_word() -> None:
    groups = [
        Group(("年", "假"), (Alternative(("annual", "leav"), 1.0), Alternative(("vacat",), 0.5))),
        Group(("休",), (), 0.4),
    ]
    text = "Unused vacation days expire in March."
    terms = translated_terms("年假何时失效？", groups, [words(text)], background=shipped_background())
    assert [(term.start, term.end) for term in terms.terms] == [(0, 2)]
    assert terms.coverage(terms.held(words(text))) == pytest.approx(0.9 * 0.5**0.5)
    assert terms.held(words("annual report")) == {}


def test_numbers_and_codes_are_written_alike_in_both_languages_and_are_no_words_to_translate() -> None:
    groups = [
        Group(("kx",), (Alternative(("kx",), 1.0),), 1.5),
        Group(("500",), (Alternative(("500",), 1.0),), 1.5),
        Group(("kx500",), (Alternative(("kx500",), 1.0),), 1.5),
        Group(("转", "速"), (Alternative(("speed",), 1.0),)),
    ]
    text = "The speed of the KX-500 is 1,450 rpm."
    terms = translated_terms("KX-500 转速", groups, [words(text)], background=shipped_background())
    assert {term.key.split()[-1]: term.exact for term in terms.terms} == {"kx-500": True, "速": False}
    assert len(terms.held(words(text))) == 2


def test_what_only_frames_a_question_is_no_term() -> None:
    assert [term.key for term in own("How many days must a visitor wait?", "x").terms] == ["day", "visitor", "wait"]
    assert {term.key for term in own("出差前应该多长时间申请？", "x").terms} == {"出差", "差前", "申请"}


@pytest.mark.parametrize("texts", [[], [frozenset[str]()]])
def test_nothing_at_hand_is_no_error(texts: Sequence[frozenset[str]]) -> None:
    terms = own_terms("pump", texts, background=shipped_background())
    assert terms.coverage(terms.held(frozenset())) == 0.0
