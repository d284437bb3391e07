"""Logs as JSON lines or coloured text, and the metrics that `/metrics` shows. What people asked is never logged."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Awaitable, Callable

import structlog
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from services.knowledge_base import KnowledgeBase


def configure_logging(*, verbose: bool = False) -> None:
    """Sends logs to standard error: coloured on a terminal, JSON elsewhere."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO if verbose else logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    for noisy in ("httpx", "chromadb", "dbos", "sentence_transformers", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def install(app: FastAPI) -> None:
    """Counts and times requests, and answers `/metrics`."""
    registry = CollectorRegistry()
    requests = Counter("graft_requests", "Requests", ["method", "route", "status"], registry=registry)
    seconds = Histogram("graft_request_seconds", "Time until the response begins", ["route"], registry=registry)
    documents = Gauge("graft_documents", "Published documents", registry=registry)
    chunks = Gauge("graft_chunks", "Published chunks", registry=registry)
    engine = Gauge("graft_engine_ready", "1 while the engine answers", registry=registry)

    @app.middleware("http")
    async def measure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        began = time.perf_counter()
        response = await call_next(request)
        route = getattr(request.scope.get("route"), "path", "other")
        requests.labels(request.method, route, response.status_code).inc()
        seconds.labels(route).observe(time.perf_counter() - began)
        return response

    @app.get("/metrics", include_in_schema=False)
    def metrics(request: Request) -> Response:
        kb: KnowledgeBase = request.app.state.knowledge_base
        status = kb.status()
        documents.set(status.documents)
        chunks.set(status.chunks)
        engine.set(status.engine["state"] == "ready")
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
