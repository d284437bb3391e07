from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.support import SIGNS, Evidence
from eval.units import Background, Kind, canonical_number, read_units
from ingest.errors import InputRefused

ENGLISH = "The KX-200 delivers 12.5 m3/h. It weighs 48 kg. Warranty claims go to Birgit Solheim in Leeds within thirty days."
CHINESE = "员工的年假为十五天。报销申请应在出差结束后10个工作日内提交。"


def features(sentence: str, *evidence: str, question: str = "") -> dict[str, float]:
    return dict(zip(SIGNS, Evidence(evidence, question=question).read(sentence).features, strict=True))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("21,012.00", "21012"),
        ("３万元", "30000"),
        ("3 million", "3000000"),
        ("twenty-five days", "25"),
        ("一百二十五人", "125"),
        ("三天", "3"),
        ("5 percent", "5"),
        ("二〇二四年", "2024"),
    ],
)
def test_numbers_are_compared_by_value_however_they_are_written(written: str, value: str) -> None:
    assert [unit.term for unit in read_units(written) if unit.kind is Kind.NUMBER] == [value]


@pytest.mark.parametrize("idiom", ["万一", "一个", "千万"])
def test_words_that_only_look_like_numbers_are_none(idiom: str) -> None:
    assert not [unit for unit in read_units(idiom) if unit.kind is Kind.NUMBER]


def test_a_version_is_no_decimal_number() -> None:
    assert canonical_number("1.5.9") == "1.5.9"


@settings(deadline=None)  # the first Han character loads a table
@given(st.text(max_size=200))
def test_spans_lie_in_the_text_as_given(text: str) -> None:
    for unit in read_units(text):
        assert 0 <= unit.start < unit.end <= len(text)


def test_a_span_survives_characters_that_normalisation_lengthens() -> None:
    text = "㎏ and ﬁnal HX-200"
    (code,) = [unit for unit in read_units(text) if unit.kind is Kind.CODE]
    assert text[code.start : code.end] == "HX-200"


def test_a_covered_sentence_misses_nothing() -> None:
    found = features("It weighs 48 kg.", ENGLISH)
    assert found["window_coverage"] == found["kept_pairs"] == 1.0
    assert found["missing_numbers"] == found["missing_names"] == found["rare_uncovered"] == 0


def test_a_number_in_words_covers_the_same_number_in_digits() -> None:
    assert features("Claims within 30 days.", ENGLISH)["missing_numbers"] == 0
    assert features("年假是15天。", CHINESE)["missing_numbers"] == 0


def test_numbers_and_names_that_are_not_there_are_counted() -> None:
    found = features("It weighs 51 kg, says Thomas in Leeds.", ENGLISH)
    assert found["missing_numbers"] == 1
    assert found["missing_names"] == 1


def test_the_code_of_another_model_is_a_missing_name() -> None:
    assert features("The KX-500 weighs 48 kg.", ENGLISH)["missing_names"] == 1


def test_other_inflections_are_covered() -> None:
    found = features("Deliveries and deliverable weight.", "It was delivered; the weights vary.")
    assert found["uncovered_words"] == 0
    assert found["window_coverage"] == found["kept_pairs"] == 1.0


def test_the_question_words_may_be_used() -> None:
    assert features("The hydraulic pump weighs 48 kg.", ENGLISH)["longest_uncovered_run"] > 0
    assert features("The zymurgic KX-200.", ENGLISH, question="Is it zymurgic?")["rare_uncovered"] == 0
    assert features("The zymurgic KX-200.", ENGLISH)["rare_uncovered"] == 1


def test_what_the_evidence_holds_apart_is_scattered_and_not_kept() -> None:
    between = "Many quite different matters are told in between. "
    far = features("Leeds Solheim.", f"Leeds builds pumps. {between}Solheim answers.")
    assert (far["scattered_pairs"], far["kept_pairs"]) == (1, 0)
    beside = features("Leeds Solheim.", "Leeds builds pumps. Solheim answers.")
    assert (beside["scattered_pairs"], beside["kept_pairs"]) == (1, 0.5)
    together = features("Leeds Solheim.", "Leeds: Solheim.")
    assert (together["scattered_pairs"], together["kept_pairs"]) == (0, 1)


def test_texts_are_never_near_each_other() -> None:
    assert features("Leeds Solheim.", "Leeds", "Solheim")["kept_pairs"] == 0


def test_traditional_and_simplified_characters_are_the_same() -> None:
    found = features("員工的年假為十五天。報銷申請應在出差結束後10個工作日內提交。", CHINESE)
    assert found["uncovered_words"] == found["missing_numbers"] == 0


def test_words_that_only_frame_an_answer_are_not_looked_for() -> None:
    found = features("Based on the provided passages, the KX-200 weighs 48 kg.", ENGLISH)
    assert found["uncovered_words"] == 0
    assert features("综上，年假为十五天。此外，报销申请应在出差结束后。", CHINESE)["rare_uncovered"] == 0
    assert not any(unit.content for unit in Evidence([ENGLISH]).read("Based on the given passages:").units)


def test_a_value_put_in_place_of_another_is_a_substitution() -> None:
    text = "The seal of the pump is replaced by Birgit Solheim every spring. Other work is done by Edith Garrow."
    assert features("The seal of the pump is replaced by Edith Garrow every spring.", text)["substitutions"] == 1
    assert features("The seal of the pump is replaced by Birgit Solheim every spring.", text)["substitutions"] == 0


def test_what_stands_so_elsewhere_in_the_evidence_is_no_substitution() -> None:
    text = (
        "A toddler fell to her death after being dragged by an escalator. Her name was Nurhayada Sofia, and Sofia fell on Monday."
    )
    assert features("Sofia fell to her death after being dragged by an escalator.", text)["substitutions"] == 0
    assert features("Monday fell to her death after being dragged by an escalator.", text)["substitutions"] == 1


def test_words_that_stand_together_in_the_question_are_not_scattered() -> None:
    text = "Leeds builds pumps. Many quite different matters are told in between. Solheim answers."
    asked = features("Leeds Solheim.", text, question="Is Solheim in Leeds?")
    assert (asked["scattered_pairs"], asked["novel_pairs"], asked["kept_pairs"]) == (0, 0, 1)


def test_a_table_row_is_a_segment_of_its_own() -> None:
    table = "Type | Price\nKX-200 | EUR 1,940\nKX-350 | EUR 3,260"
    assert len([s for s in Evidence([table]).segments if s[0]]) == 3


@pytest.mark.parametrize("evidence", [[], [""], ["  \n", "…"]])
def test_evidence_without_a_word_is_refused(evidence: list[str]) -> None:
    with pytest.raises(InputRefused, match="No evidence"):
        Evidence(evidence)


@pytest.mark.parametrize("written", ["KX系列", "请用PDF提交", "64DD有", "Ｎorrdal〇号", "B型’s"])
def test_a_latin_word_ends_where_a_han_character_begins(written: str) -> None:
    for unit in read_units(written):
        assert len({character.isascii() for character in unit.term}) == 1


def test_a_sentence_without_content_has_no_content_unit() -> None:
    for sentence in ("It is.", "是的。", ""):
        assert not any(unit.content for unit in Evidence([ENGLISH]).read(sentence).units)


def test_the_background_table_survives_saving(tmp_path: Path) -> None:
    table = Background({"": {"pump": 3.25, "年假": 5.5}}, {"en": 8.0, "zh": 9.0})
    table.save(tmp_path / "a.gz")
    table.save(tmp_path / "b.gz")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    again = Background.load(tmp_path / "a.gz")
    assert [again.idf(t) for t in ("pump", "年假", "zymurgy", "酿造")] == [3.25, 5.5, 8.0, 9.0]
