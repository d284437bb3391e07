"""A small real server for the page's tests: the files of `services/web` and canned answers in the shape of the HTTP contract.

It stands in for the API only; nothing here retrieves, judges or stores. Questions choose their answer by a word in them
(see `CannedApi.events`). Run it to look at the page: `python -m tests.services.web.canned_api 8123`.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

import pymupdf
import uvicorn
from fastapi import FastAPI, File, Form, Request, Response, UploadFile
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from services.api import sse

WEB = Path(__file__).parents[3] / "services" / "web"
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The strictest content security policy that fits the product: the page must work under it."""

HANDBOOK = "Employee Handbook.pdf"
TRAVEL = "差旅管理规定.pdf"
TEXTS = {
    "d1": "Full-time employees receive 25 days of paid annual leave per calendar year.",
    "d2": "员工出差每日餐费补贴为人民币一百二十元，凭票据报销，不得超出标准。",
}
NAMES = {"d1": HANDBOOK, "d2": TRAVEL}
PAGES = {"d1": 18, "d2": 6}


def hit(document_id: str, page: int = 3) -> dict[str, Any]:
    return {
        "document": NAMES[document_id], "document_id": document_id, "version": 1, "page": page, "chunk": f"{document_id}-c{page}",
        "score": 12.5, "text": f"{TEXTS[document_id]}\n{TEXTS[document_id]}",
        "headings": ["4 Time off", "4.1 Annual leave"] if document_id == "d1" else ["第三章 补贴"],
    }  # fmt: skip


def citation(marker: int, document_id: str, page: int = 3) -> dict[str, Any]:
    found = hit(document_id, page)
    kept = {key: found[key] for key in ("document", "document_id", "version", "page", "chunk")}
    return {"marker": marker, **kept, "quote": TEXTS[document_id], "bbox": [[72, 100, 400, 120]]}


def sentence(
    text: str, style: str = "generated", support: float = 0.93, *, reason: str = "", cites: tuple[dict[str, Any], ...] = ()
) -> dict[str, Any]:
    verdict = {"support": support, "supported": support >= 0.5, "reason": reason, "fault": None, "judged": True, "replaces": None}
    return {"text": text, "style": style, **verdict, "citations": list(cites)}


def whole_answer(sentences: list[dict[str, Any]], *, language: str = "en", style: str = "generated") -> dict[str, Any]:
    citations = {c["marker"]: c for s in sentences for c in s["citations"]}
    return {
        "answer": " ".join(s["text"] for s in sentences), "language": language, "style": style,
        "abstained": False, "reason": None, "nearest": [], "citations": list(citations.values()),
        "sentences": [{**s, "citations": [c["marker"] for c in s["citations"]]} for s in sentences],
        "usage": {}, "timings_ms": {}, "removed": [], "asks": None,
    }  # fmt: skip


def problem(status: int, title: str, detail: str) -> JSONResponse:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "error": {"message": detail}}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


WRITTEN = [
    sentence("Full-time employees get 25 days of paid annual leave [1].", cites=(citation(1, "d1"),)),
    sentence("Unused days never expire.", support=0.08, reason="“never expire” is in no passage"),
    sentence("Leave is booked with the line manager [2].", support=0.81, cites=(citation(2, "d1", 4),)),
]
FAULTY = [
    {**sentence("Leave is 30 days.", support=0.1, reason="the evidence says 25"), "fault": "contradicted"},
    {
        **sentence("Leave is 25 days.", cites=(citation(1, "d1"),), reason="the documents disagree: another says 30"),
        "fault": "disputed",
    },
    {
        **sentence("It is 25 days.", cites=(citation(1, "d1"),), reason="the documents disagree: another says 30"),
        "fault": "disputed",
    },
    {**sentence("Yes.", support=0.4, reason="no content word"), "judged": False},
]
REPLACED = sentence("No such rule is known.", support=0.1, reason="not borne out")
QUOTE_EN = sentence(TEXTS["d1"], "quotes", 1.0, cites=(citation(1, "d1"),))
QUOTE_ZH = sentence(TEXTS["d2"], "quotes", 1.0, cites=(citation(2, "d2", 2),))
WRITTEN_ZH = [
    sentence("出差期间每日餐费补贴为一百二十元[1]。", cites=(citation(1, "d2", 2),)),
    sentence("超出部分可由部门承担。", support=0.12, reason="文档中没有相应内容"),
]


class CannedApi:
    """The state behind the canned answers; a test sets it and reads what the page asked for."""

    def __init__(self) -> None:
        self.key: str | None = None
        self.engine = {"state": "ready", "detail": "", "model": "canned-1"}
        self.note: dict[str, str] | None = None
        self.administrator = True
        self.token_s = 0.0
        self.pictures = True
        self.hidden = 0
        self.documents = [self.document("d1", ["everyone"]), self.document("d2", ["everyone", "hr"], "no text layer: page 5")]
        self.asked: list[dict[str, Any]] = []
        self.images: list[str] = []
        self.uploads: list[tuple[str, list[str]]] = []
        self.polls: dict[str, int] = {}
        self.unlocked: list[str] = []
        self.open_jobs: list[dict[str, Any]] = []
        self.asked_of_jobs: list[tuple[str, str, str]] = []
        self.cut_off = threading.Event()

    @staticmethod
    def document(document_id: str, groups: list[str], *warnings: str) -> dict[str, Any]:
        return {
            "document": NAMES[document_id], "document_id": document_id, "version": 1, "pages": PAGES[document_id],
            "groups": groups, "added_at": "2025-11-03T09:30:00Z", "bytes": 284_000, "warnings": list(warnings),
        }  # fmt: skip

    async def events(self, question: str, style: str) -> AsyncGenerator[tuple[str, Any], None]:
        """The events of one answer, chosen by a word of the question."""
        yield "sources", {"hits": [hit("d1"), hit("d2", 2)]}
        if "menu" in question:
            asks = "Is there another word for “menu”?"
            text = f"I cannot answer this from the documents: nothing is said of it. {asks} Nearest passages: …"
            nearest = [hit("d1"), hit("d2", 2)]
            said = {"answer": text, "abstained": True, "reason": "nothing is said of it", "asks": asks, "nearest": nearest}
            yield "done", whole_answer([]) | said
        elif "broken" in question:
            yield "token", {"text": "Full-time "}
            yield "error", {"title": "Engine lost", "detail": "The engine stopped while it was writing.", "status": 503}
        elif "cut" in question:
            yield "token", {"text": "Full-time "}
        elif "slow" in question:
            yield "token", {"text": f"{WRITTEN[0]['text']} Unjudged "}
            yield "sentence", {**WRITTEN[0], "index": 0}
            try:
                while True:
                    await asyncio.sleep(0.05)
                    yield "token", {"text": "words "}
            finally:
                self.cut_off.set()
        elif style == "quotes":
            for index, quote in enumerate((QUOTE_EN, QUOTE_ZH)):
                yield "sentence", {**quote, "index": index}
            yield "done", whole_answer([QUOTE_EN, QUOTE_ZH], style="quotes") | {"reason": "the chat model is not running"}
        elif "replace" in question:
            async for event in self.repaired():
                yield event
        else:
            chinese = "补贴" in question
            sentences = FAULTY if "faults" in question else WRITTEN_ZH if chinese else WRITTEN
            async for event in self.written(sentences):
                yield event
            yield "done", whole_answer(sentences, language="zh" if chinese else "en")

    async def repaired(self) -> AsyncGenerator[tuple[str, Any], None]:
        """An answer of which one sentence is replaced and one left out."""
        async for event in self.written([WRITTEN[0]]):
            yield event
        why = {"text": REPLACED["text"], "reason": REPLACED["reason"], "fault": None}
        yield "token", {"text": f"{REPLACED['text']} Nothing else."}
        yield "doubt", why
        quoted = {**QUOTE_ZH, "replaces": why | {"action": "quoted"}}
        yield "sentence", {**quoted, "index": 1}
        removed = {"text": "Nothing else.", "action": "removed", "reason": "", "fault": None}
        yield "removed", removed
        yield "done", whole_answer([WRITTEN[0], quoted], style="mixed") | {"removed": [removed]}

    async def compared(self, question: str, arms: list[str]) -> AsyncGenerator[tuple[str, Any], None]:
        """The events of a comparison: the arms of the adapter are there when a question says so."""
        yield "sources", {"arm": None, "hits": [hit("d1"), hit("d2", 2)]}
        there = [arm for arm in arms if not arm.startswith("tuned") or "tuned" in question]
        for arm in [arm for arm in arms if arm not in there]:
            yield "error", {"arm": arm, "title": "Not found", "detail": f"no adapter is live: no arm {arm}", "status": 404}
        if "slow" in question:
            try:
                while True:
                    await asyncio.sleep(0.05)
                    for arm in there:
                        yield "token", {"arm": arm, "text": "words "}
            finally:
                self.cut_off.set()
        for arm in there:
            sentences = WRITTEN if "rag" in arm else WRITTEN[1:2]
            if "broken" in question and arm == "rag":
                yield "error", {"arm": arm, "title": "Engine lost", "detail": "The engine stopped.", "status": 503}
                continue
            async for name, data in self.written(sentences):
                yield name, {"arm": arm, **data}
            counted = {"usage": {"prompt_tokens": 1430, "completion_tokens": 27}, "timings_ms": {"total": 2340.0}}
            answer = whole_answer(sentences) | counted
            if "menu" in question:
                answer |= {"abstained": True, "reason": "nothing is said of it", "sentences": [], "nearest": [hit("d1")]}
            yield "done", {"arm": arm, **answer}
        yield "end", {}

    async def written(self, sentences: list[dict[str, Any]]) -> AsyncGenerator[tuple[str, Any], None]:
        for index, one in enumerate(sentences):
            text = one["text"] + " "
            for start in range(0, len(text), 6):
                await asyncio.sleep(self.token_s)
                yield "token", {"text": text[start : start + 6]}
            yield "sentence", {**one, "index": index}

    def job(self, job_id: str) -> dict[str, Any]:
        """A job that moves one step with every question after it; its name holds its file's name."""
        name = job_id.removeprefix("job-")
        step = self.polls[job_id] = self.polls.get(job_id, -1) + 1
        place = {"job_id": job_id, "document": name, "document_id": None, "pages_done": step * 4, "pages_total": 10}
        shape: dict[str, Any] = place | {"status": "running", "outcome": None, "stage": "read", "warnings": [], "error": None}
        if step < 2:
            return shape
        if "locked" in name and name not in self.unlocked:
            error = f"{name} is encrypted and needs a password"
            return shape | {"status": "done", "outcome": "refused", "error": error, "code": "password_needed"}
        if step == 2:
            return shape | {"stage": "embed", "pages_done": 10}
        if name not in {item["document"] for item in self.documents}:
            self.documents.append(self.document("d1", ["hr"]) | {"document": name, "document_id": job_id})
        done = {"status": "done", "outcome": "added", "stage": "publish", "document_id": job_id}
        return shape | done | {"warnings": ["no text layer: page 7"]}


def page_image(document: str, page: int, *, boxed: bool) -> bytes:
    """A drawn page; the passage's box is the only green on it."""
    pdf = pymupdf.open()
    sheet = pdf.new_page()
    sheet.insert_text((72, 70), f"{document}  -  {page}", fontsize=16, fontname="china-s")
    for line in range(30):
        sheet.insert_text((72, 115 + line * 21), TEXTS["d1" if line % 7 else "d2"][:70], fontsize=11, fontname="china-s")
    if boxed:
        sheet.draw_rect((66, 182, 500, 230), color=(0.1, 0.5, 0.3), width=1.5)
    return bytes(sheet.get_pixmap(dpi=110).tobytes("png"))


def sent(events: AsyncGenerator[tuple[str, Any], None]) -> Response:
    """The events as they come, closed when the page stops listening."""

    async def stream() -> AsyncGenerator[str, None]:
        async with aclosing(events):
            yield ": ping\n\n"
            async for name, data in events:
                yield sse.event(data, name=name)

    return sse.EventStream(stream())


def build_app(api: CannedApi) -> FastAPI:  # noqa: C901 one small function a route
    app = FastAPI()

    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Response:
        wanted = f"Bearer {api.key}"
        if api.key and request.url.path.startswith("/api/") and request.headers.get("authorization") != wanted:
            return problem(401, "Unauthorized", "an API key is needed: send it as a bearer token")
        response: Response = await call_next(request)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @app.get("/api/me")
    def me() -> dict[str, Any]:
        return {"groups": ["everyone"], "administrator": api.administrator, "key_required": api.key is not None}

    @app.get("/api/status")
    def status() -> dict[str, Any]:
        size = {"documents": len(api.documents), "chunks": 170 * len(api.documents)}
        return {"version": "0.1.0", "profile": "mini", "engine": api.engine, **size, "note": api.note}

    @app.get("/api/documents")
    def documents() -> dict[str, Any]:
        return {"documents": api.documents}

    @app.get("/api/groups")
    def groups() -> dict[str, Any]:
        return {"groups": ["everyone", "hr", "finance"]}

    @app.post("/api/documents", status_code=202)
    def upload(
        files: Annotated[list[UploadFile], File()],
        group: Annotated[list[str] | None, Form()] = None,
        password: Annotated[str, Form()] = "",
    ) -> Response:
        if password == "right":  # noqa: S105
            api.unlocked += [file.filename or "" for file in files]
        if any("tool" in (file.filename or "") for file in files):
            return problem(422, "Refused", "tool.exe is a Windows program. PDF files and others can be added.")
        api.uploads += [(file.filename or "", group or []) for file in files]
        jobs = [{"job_id": f"job-{file.filename}", "document": file.filename, "status": "queued"} for file in files]
        return JSONResponse({"jobs": jobs}, status_code=202)

    @app.get("/api/jobs")
    def open_jobs() -> dict[str, Any]:
        return {"jobs": api.open_jobs}

    @app.post("/api/jobs/{job_id}/retry", status_code=202)
    def retry(job_id: str, password: Annotated[str, Form()] = "") -> dict[str, Any]:
        api.asked_of_jobs.append(("retry", job_id, password))
        api.open_jobs = [one for one in api.open_jobs if one["job_id"] != job_id]
        return {"job_id": f"{job_id}-again", "document": "", "status": "queued"}

    @app.delete("/api/jobs/{job_id}", status_code=204)
    def dismiss(job_id: str) -> None:
        api.asked_of_jobs.append(("dismiss", job_id, ""))
        api.open_jobs = [one for one in api.open_jobs if one["job_id"] != job_id]

    @app.get("/api/documents/{document_id}/versions")
    def versions(document_id: str) -> dict[str, Any]:
        facts = {"pages": PAGES[document_id], "bytes": 284_000, "added_at": "2025-11-03T09:30:00Z", "warnings": []}
        return {"versions": [{"version": 2, "live": True, **facts}, {"version": 1, "live": False, **facts}]}

    @app.get("/api/jobs/{job_id}")
    def job(job_id: str) -> dict[str, Any]:
        return api.job(job_id)

    @app.delete("/api/documents/{document_id}", status_code=204)
    def remove(document_id: str) -> None:
        api.documents = [item for item in api.documents if item["document_id"] != document_id]

    @app.put("/api/documents/{document_id}/groups")
    def set_groups(document_id: str, body: dict[str, list[str]]) -> dict[str, Any]:
        api.documents = [item | body if item["document_id"] == document_id else item for item in api.documents]
        return body

    @app.get("/api/documents/{document_id}/file")
    def file(document_id: str) -> Response:
        pdf = pymupdf.open()
        for page in range(5):
            pdf.new_page().insert_text((72, 72), f"{document_id} page {page + 1}")
        return Response(pdf.tobytes(), media_type="application/pdf")

    @app.get("/api/documents/{document_id}/pages/{page}.png")
    def image(request: Request, document_id: str, page: int, chunk: str = "") -> Response:
        api.images.append(str(request.url.query))
        if page > PAGES.get(document_id, 3) or not api.pictures:
            return problem(404, "Not found", f"There is no page {page}.")
        return Response(page_image(NAMES.get(document_id, "?"), page, boxed=bool(chunk)), media_type="image/png")

    @app.get("/api/documents/{document_id}/pages/{page}")
    def text(document_id: str, page: int, quote: str = "") -> Response:
        if page > PAGES.get(document_id, 3):
            return problem(404, "Not found", f"There is no page {page}.")
        shown = f"𠮷 before. {TEXTS[document_id]} After."
        start = shown.find(quote) if quote else -1
        marks = [[start, start + len(quote)]] if start >= 0 else []
        told = {"document": NAMES[document_id], "document_id": document_id, "page": page, "text": shown}
        return JSONResponse({**told, "marks": marks, "picture": api.pictures, "hidden": api.hidden})

    @app.post("/api/ask")
    async def ask(body: dict[str, Any]) -> Response:
        api.asked.append(body)
        if "busy" in body["question"]:
            return problem(429, "Too many requests", "Too many questions at once: ask again in a few seconds.")

        return sent(api.events(body["question"], body["style"]))

    @app.post("/api/compare")
    async def compare(body: dict[str, Any]) -> Response:
        api.asked.append(body)
        return sent(api.compared(body["question"], body["arms"]))

    @app.get("/")
    def index() -> Response:
        return FileResponse(WEB / "index.html")

    app.mount("/", StaticFiles(directory=WEB))
    return app


if __name__ == "__main__":
    shown = CannedApi()
    shown.token_s = 0.04
    uvicorn.run(build_app(shown), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
