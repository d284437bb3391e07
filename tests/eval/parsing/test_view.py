"""The report on one file: everything that was read stands beside its picture, as text and never as markup, in bounded room."""

from __future__ import annotations

import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from eval.parsing.view import PICTURE_DPI, ViewLimits, to_html
from ingest.errors import InputRefused
from ingest.types import Bbox, Block, BlockKind, Page, ParsedDocument
from tests.fakes import pdf
from tests.product import SharedWorker

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def png(width: int = 60, height: int = 80) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(written, "PNG")
    return written.getvalue()


def page(number: int, *blocks: tuple[BlockKind, str, Bbox], width: float = 595.0, ocr: bool = False) -> Page:
    text, made = "", []
    for kind, words, bbox in blocks:
        text += "\n\n" if text else ""
        rows = tuple(tuple(line.split(" | ")) for line in words.split("\n")) if kind is BlockKind.TABLE else ()
        made.append(Block(kind, len(text), len(text) + len(words), bbox, rows, level=2 if kind is BlockKind.HEADING else 0))
        text += words
    return Page(number, width, 842.0 if width else 0.0, text, tuple(made), ocr=ocr)


def shown(*pages: Page, title: str = "", warnings: tuple[str, ...] = (), limits: ViewLimits | None = None) -> str:
    return to_html(ParsedDocument(pages, title, warnings), name="a.pdf", draw=lambda _number: png(), limits=limits)


class _Attributes(HTMLParser):
    """Collects every element with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def elements(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Attributes()
    parser.feed(html)
    return parser.elements


HEADING = (BlockKind.HEADING, "2 Leave", (60.0, 90.0, 200.0, 110.0))
TEXT = (BlockKind.TEXT, "Every employee has 27 days.", (60.0, 120.0, 500.0, 140.0))
TABLE = (BlockKind.TABLE, "Year | Days\n2026 | 27", (60.0, 150.0, 300.0, 200.0))


def test_every_block_has_a_box_that_leads_to_its_text_and_back() -> None:
    found = elements(shown(page(1, HEADING, TEXT, TABLE)))
    links = {attributes["href"] for tag, attributes in found if tag == "a"}
    ids = {attributes["id"] for _, attributes in found if "id" in attributes}
    assert links == {f"#{side}-1-{number}" for side in ("read", "box") for number in (1, 2, 3)}
    assert {str(link).removeprefix("#") for link in links} <= ids
    boxes = [attributes["class"] for tag, attributes in found if tag == "a" and str(attributes.get("id", "")).startswith("box")]
    assert boxes == ["heading", "text", "table"]


def test_a_table_is_a_table_and_a_heading_tells_its_level() -> None:
    html = shown(page(1, HEADING, TABLE))
    assert re.findall(r"<td[^>]*>([^<]*)</td>", html) == ["Year", "Days", "2026", "27"]
    assert ">1 heading 2<" in html


@pytest.mark.parametrize("kind", [BlockKind.TEXT, BlockKind.HEADING, BlockKind.TABLE])
def test_what_a_document_holds_never_becomes_markup(kind: BlockKind) -> None:
    one = page(1, (kind, HOSTILE, (0.0, 0.0, 9.0, 9.0)))
    html = to_html(ParsedDocument((one,), HOSTILE, (HOSTILE,)), name=HOSTILE, draw=lambda _number: png())
    assert {tag for tag, _ in elements(html)}.isdisjoint({"script", "img"})
    assert html.count("&lt;script&gt;") == 5  # the page's title, its heading, the document's title, the warning, the block


def test_nothing_is_fetched_and_no_script_may_run() -> None:
    found = elements(shown(page(1, TEXT)))
    policy = next(attributes["content"] for _, attributes in found if "http-equiv" in attributes)
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    targets = [value for _, attributes in found for name, value in attributes.items() if name in ("href", "src", "xlink:href")]
    assert targets
    assert all(str(target).startswith(("#", "data:image/webp;base64,")) for target in targets)


def test_pages_of_a_format_without_pictures_show_their_text_alone() -> None:
    def draw(number: int) -> bytes:
        raise AssertionError(f"page {number} has no picture")

    html = to_html(ParsedDocument((page(1, TEXT, width=0.0),)), name="a.md", draw=draw)
    assert "<svg" not in html
    assert "Every employee has 27 days." in html


def test_a_page_that_cannot_be_drawn_says_why_and_keeps_its_boxes() -> None:
    def draw(_number: int) -> bytes:
        raise InputRefused("it is too complex")

    html = to_html(ParsedDocument((page(1, TEXT),)), name="a.pdf", draw=draw)
    assert "cannot be drawn: it is too complex" in html
    assert 'id="box-1-1"' in html


def test_pictures_stop_where_their_room_ends_and_it_is_said() -> None:
    html = shown(*(page(number, TEXT) for number in (1, 2, 3)), limits=ViewLimits(picture_bytes=1))
    assert html.count("data:image/webp") == 1
    assert html.count('id="box-') == 3
    assert "the last 2 pages are shown without their pictures" in html


def test_pages_stop_where_the_room_for_text_ends_and_it_is_said() -> None:
    html = shown(*(page(number, TEXT) for number in (1, 2, 3)), limits=ViewLimits(characters=1000))
    assert html.count("<section") == 2
    assert "pages 3 to 3 are left out" in html


def test_empty_cells_take_room_too() -> None:
    sheet = (BlockKind.TABLE, "\n".join([" | " * 100] * 100), (0.0, 0.0, 9.0, 9.0))
    assert len(shown(page(1, sheet, width=0.0), limits=ViewLimits(characters=100_000))) < 10_000


def test_recognised_pages_and_warnings_are_named() -> None:
    html = shown(page(1, TEXT, ocr=True), page(2, TEXT), warnings=("no text layer: page 3",))
    assert "2 pages, 1 recognised (OCR)" in html
    assert "no text layer: page 3" in html


def test_a_real_page_is_drawn_by_the_reader(worker: SharedWorker, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf("Every employee has 27 days of paid holiday a year.", title="Handbook"))
    calls: list[tuple[int, int]] = []
    html = to_html(
        worker.read(path),
        name=path.name,
        draw=lambda number: worker.render(path, number, boxes=(), dpi=PICTURE_DPI),
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(1, 1)]
    assert "data:image/webp;base64,UklGR" in html
    assert len(html) < 60_000


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt-get install chromium)")
def test_a_browser_shows_boxes_over_the_picture_and_runs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(shown(page(1, HEADING, (BlockKind.TEXT, HOSTILE, (60.0, 120.0, 500.0, 140.0)))), encoding="utf-8")
    wrongs: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1200, "height": 900})
        view.on("console", lambda said: wrongs.append(said.text))
        view.on("dialog", lambda dialog: wrongs.append(dialog.message))
        view.on("request", lambda request: None if request.url.startswith(("file:", "data:")) else wrongs.append(request.url))
        view.goto(path.as_uri())
        picture, box = view.locator("svg image").bounding_box(), view.locator("#box-1-2 rect").bounding_box()
        assert picture is not None
        assert box is not None
        assert picture["x"] < box["x"] < box["x"] + box["width"] < picture["x"] + picture["width"]
        assert (box["x"] - picture["x"]) / picture["width"] == pytest.approx(60 / 595, abs=0.01)
        assert view.locator("#read-1-2 p").inner_text() == HOSTILE
        view.locator("#boxes").uncheck()
        assert not view.locator("#box-1-2 rect").is_visible()
        browser.close()
    assert wrongs == []
