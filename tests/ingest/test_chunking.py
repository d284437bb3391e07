"""Chunks are passages of whole sentences: nothing is lost, nothing stands twice, and every character is the page's own."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.chunk_size import ChunkSize, estimated_tokens
from ingest.chunking import chunking_of, section_around, split
from ingest.cleaning import content_blocks
from ingest.sentences import sentence_spans
from ingest.types import Block, BlockKind, Line, Page

SIZE = ChunkSize(tokens=40)


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
    chunks = split(pages, SIZE)
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
    chunks = split([page], SIZE)
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
            if not SIZE.holds(body[start:end]):
                continue
            inside = [c for c in chunks if c.start <= block.start + start and block.start + end <= c.end]
            assert len(inside) == 1, page.text[block.start + start : block.start + end]


@settings(max_examples=60, deadline=None)
@given(blocks())
def test_no_chunk_is_longer_than_its_limit(made: list[tuple[BlockKind, str]]) -> None:
    for chunk in split([page_of(*made)], SIZE):
        assert estimated_tokens(chunk.text) <= SIZE.tokens


def test_a_chunk_knows_the_headings_above_it_across_pages() -> None:
    chapter, section = (BlockKind.HEADING, "1 Travel"), (BlockKind.HEADING, "Hotels")
    first = page_of(chapter, (BlockKind.TEXT, "All travel is approved."), section, (BlockKind.TEXT, "Hotels are paid."))
    lines = tuple(
        replace(line, bbox=(60, line.bbox[1], 500, line.bbox[1] + 13)) if "Hotels" in first.text[line.start : line.end] else line
        for line in first.lines
    )
    second = page_of((BlockKind.TEXT, "Breakfast too."), (BlockKind.HEADING, "2 Leave"), (BlockKind.TEXT, "Ask early."), number=2)
    chunks = split([replace(first, lines=lines), second], SIZE)
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
    assert [chunk.text for chunk in split(pages, SIZE)] == [f"Content of page {number}." for number in range(1, 5)]


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
    chunks = split(pages, SIZE)
    assert [chunk.page for chunk in chunks if stamp in chunk.text] == [1]
    for number in range(1, 5):
        held = " ".join(chunk.text for chunk in chunks if chunk.page == number)
        assert all(words in held for words in (f"Beginning of page {number}.", "Name:", f"End of page {number}."))


def test_what_stands_at_different_places_or_differs_is_no_stamp() -> None:
    note = "The inspection is repeated after 500 hours."
    moving = [page_of((BlockKind.TEXT, note), number=number, places=[200.0 + 50 * number]) for number in range(1, 5)]
    counting = [page_of((BlockKind.TEXT, f"{note} Round {number}"), number=number) for number in range(1, 5)]
    for pages in (moving, counting):
        assert len(split(pages, SIZE)) == 4


def test_on_pages_without_a_picture_nothing_has_a_place_so_nothing_is_stamped_or_in_a_margin() -> None:
    note, pages = "This sheet is valid for the staff of Northwind Ltd.", []
    for number in range(1, 5):
        end = len(f"{note}\n\nPage {number}")
        blocks = (Block(BlockKind.TEXT, 0, len(note), None), Block(BlockKind.TEXT, len(note) + 2, end, None))
        pages.append(Page(number, 0.0, 0.0, f"{note}\n\nPage {number}", blocks))
    assert [chunk.text for chunk in split(pages, SIZE)] == [page.text for page in pages]


def test_a_chunk_knows_its_language() -> None:
    page = page_of((BlockKind.HEADING, "1 Leave"), (BlockKind.TEXT, "The staff is entitled to 27 days of leave."))
    other = page_of((BlockKind.HEADING, "年假"), (BlockKind.TEXT, "全职员工每年享有二十七天年休假。"), number=2)
    assert [chunk.language for chunk in split([page, other], SIZE)] == ["en", "zh"]


def test_chunks_are_as_long_in_both_languages_as_the_embedder_counts() -> None:
    english = page_of((BlockKind.TEXT, "The staff is entitled to 27 days of leave. " * 40))
    chinese = page_of((BlockKind.TEXT, "全职员工每年享有二十七天年休假。" * 40))
    for page in (english, chinese):
        lengths = [SIZE.count(chunk.text) for chunk in split([page], SIZE)]
        assert min(lengths[:-1]) > SIZE.tokens / 2
        assert max(lengths) <= SIZE.tokens


def test_the_embedders_own_tokens_decide_where_it_has_some() -> None:
    words = ChunkSize(tokens=6, count=lambda text: len(text.split()), tokenizer="words")
    page = page_of(
        (BlockKind.TEXT, "One two three. Four five six. Incomprehensibilities notwithstanding, eight nine ten eleven twelve.")
    )
    assert [chunk.text for chunk in split([page], words)] == [
        "One two three. Four five six.",
        "Incomprehensibilities notwithstanding",
        ", eight nine ten eleven twelve.",
    ]


def test_the_section_around_a_chunk_is_all_that_stands_under_its_headings_on_the_page() -> None:
    first = "Hotels are paid. " * 20
    page = page_of(
        (BlockKind.TEXT, "From the page before."),
        (BlockKind.HEADING, "2 Travel"),
        (BlockKind.HEADING, "Hotels"),
        (BlockKind.TEXT, first),
        (BlockKind.TEXT, "Breakfast too."),
        (BlockKind.HEADING, "Trains"),
        (BlockKind.TEXT, "Second class."),
    )
    sections = {page.text[slice(*section_around(page, chunk.start, chunk.end))] for chunk in split([page], SIZE)}
    wide = f"2 Travel\n\nHotels\n\n{first}\n\nBreakfast too."
    assert sections == {"From the page before.", wide, "Trains\n\nSecond class."}
    assert section_around(Page(1, 0.0, 0.0, "nothing known"), 3, 5) == (3, 5)


def test_the_name_of_a_way_of_splitting_follows_its_size() -> None:
    assert chunking_of(SIZE) == chunking_of(ChunkSize(tokens=40))
    assert len({chunking_of(size) for size in (SIZE, ChunkSize(tokens=41), ChunkSize(tokens=40, tokenizer="other"))}) == 3


def test_a_document_without_text_has_no_chunks() -> None:
    assert split([Page(1, 595.0, 842.0, ""), Page(2, 595.0, 842.0, "")], SIZE) == []
    assert split([], SIZE) == []
