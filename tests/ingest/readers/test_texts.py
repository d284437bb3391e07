"""Plain text, Markdown, and tables of values in text."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.types import BlockKind
from tests.readings import pages_of, read, texts, told


def test_paragraphs_of_a_text_are_as_they_are_written(tmp_path: Path) -> None:
    text = "\ufeffFirst line\r\nsecond line\r\n\r\n \r\n    indented  \r\n\x0cNext page\n"
    first, second = pages_of(text.encode(), "x.txt", tmp_path)
    assert texts(first) == ["First line\nsecond line", "    indented"]
    assert second.text == "Next page"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-16"])
def test_a_chinese_text_is_read_in_any_usual_encoding(encoding: str, tmp_path: Path) -> None:
    text = "第一条 员工每年享有十五天带薪年假。\n\n第二条 未使用的年假可以顺延。"
    (page,) = pages_of(text.encode(encoding), "规定.txt", tmp_path)
    assert page.text == text


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    reading = read("年假十五天。".encode() * 200 + b"\xfe", "x.txt", tmp_path)
    assert reading.warnings == ("1 places could not be read as utf-8: they show \N{REPLACEMENT CHARACTER}",)


def test_markdown_is_read_as_it_is_shown(tmp_path: Path) -> None:
    text = """---
title: "Travel rules"
---
# Travel
Book *early* at [the desk](http://x.example) with `form 7`.

1. Pass
2. Port
   - visa

| City | Rate |
|------|-----:|
| Oslo | 21,012 |

    code  stays

<div>in <b>HTML</b><script>x</script></div>

Hotels
------
> quoted
"""
    reading = read(text.encode(), "rules.md", tmp_path)
    (page,) = reading.pages
    assert reading.title == "Travel rules"
    assert told(page) == [
        (BlockKind.HEADING, "Travel"),
        (BlockKind.TEXT, "Book early at the desk with form 7."),
        (BlockKind.LIST, "Pass"),
        (BlockKind.LIST, "Port"),
        (BlockKind.LIST, "visa"),
        (BlockKind.TABLE, "City | Rate\n--- | ---\nOslo | 21,012"),
        (BlockKind.TEXT, "code  stays"),
        (BlockKind.TEXT, "in HTML"),
        (BlockKind.HEADING, "Hotels"),
        (BlockKind.TEXT, "quoted"),
    ]
    assert [block.level for block in page.blocks if block.level] == [1, 2]


def test_a_rule_at_the_beginning_of_markdown_is_no_front_matter(tmp_path: Path) -> None:
    reading = read(b"---\n\nOnly a rule above.\n", "x.md", tmp_path)
    assert (reading.title, [page.text for page in reading.pages]) == ("", ["Only a rule above."])


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_cells_are_parted_by_what_stands_equally_often_in_each_line(mark: str, tmp_path: Path) -> None:
    rows = [["Article", "Price, net", "Note"], ["KX-1", "12,50", 'said "yes"'], ["KX-2", "7,00", "two\nlines"]]
    text = "\r\n".join(mark.join('"{}"'.format(cell.replace('"', '""')) for cell in row) for row in rows)
    (page,) = pages_of(text.encode("utf-8-sig"), "prices.csv", tmp_path)
    (table,) = page.blocks
    assert table.rows == (("Article", "Price, net", "Note"), ("KX-1", "12,50", 'said "yes"'), ("KX-2", "7,00", "two lines"))


def test_a_tsv_is_parted_by_tabs_and_one_column_is_lines(tmp_path: Path) -> None:
    (page,) = pages_of(b"a,b\tc\n1\t2\n", "x.tsv", tmp_path)
    assert page.blocks[0].rows == (("a,b", "c"), ("1", "2"))
    (page,) = pages_of(b"first\nsecond\n", "x.csv", tmp_path)
    assert texts(page) == ["first", "second"]


def test_nul_bytes_in_a_table_are_left_out(tmp_path: Path) -> None:
    rows = "\n".join(f"KX-{number},{number}" for number in range(100))
    (page,) = pages_of(f"Article,Price\n{rows}\nKX-\x00101,5".encode(), "x.csv", tmp_path)
    assert page.blocks[0].rows[-1] == ("KX-101", "5")
