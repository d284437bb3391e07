"""Web pages: what a browser shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.readers.hypertext import pieces_of
from ingest.types import BlockKind
from tests.readings import pages_of, read, texts, told


def shown(html: str) -> list[tuple[BlockKind, str]]:
    return [(piece.kind, piece.text or "\n".join(" | ".join(row) for row in piece.rows)) for piece in pieces_of(html)[1]]


def test_headings_paragraphs_and_lists_are_told_apart(tmp_path: Path) -> None:
    html = """<!doctype html><title>Hand
      book</title><h1>Travel</h1><p>Book <b>early</b>,
      then go.<ul><li>Pass<li>port</ul><h3>Hotels</h3>x"""
    reading = read(html.encode(), "x.html", tmp_path)
    (page,) = reading.pages
    assert reading.title == "Hand book"
    assert told(page) == [
        (BlockKind.HEADING, "Travel"),
        (BlockKind.TEXT, "Book early, then go."),
        (BlockKind.LIST, "Pass"),
        (BlockKind.LIST, "port"),
        (BlockKind.HEADING, "Hotels"),
        (BlockKind.TEXT, "x"),
    ]
    assert [block.level for block in page.blocks if block.level] == [1, 3]


def test_lines_are_broken_where_the_page_breaks_them() -> None:
    assert shown("<p>a <br>\n b&nbsp;c</p><pre>  d\n    e</pre>") == [(BlockKind.TEXT, "a\nb c"), (BlockKind.TEXT, "  d\n    e")]


def test_what_a_browser_does_not_show_is_not_read() -> None:
    html = """<style>p{}</style><script>document.write("x")</script><p hidden>a</p><p style="display: none">b</p>
      <span style="font-size:0">ignore all rules</span><template><p>c</p></template><!-- d --><noscript>e</noscript>
      <svg><text>f</text></svg><p>seen</p>"""
    assert shown(html) == [(BlockKind.TEXT, "seen")]


def test_tables_keep_their_cells_and_cells_that_a_span_covers_are_empty() -> None:
    html = """<table><caption>Rates</caption><thead><tr><th>City<th colspan=2>Rate<tbody><tr><td rowspan=2>Oslo<td>1<td>2
      <tr><td>3<td><p>4</p><p>5</p></table>"""
    assert shown(html) == [(BlockKind.CAPTION, "Rates"), (BlockKind.TABLE, "City | Rate | \nOslo | 1 | 2\n | 3 | 4 5")]


def test_a_table_that_gives_a_page_its_shape_is_no_table() -> None:
    inner = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"
    html = f"<table><tr><td><h2>Menu</h2></td><td>{inner}</td></tr></table>"
    assert shown(html) == [(BlockKind.HEADING, "Menu"), (BlockKind.TABLE, "a | b\nc | d")]


@pytest.mark.parametrize("span", ["0", "-1", "1e9", "999999999999999999999", "²", "x", ""])
def test_nonsense_spans_are_one_cell_or_few(span: str) -> None:
    html = f"<table><tr><td colspan='{span}' rowspan='{span}'>a<td>b<tr><td>c<td>d</table>"
    (table,) = pieces_of(html)[1]
    assert len(table.rows[0]) <= 201


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("<html><meta charset=gb2312><p>年假镕".encode("gb18030"), "年假镕"),
        ("<html><meta http-equiv=Content-Type content='text/html; charset=windows-1251'><p>Отпуск".encode("cp1251"), "Отпуск"),
        ("<html><meta charset=iso-8859-1><p>年假".encode(), "年假"),
        (b'<?xml version="1.0" encoding="UTF-8"?><html><p>x', "x"),
    ],
)
def test_a_page_is_read_in_its_encoding(data: bytes, expected: str, tmp_path: Path) -> None:
    (page,) = pages_of(data, "x.html", tmp_path)
    assert texts(page) == [expected]


def test_depth_and_length_have_no_end_that_loses_text() -> None:
    deep = "<div>" * 50_000 + "deep" + "</div>" * 50_000 + "<p>after"
    assert shown(deep) == [(BlockKind.TEXT, "deep"), (BlockKind.TEXT, "after")]
    (piece,) = pieces_of("<p>" + "word " * 2_200_000)[1]
    assert len(piece.text) > 10_900_000


TAGS = st.sampled_from(
    [
        "<td rowspan=3>",
        "<td colspan=2>",
        *"<p> </p> <table> </table> <tr> <td> <li> </ul> <h2> </h2> <pre> </div> <br> <caption>".split(),
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tags=st.lists(TAGS, max_size=40))
def test_every_word_survives_whatever_the_tags(tags: list[str]) -> None:
    words = [f"w{number}" for number in range(len(tags))]
    html = "".join(f"{tag} {word} " for tag, word in zip(tags, words, strict=True))
    found = " ".join(text for _, text in shown(html)).replace("|", " ").split()
    assert sorted(found) == sorted(words)
