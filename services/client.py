"""How the command line reaches the knowledge base: over HTTP where a server runs, else the same application in this process.

There is one way in: commands speak to the public interface in both cases, so they need not know which one it is.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from ingest.errors import GraftError, InputRefused, NotPermitted, Unavailable, UsageError
from services.home import Home
from services.settings import Settings

_ERRORS: dict[int, type[GraftError]] = {
    400: UsageError,
    401: NotPermitted,
    403: NotPermitted,
    404: InputRefused,
    409: InputRefused,
    413: InputRefused,
    422: InputRefused,
    503: Unavailable,
    507: Unavailable,
}

# Nothing that the interface does takes this long: documents are added by jobs, answers have a limit of their own.
_TIMEOUT_S = 600.0
# An engine elsewhere is running already, or is not there: one answer to a health check tells.
_ENGINE_WAIT_S = 10.0


class Client:
    """Calls the HTTP interface; errors come back as the exceptions they were."""

    def __init__(self, http: httpx.Client, *, remote: bool) -> None:
        self._http = http
        self.remote = remote
        """Whether a server does the work, and goes on with it when this process ends."""

    def call(self, method: str, path: str, **request: Any) -> Any:
        """The response's JSON, or None where it has none.

        Raises:
            GraftError: what the server answered instead; Unavailable where it no longer answers.
        """
        response = self._answer(method, path, **request)
        return response.json() if response.content else None

    def fetch(self, path: str) -> bytes:
        """The response's bytes, of a file.

        Raises:
            GraftError: as `call`.
        """
        return self._answer("GET", path).content

    def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise Unavailable(f"the server no longer answers ({error}): start it again (graft serve), nothing is lost") from error
        if response.is_success:
            return response
        raise _ERRORS.get(response.status_code, GraftError)(_detail(response))


@contextlib.contextmanager
def connect(settings: Settings, *, with_engine: bool = False, own_engine: bool = False) -> Iterator[Client]:
    """A client of the running server, or of a knowledge base that lives in this process until the block ends.

    `with_engine` says that answers will be asked for: then an engine elsewhere, if the settings name one, is used from here too.
    `own_engine` says that the work is long enough to start one of our own for it, as a server would; it waits for that itself.

    Raises:
        Unavailable: another process owns the home and serves nobody.
    """
    home = Home(settings.home)
    running = home.running_server()
    if running is not None:
        headers = {"Authorization": f"Bearer {running.key}"}
        with httpx.Client(base_url=running.address, headers=headers, timeout=_TIMEOUT_S, trust_env=False) as http:
            yield Client(http, remote=True)
        return
    # These take a second to import and are not needed beside a running server.
    from services.api.app import create_app
    from services.assembly import open_knowledge_base

    home.acquire()
    try:
        kb = open_knowledge_base(settings, home)
        try:
            kb.start()
            if with_engine and settings.chat.address:
                kb.engine.start()
                kb.engine.wait_ready(_ENGINE_WAIT_S)
            elif own_engine and settings.chat.start_engine:  # it takes longer to start than a short command should
                kb.engine.start()
            if own_engine:
                kb.workshop.live.start()
            key = secrets.token_urlsafe(32)
            headers = {"Authorization": f"Bearer {key}"}
            with (
                start_blocking_portal() as portal,
                httpx.Client(
                    transport=_InProcess(create_app(kb, local_key=key), portal),
                    base_url="http://127.0.0.1",
                    headers=headers,
                    timeout=_TIMEOUT_S,
                ) as http,
            ):
                yield Client(http, remote=False)
        finally:
            kb.stop()
    finally:
        home.release()


class _InProcess(httpx.BaseTransport):
    """Sends requests straight into an ASGI application."""

    def __init__(self, app: Any, portal: BlockingPortal) -> None:
        self._asgi = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._portal = portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()

        async def send() -> httpx.Response:
            answer = await self._asgi.handle_async_request(
                httpx.Request(request.method, request.url, headers=request.headers, content=body)
            )
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        return self._portal.call(send)


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered {response.status_code}: {response.text[:200]}"
