"""The HTTP interface: what it answers, how it says that something is wrong, and how it streams."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from ingest.types import Access
from services.api import sse
from services.policy import Unsupported
from services.settings import AnswerSettings, Settings
from tests import hostile
from tests.fakes import FakeChat, pdf
from tests.product import ADMINISTRATOR, Product, hang_up
from tests.waiting import until

HOLIDAY = "Every employee has 27 days of paid holiday a year. Unused days expire at the end of March."
QUESTION = "How many days of paid holiday does an employee have?"
ANSWER = "Every employee has 27 days of paid holiday a year [1]. The sky is a green sort of elephant."


@pytest.fixture
def handbook(product: Product) -> str:
    """The id of the one document that there is."""
    return str(product.add("handbook.pdf", pdf("A first page.", HOLIDAY, title="Handbook")).document_id)


def upload(http: TestClient, *files: tuple[str, bytes], groups: tuple[str, ...] = (), **headers: str) -> Any:
    parts = [("files", (name, data, "application/pdf")) for name, data in files]
    return http.post("/api/documents", files=parts, data={"group": list(groups)}, headers=headers)


def finished(http: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    def look() -> Any:
        state = http.get(f"/api/jobs/{job['job_id']}").json()
        return state["status"] in ("done", "failed") and state

    return until(look)


def assert_problem(answer: Any, status: int, words: str) -> None:
    """The answer is an error in both forms, in one sentence that holds these words."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert words in body["detail"]
    assert "\n" not in body["detail"]
    assert body["error"]["message"] == body["detail"]
    assert {"type", "title", "status", "detail", "error"} == set(body)
    assert body["error"].keys() == {"message", "type", "code"}


# Documents


def test_an_upload_is_a_job_that_ends_as_a_document(http: TestClient) -> None:
    answer = upload(http, ("a.pdf", pdf("Lamps are green.")), ("b.pdf", pdf("Pumps are blue.")))
    assert answer.status_code == 202
    jobs = [finished(http, job) for job in answer.json()["jobs"]]
    assert [(job["document"], job["status"], job["outcome"], job["version"]) for job in jobs] == [
        ("a.pdf", "done", "added", 1),
        ("b.pdf", "done", "added", 1),
    ]
    listed = http.get("/api/documents").json()["documents"]
    assert [one["document_id"] for one in listed] == [job["document_id"] for job in jobs]
    assert listed[0]["groups"] == ["everyone"]
    assert "sha256" not in listed[0]


def test_the_same_idempotency_key_begins_the_same_jobs(http: TestClient) -> None:
    files = (("a.pdf", pdf("Lamps are green.")), ("b.pdf", pdf("Pumps are blue.")))
    first, again = (upload(http, *files, **{"Idempotency-Key": "k1"}).json()["jobs"] for _ in range(2))
    assert [job["job_id"] for job in first] == [job["job_id"] for job in again]


def test_an_idempotency_key_cannot_be_used_for_other_files(http: TestClient) -> None:
    upload(http, ("a.pdf", pdf("Lamps are green.")), **{"Idempotency-Key": "k1"})
    answer = upload(http, ("a.pdf", pdf("Lamps are blue.")), **{"Idempotency-Key": "k1"})
    assert_problem(answer, 409, "Idempotency-Key was used for another file")


def test_an_idempotency_key_of_another_caller_is_another_key(product: Product) -> None:
    clients = [product.client(key=product.kb.keys.create(name, groups=["everyone"])[1]) for name in ("ann", "bob")]
    jobs = [upload(one, ("a.pdf", pdf("Lamps."))).json()["jobs"][0]["job_id"] for one in clients]
    same = [upload(one, ("a.pdf", pdf("Lamps.")), **{"Idempotency-Key": "k1"}).json()["jobs"][0]["job_id"] for one in clients]
    assert len({*jobs, *same}) == 4


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("notes.pdf", b"just text", "not a PDF"),
        ("empty.pdf", b"", "empty"),
        ("broken.pdf", b"%PDF-1.7\nand then nothing", "broken"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(http: TestClient, name: str, data: bytes, words: str) -> None:
    job = finished(http, upload(http, (name, data)).json()["jobs"][0])
    assert (job["status"], job["outcome"], job["document_id"]) == ("done", "refused", None)
    assert words in job["error"]
    assert http.get("/api/documents").json() == {"documents": []}


def test_a_group_that_does_not_exist_is_refused_before_anything_is_added(http: TestClient, product: Product) -> None:
    assert_problem(upload(http, ("a.pdf", pdf("Lamps.")), groups=("bord",)), 422, "there is no group 'bord'")
    assert product.files() == set()


def test_one_file_that_is_too_large_refuses_the_request_before_any_is_added(
    http: TestClient, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = b"%PDF-" + bytes(product.kb.pipeline.worker.limits.file_mib << 20)
    assert_problem(upload(http, ("a.pdf", pdf("Lamps.")), ("large.pdf", large)), 422, "at most 200 MiB")
    assert product.files() == set()


def test_an_upload_without_files_is_refused(http: TestClient) -> None:
    assert_problem(http.post("/api/documents"), 422, "files: Field required")


def test_a_document_can_be_shown_fetched_regrouped_and_removed(http: TestClient, handbook: str) -> None:
    assert http.get(f"/api/documents/{handbook}").json()["document"] == "handbook.pdf"
    file = http.get(f"/api/documents/{handbook}/file")
    assert (file.content, file.headers["content-type"]) == (pdf("A first page.", HOLIDAY, title="Handbook"), "application/pdf")
    http.post("/api/groups", json={"name": "board"})
    assert http.put(f"/api/documents/{handbook}/groups", json={"groups": ["board"]}).json()["groups"] == ["board"]
    assert http.delete(f"/api/documents/{handbook}").json()["samples"] == 0
    assert_problem(http.get(f"/api/documents/{handbook}"), 404, "there is no document")


def test_a_hit_is_widened_to_its_section(http: TestClient, product: Product) -> None:
    sentences = " ".join(f"Lamp number {number} hangs in the corridor." for number in range(60))
    product.add("lamps.md", f"# Lamps\n\n{sentences}\n\n# Doors\n\nDoors stay shut.\n".encode())
    (plain,) = http.post("/api/search", json={"query": "lamp number 50", "limit": 1}).json()["hits"]
    (wide,) = http.post("/api/search", json={"query": "lamp number 50", "limit": 1, "widen": True}).json()["hits"]
    section = wide.pop("section")
    assert wide == plain
    assert section["text"] == f"Lamps\n\n{sentences}"
    assert section["end"] - section["start"] == len(section["text"])
    assert wide["text"] in section["text"]


def test_a_page_is_an_image_on_which_the_quote_is_marked(http: TestClient, handbook: str) -> None:
    hit = http.post("/api/search", json={"query": "paid holiday"}).json()["hits"][0]
    page = f"/api/documents/{handbook}/pages/2.png"
    plain, chunk, quote = (
        http.get(page, params=params)
        for params in ({}, {"chunk": hit["chunk"]}, {"chunk": hit["chunk"], "quote": "Unused days expire"})
    )
    assert [one.headers["content-type"] for one in (plain, chunk, quote)] == ["image/png"] * 3
    assert len({one.content for one in (plain, chunk, quote)}) == 3
    assert http.get(page, params={"chunk": "chk_of_elsewhere", "quote": "not on this page"}).content == plain.content


def test_a_page_that_is_not_there_is_not_found(http: TestClient, handbook: str) -> None:
    for page in (0, 3, -1, 2**31 - 1):
        assert_problem(http.get(f"/api/documents/{handbook}/pages/{page}.png"), 404, "has pages 1 to 2")
    assert_problem(http.get(f"/api/documents/{handbook}/pages/1.png?version=2"), 404, "no page 1 in version 2")
    for place in (f"pages/{2**63}.png", f"pages/1.png?version={2**63}"):
        assert_problem(http.get(f"/api/documents/{handbook}/{place}"), 422, "less than or equal")


def test_a_citation_opens_the_version_that_it_was_made_from(http: TestClient, product: Product, handbook: str) -> None:
    old = http.get(f"/api/documents/{handbook}/pages/1.png").content
    product.add("handbook.pdf", pdf("Another first page."))
    new = http.get(f"/api/documents/{handbook}/pages/1.png").content
    assert new != old
    assert [http.get(f"/api/documents/{handbook}/pages/1.png?version={number}").content for number in (1, 2)] == [old, new]


def test_a_group_with_any_characters_can_be_made_and_removed(http: TestClient) -> None:
    for name in ("R&D/Zürich?", "研发 部", "50%"):
        assert name in http.post("/api/groups", json={"name": name}).json()["groups"]
        assert http.delete(f"/api/groups/{quote(name, safe='')}").status_code == 204
    assert http.get("/api/groups").json() == {"groups": ["everyone"]}


# Requests that are wrong


WRONG: list[tuple[str, bytes, int, str]] = [
    ("/api/ask", b'{"question": ', 422, "the body is not JSON"),
    ("/api/ask", b'"\x80"', 400, "parsing the body"),
    ("/api/ask", b"[]", 422, "body"),
    ("/api/ask", b"{}", 422, "question: Field required"),
    ("/api/ask", b'{"question": "a?", "quesion": 1}', 422, "quesion"),
    ("/api/ask", b'{"question": "   "}', 422, "the question is empty"),
    ("/api/ask", b'{"question": "a?", "style": "poem"}', 422, "style"),
    ("/api/ask", b'{"question": "a?", "arm": "tuned"}', 404, "no adapter is live"),
    ("/api/ask", b'{"question": "a?", "arm": "base", "style": "quotes"}', 422, "nothing to quote"),
    ("/api/ask", b'{"question": "%s"}' % (b"a" * 8001), 422, "8000"),
    ("/api/search", b'{"query": ""}', 422, "the query is empty"),
    ("/api/search", b'{"query": "a", "limit": 101}', 422, "limit"),
    ("/api/search", b'{"like": "nothing there", "explain": true}', 422, "leave like and version out"),
    ("/api/search", b'{"query": "a", "groups": ["nobody"]}', 422, "there is no group 'nobody'"),
    ("/api/groups", b'{"name": "a,b"}', 422, "cannot be used"),
    ("/api/keys", b'{"groups": ["nobody"]}', 422, "there is no group 'nobody'"),
    ("/v1/chat/completions", b'{"model": "graft-rag", "messages": []}', 422, "messages"),
    ("/v1/chat/completions", b'{"model": "gpt-5", "messages": [{"role": "user", "content": "a?"}]}', 404, "no model 'gpt-5'"),
    (
        "/v1/chat/completions",
        b'{"model": "graft-rag", "messages": [{"role": "system", "content": "a"}]}',
        422,
        "user message",
    ),
    (
        "/v1/chat/completions",
        b'{"model": "graft-rag", "messages": [{"role": "user", "content": "%s"}]}' % (b"a" * 8001),
        422,
        "8001 characters",
    ),
]


def test_a_request_that_is_wrong_is_told_so_in_one_sentence(http: TestClient) -> None:
    for path, body, status, words in WRONG:
        assert_problem(http.post(path, content=body, headers={"content-type": "application/json"}), status, words)


def test_errors_of_the_frame_have_the_same_form(http: TestClient) -> None:
    assert_problem(http.get("/api/nothing/here"), 404, "Not Found")
    assert_problem(http.put("/api/search"), 405, "Method Not Allowed")


def test_an_unexpected_error_tells_nothing_of_the_inside(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret path")

    monkeypatch.setattr(type(product.kb.catalog), "documents", broken)
    with product.client() as http:
        answer = http.get("/api/documents")
    assert_problem(answer, 500, "an unexpected error")
    assert "secret" not in answer.text


def test_a_group_in_use_cannot_be_removed(http: TestClient, product: Product) -> None:
    for name in ("board", "works"):
        http.post("/api/groups", json={"name": name})
    product.add("a.pdf", pdf("Lamps."), "board")
    assert_problem(http.delete("/api/groups/board"), 409, "documents carry group")
    assert_problem(http.delete("/api/groups/everyone"), 409, "stays")
    assert_problem(http.delete("/api/groups/nobody"), 404, "there is no group")
    key, _ = product.kb.keys.create("a", groups=["works"])
    product.kb.keys.create("admin", groups=[], administrator=True)
    with product.client(key="the-local-key") as http:
        assert_problem(http.delete("/api/groups/works"), 409, "keys hold group")
        product.kb.keys.revoke(key.key_id)
        assert http.delete("/api/groups/works").status_code == 204


def test_health_needs_no_key_and_tells_nothing_of_the_documents(product: Product, handbook: str) -> None:
    product.kb.keys.create("a", groups=["everyone"])
    with product.client() as http:
        assert http.get("/healthz").json() == {"status": "ok"}
        assert http.get("/readyz").json() == {"status": "ready", "engine": "off"}
        assert "graft_documents 1.0" in http.get("/metrics").text
        assert http.get("/openapi.json").json()["openapi"].startswith("3.1")


def test_the_status_counts_what_the_caller_may_read(product: Product) -> None:
    product.kb.groups.create("board")
    product.add("a.pdf", pdf("Lamps."))
    product.add("b.pdf", pdf("Pumps.", "Bolts."), "board")
    assert product.kb.catalog.counts(access=Access.of()) == (1, 1)
    assert product.kb.catalog.counts(access=Access.of("board")) == (2, 3)


def test_every_answer_tells_browsers_what_they_may_do_with_it(http: TestClient) -> None:
    for path in ("/", "/healthz", "/api/documents"):
        headers = http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "default-src 'self'" in headers["content-security-policy"]


# Answers


def events(text: str) -> Iterator[tuple[str, Any]]:
    """The named events of a stream with their data."""
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            yield lines["event"], json.loads(lines["data"])


def test_the_events_come_in_order_and_the_pieces_are_the_answer(product: Product, handbook: str) -> None:
    product.use_chat(FakeChat(answer=ANSWER), answer=AnswerSettings(unsupported=Unsupported.MARK))
    with product.client() as http:
        answer = http.post("/api/ask", json={"question": QUESTION, "style": "generated"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = list(events(answer.text))
    names = [name for name, _ in told]
    assert names[0] == "sources"
    assert names[-1] == "done"
    assert names.count("done") == names.count("sources") == 1
    assert names.index("token") < names.index("sentence")
    sentences = [data for name, data in told if name == "sentence"]
    whole = told[-1][1]
    assert [one["index"] for one in sentences] == list(range(len(sentences)))
    assert "".join(one["shown"] for one in sentences) == whole["answer"]
    assert [one["text"] for one in sentences] == [one["text"] for one in whole["sentences"]]
    assert whole["citations"][0]["quote"] == "Every employee has 27 days of paid holiday a year."
    assert (sentences[0]["supported"], sentences[1]["supported"]) == (True, False)
    assert told[0][1]["hits"][0]["document_id"] == handbook


@pytest.mark.parametrize(
    ("policy", "kinds", "action"),
    [
        (Unsupported.REMOVE, ["removed"], "removed"),
        (Unsupported.QUOTE, ["sentence"], "quoted"),
        (Unsupported.REGENERATE, ["doubt", "sentence"], "regenerated"),
    ],
)
def test_what_is_done_with_an_unsupported_sentence_is_told(
    product: Product, handbook: str, policy: Unsupported, kinds: list[str], action: str
) -> None:
    wrong = "The sky is a green sort of elephant."
    product.use_chat(FakeChat(answer=wrong, later="Unused days expire in March."), answer=AnswerSettings(unsupported=policy))
    with product.client() as http:
        told = list(events(http.post("/api/ask", json={"question": QUESTION, "style": "generated"}).text))
    assert [name for name, _ in told if name in ("sentence", "doubt", "removed")] == kinds
    whole = told[-1][1]
    (repair,) = [*whole["removed"], *(one["replaces"] for one in whole["sentences"] if one["replaces"])]
    assert (repair["text"], repair["action"], bool(repair["reason"])) == (wrong, action, True)
    assert all(data["held_ms"] >= 0 for name, data in told if name == "sentence")
    shown = [data for name, data in told if name == "sentence"]
    assert [one["replaces"] for one in shown] == [one["replaces"] for one in whole["sentences"]]


def test_a_whole_answer_is_what_the_stream_ends_with(product: Product, handbook: str) -> None:
    product.use_chat(FakeChat(answer=ANSWER))
    with product.client() as http:
        request = {"question": QUESTION, "style": "generated"}
        whole = http.post("/api/ask", json={**request, "stream": False}).json()
        streamed = list(events(http.post("/api/ask", json=request).text))[-1][1]
    for one in (whole, streamed):
        del one["timings_ms"]
    assert whole == streamed


def test_an_engine_that_is_down_is_told_before_the_stream_begins(product: Product, handbook: str) -> None:
    product.use_chat(None)
    with product.client() as http:
        answer = http.post("/api/ask", json={"question": QUESTION, "style": "generated"})
        assert_problem(answer, 503, "not running")
        assert answer.headers["retry-after"] == "5"
        quoted = http.post("/api/ask", json={"question": QUESTION, "stream": False}).json()
    assert (quoted["style"], quoted["abstained"]) == ("quotes", False)
    assert "not running" in quoted["reason"]


def test_an_engine_that_fails_while_it_writes_ends_the_stream_with_an_error(product: Product, handbook: str) -> None:
    product.use_chat(FakeChat(answer=ANSWER, fails_after=4))
    with product.client() as http:
        told = list(events(http.post("/api/ask", json={"question": QUESTION, "style": "generated"}).text))
        whole = http.post("/api/ask", json={"question": QUESTION, "style": "generated", "stream": False})
    assert told[-1][0] == "error"
    assert "failed while it wrote" in told[-1][1]["detail"]
    assert_problem(whole, 503, "failed while it wrote")


@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_stops_its_generation(product: Product, handbook: str, path: str, stream: bool) -> None:
    chat = FakeChat(answer="word", endless=True)
    product.use_chat(chat)
    body: dict[str, Any] = {"stream": stream, "style": "generated"}
    if path == "/api/ask":
        body["question"] = QUESTION
    else:
        body |= {"model": "graft-rag", "messages": [{"role": "user", "content": QUESTION}]}
    with product.listening() as address:
        hang_up(address + path, body, once=lambda: chat.written > 5)
        until(chat.closed.is_set)
        written = chat.written
        time.sleep(0.2)
        assert (chat.written, chat.finished) == (written, 0)


def test_a_client_that_goes_away_before_the_first_word_stops_its_generation(product: Product) -> None:
    chat = FakeChat(answer="", endless=True)  # never says a word
    product.use_chat(chat)
    body = {"question": "What is a lamp?", "arm": "base", "style": "generated"}
    with product.listening() as address:
        hang_up(f"{address}/api/ask", body, once=lambda: bool(chat.prompts))
        until(chat.closed.is_set)


async def test_a_stream_that_is_silent_is_kept_open_by_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "PING_INTERVAL_S", 0.01)

    async def slow() -> Any:
        await asyncio.sleep(0.1)
        yield sse.event({"a": 1}, name="token")

    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    async def receive() -> Any:
        await asyncio.sleep(60)

    await sse.EventStream(slow())({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
    assert b": ping\n\n" in sent
    assert sent[-2:] == [b'event: token\ndata: {"a": 1}\n\n', b""]


async def test_closing_a_stream_closes_what_it_reads_from() -> None:
    closed = asyncio.Event()

    async def endless() -> Any:
        try:
            while True:
                yield sse.event("x")
                await asyncio.sleep(0.001)
        finally:
            await asyncio.sleep(0)  # a generator may need to wait while it closes
            closed.set()

    async def send(_message: Any) -> None:
        await asyncio.sleep(0)

    async def gone() -> Any:
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    await sse.EventStream(endless())({"type": "http", "asgi": {"spec_version": "2.3"}}, gone, send)
    assert closed.is_set()


def test_a_page_is_drawn_while_a_long_file_is_read(settings: Settings) -> None:
    product = Product(settings)
    try:
        shown = product.add("handbook.pdf", pdf(HOLIDAY))
        reading = product.kb.add("slow.pdf", [hostile.endless_drawing()], groups=[], access=ADMINISTRATOR)
        until(lambda: product.kb.jobs.get(reading.job_id, access=ADMINISTRATOR).stage == "read")
        with product.client() as http:
            assert http.get(f"/api/documents/{shown.document_id}/pages/1.png").is_success
        assert product.kb.jobs.get(reading.job_id, access=ADMINISTRATOR).status == "running"
    finally:
        product.stop()
