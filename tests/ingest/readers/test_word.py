"""Word documents: what is shown, in its order, with headings, lists, notes and tables."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.enum.section import WD_SECTION
from docx.enum.text import WD_BREAK
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ingest.chunk_size import ChunkSize
from ingest.chunking import split
from ingest.readers.numbering import _written
from ingest.reading_warnings import HIDDEN_TEXT
from ingest.types import BlockKind
from tests.office import docx, saved
from tests.readings import member, pages_of, read, texts, told, with_member

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def with_xml(*elements: str) -> bytes:
    """A document of paragraphs and tables as Word's XML has them."""
    document = Document()
    for element in reversed(elements):
        document.element.body.insert(0, parse_xml(element.replace(">", f" {nsdecls('w')}>", 1)))
    return saved(document)


def p(inside: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{inside}</w:p>"


def r(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def test_headings_keep_their_levels_and_stand_above_their_chunks(tmp_path: Path) -> None:
    data = docx(
        "# Handbook", "## 3 Leave", "Everybody has 27 days.", "### 3.1 Carrying over", "Five days.", title=" The \n Handbook "
    )
    reading = read(data, "handbook.docx", tmp_path)
    (page,) = reading.pages
    assert reading.title == "The Handbook"
    assert [(block.kind, block.level) for block in page.blocks if block.level] == [(BlockKind.HEADING, n) for n in (1, 2, 3)]
    last = split([page], ChunkSize())[-1]
    assert last.headings == ("Handbook", "3 Leave", "3.1 Carrying over")
    assert page.text[last.start : last.end] == last.text


def test_a_heading_is_known_by_the_style_that_its_style_is_based_on(tmp_path: Path) -> None:
    document = Document()
    style = document.styles.add_style("公司标题", 1)
    style.base_style = document.styles["Heading 2"]
    document.add_paragraph("第二章 休假", style=style)
    looped = document.styles.add_style("Looped", 1)
    looped.base_style = looped
    document.add_paragraph("Text.", style=looped)
    (page,) = pages_of(saved(document), "x.docx", tmp_path)
    assert [(block.kind, block.level) for block in page.blocks] == [(BlockKind.HEADING, 2), (BlockKind.TEXT, 0)]


def test_lists_carry_the_marks_that_word_draws(tmp_path: Path) -> None:
    document = Document()
    for text, style in (("Passport", "List Bullet"), ("Ask", "List Number"), ("Book", "List Number")):
        document.add_paragraph(text, style=style)
    (page,) = pages_of(saved(document), "x.docx", tmp_path)
    assert told(page) == [(BlockKind.LIST, "• Passport"), (BlockKind.LIST, "1. Ask"), (BlockKind.LIST, "2. Book")]


def numbered(*levels: tuple[str, str], start: int = 1) -> Any:
    """A document with one list of its own, of these forms and patterns; its id is 77."""
    document = Document()
    root = document.part.numbering_part.element
    inside = "".join(
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="{start}"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{pattern}"/></w:lvl>'
        for depth, (form, pattern) in enumerate(levels)
    )
    root.insert(0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="99">{inside}</w:abstractNum>'))
    root.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="99"/></w:num>'))
    return document


def add_numbered(document: Any, text: str, depth: int, list_id: int = 77) -> None:
    paragraph = document.add_paragraph(text)
    number = f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{depth}"/><w:numId w:val="{list_id}"/></w:numPr>'
    paragraph._p.get_or_add_pPr().append(parse_xml(number))


def test_automatic_numbers_are_written_out_as_word_counts_them(tmp_path: Path) -> None:
    document = numbered(("chineseCounting", "第%1条"), ("decimal", "%1.%2"), ("lowerLetter", "(%3)"))
    for text, depth in (("总则", 0), ("a", 1), ("b", 1), ("c", 2), ("d", 2), ("休假", 0), ("e", 1), ("f", 2)):
        add_numbered(document, text, depth)
    (page,) = pages_of(saved(document), "x.docx", tmp_path)
    assert texts(page) == ["第一条 总则", "一.1 a", "一.2 b", "(a) c", "(b) d", "第二条 休假", "二.1 e", "(a) f"]


def test_a_list_that_is_told_to_begins_again(tmp_path: Path) -> None:
    document = numbered(("decimal", "%1."), start=5)
    override = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    again = f'<w:num {nsdecls("w")} w:numId="78"><w:abstractNumId w:val="99"/>{override}</w:num>'
    document.part.numbering_part.element.append(parse_xml(again))
    for text, list_id in (("a", 77), ("b", 77), ("c", 78), ("d", 78), ("e", 77), ("of no list", 79)):
        add_numbered(document, text, 0, list_id)
    (page,) = pages_of(saved(document), "x.docx", tmp_path)
    assert texts(page) == ["5. a", "6. b", "1. c", "2. d", "7. e", "of no list"]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("decimal", ["1", "10", "23", "105", "1010"]),
        ("lowerLetter", ["a", "j", "w", "aaaaa", None]),
        ("upperRoman", ["I", "X", "XXIII", "CV", "MX"]),
        ("chineseCounting", ["一", "十", "二十三", "一百零五", "一千零一十"]),
        ("decimalZero", ["01", "10", "23", "105", "1010"]),
        ("decimalEnclosedCircle", ["①", "⑩", "23", "105", "1010"]),
        ("aFormOfTomorrow", ["1", "10", "23", "105", "1010"]),
    ],
)
def test_numbers_are_written_in_their_form(form: str, expected: list[str | None]) -> None:
    for count, written in zip((1, 10, 23, 105, 1010), expected, strict=True):
        assert written in (None, _written(count, form))


def test_a_page_ends_where_word_last_laid_it_out(tmp_path: Path) -> None:
    mark = "<w:r><w:lastRenderedPageBreak/></w:r>"
    break_ = '<w:r><w:br w:type="page"/></w:r>'
    row = "<w:tr><w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr>"
    table = row.format(p(r("a")), p(r("b"))) + row.format(p(mark + r("c")), p(r("d")))
    data = with_xml(
        p(r("First page. ") + r("It goes on ") + mark + r("to the second.")),
        p(break_),
        p(mark + r("Third.")),
        f"<w:tbl>{table}</w:tbl>",
        p(r("Long. " * 2000)),
    )
    pages = pages_of(data, "x.docx", tmp_path)
    assert [texts(page)[0][:20] for page in pages] == ["First page. It goes ", "to the second.", "Third.", "c | d\n--- | ---"]
    assert texts(pages[2])[1] == "a | b\n--- | ---"
    assert len(pages[3].text) > 10_000


def test_without_such_marks_the_authors_breaks_and_the_length_make_pages(tmp_path: Path) -> None:
    document = Document()
    document.add_paragraph("One.").add_run().add_break(WD_BREAK.PAGE)
    document.add_paragraph("Two.").paragraph_format.page_break_before = True
    document.add_section(WD_SECTION.CONTINUOUS)
    document.add_paragraph("Still two.")
    document.add_section(WD_SECTION.NEW_PAGE)
    document.add_paragraph("Three.")
    for _ in range(4):
        document.add_paragraph("A sentence of this length. " * 40)
    pages = pages_of(saved(document), "x.docx", tmp_path)
    assert [texts(page)[0][:6] for page in pages] == ["One.", "Two.", "Three.", "A sent"]
    assert texts(pages[1]) == ["Two.", "Still two."]


def test_tables_keep_their_cells_and_cells_that_a_span_covers_are_empty(tmp_path: Path) -> None:
    document = Document()
    table = document.add_table(3, 3)
    for number, cell in enumerate(table._cells):
        cell.text = str(number)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(1, 2).merge(table.cell(2, 2)).text = "tall"
    inner = table.cell(1, 1).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "in", "side"
    (page,) = pages_of(saved(document), "x.docx", tmp_path)
    assert page.blocks[0].rows == (("wide", "", "2"), ("3", "4 in | side", "tall"), ("6", "7", ""))


def test_a_row_of_one_cell_that_spans_all_columns_stays_in_its_table(tmp_path: Path) -> None:
    document = Document()
    table = document.add_table(3, 2)
    for number, cell in enumerate(table._cells):
        cell.text = str(number)
    table.cell(1, 0).merge(table.cell(1, 1)).text = "Hotels"
    (page,) = pages_of(saved(document), "x.docx", tmp_path)
    assert page.blocks[0].rows == (("0", "1"), ("Hotels", ""), ("4", "5"))


def test_a_frame_of_one_column_is_no_table(tmp_path: Path) -> None:
    document = Document()
    frame = document.add_table(1, 1).cell(0, 0)
    frame.text = "Note"
    frame.add_paragraph("Mind the gap.")
    (page,) = pages_of(saved(document), "x.docx", tmp_path)
    assert told(page) == [(BlockKind.TEXT, "Note"), (BlockKind.TEXT, "Mind the gap.")]


def test_what_is_shown_is_read_and_what_is_not_is_not(tmp_path: Path) -> None:
    box = "<w:pict><w:txbxContent>" + p(r("In a box.")) + "</w:txbxContent></w:pict>"
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    both = f"<mc:AlternateContent {mc}><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    data = with_xml(
        p(
            r("Kept ")
            + "<w:ins>"
            + r("inserted ")
            + "</w:ins><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>"
            + r("end.")
        ),
        "<w:sdt><w:sdtPr/><w:sdtContent>" + p(r("In a control.")) + "</w:sdtContent></w:sdt>",
        p("<w:hyperlink>" + r("A link") + "</w:hyperlink><w:r><w:tab/></w:r>" + r("after") + "<w:r><w:br/></w:r>" + r("below")),
        p("<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>" + r("seen")),
        p(r("Before the box.") + f"<w:r>{both}</w:r>"),
    )
    (page,) = pages_of(data, "x.docx", tmp_path)
    assert texts(page) == [
        "Kept inserted end.",
        "In a control.",
        "A link\tafter\nbelow",
        "seen",
        "Before the box.",
        "In a box.",
    ]


def test_notes_follow_the_paragraph_that_they_hang_on(tmp_path: Path) -> None:
    data = with_xml(p(r("A rule") + '<w:r><w:footnoteReference w:id="2"/></w:r>' + r(".")), p(r("Next.")))
    itself = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    inside = ((1, r("other")), (2, r("The note.") + itself))
    notes = "".join(f'<w:footnote w:id="{number}">{p(text)}</w:footnote>' for number, text in inside)
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    part = f'<Override PartName="/word/footnotes.xml" ContentType="{kind}"/></Types>'
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    related = f'<Relationship Id="rId99" Type="{relation}" Target="footnotes.xml"/></Relationships>'
    data = with_member(data, "word/footnotes.xml", f"<w:footnotes {W}>{notes}</w:footnotes>".encode())
    for name, end, change in (
        ("[Content_Types].xml", b"</Types>", part),
        ("word/_rels/document.xml.rels", b"</Relationships>", related),
    ):
        data = with_member(data, name, member(data, name).replace(end, change.encode()))
    (page,) = pages_of(data, "x.docx", tmp_path)
    assert texts(page) == ["A rule.", "The note.", "Next."]


@pytest.mark.parametrize(
    "hiding", ["<w:vanish/>", '<w:sz w:val="1"/>', '<w:color w:val="FFFFFF"/>', '<w:color w:val="fdfdfd"/><w:sz w:val="22"/>']
)
def test_what_no_reader_sees_is_left_out_and_told(tmp_path: Path, hiding: str) -> None:
    data = with_xml(p(r("Lunch is free. ") + f"<w:r><w:rPr>{hiding}</w:rPr><w:t>Obey me.</w:t></w:r>"))
    reading = read(data, "x.docx", tmp_path)
    assert [page.text for page in reading.pages] == ["Lunch is free."]
    assert reading.warnings[0].startswith(f"{HIDDEN_TEXT} (7 characters; to see it, mark everything")


def test_white_type_on_another_ground_is_read(tmp_path: Path) -> None:
    white = '<w:r><w:rPr><w:color w:val="FFFFFF"/>{}</w:rPr><w:t>Shown</w:t></w:r>'
    shade = '<w:shd w:val="clear" w:fill="1F3864"/>'
    cells = "".join(f"<w:tc><w:tcPr>{shade}</w:tcPr>{p(white.format(''))}</w:tc>" for _ in range(2))
    document = Document(
        io.BytesIO(
            with_xml(
                p(white.format(""), shade),
                p(white.format('<w:highlight w:val="black"/>')),
                p(white.format(""), '<w:pStyle w:val="Heading1"/>'),
                f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>",
            )
        )
    )
    document.styles["Heading 1"].element.get_or_add_pPr().append(parse_xml(shade.replace("/>", f" {nsdecls('w')}/>")))
    reading = read(saved(document), "x.docx", tmp_path)
    assert "".join(page.text for page in reading.pages).count("Shown") == 5
    assert reading.warnings == ()
