"""Chunks are passages of whole sentences: nothing is lost, nothing stands twice, and every character is the page's own."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.chunking import chunking_of, split
from ingest.cleaning import content_blocks
from ingest.sentences import sentence_spans
from ingest.settings import IngestSettings
from ingest.types import Block, BlockKind, Line, Page

SETTINGS = IngestSettings(chunk_characters=200, chunk_characters_han=60)


def page_of(*blocks: tuple[BlockKind, str], number: int = 1, places: list[float] | None = None) -> Page:
    """A page of these blocks, one below the other in the middle of the page unless `places` says where their tops are."""
    text, made, lines = "", [], []
    for place, (kind, words) in enumerate(blocks):
        if text:
            text += "\n\n"
        top = places[place] if places else 200.0 + 10 * place
        size = 18.0 if kind is BlockKind.HEADING else 10.0
        box = (60.0, top, 500.0, top + size)
        rows = tuple(tuple(row.split(" | ")) for row in words.split("\n")) if kind is BlockKind.TABLE else ()
        made.append(Block(kind, len(text), len(text) + len(words), box, rows))
        lines.append(Line(len(text), len(text) + len(words), box))
        text += words
    return Page(number, 595.0, 842.0, text, tuple(made), tuple(lines))


ENGLISH = st.lists(
    st.sampled_from("the pump holds 12 bar. No. 5 fails, e.g. at night! Is it? yes; “quoted.” (aside)".split()),
    min_size=1,
    max_size=80,
)
CHINESE = st.text(st.sampled_from("年假十五天，差旅费。报销！吗？安；（全）“标”准 A1\n"), min_size=1, max_size=200)
SPACELESS = st.text(st.sampled_from("abc"), min_size=1, max_size=700)
TABLE = st.lists(
    st.tuples(st.sampled_from(["Pump 7", "泵 8", ""]), st.sampled_from(["21,012", "-4.5 %", "x" * 90])), min_size=2, max_size=30
)


@st.composite
def blocks(draw: Any) -> list[tuple[BlockKind, str]]:
    made = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from([BlockKind.TEXT, BlockKind.TEXT, BlockKind.LIST, BlockKind.HEADING, BlockKind.TABLE]))
        if kind is BlockKind.TABLE:
            text = "\n".join(" | ".join(row) for row in draw(TABLE))
        elif kind is BlockKind.HEADING:
            text = draw(st.sampled_from(["1 Travel", "1.1 Hotels", "第二章 安全", "Annex"]))
        else:
            text = draw(ENGLISH.map(" ".join) | CHINESE | SPACELESS)
        if text.strip():
            made.append((kind, text.strip()))
    return made or [(BlockKind.TEXT, "Something.")]


@settings(max_examples=80, deadline=None)
@given(st.lists(blocks(), min_size=1, max_size=3))
@example([[(BlockKind.TABLE, "Pump 7 | 21,012\nPump 8 | -4.5 %")]] * 3)  # the same on every page: content once
def test_chunks_are_slices_of_their_page_in_order_and_hold_all_content_once(
    pages_of_blocks: list[list[tuple[BlockKind, str]]],
) -> None:
    pages = [page_of(*made, number=number) for number, made in enumerate(pages_of_blocks, start=1)]
    chunks = split(pages, SETTINGS)
    for chunk in chunks:
        assert chunk.text == pages[chunk.page - 1].text[chunk.start : chunk.end]
        assert chunk.text.strip()
    for one, after in pairwise(chunks):
        assert (one.page, one.end) <= (after.page, after.start)
    for page, kept in zip(pages, content_blocks(pages), strict=True):
        held = "".join(chunk.text for chunk in chunks if chunk.page == page.number)
        content = "".join(page.text[block.start : block.end] for block in kept)
        assert "".join(held.split()) == "".join(content.split())


@settings(max_examples=80, deadline=None)
@given(blocks())
def test_a_sentence_or_a_row_that_fits_is_whole_in_exactly_one_chunk(made: list[tuple[BlockKind, str]]) -> None:
    page = page_of(*made)
    chunks = split([page], SETTINGS)
    for block in page.blocks:
        body = page.text[block.start : block.end]
        if block.kind is BlockKind.TABLE:
            rows, start = [], 0
            for row in body.split("\n"):
                rows.append((start, start + len(row)))
                start += len(row) + 1
            spans = [(s, e) for s, e in rows if body[s:e].strip(" |")]
        else:
            spans = sentence_spans(body)
        for start, end in spans:
            if end - start > SETTINGS.chunk_characters_han:
                continue
            inside = [c for c in chunks if c.start <= block.start + start and block.start + end <= c.end]
            assert len(inside) == 1, page.text[block.start + start : block.start + end]


@settings(max_examples=60, deadline=None)
@given(blocks())
def test_no_chunk_is_longer_than_its_limit(made: list[tuple[BlockKind, str]]) -> None:
    for chunk in split([page_of(*made)], SETTINGS):
        assert len(chunk.text) <= SETTINGS.chunk_characters


def test_a_chunk_knows_the_headings_above_it_across_pages() -> None:
    chapter, section = (BlockKind.HEADING, "1 Travel"), (BlockKind.HEADING, "Hotels")
    first = page_of(chapter, (BlockKind.TEXT, "All travel is approved."), section, (BlockKind.TEXT, "Hotels are paid."))
    lines = tuple(
        replace(line, bbox=(60, line.bbox[1], 500, line.bbox[1] + 13)) if "Hotels" in first.text[line.start : line.end] else line
        for line in first.lines
    )
    second = page_of((BlockKind.TEXT, "Breakfast too."), (BlockKind.HEADING, "2 Leave"), (BlockKind.TEXT, "Ask early."), number=2)
    chunks = split([replace(first, lines=lines), second], SETTINGS)
    assert [(chunk.headings, chunk.text.split("\n\n")[-1]) for chunk in chunks] == [
        (("1 Travel",), "All travel is approved."),
        (("1 Travel", "Hotels"), "Hotels are paid."),
        (("1 Travel", "Hotels"), "Breakfast too."),
        (("2 Leave",), "Ask early."),
    ]


def test_running_headers_and_page_numbers_are_in_no_chunk() -> None:
    pages = [
        page_of(
            (BlockKind.TEXT, f"Northwind Ltd · Handbook · {number}"),
            (BlockKind.TEXT, f"Content of page {number}."),
            (BlockKind.TEXT, f"Page {number} of 4"),
            number=number,
            places=[30.0, 400.0, 810.0],
        )
        for number in range(1, 5)
    ]
    assert [chunk.text for chunk in split(pages, SETTINGS)] == [f"Content of page {number}." for number in range(1, 5)]


def test_a_line_in_the_margin_that_does_not_repeat_is_content() -> None:
    page = page_of((BlockKind.TEXT, "Valid from the first of May."), (BlockKind.TEXT, "第 3 页"), places=[30.0, 815.0])
    assert [[page.text[b.start : b.end] for b in kept] for kept in content_blocks([page])] == [["Valid from the first of May."]]


def test_what_is_stamped_on_every_page_is_content_once_and_never_comes_back_inside_a_chunk() -> None:
    stamp = "Confidential: for the staff of Northwind Ltd only"
    pages = [
        page_of(
            (BlockKind.TEXT, f"Beginning of page {number}."),
            (BlockKind.TEXT, stamp),
            (BlockKind.TEXT, "Name:"),
            (BlockKind.TEXT, f"End of page {number}."),
            number=number,
            places=[200.0, 400.0, 420.0, 440.0],
        )
        for number in range(1, 5)
    ]
    chunks = split(pages, SETTINGS)
    assert [chunk.page for chunk in chunks if stamp in chunk.text] == [1]
    for number in range(1, 5):
        held = " ".join(chunk.text for chunk in chunks if chunk.page == number)
        assert all(words in held for words in (f"Beginning of page {number}.", "Name:", f"End of page {number}."))


def test_what_stands_at_different_places_or_differs_is_no_stamp() -> None:
    note = "The inspection is repeated after 500 hours."
    moving = [page_of((BlockKind.TEXT, note), number=number, places=[200.0 + 50 * number]) for number in range(1, 5)]
    counting = [page_of((BlockKind.TEXT, f"{note} Round {number}"), number=number) for number in range(1, 5)]
    for pages in (moving, counting):
        assert len(split(pages, SETTINGS)) == 4


def test_on_pages_without_a_picture_nothing_has_a_place_so_nothing_is_stamped_or_in_a_margin() -> None:
    note, pages = "This sheet is valid for the staff of Northwind Ltd.", []
    for number in range(1, 5):
        end = len(f"{note}\n\nPage {number}")
        blocks = (Block(BlockKind.TEXT, 0, len(note), None), Block(BlockKind.TEXT, len(note) + 2, end, None))
        pages.append(Page(number, 0.0, 0.0, f"{note}\n\nPage {number}", blocks))
    assert [chunk.text for chunk in split(pages, SETTINGS)] == [page.text for page in pages]


def test_a_chunk_knows_its_language() -> None:
    page = page_of((BlockKind.HEADING, "1 Leave"), (BlockKind.TEXT, "The staff is entitled to 27 days of leave."))
    other = page_of((BlockKind.HEADING, "年假"), (BlockKind.TEXT, "全职员工每年享有二十七天年休假。"), number=2)
    assert [chunk.language for chunk in split([page, other], SETTINGS)] == ["en", "zh"]


def test_the_name_of_a_way_of_splitting_follows_its_sizes() -> None:
    assert chunking_of(SETTINGS) == chunking_of(IngestSettings(chunk_characters=200, chunk_characters_han=60))
    assert chunking_of(SETTINGS) != chunking_of(IngestSettings(chunk_characters=201, chunk_characters_han=60))


def test_a_document_without_text_has_no_chunks() -> None:
    assert split([Page(1, 595.0, 842.0, ""), Page(2, 595.0, 842.0, "")], SETTINGS) == []
    assert split([], SETTINGS) == []
