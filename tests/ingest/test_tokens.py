"""Terms are the same for documents and questions, in Chinese and English."""

import random
import string
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.tokens import (
    STOP_WORDS,
    character_trigrams,
    index_terms,
    is_han,
    language,
    query_terms,
    stem,
    units,
    without_question_words,
)


def test_a_han_run_gives_its_characters_and_bigrams() -> None:
    assert index_terms("年休假") == ["年", "休", "假", "年休", "休假"]


def test_words_are_stemmed_and_stop_words_left_out() -> None:
    assert index_terms("The employees are travelling") == ["employe", "travel"]


def test_units_keep_the_place_of_stop_words() -> None:
    assert units("the pump of 2019") == ["the", "pump", "of", "2019"]


def test_a_han_character_beside_a_latin_word_begins_a_run_of_its_own() -> None:
    # "NBA球员" as one word cost .05 of nDCG@10 on DuReader.
    assert index_terms("NBA球员") == ["nba", "球", "员", "球员", "nba球"]
    assert units("2013年GDP增长") == ["2013", "年", "gdp", "增", "长"]


@pytest.mark.parametrize("written", ["company's", "company’s", "ＣＯＭＰＡＮＹ＇Ｓ", "companies"])
def test_forms_of_a_word_are_one_term(written: str) -> None:
    assert index_terms(written) == ["compani"]


# What a stem is, stands in every index build and in the background table: another one would find neither.
STEMS = dict(
    pair.split(">")
    for pair in (
        "connection>connect generously>generous generate>generat universities>universiti agreed>agre luckily>luckili skis>ski "
        "dying>die early>earli news>news organised>organis classes>class hopping>hop hoped>hope valves>valv replies>repli "
        "ties>tie traditional>tradit relational>relat evening>evening exceeding>exceed policies>polici leave>leav sky>sky "
        "cry>cri says>say yearly>year biology>biolog technician's>technician pneumatically>pneumat naïve>naïv übermäßig>übermäßig"
    ).split()
)


@pytest.mark.parametrize(("word", "expected"), STEMS.items())
def test_a_stem_is_what_it_was_when_the_indexes_were_built(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_threads_that_stem_at_once_do_not_disturb_each_other() -> None:
    draw = random.Random(5)
    words = ["".join(draw.choices(string.ascii_lowercase, k=8)) + "ational" for _ in range(4000)]
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda part: [*map(stem, part)], (words[i::4] for i in range(4))))
    assert told == [[*map(stem.__wrapped__, words[i::4])] for i in range(4)]


def test_a_possessive_after_a_quotation_mark_is_no_term() -> None:
    assert index_terms('"Fiverr"\'s policy') == ["fiverr", "polici"]


@pytest.mark.parametrize(("written", "term"), [("21,012", "21012"), ("２１０１２", "21012"), ("3.5", "3.5")])
def test_a_number_is_one_unit_without_thousands_separators(written: str, term: str) -> None:
    assert units(written) == [term]


@pytest.mark.parametrize("written", ["HX-200", "hx_200", "HX/200", "HX200", "ＨＸ－２００"])
def test_a_code_is_one_term_however_its_parts_are_joined(written: str) -> None:
    assert "hx200" in index_terms(f"The {written} pump")
    assert "hx200" in query_terms(f"{written} 怎么保养？")


def test_a_date_is_no_code() -> None:
    assert not [term for term in index_terms("2024-05-01") if len(term) > 4]


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("按 GB/T 19001-2016 执行", {"gbt190012016", "gbt19001"}),
        ("符合GB/T19001要求", {"gbt19001"}),
        ("certified to ISO 9001:2015", {"iso90012015", "iso9001"}),
        ("version v2.1", {"v2.1"}),
    ],
)
def test_standards_and_versions_are_kept_whole(written: str, codes: set[str]) -> None:
    assert codes <= set(index_terms(written))


def test_simplified_and_traditional_characters_are_the_same_terms() -> None:
    assert index_terms("員工報銷後來臺灣裡") == index_terms("员工报销后来台湾里")
    assert units("員工") == ["员", "工"]


def test_a_number_and_the_character_that_it_touches_are_one_term_too() -> None:
    assert "30万" in index_terms("赔偿30万元")
    assert "第3" in index_terms("第3条")
    assert "30万" not in index_terms("30 万")


@pytest.mark.parametrize(
    ("question", "left"),
    [("为什么天空是蓝色", "天空是蓝色"), ("什么时候放假", "放假"), ("請問如何報銷", "報銷"), ("公司的地址是多少", "公司 地址是")],
)
def test_chinese_question_words_are_taken_out_longest_first(question: str, left: str) -> None:
    assert without_question_words(question).split() == left.split()


def test_query_terms_are_distinct_and_in_order() -> None:
    assert query_terms("pump or pumps and valve") == ["pump", "valv"]


def test_a_question_of_question_words_alone_keeps_its_terms() -> None:
    assert query_terms("为什么") == ["为", "什", "么", "为什", "什么"]


def test_trigrams_mark_the_ends_of_words_and_leave_out_han_and_stop_words() -> None:
    assert character_trigrams("the pump 泵") == ["<pu", "pum", "ump", "mp>"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("年休假有几天？", "zh"),
        ("How many days of leave?", "en"),
        ("HX-200 的最大压力是多少？", "zh"),
        ("What does 年休假 mean in the staff handbook?", "en"),
        ("", "en"),
    ],
)
def test_language_is_that_of_most_of_the_text(text: str, expected: str) -> None:
    assert language(text) == expected


def test_is_han_knows_traditional_and_rare_characters() -> None:
    assert is_han("員") and is_han("𠀀") and not is_han("カ") and not is_han("a")


def test_stop_words_are_never_stemmed_into_a_term() -> None:
    assert not index_terms(" ".join(sorted(STOP_WORDS)))


@given(st.text())
def test_any_text_gives_terms_without_white_space(text: str) -> None:
    for term in [*index_terms(text), *query_terms(text), *character_trigrams(text), *units(text)]:
        assert term
        assert not any(character.isspace() for character in term)


@given(st.text())
def test_a_text_is_found_by_itself(text: str) -> None:
    assert set(query_terms(text)) <= set(index_terms(text)) | set(index_terms(without_question_words(text)))


@given(st.text(alphabet="abc1"), st.integers(min_value=0, max_value=3))
def test_stemming_again_changes_no_number(digits: str, _repeat: int) -> None:
    if digits and digits[0].isdigit():
        assert stem(stem(digits)) == stem(digits)
