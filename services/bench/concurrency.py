"""Eight people ask at once over `/v1`, with OpenAI's own client, streaming. No answer may fail.

The same client first asks some questions one after the other, so that times can be read as a ratio.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import openai

from eval.types import Case, Style
from services.bench.clock import Deadline
from services.bench.serving import Served

AT_ONCE = 8
ROUNDS = 3
_ALONE = 4
ASKS = _ALONE + ROUNDS * AT_ONCE
_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One streamed answer. `error` is empty where it is whole."""

    first_s: float
    whole_s: float
    annotations: int
    error: str


def ask_at_once(server: Served, cases: Sequence[Case], *, generated: bool, deadline: Deadline) -> dict[str, Any]:
    """Errors, times in seconds of eight at once and of one alone, and their ratio.

    Asks in even places are `generated` where the engine runs, the others `auto`. Needs `ASKS` answerable cases; a round that was
    begun is ended.
    """
    asked = [(case, Style.GENERATED if generated and number % 2 == 0 else Style.AUTO) for number, case in enumerate(cases)]
    with openai.OpenAI(
        base_url=f"{server.address}/v1",
        api_key=server.key,
        max_retries=0,
        timeout=_TIMEOUT_S,
        http_client=openai.DefaultHttpxClient(trust_env=False),
    ) as client:
        alone: list[Reply] = []
        together: list[Reply] = []
        seconds = 0.0
        rounds = [asked[start : start + AT_ONCE] for start in range(_ALONE, _ALONE + ROUNDS * AT_ONCE, AT_ONCE)]
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            for case, style in asked[:_ALONE]:
                alone.append(_settled(pool.submit(_ask, client, case, style)))
            for pairs in deadline.until(rounds):
                began = time.monotonic()
                asks = [pool.submit(_ask, client, case, style) for case, style in pairs]
                together += map(_settled, asks)
                seconds += time.monotonic() - began
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    replies = [*alone, *together]
    return {
        "at_once": AT_ONCE,
        "rounds": len(together) // AT_ONCE,
        "asks": len(replies),
        "errors": sum(bool(reply.error) for reply in replies),
        "messages": sorted({reply.error for reply in replies if reply.error}),
        "with_annotations": sum(reply.annotations > 0 for reply in replies),
        "alone": _times(alone),
        "together": _times(together),
        "asks_per_s": round(len(together) / seconds, 2) if seconds else None,
        "slower_than_alone": _ratio(together, alone),
    }


def _ask(client: openai.OpenAI, case: Case, style: Style) -> Reply:
    began = time.monotonic()
    first, text, finish, annotations = 0.0, "", "", 0
    stream = client.chat.completions.create(
        model="graft-rag", messages=[{"role": "user", "content": case.question}], stream=True, extra_body={"style": style}
    )
    for chunk in stream:
        for choice in chunk.choices:
            if choice.delta.content and not text:
                first = time.monotonic() - began
            text += choice.delta.content or ""
            annotations += len((choice.delta.model_extra or {}).get("annotations", ()))
            finish = choice.finish_reason or finish
    whole = text and finish == "stop"
    error = "" if whole else f"the stream ended with finish_reason {finish!r} and {len(text)} characters"
    return Reply(first, time.monotonic() - began, annotations, error)


def _settled(ask: Future[Reply]) -> Reply:
    """The reply; whatever the client raised is an error of this ask and not of the benchmark."""
    error = ask.exception()
    return ask.result() if error is None else Reply(0.0, 0.0, 0, f"{type(error).__name__}: {error}"[:300])


def _times(replies: Sequence[Reply]) -> dict[str, float]:
    whole = [reply for reply in replies if not reply.error]
    if not whole:
        return {}
    return {
        "median_first_s": round(statistics.median(reply.first_s for reply in whole), 2),
        "median_whole_s": round(statistics.median(reply.whole_s for reply in whole), 2),
        "longest_s": round(max(reply.whole_s for reply in whole), 2),
    }


def _ratio(together: Sequence[Reply], alone: Sequence[Reply]) -> float | None:
    times = _times(together), _times(alone)
    if not all(times):
        return None
    return round(times[0]["median_whole_s"] / max(times[1]["median_whole_s"], 0.01), 2)
