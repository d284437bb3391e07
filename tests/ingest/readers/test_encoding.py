"""A text is decoded by what its bytes are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers.encoding import decode

CHINESE = "差旅费用报销管理办法\n第一条 员工出差须事先填写申请单，经部门负责人批准后方可出发。\n住宿标准为每晚不超过４００元。"
ENGLISH = "Every employee has 27 days of paid holiday in each calendar year.\n"
GERMAN = "Die Rückerstattung für Übernachtungen beträgt höchstens 120 € je Nacht; Ausnahmen müssen begründet werden.\n"
JAPANESE = "これは日本語の文章です。出張の費用は会社が支払います。\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("text", [CHINESE, "年假", f"{ENGLISH}员工手册"])
def test_chinese_is_read_in_the_encodings_of_chinese_offices(text: str, encoding: str) -> None:
    wide = encoding in ("utf-16-le", "utf-16-be")
    if wide and text != f"{ENGLISH}员工手册":
        return  # without a mark and without Western letters nothing tells UTF-16 from other bytes
    decoded = decode(text.encode(encoding))
    assert decoded.text == text
    assert decoded.flaws == 0


def test_rare_characters_of_gb18030_survive() -> None:
    text = CHINESE + "经办人：㼆䶮、𠮷野。"
    assert decode(text.encode("gb18030")).text == text


@pytest.mark.parametrize(("text", "encoding"), [(GERMAN * 3, "cp1252"), (JAPANESE * 3, "shift_jis"), (JAPANESE * 3, "euc_jp")])
def test_other_encodings_are_told_from_chinese(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


def test_traditional_chinese_in_big5_is_read() -> None:
    text = "員工每年享有十五天的帶薪年假，未使用的年假可以保留至次年三月底。\n" * 4
    assert decode(text.encode("big5")).text == text


def test_what_the_file_says_of_itself_decides_where_its_bytes_do_not() -> None:
    data = "Přehled nákladů".encode("cp1250")
    assert decode(data, declared="windows-1250").text == "Přehled nákladů"
    assert decode("年假".encode(), declared="latin-1").text == "年假"
    for nonsense in ("no-such-encoding", "base64", "rot13", "", "utf-8\x00"):
        assert decode(b"plain", declared=nonsense).text == "plain"
        decode(b"\xff\xfa plain", declared=nonsense)


def test_a_few_bad_bytes_do_not_turn_a_text_into_another_language() -> None:
    data = (CHINESE * 20).encode() + b"\xff" + CHINESE.encode()
    decoded = decode(data)
    assert decoded.text == CHINESE * 20 + "\N{REPLACEMENT CHARACTER}" + CHINESE
    assert decoded.warnings == ("1 places could not be read as utf-8: they show \N{REPLACEMENT CHARACTER}",)


def test_line_ends_are_one_character() -> None:
    assert decode(b"a\r\nb\rc\nd").text == "a\nb\nc\nd"


@settings(max_examples=40, deadline=None)  # the guess by statistics takes tens of milliseconds
@given(data=st.binary(max_size=300), declared=st.none() | st.text(max_size=12))
def test_any_bytes_give_text(data: bytes, declared: str | None) -> None:
    decoded = decode(data, declared=declared)
    assert isinstance(decoded.text, str)
    assert "\r" not in decoded.text
