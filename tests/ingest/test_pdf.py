"""Text of a PDF with its places: spans index into the page's text, boxes lie where a reader sees the words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pymupdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.layout import boxes_of_span, page_from_row, page_to_row
from ingest.pdf import open_pdf, read_pages, read_title, render_png
from ingest.settings import ReadLimits
from ingest.types import BlockKind, Page
from tests.fakes import pdf

LIMITS = ReadLimits()


def read(data: bytes, folder: Path) -> list[Page]:
    path = folder / "file.pdf"
    path.write_bytes(data)
    with open_pdf(path, limits=LIMITS) as document:
        return list(read_pages(document, limits=LIMITS))


def drawn(*items: tuple[tuple[float, float], str, float], size: tuple[float, float] = (595, 842)) -> Any:
    """A document of one page with each text at its place in its size."""
    document = pymupdf.open()
    page = document.new_page(width=size[0], height=size[1])
    for place, text, points in items:
        page.insert_text(place, text, fontsize=points, fontname="china-s" if ord(max(text)) > 0x2E80 else "helv")
    return document


def assert_sound(page: Page) -> None:
    """The invariants of `ingest.pdf`."""
    end = 0
    for block in page.blocks:
        assert end <= block.start < block.end <= len(page.text)
        assert block.start == 0 or page.text[end : block.start] == "\n\n"
        end = block.end
    assert end == len(page.text)
    end = 0
    for line in page.lines:
        assert end <= line.start < line.end <= len(page.text)
        assert page.text[line.start : line.end].strip() == page.text[line.start : line.end] != ""
        end = line.end
    for box in [*(block.bbox for block in page.blocks), *(line.bbox for line in page.lines)]:
        assert 0 <= box[0] <= box[2] <= page.width
        assert 0 <= box[1] <= box[3] <= page.height
    assert page_from_row(type("Row", (), page_to_row("", page))) == page


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=40)
HAN = st.text(st.sampled_from("年假十五天差旅费用报销标准，。；（）《》安全"), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        st.tuples(st.tuples(st.floats(-40, 620), st.floats(-20, 860)), WORDS | HAN, st.sampled_from([6, 11, 11, 18])),
        min_size=1,
        max_size=12,
    ),
    rotation=st.sampled_from([0, 0, 90, 180, 270]),
)
def test_spans_and_boxes_are_sound_whatever_is_printed_where(tmp_path: Path, texts: Any, rotation: int) -> None:
    document = drawn(*texts)
    document[0].set_rotation(rotation)
    (page,) = read(document.tobytes(), tmp_path)
    assert_sound(page)


def test_lines_of_a_paragraph_are_joined_by_one_space_and_chinese_ones_by_nothing(tmp_path: Path) -> None:
    english = "Every employee has twenty-seven days of paid holiday in each calendar year, and may carry over five of them."
    chinese = (
        "每位正式员工每个日历年享有十五天带薪年假，未使用的年假可以顺延至次年三月底，逾期未使用的年假自动作废，不再另行补偿。"
    )
    pages = read(pdf(english, chinese), tmp_path)
    assert [page.text for page in pages] == [english, chinese]
    assert all(len(page.lines) > 1 and len(page.blocks) == 1 for page in pages)
    for page in pages:
        assert_sound(page)


def test_a_large_or_bold_line_is_a_heading_of_its_own(tmp_path: Path) -> None:
    body = "The body of the text is set in eleven points and ends with a full stop."
    document = drawn(((60, 100), "3 Travel rules", 16), ((60, 125), body, 11), ((60, 140), body, 11))
    document[0].insert_text((60, 180), "Hotels", fontsize=11, fontname="hebo")
    document[0].insert_text((60, 195), body, fontsize=11)
    (page,) = read(document.tobytes(), tmp_path)
    told = [(block.kind, page.text[block.start : block.end].split()[0]) for block in page.blocks]
    assert told == [
        (BlockKind.HEADING, "3"),
        (BlockKind.TEXT, "The"),
        (BlockKind.HEADING, "Hotels"),
        (BlockKind.TEXT, "The"),
    ]


def test_list_items_stand_on_lines_of_their_own(tmp_path: Path) -> None:
    document = drawn(
        ((60, 100), "• Passport and visa", 11), ((60, 114), "• Tickets of the railway", 11), ((60, 128), "• Money", 11)
    )
    (page,) = read(document.tobytes(), tmp_path)
    assert page.text.splitlines() == ["· Passport and visa", "· Tickets of the railway", "· Money"]
    assert {block.kind for block in page.blocks} == {BlockKind.LIST}


def ruled_table(rows: list[list[str]], *, page: Any, left: float = 80, top: float = 200) -> None:
    width, height = 110, 24
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            box = pymupdf.Rect(
                left + column * width, top + number * height, left + (column + 1) * width, top + (number + 1) * height
            )
            page.draw_rect(box, width=0.7)
            font = "china-s" if text and ord(max(text)) > 0x2E80 else "helv"
            page.insert_text((box.x0 + 4, box.y0 + 16), text, fontsize=10, fontname=font)


def turned(document: Any, rotation: int) -> Any:
    """The page as scanners and plotters write it: its content lies on its side, and the page's rotation sets it upright."""
    other = pymupdf.open()
    width, height = document[0].rect.width, document[0].rect.height
    page = other.new_page(width=height if rotation % 180 else width, height=width if rotation % 180 else height)
    page.show_pdf_page(page.rect, document, 0, rotate=rotation)
    page.set_rotation(rotation)
    return other


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_numbers_of_a_table_are_exact(tmp_path: Path, rotation: int) -> None:
    rows = [
        ["Year", "Revenue", "Share"],
        ["2023", "21,012", "-4.5 %"],
        ["2024", "1,234,567.89", "(0.3)"],
        ["合计", "￥3,000", ""],
    ]
    document = drawn(((80, 150), "The figures of both years stand in the table.", 11))
    ruled_table(rows, page=document[0])
    document[0].insert_text((80, 340), "After the table the text goes on.", fontsize=11)
    (page,) = read(turned(document, rotation).tobytes(), tmp_path)
    assert_sound(page)
    assert (page.width, page.height) == (595.0, 842.0)
    (table,) = [block for block in page.blocks if block.kind is BlockKind.TABLE]
    assert table.rows == tuple(map(tuple, rows))
    as_markdown = [rows[0], ["---"] * 3, *rows[1:]]
    assert page.text[table.start : table.end] == "\n".join(" | ".join(row) for row in as_markdown)
    start = page.text.index("21,012")
    (box,) = boxes_of_span(page, start, start + len("21,012"))
    assert (box[0], box[1]) == pytest.approx((190, 224), abs=1)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_text_that_stands_on_its_side_is_read_as_if_it_stood_upright(tmp_path: Path, turn: int) -> None:
    upright = drawn(((80, 150), "The figures of both years stand in the table below this line of text.", 11))
    ruled_table([["Year", "Revenue"], ["2023", "21,012"]], page=upright[0])
    document = pymupdf.open()
    page = document.new_page(width=842 if turn % 180 else 595, height=595 if turn % 180 else 842)
    page.show_pdf_page(page.rect, upright, 0, rotate=turn)
    (read_page,) = read(document.tobytes(), tmp_path)
    assert_sound(read_page)
    assert (read_page.width, read_page.height) == (page.rect.width, page.rect.height)
    assert [block.kind for block in read_page.blocks] == [BlockKind.TEXT, BlockKind.TABLE]
    (found,) = document[0].search_for("21,012")
    start = read_page.text.index("21,012")
    (box,) = boxes_of_span(read_page, start, start + 6)
    assert (found[0] + found[2]) / 2 == pytest.approx((box[0] + box[2]) / 2, abs=60)
    assert (found[1] + found[3]) / 2 == pytest.approx((box[1] + box[3]) / 2, abs=60)


def test_a_frame_around_text_is_no_table(tmp_path: Path) -> None:
    document = drawn(((80, 150), "Only a remark in a box that somebody drew around it.", 11))
    for margin in (0, 4):
        document[0].draw_rect(pymupdf.Rect(70 - margin, 130 - margin, 500 + margin, 170 + margin))
    (page,) = read(document.tobytes(), tmp_path)
    assert [block.kind for block in page.blocks] == [BlockKind.TEXT]


def ink(data: bytes, path: Path, boxes: list[Any]) -> Any:
    path.write_bytes(data)
    with open_pdf(path, limits=LIMITS) as document:
        return pymupdf.Pixmap(render_png(document, 1, boxes=boxes, dpi=72, limits=LIMITS))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("cropped", [False, True])
def test_a_marked_quote_is_marked_where_it_is_printed(tmp_path: Path, rotation: int, cropped: bool) -> None:
    document = drawn(((60, 130), "Marked words", 12), size=(200, 260))
    if cropped:
        document[0].set_cropbox(pymupdf.Rect(30, 50, 180, 230))
    document[0].set_rotation(rotation)
    data = document.tobytes()
    (page,) = read(data, tmp_path)
    assert_sound(page)
    (box,) = [line.bbox for line in page.lines]
    plain, marked = ink(data, tmp_path / "a.pdf", []), ink(data, tmp_path / "b.pdf", [box])
    assert (plain.width, plain.height) == (round(page.width), round(page.height)) == (marked.width, marked.height)
    dark = [(x, y) for x in range(plain.width) for y in range(plain.height) if sum(plain.pixel(x, y)[:3]) < 300]
    assert dark
    for x, y in dark:
        assert box[0] - 1 <= x <= box[2] + 1
        assert box[1] - 1 <= y <= box[3] + 1
        assert marked.pixel(x, y) != plain.pixel(x, y) or sum(marked.pixel(x, y)[:3]) < 300
    inside = [(x, y) for x in range(plain.width) for y in range(plain.height) if plain.pixel(x, y) != marked.pixel(x, y)]
    assert min(x for x, _ in inside) >= box[0] - 40
    assert max(x for x, _ in inside) <= box[2] + 40


def test_what_lies_outside_the_page_is_not_read(tmp_path: Path) -> None:
    document = drawn(((100, 200), "On the page", 11), ((100, 950), "Below the page", 11), ((700, 200), "Beside the page", 11))
    (page,) = read(document.tobytes(), tmp_path)
    assert page.text == "On the page"


def test_the_title_is_the_metadatas_in_one_line(tmp_path: Path) -> None:
    for given_title, expected in (("  Employee \n handbook ", "Employee handbook"), ("员工手册", "员工手册"), ("", "")):
        (tmp_path / "file.pdf").write_bytes(pdf("Text.", title=given_title))
        with open_pdf(tmp_path / "file.pdf", limits=LIMITS) as document:
            assert read_title(document) == expected


def test_boxes_of_a_span_cover_just_its_part_of_each_line(tmp_path: Path) -> None:
    text = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen."
    (page,) = read(pdf(text), tmp_path)
    start = page.text.index("three")
    (box,) = boxes_of_span(page, start, start + len("three four"))
    line = next(line for line in page.lines if line.start <= start < line.end)
    assert line.bbox[0] < box[0] < box[2] < line.bbox[2]
    whole = boxes_of_span(page, 0, len(page.text))
    assert whole == tuple(line.bbox for line in page.lines)
    assert boxes_of_span(page, 3, 3) == ()
