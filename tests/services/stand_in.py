"""A server of a few lines in the product's place, for tests of what asks it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from eval.types import Case, GoldPage
from services.bench.clock import Deadline
from services.bench.serving import Served

SOON = Deadline.after(86_400)  # longer than any run of the tests: it begins when this file is read
OVER = Deadline(0.0)


def case(
    name: str, *, kind: str = "plain", lang: str = "en", document: str = "handbook.pdf", groups: tuple[str, ...] = ()
) -> Case:
    return Case(name, lang, kind, f"What of {name}?", True, ("27 days",), (GoldPage(document, 1),), groups)


def hit(document: str) -> dict[str, Any]:
    return {
        "document": document, "document_id": f"id-{document}", "version": 1, "page": 1, "chunk": "c", "score": 1.0,
        "text": "You get 27 days.", "headings": ["Leave"],
    }  # fmt: skip


def answer(*documents: str, words: str = "You get some.") -> dict[str, Any]:
    return {
        "answer": words, "style": "quotes", "abstained": False, "nearest": [hit(one) for one in documents], "citations": [],
        "sentences": [{"text": words, "style": "quotes", "supported": True}], "usage": {"prompt_tokens": 9},
    }  # fmt: skip


Reply = tuple[int, str]


@contextmanager
def serving(respond: Callable[[str, str, dict[str, Any], str], Reply]) -> Iterator[Served]:
    """A server that answers as `respond(method, path, body, key)` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply("GET", {})

        def do_POST(self) -> None:
            self.reply("POST", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, method: str, body: dict[str, Any]) -> None:
            status, text = respond(method, self.path, body, self.headers["Authorization"].removeprefix("Bearer "))
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream" if text.startswith(("event", "data")) else "application/json")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        with httpx.Client(base_url=address, headers={"Authorization": "Bearer administrator"}, trust_env=False) as http:
            yield Served(address, "administrator", http)
    finally:
        server.shutdown()
        server.server_close()
