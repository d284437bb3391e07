"""The chat page: in a real browser against canned answers, and its modules under Node."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, FilePayload, Locator, Page, expect, sync_playwright

from tests.services.web.canned_api import HANDBOOK, TEXTS, TRAVEL, CannedApi, build_app
from tests.waiting import until

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
WEB = Path(__file__).parents[2] / "services" / "web"
LEAVE = "How many days of annual leave do I get?"

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt-get install chromium)")


@dataclass(frozen=True, slots=True)
class Site:
    api: CannedApi
    url: str


@pytest.fixture
def site() -> Iterator[Site]:
    if not (WEB / "vendor" / "preact.js").exists():
        pytest.fail("services/web/vendor is missing: run `npm ci && npm run vendor` in services/web (make up does)")
    api = CannedApi()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(api), log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield Site(api, f"http://127.0.0.1:{listener.getsockname()[1]}/")
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Iterator[Page]:
    """The page, opened. Whatever it does, it must throw nothing, break no policy and speak to no other server."""
    page = context.new_page()
    wrongs: list[str] = []
    # Chromium also reports every failed request on the console; tests provoke those on purpose.
    page.on("pageerror", lambda error: wrongs.append(str(error)))

    def note(text: str, *, wrong: bool) -> None:
        if wrong:
            wrongs.append(text)

    page.on("console", lambda said: note(said.text, wrong=said.type == "error" and "Failed to load resource" not in said.text))
    page.on("request", lambda request: note(request.url, wrong=not request.url.startswith(site.url)))
    page.goto(site.url)
    yield page
    assert wrongs == []


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_modules_keep_their_rules_under_node() -> None:
    tests = sorted((Path(__file__).parent / "web").glob("*.test.mjs"))
    done = subprocess.run(["node", "--test", *map(str, tests)], capture_output=True, text=True, check=False, timeout=120)
    assert tests
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_data_never_becomes_markup() -> None:
    markup = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(")
    assert [module.name for module in (WEB / "src").glob("*.js") if markup.search(module.read_text("utf-8"))] == []


@pytest.mark.browser
@needs_browser
class TestAnswers:
    def test_an_answer_shows_judged_sentences_markers_and_marks_what_is_not_supported(self, page: Page, site: Site) -> None:
        ask(page, LEAVE)
        expect(page.get_by_text("2 of 3 sentences supported")).to_be_visible()
        expect(page.locator(".sentence")).to_have_count(3)
        expect(page.locator(".unsupported")).to_have_text("Unused days never expire.")
        expect(page.locator(".flag")).to_contain_text("not supported by the documents · “never expire” is in no passage")
        expect(page.get_by_role("button", name=f"Source 1: {HANDBOOK}, page 3")).to_have_text("1")
        assert site.api.asked == [{"question": LEAVE, "arm": "rag", "style": "auto", "history": []}]

    def test_no_line_begins_with_a_marker_or_the_full_stop_behind_it(self, page: Page) -> None:
        ask(page, "餐费补贴是多少？")
        expect(page.locator(".answer-foot")).to_be_visible()
        alone = """() => {
            const [prose, marker, stop] = [".prose", ".marker", ".marker + .words"].map((one) => document.querySelector(one));
            const place = (element) => element.getBoundingClientRect();
            return [...Array(60).keys()].filter((n) => {
                prose.style.width = `${120 + 4 * n}px`;
                return place(marker).left < place(prose).left + 4 || place(stop).top > place(marker).bottom;
            });
        }"""
        assert page.evaluate(alone) == []

    def test_text_that_is_not_judged_yet_is_provisional_and_gone_after_a_stop(self, page: Page, site: Site) -> None:
        ask(page, "a slow one")
        expect(page.locator(".provisional")).to_contain_text("Unjudged words")
        expect(page.locator(".sentence")).to_have_text(re.compile("25 days of paid annual leave"))
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text("Only sentences that were already checked are shown")).to_be_visible()
        expect(page.locator(".provisional")).to_have_count(0)
        expect(page.locator(".sentence")).to_have_count(1)
        until(site.api.cut_off.is_set)

    def test_quotes_are_shown_as_quotes_with_document_and_page(self, page: Page, site: Site) -> None:
        page.get_by_role("radio", name="Quotes").check(force=True)
        ask(page, LEAVE)
        expect(page.locator("blockquote")).to_have_text([TEXTS["d1"], TEXTS["d2"]])
        expect(page.locator("figcaption").nth(1)).to_contain_text(re.compile(f"{TRAVEL}.*page 2.*in Chinese"))
        expect(page.get_by_text("the chat model is not running")).to_be_visible()
        assert site.api.asked[0]["style"] == "quotes"

    def test_a_quote_takes_the_place_of_the_sentence_that_it_replaces(self, page: Page) -> None:
        ask(page, "please replace")
        expect(page.locator("blockquote")).to_have_text(TEXTS["d2"])
        expect(page.locator(".answer-foot")).to_be_visible()
        expect(page.locator(".sentence")).to_have_count(1)
        page.get_by_text("Quoted in place of what the model wrote").click()
        expect(page.locator(".replaced del")).to_have_text("No such rule is known.")
        page.get_by_text("1 sentence of the model left out").click()
        expect(page.locator(".left-out li")).to_have_text("Nothing else.")

    def test_each_kind_of_fault_has_a_mark_with_its_reason(self, page: Page) -> None:
        ask(page, "what about faults")
        marks = [
            "the documents say otherwise · the evidence says 25",
            "the documents disagree: another says 30",
            "the documents disagree",
        ]
        expect(page.locator(".flag")).to_have_text([*marks, "not checked · no content word"])
        expect(page.locator(".unsupported")).to_have_count(1)
        expect(page.locator(".verdict.partly")).to_have_text(re.compile("2 of 4 sentences supported .* · the documents disagree"))

    def test_abstaining_is_a_state_of_its_own_with_the_nearest_passages(self, page: Page) -> None:
        ask(page, "What is on the menu?")
        expect(page.locator(".statement")).to_have_text("I cannot answer this from the documents: nothing is said of it.")
        expect(page.locator(".asks")).to_have_text("Is there another word for “menu”?")
        expect(page.locator(".abstention .hits li")).to_have_count(2)
        page.locator(".hits button").first.click()
        expect(page.get_by_role("heading", name=HANDBOOK)).to_be_visible()

    @pytest.mark.parametrize(
        ("question", "words"),
        [
            ("it is broken", "The engine stopped while it was writing."),
            ("cut it off", "The connection was lost before the answer was complete."),
            ("too busy", "Too many questions at once: ask again in a few seconds."),
        ],
    )
    def test_a_failure_says_why_and_can_be_tried_again(self, page: Page, site: Site, question: str, words: str) -> None:
        ask(page, question)
        expect(page.get_by_role("alert")).to_have_text(words)
        page.get_by_role("button", name="Try again").click()
        until(lambda: len(site.api.asked) == 2)
        expect(page.locator(".turn")).to_have_count(1)

    def test_a_follow_up_carries_the_history_and_a_new_chat_none(self, page: Page, site: Site) -> None:
        for count in (1, 2):
            ask(page, LEAVE)
            expect(page.locator(".answer-foot")).to_have_count(count)
        assert [message["role"] for message in site.api.asked[1]["history"]] == ["user", "assistant"]
        page.get_by_role("button", name="New chat").click()
        ask(page, LEAVE)
        expect(page.locator(".answer-foot")).to_have_count(1)
        assert site.api.asked[2]["history"] == []


@pytest.mark.browser
@needs_browser
class TestQuestionBox:
    def test_enter_sends_and_shift_enter_starts_a_line(self, page: Page, site: Site) -> None:
        box = page.get_by_label("Your question")
        box.focus()
        page.keyboard.type("one")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("two")
        assert site.api.asked == []
        page.keyboard.press("Enter")
        expect(page.locator(".question")).to_contain_text("one\ntwo")
        expect(box).to_have_value("")

    def test_enter_that_chooses_characters_of_an_input_method_does_not_send(self, page: Page, site: Site) -> None:
        box = page.get_by_label("Your question")
        box.focus()
        ime = page.context.new_cdp_session(page)
        ime.send("Input.imeSetComposition", {"text": "nianjia", "selectionStart": 7, "selectionEnd": 7})
        page.keyboard.press("Enter")
        box.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
        box.dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "bubbles": True})  # Safari's way to say the same
        ime.send("Input.insertText", {"text": "年假"})
        expect(box).to_have_value(re.compile("年假"))
        assert site.api.asked == []
        box.fill("年假有几天？")
        page.keyboard.press("Enter")
        expect(page.locator(".question")).to_contain_text("年假有几天？")


@pytest.mark.browser
@needs_browser
class TestCitations:
    def test_a_marker_opens_the_boxed_page_and_gives_the_focus_back(self, page: Page, site: Site) -> None:
        ask(page, LEAVE)
        marker = page.get_by_role("button", name=f"Source 1: {HANDBOOK}, page 3")
        marker.click()
        panel = page.get_by_role("complementary")
        expect(panel.get_by_role("img", name=f"Page 3 of {HANDBOOK}, with the passage boxed")).to_be_visible()
        expect(panel.locator("blockquote")).to_have_text(TEXTS["d1"])
        expect(panel).to_contain_text("Page 3 of 18")
        expect(panel).to_contain_text("93 % support")
        assert "chunk=d1-c3" in site.api.images[0]
        assert "quote=Full-time+employees+receive" in site.api.images[0]
        original = panel.get_by_role("link", name="Open the original")
        expect(original).to_have_attribute("href", f"{site.url}api/documents/d1/file?version=1#page=3")
        page.keyboard.press("Escape")
        expect(panel).to_have_count(0)
        expect(marker).to_be_focused()

    def test_a_page_without_a_picture_shows_its_text_with_the_passage_marked(self, page: Page, site: Site) -> None:
        site.api.pictures = False
        ask(page, LEAVE)
        page.get_by_role("button", name="Source 1").click()
        text = page.get_by_role("region", name=f"Text of page 3 of {HANDBOOK}")
        expect(text).to_contain_text("𠮷 before.")
        expect(text.locator("mark")).to_have_text(TEXTS["d1"])
        expect(page.get_by_role("complementary").get_by_role("alert")).to_have_count(0)
        page.get_by_role("button", name="Next page").click()
        expect(page.get_by_role("region", name=f"Text of page 4 of {HANDBOOK}")).to_be_visible()
        expect(page.locator("mark")).to_have_count(0)

    @pytest.mark.parametrize("pictures", [True, False])
    def test_a_page_tells_how_much_of_it_no_reader_sees(self, page: Page, site: Site, pictures: bool) -> None:
        site.api.pictures, site.api.hidden = pictures, 1200
        ask(page, LEAVE)
        page.get_by_role("button", name="Source 1").click()
        told = page.locator(".sheet > .fine")
        expect(told).to_have_text("Left out here: 1,200 characters that the file carries and no reader sees")
        site.api.hidden = 0
        page.get_by_role("button", name="Next page").click()
        expect(told).to_have_count(0)

    def test_pages_around_it_can_be_turned_and_the_box_stays_on_its_own(self, page: Page, site: Site) -> None:
        ask(page, LEAVE)
        page.get_by_role("button", name="Source 1").click()
        expect(page.get_by_role("img", name="with the passage boxed")).to_be_visible()
        page.get_by_role("button", name="Next page").click()
        expect(page.get_by_role("img", name=f"Page 4 of {HANDBOOK}", exact=True)).to_be_visible()
        assert "chunk" not in site.api.images[-1]
        page.get_by_role("button", name="Back to the passage").click()
        expect(page.get_by_role("img", name="with the passage boxed")).to_be_visible()


@pytest.mark.browser
@needs_browser
class TestCompare:
    ARMS = ("base", "rag", "tuned", "tuned-rag")

    def compare(self, page: Page, question: str) -> None:
        page.get_by_role("button", name="Compare").click()
        page.locator("main:visible").get_by_label("Your question").fill(question)
        page.keyboard.press("Enter")

    def column(self, page: Page, title: str) -> Locator:
        return page.get_by_role("region", name=title, exact=True)

    def test_every_arm_answers_in_a_column_of_its_own_with_support_time_and_tokens(self, page: Page, site: Site) -> None:
        self.compare(page, f"tuned too: {LEAVE}")
        expect(page.locator(".column .answer-foot")).to_have_count(4)
        expect(self.column(page, "Base model").locator(".unsupported")).to_have_text("Unused days never expire.")
        read = self.column(page, "Tuned + documents")
        expect(read.locator(".sentence")).to_have_count(3)
        expect(read).to_contain_text("2 of 3 sentences supported by the documents2.3 s1,430 tokens read, 27 written")
        expect(page.get_by_text("2 passages read for this answer")).to_be_visible()
        assert site.api.asked == [{"question": f"tuned too: {LEAVE}", "arms": list(self.ARMS)}]

    def test_a_citation_opens_the_boxed_page_beside_the_columns(self, page: Page) -> None:
        self.compare(page, LEAVE)
        self.column(page, "Base + documents").get_by_role("button", name="Source 1").click()
        expect(page.get_by_role("img", name=f"Page 3 of {HANDBOOK}, with the passage boxed")).to_be_visible()

    def test_an_arm_that_is_not_there_says_why_and_is_no_failure(self, page: Page) -> None:
        self.compare(page, LEAVE)
        expect(self.column(page, "Tuned model")).to_contain_text("Not there: no adapter is live: no arm tuned")
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(self.column(page, "Base model").locator(".sentence")).to_have_count(1)

    def test_an_arm_that_fails_leaves_the_others_alone(self, page: Page) -> None:
        self.compare(page, "it is broken")
        expect(page.get_by_role("alert")).to_have_text("The engine stopped.")
        expect(self.column(page, "Base model").locator(".answer-foot")).to_be_visible()

    def test_an_arm_that_abstains_says_so(self, page: Page) -> None:
        self.compare(page, "What is on the menu?")
        expect(self.column(page, "Base + documents").locator(".statement")).to_contain_text("nothing is said of it")

    def test_stopping_stops_every_arm(self, page: Page, site: Site) -> None:
        self.compare(page, "a slow one")
        expect(page.locator(".column .provisional")).to_have_count(2)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".provisional")).to_have_count(0)
        expect(self.column(page, "Base model")).to_contain_text("Only sentences that were already checked are shown")
        until(site.api.cut_off.is_set)

    def test_both_views_stay_as_they_are_while_the_other_is_shown(self, page: Page) -> None:
        ask(page, LEAVE)
        expect(page.locator(".turn .answer-foot")).to_be_visible()
        self.compare(page, LEAVE)
        expect(page.locator(".turn")).not_to_be_visible()
        expect(page.locator(".column .answer-foot")).to_have_count(2)
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator(".turn .answer-foot")).to_be_visible()
        expect(page.locator(".columns")).not_to_be_visible()

    def test_on_a_narrow_page_the_columns_stand_one_below_the_other(self, browser: Browser, site: Site) -> None:
        context = browser.new_context(locale="zh-CN", viewport={"width": 360, "height": 700})
        page = context.new_page()
        page.goto(site.url)
        page.get_by_role("button", name="对比").click()
        page.locator("main:visible").get_by_label("您的问题").fill(f"tuned {LEAVE}")
        page.keyboard.press("Enter")
        expect(page.locator(".column .answer-foot")).to_have_count(4)
        places = [box for column in page.locator(".column").all() if (box := column.bounding_box())]
        assert len({box["x"] for box in places}) == 1
        assert page.evaluate("() => document.documentElement.scrollWidth") == 360
        context.close()


@pytest.mark.browser
@needs_browser
class TestDocuments:
    def open(self, page: Page) -> None:
        page.get_by_role("button", name="Documents").click()
        expect(page.get_by_role("heading", name="Library")).to_be_visible()

    def test_the_list_tells_pages_groups_and_warnings(self, page: Page) -> None:
        self.open(page)
        row = page.locator(".documents > li", has_text=TRAVEL)
        expect(row).to_contain_text("6 pages")
        expect(row.locator(".chip")).to_have_text(["everyone", "hr"])
        row.get_by_text("1 warning").click()
        expect(row.get_by_text("no text layer: page 5")).to_be_visible()

    def test_each_file_shows_its_progress_and_a_refusal_its_reason(self, page: Page, site: Site) -> None:
        self.open(page)
        page.get_by_role("group", name="Who may read them").get_by_label("hr").check()
        names = ("contract.pdf", "locked.pdf", "tool.exe")
        files: list[FilePayload] = [{"name": name, "mimeType": "application/pdf", "buffer": b"%PDF"} for name in names]
        page.locator("input[type=file]").set_input_files(files)
        row = page.locator(".upload", has_text="contract.pdf")
        expect(row).to_contain_text(re.compile("Reading pages · . of 10 pages"))
        expect(row.locator("progress")).to_have_attribute("max", "10")
        expect(row).to_contain_text("Added")
        expect(row).to_contain_text("no text layer: page 7")
        expect(page.locator(".upload", has_text="locked.pdf")).to_contain_text("is encrypted and needs a password")
        expect(page.locator(".upload", has_text="tool.exe")).to_contain_text("tool.exe is a Windows program")
        expect(page.locator(".documents > li", has_text="contract.pdf")).to_be_visible()
        assert sorted(site.api.uploads) == [("contract.pdf", ["hr"]), ("locked.pdf", ["hr"])]

    def test_an_encrypted_file_opens_with_its_password(self, page: Page, site: Site) -> None:
        self.open(page)
        page.locator("input[type=file]").set_input_files(
            [{"name": "locked.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}]
        )
        row = page.locator(".upload", has_text="locked.pdf")
        field = row.get_by_label("Password of locked.pdf")
        expect(field).to_have_attribute("type", "password")
        field.fill("right")
        row.get_by_role("button", name="Open").click()
        expect(row).to_contain_text("Added")
        assert site.api.unlocked == ["locked.pdf"]

    def test_what_could_not_be_added_is_shown_with_its_reason_and_can_be_tried_again(
        self, context: BrowserContext, site: Site
    ) -> None:
        def refused(job_id: str, document: str, code: str) -> dict[str, Any]:
            told = {"job_id": job_id, "document": document, "code": code, "error": f"why {document} was not taken"}
            return {**told, "status": "done", "outcome": "refused"}

        kinds = {"poison.pdf": "quarantined", "safe.pdf": "password_needed", "odd.gif": "unknown_type"}
        site.api.open_jobs = [refused(f"job-{number}", *kind) for number, kind in enumerate(kinds.items())]
        page = context.new_page()
        page.goto(site.url)
        self.open(page)
        row = page.locator(".waiting .upload", has_text="poison.pdf")
        expect(row).to_contain_text("Quarantined")
        expect(row).to_contain_text("why poison.pdf was not taken")
        expect(page.get_by_role("button", name="Try odd.gif again")).to_have_count(0)  # its file was not kept
        page.get_by_role("button", name="Try poison.pdf again").click()
        expect(row).to_have_count(0)
        page.get_by_label("Password of safe.pdf").fill("secret")
        page.get_by_role("button", name="Open").click()
        page.get_by_role("button", name="Dismiss odd.gif").click()
        expect(page.locator(".waiting")).to_have_count(0)
        assert site.api.asked_of_jobs == [("retry", "job-0", ""), ("retry", "job-1", "secret"), ("dismiss", "job-2", "")]

    def test_the_chinese_page_tells_of_files_in_chinese(self, browser: Browser, site: Site) -> None:
        refused = {"document": "odd.pdf", "code": "broken_file", "status": "done", "outcome": "refused"}
        site.api.open_jobs = [{**refused, "job_id": "job-0", "error": "the PDF has no pages"}]
        context = browser.new_context(locale="zh-CN")
        page = context.new_page()
        page.goto(site.url)
        page.get_by_role("button", name="文档").click()
        expect(page.locator(".waiting .upload")).to_contain_text("此 PDF 没有页面")
        row = page.locator(".documents > li", has_text=TRAVEL)
        row.get_by_text("1 条警告").click()
        expect(row.get_by_role("listitem")).to_have_text("没有可读取的文字（页面只有图像）：第 5 页")
        page.route("**/api/documents", lambda route: route.abort())
        page.locator("input[type=file]").set_input_files({"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
        expect(page.locator(".upload", has_text="a.pdf")).to_contain_text("无法连接 Graft 服务器")
        context.close()

    def test_older_versions_can_be_opened(self, context: BrowserContext, site: Site) -> None:
        site.api.documents[0]["version"] = 2
        page = context.new_page()
        page.goto(site.url)
        self.open(page)
        page.get_by_text("Older versions").click()
        page.get_by_role("button", name="version 1").click()
        expect(page.get_by_role("img", name=f"Page 1 of {HANDBOOK}")).to_be_visible()
        assert site.api.images[-1] == "version=1"

    def test_files_may_be_dropped_anywhere(self, page: Page, site: Site) -> None:
        expect(page.get_by_role("button", name="Documents")).to_be_visible()
        make = "() => { const t = new DataTransfer(); t.items.add(new File(['%PDF'], 'dropped.pdf')); return t; }"
        dropped = page.evaluate_handle(make)
        page.locator(".turns, .welcome").dispatch_event("drop", {"dataTransfer": dropped})
        expect(page.locator(".upload", has_text="dropped.pdf")).to_contain_text("Added")
        page.locator(".drop").dispatch_event("drop", {"dataTransfer": dropped})
        until(lambda: len(site.api.uploads) == 2)
        time.sleep(0.3)
        assert site.api.uploads == [("dropped.pdf", [])] * 2

    def test_removing_asks_first(self, page: Page, site: Site) -> None:
        self.open(page)
        page.get_by_role("button", name=f"Remove {HANDBOOK}").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert len(site.api.documents) == 2
        page.get_by_role("button", name=f"Remove {HANDBOOK}").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.locator(".documents > li")).to_have_count(1)

    def test_groups_can_be_changed(self, page: Page, site: Site) -> None:
        self.open(page)
        page.get_by_role("button", name=f"Who may read {HANDBOOK}").click()
        row = page.locator(".documents > li", has_text=HANDBOOK)
        row.get_by_label("finance").check()
        row.get_by_label("everyone").uncheck()
        row.get_by_role("button", name="Save").click()
        expect(row.locator(".chip")).to_have_text(["finance"])

    def test_a_name_that_looks_like_markup_stays_a_name(self, context: BrowserContext, site: Site) -> None:
        name = "<img src=x onerror=alert(1)>.pdf"
        site.api.documents[0]["document"] = name
        page = context.new_page()
        page.goto(site.url)
        self.open(page)
        expect(page.locator(".documents > li", has_text=name)).to_be_visible()
        expect(page.locator("img")).to_have_count(0)

    def test_who_is_no_administrator_may_add_but_not_change_or_remove(self, context: BrowserContext, site: Site) -> None:
        site.api.administrator = False
        page = context.new_page()
        page.goto(site.url)
        self.open(page)
        expect(page.locator(".documents > li")).to_have_count(2)
        expect(page.get_by_role("button", name="Choose files")).to_be_visible()
        expect(page.locator(".actions")).to_have_count(0)


@pytest.mark.browser
@needs_browser
class TestPage:
    def test_a_key_is_asked_for_kept_for_the_tab_and_sent_with_everything(self, context: BrowserContext, site: Site) -> None:
        site.api.key = "right"
        page = context.new_page()
        page.goto(site.url)
        expect(page.get_by_text("an API key is needed: send it as a bearer token")).to_be_visible()
        page.get_by_label("Access key").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("The server did not accept this key.")
        page.get_by_label("Access key").fill("right")
        page.keyboard.press("Enter")
        ask(page, LEAVE)
        page.get_by_role("button", name="Source 1").click()
        expect(page.get_by_role("img", name="with the passage boxed")).to_be_visible()
        with context.expect_page() as opened:
            page.get_by_role("link", name="Open the original").click()
        opened.value.wait_for_url(re.compile("^blob:.*#page=3$"), wait_until="commit")  # a PDF viewer never loads
        page.reload()
        expect(page.get_by_label("Your question")).to_be_visible()
        page.get_by_role("button", name="Forget key").click()
        expect(page.get_by_label("Access key")).to_be_visible()

    @pytest.mark.parametrize(
        ("state", "words"),
        [("starting", "still starting"), ("failed", "could not start"), ("off", "No language model is running")],
    )
    def test_a_missing_engine_is_said_in_words(self, context: BrowserContext, site: Site, state: str, words: str) -> None:
        site.api.engine = {"state": state, "detail": "it ran out of memory", "model": ""}
        page = context.new_page()
        page.goto(site.url)
        line = page.locator(".engine")
        expect(line).to_contain_text(words)
        expect(line).to_contain_text("word for word")
        if state == "failed":
            expect(line).to_contain_text("it ran out of memory")

    def test_the_language_follows_the_browser_and_a_switch(self, browser: Browser, site: Site) -> None:
        context = browser.new_context(locale="zh-CN")
        page = context.new_page()
        page.goto(site.url)
        expect(page.get_by_role("heading", name="向文档提问")).to_be_visible()
        page.get_by_label("您的问题").fill("餐费补贴是多少？")
        page.keyboard.press("Enter")
        expect(page.locator(".flag")).to_contain_text("文档未证实")
        page.get_by_role("button", name="English").click()
        expect(page.locator(".flag")).to_contain_text("not supported by the documents")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        page.reload()
        expect(page.get_by_role("heading", name="Ask your documents")).to_be_visible()
        context.close()

    def test_a_narrow_page_never_scrolls_sideways_and_its_panel_covers_the_rest(self, browser: Browser, site: Site) -> None:
        context = browser.new_context(locale="en-US", viewport={"width": 360, "height": 700})
        page = context.new_page()
        page.goto(site.url)
        ask(page, LEAVE)
        expect(page.locator(".answer-foot")).to_be_visible()
        page.get_by_role("button", name="Documents").click()
        expect(page.locator("main")).to_have_attribute("inert", "")
        assert page.evaluate("() => document.documentElement.scrollWidth") == 360
        context.close()

    def test_a_server_that_is_gone_is_said_in_words(self, page: Page) -> None:
        expect(page.get_by_label("Your question")).to_be_visible()
        page.route("**/api/ask", lambda route: route.abort())
        page.get_by_label("Your question").fill(LEAVE)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
