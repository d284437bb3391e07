"""How long a finished sentence waits before it is shown: from its last token to its release, as the server tells it (`held_ms`).

`/v1` releases each sentence at the event that is timed here, so this is what judging and repairing add to a stream. It holds the
wait for the next token, without which no sentence is known to have ended, and the judge. What is repaired waits for the model
again and is told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.types import Case, Style
from services.bench.answers import groups_of
from services.bench.clock import Deadline, percentiles
from services.bench.first_token import read_events
from services.bench.serving import Served


def measure_release(server: Served, cases: Sequence[Case], deadline: Deadline) -> dict[str, Any]:
    """Milliseconds (p50, p99) and number of sentences, as written and repaired, over streamed generated answers."""
    held_ms: dict[bool, list[float]] = {False: [], True: []}
    asked = 0
    for case in deadline.until(cases):
        asked += 1
        body = {"question": case.question, "style": Style.GENERATED, "groups": groups_of(case)}
        with server.http.stream("POST", "/api/ask", json=body) as response:
            for name, data in read_events(response):
                if name == "sentence" and data["held_ms"] is not None:
                    held_ms[data["replaces"] is not None].append(data["held_ms"])
    parts = {"as_written": held_ms[False], "repaired": held_ms[True]}
    return {"asks": asked} | {name: {"sentences": len(one), **percentiles(one, 50, 99)} for name, one in parts.items()}
