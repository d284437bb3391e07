"""What `/metrics` shows: totals for whoever runs the server, by Prometheus' rules, and nothing of what people asked."""

from __future__ import annotations

import time

from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.types import Access
from services.knowledge_base import KnowledgeBase


def install(app: FastAPI) -> None:
    """Counts and times requests, and answers `/metrics`."""
    registry = CollectorRegistry()
    requests = Counter("graft_requests", "Requests", ["method", "route", "status"], registry=registry)
    seconds = Histogram("graft_request_seconds", "Time until the response begins", ["route"], registry=registry)
    documents = Gauge("graft_documents", "Published documents", registry=registry)
    chunks = Gauge("graft_chunks", "Published chunks", registry=registry)
    engine = Gauge("graft_engine_ready", "1 while the engine answers", registry=registry)

    app.add_middleware(_Measured, requests=requests, seconds=seconds)

    async def metrics(request: Request) -> Response:
        kb: KnowledgeBase = request.app.state.knowledge_base
        status = await run_in_threadpool(kb.status, access=Access.everything())
        documents.set(status.documents)
        chunks.set(status.chunks)
        engine.set(status.engine["state"] == "ready")
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    app.add_route("/metrics", metrics, include_in_schema=False)


class _Measured:
    """Counts requests and times them until their answer begins. Plain ASGI, so that a client that goes away is seen behind it."""

    def __init__(self, app: ASGIApp, *, requests: Counter, seconds: Histogram) -> None:
        self._app = app
        self._requests = requests
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began = time.perf_counter()

        async def send_measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                self._requests.labels(scope["method"], route, message["status"]).inc()
                self._seconds.labels(route).observe(time.perf_counter() - began)
            await send(message)

        return await self._app(scope, receive, send_measured)
