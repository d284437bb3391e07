"""Server-sent events: how they are written, the comment that keeps an idle connection open, and what ends them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from anyio import CancelScope
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

PING_INTERVAL_S = 15.0
_PING = ": ping\n\n"
# Proxies must pass events on at once (nginx buffers unless told).
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def event(data: Any, *, name: str | None = None) -> str:
    """One event; `data` is written as JSON, or as it is where it is a string."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return (f"event: {name}\n" if name else "") + f"data: {text}\n\n"


class EventStream(StreamingResponse):
    """The events as they come. A client that goes away closes the generator, and with it what it waits for."""

    def __init__(self, events: AsyncGenerator[str, None]) -> None:
        self._with_pings = _with_pings(events)
        super().__init__(self._with_pings, media_type="text/event-stream", headers=_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the events; when this returns, the generator is closed. Starlette would leave that to the garbage collector."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await self._with_pings.aclose()


async def _with_pings(events: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    waiting: asyncio.Future[str | None] | None = None
    try:
        while True:
            waiting = asyncio.ensure_future(anext(events, None))
            while not (await asyncio.wait({waiting}, timeout=PING_INTERVAL_S))[0]:
                yield _PING
            text = waiting.result()
            if text is None:
                return
            yield text
    finally:
        # A client that went away has cancelled this task, and would cancel the closing too.
        with CancelScope(shield=True):
            if waiting is not None and not waiting.done():
                waiting.cancel()
                await asyncio.wait({waiting})
            await events.aclose()
