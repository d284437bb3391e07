"""The HTTP application: all routes, the page, and the answers to `is it alive` and `is it ready`."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import adapters, administration, ask, check, compare, datasets, documents, errors, jobs, metrics, openai, review
from services.knowledge_base import KnowledgeBase

WEB = Path(__file__).parent.parent / "web"

_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# Swagger UI starts itself with a script in its page, and draws with data: images.
_DOCS_POLICY = "default-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'"


def create_app(kb: KnowledgeBase, *, local_key: str) -> FastAPI:
    """The application over this knowledge base. `local_key` is what commands on this machine show as administrators."""
    app = FastAPI(
        title="Graft",
        version=version("graft"),
        summary="A company's own knowledge base: answers with citations that can be checked",
        docs_url=None,  # the usual pages load their scripts from another host
        redoc_url=None,
    )
    app.state.knowledge_base = kb
    app.state.local_key = local_key
    errors.install(app)
    metrics.install(app)
    for part in (ask, check, compare, documents, jobs, datasets, review, adapters, administration, openai):
        app.include_router(part.router)

    @app.get("/healthz", tags=["health"])
    def alive() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"])
    def ready(response: Response) -> dict[str, Any]:
        """Whether questions are answered. Search and quotes need no engine, so its state is told and does not decide."""
        response.headers["Cache-Control"] = "no-store"
        return {"status": "ready", "engine": str(kb.engine.status.state)}

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Graft",
            swagger_js_url="/vendor/swagger-ui.js",
            swagger_css_url="/vendor/swagger-ui.css",
            swagger_favicon_url="/icon.svg",
            swagger_ui_parameters={"validatorUrl": None},  # its default sends the interface's description to another host
        )

    app.add_middleware(_Headers)
    _install_page(app)
    return app


class _Headers:
    """Adds what every answer says to browsers. Plain ASGI, so that a client that goes away is seen behind it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                headers["Content-Security-Policy"] = _DOCS_POLICY if scope["path"] == "/docs" else _POLICY
                headers.setdefault("Cache-Control", "no-cache")  # after an update, no module of the page is an old one
            await send(message)

        return await self._app(scope, receive, send_with_headers)


def _install_page(app: FastAPI) -> None:
    for path, name in {"/": "index.html", "/style.css": "style.css", "/icon.svg": "icon.svg"}.items():
        app.add_route(path, partial(_file, WEB / name), include_in_schema=False)
    for folder in ("src", "vendor"):
        app.mount(f"/{folder}", StaticFiles(directory=WEB / folder, check_dir=False), name=folder)


async def _file(path: Path, _request: Request) -> FileResponse:
    return FileResponse(path)
