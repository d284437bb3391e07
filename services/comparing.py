"""Several streams as one: what each gives as it comes, each with the name that it goes by.

Invariants. A stream that fails ends with `Failed`, and the others go on. Closing the iterator closes all streams before it
returns, and each stream runs, and is closed, in one task. Knows nothing of what the streams hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from ingest.errors import GraftError

_Name = TypeVar("_Name")
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a stream ended early."""

    error: GraftError


class _End:
    """Says that a stream has given all that it had."""


async def merged(streams: Mapping[_Name, AsyncGenerator[_Item, None]]) -> AsyncGenerator[tuple[_Name, _Item | Failed], None]:
    """What the streams give, in the order in which it comes; errors that are not raised on purpose are raised here."""
    came: asyncio.Queue[tuple[_Name, _Item | Failed | Exception | _End]] = asyncio.Queue()
    tasks = [asyncio.create_task(_forward(name, stream, came)) for name, stream in streams.items()]
    try:
        left = len(tasks)
        while left:
            name, item = await came.get()
            if isinstance(item, _End):
                left -= 1
            elif isinstance(item, Exception):
                raise item
            else:
                yield name, item
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _forward(
    name: _Name, stream: AsyncGenerator[_Item, None], came: asyncio.Queue[tuple[_Name, _Item | Failed | Exception | _End]]
) -> None:
    try:
        async with aclosing(stream):
            async for item in stream:
                came.put_nowait((name, item))
    except GraftError as error:
        came.put_nowait((name, Failed(error)))
    except Exception as error:  # noqa: BLE001 - it is raised again where the streams are read
        came.put_nowait((name, error))
    came.put_nowait((name, _End()))
