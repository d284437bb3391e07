"""The company's own terms: what a file may say, and what is said of one that may not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import InputRefused
from ingest.glossary import NAME_UNITS, Glossary, read_glossary

HEADER = "term,translation,synonyms\n"


def glossary(folder: Path, text: str, encoding: str = "utf-8") -> Glossary:
    path = folder / "terms.csv"
    path.write_bytes(text.encode(encoding))
    return read_glossary(path)


def test_every_name_of_a_row_leads_to_all_others(tmp_path: Path) -> None:
    found = glossary(tmp_path, HEADER + "带薪假,paid leave,PTO;特休\n")
    assert set(found.others("带 薪 假")) == {("paid", "leav"), ("pto",), ("特", "休")}
    assert set(found.others("pto")) == {("带", "薪", "假"), ("paid", "leav"), ("特", "休")}
    assert found.others("invoic") == ()


@pytest.mark.parametrize("text", [HEADER, "Term, Translation ,Synonyms\n", '"term","translation","synonyms"\r\n'])
def test_the_header_may_be_written_as_spreadsheets_do(tmp_path: Path, text: str) -> None:
    assert len(glossary(tmp_path, text + "发票,invoice\n\n,,\n")) == 2


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert len(glossary(tmp_path, HEADER + "发票,invoice,\n", "utf-8-sig")) == 2


def test_a_name_in_two_rows_has_the_others_of_both(tmp_path: Path) -> None:
    found = glossary(tmp_path, HEADER + "假,leave,\n假,holiday,\n")
    assert set(found.others("假")) == {("leav",), ("holiday",)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("word,translation\n", "terms.csv:1: the header is 'word,translation'; it must read term,translation,synonyms"),
        ("", "terms.csv:1: the header is ''"),
        (HEADER + "发票\n", "terms.csv:2: 1 cells"),
        (HEADER + "ok,好\na,b,c,d\n", "terms.csv:3: 4 cells ('a,b,c,d'); two or three are allowed"),
        (HEADER + ",invoice,\n", "terms.csv:2: the term is empty"),
        (HEADER + "发票,,\n", "terms.csv:2: '发票' has neither a translation nor a synonym"),
        (HEADER + "发票,???,\n", "terms.csv:2: '???' holds no word that is searched"),
        (HEADER + "invoice,invoices,\n", "one and the same word"),
        (HEADER + "发票," + "word " * (NAME_UNITS + 1) + ",\n", f"at most {NAME_UNITS}"),
        (HEADER + "发票," + "x" * 5000 + ",\n", "give the term alone"),
        (HEADER + 'a,"b\n', "not CSV"),
    ],
)
def test_a_row_that_cannot_be_taken_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputRefused) as refused:
        glossary(tmp_path, text)
    assert said in str(refused.value)


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"terms\.csv:2: not UTF-8"):
        glossary(tmp_path, HEADER + "发票,invoice,\n", "gb18030")


def test_a_file_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"search\.glossary"):
        read_glossary(tmp_path / "none.csv")
    with pytest.raises(InputRefused, match=r"search\.glossary"):
        read_glossary(tmp_path)


@given(st.text())
def test_any_text_is_a_glossary_or_is_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    try:
        glossary(folder, HEADER + text, "utf-8") if text.isprintable() else None
    except InputRefused as refused:
        assert "terms.csv" in str(refused)
