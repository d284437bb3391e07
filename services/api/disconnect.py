"""Work that nobody waits for any longer is given up: a client that goes away stops its generation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from fastapi import Request
from fastapi.responses import Response

_Result = TypeVar("_Result")


async def unless_gone(request: Request, work: Awaitable[_Result]) -> _Result | None:
    """What the work gives; None, and the work cancelled, where the client went away first. The request's body must be read."""
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        gone.cancel()
        await asyncio.wait({working, gone})


def nobody_there() -> Response:
    """What is answered to a client that is gone; 499 as nginx logs it."""
    return Response(status_code=499)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
