"""Time to first token of `/api/ask` beside the bare engine: the same prompt, the same engine process, the same run.

For each question the product is asked once untimed, so that the engine's prefix cache holds the prompt for both. Then the product
and the engine are timed one after the other, in an order that alternates. The prompt is built from the passages that the product
showed; a pair counts only where both say the same number of prompt tokens. What remains is what Graft itself adds: rights,
search, evidence, one more HTTP hop. Needs a server whose engine is the one at the endpoint.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from eval.types import Case, Style
from ingest.tokens import language
from ingest.types import Hit
from services.bench.answers import groups_of
from services.bench.clock import Deadline, percentiles
from services.bench.serving import Served
from services.engine import Endpoint
from services.prompts import ServingPrompts

_TIMEOUT_S = 300.0
_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Timed:
    """One streamed answer: seconds to its first token (None where there was none) and the prompt's length."""

    first_s: float | None
    prompt_tokens: int
    hits: tuple[dict[str, Any], ...] = ()


def compare_first_token(
    server: Served, endpoint: Endpoint, cases: Sequence[Case], *, passages: int, answer_tokens: int, deadline: Deadline
) -> dict[str, Any]:
    """Milliseconds of both (median, p90), the median of the pairs' ratios and differences with 95 % bootstrap intervals, n.

    `cold_ms` is the product's first, untimed ask, with only what other prompts left in the engine's prefix cache.
    """
    times_ms: list[tuple[float, float, float]] = []
    unlike = 0
    with httpx.Client(timeout=_TIMEOUT_S, trust_env=False, headers={"Authorization": f"Bearer {endpoint.api_key}"}) as http:
        for number, case in enumerate(deadline.until(cases)):
            cold = ask_product(server.http, case)
            if cold.first_s is None:
                continue  # it abstained, so nothing was written
            prompt = prompt_of(case.question, cold.hits[:passages])
            if number % 2:
                ours = ask_product(server.http, case)
                bare = ask_engine(http, endpoint, prompt, answer_tokens=answer_tokens)
            else:
                bare = ask_engine(http, endpoint, prompt, answer_tokens=answer_tokens)
                ours = ask_product(server.http, case)
            if ours.first_s is None or bare.first_s is None or ours.prompt_tokens != bare.prompt_tokens:
                unlike += 1
                continue
            times_ms.append((cold.first_s * 1000, ours.first_s * 1000, bare.first_s * 1000))
    return {
        "pairs": len(times_ms),
        "pairs_with_unlike_prompts": unlike,
        "cold_ms": percentiles([cold_ms for cold_ms, _, _ in times_ms], 50, 90),
        "product_ms": percentiles([ours_ms for _, ours_ms, _ in times_ms], 50, 90),
        "engine_ms": percentiles([bare_ms for _, _, bare_ms in times_ms], 50, 90),
        "ratio": median_with_interval([ours_ms / bare_ms for _, ours_ms, bare_ms in times_ms], digits=2),
        "overhead_ms": median_with_interval([ours_ms - bare_ms for _, ours_ms, bare_ms in times_ms], digits=1),
    }


def ask_product(http: httpx.Client, case: Case) -> Timed:
    """The first `token` event of a generated answer."""
    body = {"question": case.question, "style": Style.GENERATED, "groups": groups_of(case)}
    first_s, hits, tokens = None, (), 0
    began = time.perf_counter()
    with http.stream("POST", "/api/ask", json=body) as response:
        for name, data in read_events(response):
            if name == "token" and first_s is None:
                first_s = time.perf_counter() - began
            elif name == "sources":
                hits = tuple(data["hits"])
            elif name == "done":
                tokens = data["usage"].get("prompt_tokens", 0)
    return Timed(first_s, tokens, hits)


def ask_engine(http: httpx.Client, endpoint: Endpoint, prompt: list[dict[str, Any]], *, answer_tokens: int) -> Timed:
    """The first delta with text, of the same request that the product sends."""
    body = {
        "model": endpoint.model,
        "messages": prompt,
        "temperature": 0,
        "max_completion_tokens": answer_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    first_s, tokens = None, 0
    began = time.perf_counter()
    with http.stream("POST", f"{endpoint.base_url}/chat/completions", json=body) as response:
        for _, data in read_events(response):
            if first_s is None and any(choice["delta"].get("content") for choice in data["choices"]):
                first_s = time.perf_counter() - began
            if data.get("usage"):
                tokens = data["usage"]["prompt_tokens"]
    return Timed(first_s, tokens)


def prompt_of(question: str, hits: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages that the product sends for these passages, as OpenAI's JSON."""
    given = [Hit(**{**hit, "headings": tuple(hit["headings"])}, start=0) for hit in hits]
    roles = {"system": "system", "human": "user"}
    messages = ServingPrompts().grounded(question, given, language=language(question))
    return [{"role": roles[message.type], "content": message.content} for message in messages]


def median_with_interval(values: Sequence[float], *, digits: int) -> dict[str, float] | None:
    """The median with its 95 % percentile-bootstrap interval and n; None without values."""
    if not values:
        return None
    drawn = np.random.default_rng(0).choice(values, size=(_DRAWS, len(values)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    median = statistics.median(values)
    return {
        "value": round(median, digits),
        "low": round(float(low), digits),
        "high": round(float(high), digits),
        "n": len(values),
    }


def read_events(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    """Server-sent events as they come: name and JSON."""
    if response.is_error:
        response.read()
    response.raise_for_status()
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: ") and line != "data: [DONE]":
            yield name, json.loads(line.removeprefix("data: "))
            name = ""
