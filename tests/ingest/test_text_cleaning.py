"""Cleaning repairs what reading damaged, changes nothing else, and always knows the way back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eval.units import read_units
from ingest.text_cleaning import clean, clean_text
from ingest.tokens import index_terms

LEAVE = "年休假十五天"
ORDINARY = [
    "",
    "Größe, naïve, Ångström, São Paulo, “quoted” — ‘said’… 5 £ or 3 €; x² ≥ 4 °C ± 0.5",
    "他说：“好”——是的……《规定》第１条；年假 15 天（含）。",
    "第一章 总则 ··········· 12",
    "日本語の文章、カタカナ。 한국어 문장. Русский текст. العربية",
    "well-known, a list:\n- one\n- two",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("damaged", "meant"),
    [
        ("cafÃ© au lait", "café au lait"),
        ("The companyâ€™s policy", "The company’s policy"),
        ("\x93Hello\x94", "“Hello”"),
        (LEAVE.encode().decode("latin-1"), LEAVE),
        (LEAVE.encode("gbk").decode("latin-1") + " ok", LEAVE + " ok"),
        (LEAVE.encode().decode("gb18030"), LEAVE),
        ("co\u00adopera\u200btion", "cooperation"),
        ("\ufeffTitle\u200f", "Title"),
        ("inter-\nnational trade", "international trade"),
        ("exam\u00ad ple", "example"),
        ("a\x00b\x0cc", "a b c"),
        ("safe\u202egnp.exe", "safegnp.exe"),
    ],
)
def test_damage_is_undone(damaged: str, meant: str) -> None:
    assert clean_text(damaged) == meant


def test_what_is_lost_is_not_guessed() -> None:
    assert clean_text("锟斤拷 and \ufffd") == "锟斤拷 and \ufffd"


def test_a_span_of_the_copy_leads_back_to_the_original() -> None:
    text = "The caf\u00adÃ© of inter-\nnational\u200b trade"
    cleaned = clean(text)
    assert cleaned.text == "The café of international trade"
    for word, original in (("The", "The"), ("international", "inter-\nnational"), ("trade", "trade"), ("of", "of")):
        at = cleaned.text.index(word)
        start, end = cleaned.original_span(at, at + len(word))
        assert text[start:end] == original


def test_damaged_words_are_found_and_judged_as_what_they_mean() -> None:
    assert index_terms("cafÃ© inter-\nnational " + LEAVE.encode().decode("gb18030")) == index_terms(f"café international {LEAVE}")
    text = "ab\u200bc inter-\nnational 12"
    assert [(unit.term, text[unit.start : unit.end]) for unit in read_units(text)] == [
        ("abc", "ab\u200bc"),
        ("internat", "inter-\nnational"),
        ("12", "12"),
    ]


def test_radicals_are_read_as_the_characters_that_look_the_same() -> None:
    assert index_terms("⻓⻛⾦") == index_terms("长风金")


DAMAGE = st.sampled_from(
    [
        "Ã©",
        "â€™",
        "\u00ad",
        "\u200b",
        "-\n",
        "\x00",
        "\x93",
        "锟",
        LEAVE.encode().decode("gb18030"),
        "ä¸\xad",
        "√©",
        "\u202e",
        "ÄêÐÝ",
    ]
)
TEXTS = st.lists(st.text(max_size=12) | DAMAGE | st.sampled_from(["ab", " ", "\n", "年假", "12"]), max_size=12).map("".join)


@given(TEXTS)
@example("a-\u200b\nb")
@example("ÃƒÂ©")
def test_cleaning_a_clean_text_changes_nothing(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once


@given(TEXTS)
def test_every_character_knows_its_place(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned.starts) == len(cleaned.ends) == len(cleaned.text)
    spans = list(zip(cleaned.starts, cleaned.ends, strict=True))
    assert all(0 <= start < end <= len(text) for start, end in spans)
    for before, after in pairwise(spans):  # in order; those of one repair stand for the same span
        assert before == after or before[1] <= after[0]
    for character, (start, end) in zip(cleaned.text, spans, strict=True):
        assert end - start > 1 or text[start] == character or not text[start].isprintable() or not text[start].isascii()


@given(st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x20)))
def test_printable_ascii_stays_as_it_is(text: str) -> None:
    assert clean_text(text) == text
