"""Server-sent events: how they are written, and the comment that keeps an idle connection open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi.responses import StreamingResponse

PING_INTERVAL_S = 15.0
_PING = ": ping\n\n"
# Proxies must pass events on at once (nginx buffers unless told).
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def event(data: Any, *, name: str | None = None) -> str:
    """One event; `data` is written as JSON, or as it is where it is a string."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return (f"event: {name}\n" if name else "") + f"data: {text}\n\n"


def response(events: AsyncGenerator[str, None]) -> StreamingResponse:
    """The events as they come. A client that goes away closes the generator, and with it what it waits for."""
    return StreamingResponse(_with_pings(events), media_type="text/event-stream", headers=_HEADERS)


async def _with_pings(events: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    async with aclosing(events):
        while True:
            next_event = asyncio.ensure_future(anext(events, None))
            try:
                while not (await asyncio.wait({next_event}, timeout=PING_INTERVAL_S))[0]:
                    yield _PING
            except (asyncio.CancelledError, GeneratorExit):
                next_event.cancel()
                await asyncio.wait({next_event})
                raise
            text = next_event.result()
            if text is None:
                return
            yield text
