"""The cases' questions, searched and asked in every style over the public interface.

Invariants. Where time runs out, what was asked so far is a proportional sample of kinds and languages, and the report says how
many it was. `auto` and `generated` of one case follow each other, because their prompt is the same and the engine keeps it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from eval.answers import RECALL_AT, evaluate_answers
from eval.types import Case, Style
from ingest.errors import GraftError
from ingest.types import EVERYONE
from services.bench.clock import Deadline, Progress, percentiles
from services.client import Client
from services.commands.questions import answer_to

# Asked at once: the engine writes several answers in little more time than one. Times are measured elsewhere.
_AT_ONCE = 4
# `generated` alone in a language that the model does not write: enough to see that it should not.
_GENERATED_CHINESE = 20
_PROGRESS_EVERY = 40

Hits = dict[str, list[dict[str, Any]]]
"""Case id → what was found for its question."""


@dataclass(slots=True)
class Answers:
    """The answers of one style by case id, and what went wrong."""

    style: Style
    planned: int = 0
    by_case: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def spread(cases: Iterable[Case]) -> list[Case]:
    """The cases in an order of which every beginning holds all kinds and languages in proportion."""
    cases = list(cases)
    sizes = Counter((case.kind, case.lang) for case in cases)
    seen: Counter[tuple[str, str]] = Counter()
    places = []
    for case in cases:
        seen[case.kind, case.lang] += 1
        places.append((seen[case.kind, case.lang] / sizes[case.kind, case.lang], case.id))
    order = {case_id: place for place, case_id in places}
    return sorted(cases, key=lambda case: order[case.id])


def search_all(client: Client, cases: Sequence[Case]) -> tuple[Hits, dict[str, Any]]:
    """What every question finds, and how long one search after the other took, over HTTP and inside the server."""
    hits, taken_ms, inside_ms = {}, [], []
    for case in cases:
        request = {"query": case.question, "limit": RECALL_AT, "groups": groups_of(case)}
        began = time.perf_counter()
        found = client.call("POST", "/api/search", json=request)
        taken_ms.append((time.perf_counter() - began) * 1000)
        inside_ms.append(found["timings_ms"]["search"])
        hits[case.id] = found["hits"]
    return hits, {"n": len(cases), "over_http_ms": percentiles(taken_ms, 50, 99), "inside_ms": percentiles(inside_ms, 50, 99)}


def groups_of(case: Case) -> list[str]:
    """The groups on whose behalf the case is asked."""
    return list(case.groups) or [EVERYONE]


def ask_all(
    client: Client, planned: Sequence[tuple[Case, Style]], deadline: Deadline, progress: Progress
) -> dict[Style, Answers]:
    """The answers by style; a question that failed is an error there and has no answer."""
    answers = {style: Answers(style) for _, style in planned}
    for _, style in planned:
        answers[style].planned += 1

    def ask(pair: tuple[Case, Style]) -> dict[str, Any] | GraftError | None:
        case, style = pair
        if deadline.passed:
            return None
        try:
            return answer_to(client, case.question, style=style, groups=groups_of(case))
        except GraftError as error:
            return error

    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for number, ((case, style), answer) in enumerate(zip(planned, pool.map(ask, planned), strict=True), 1):
            if isinstance(answer, GraftError):
                answers[style].errors.append(f"{case.id}: {answer}")
            elif answer is not None:
                answers[style].by_case[case.id] = answer
                if number % _PROGRESS_EVERY == 0:
                    progress.say(f"  {number} of {len(planned)} answers")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return answers


def plan_written(cases: Sequence[Case], *, generated: bool) -> list[tuple[Case, Style]]:
    """What is asked while the engine runs: everything in `auto`, and the plain questions in `generated` too where wanted."""
    order = spread(cases)
    english = {case.id for case in order if case.kind == "plain" and case.lang == "en"}
    chinese = [case.id for case in order if case.kind == "plain" and case.lang == "zh"][:_GENERATED_CHINESE]
    also = {*english, *chinese} if generated else set()
    return [(case, style) for case in order for style in (Style.AUTO, Style.GENERATED) if style is Style.AUTO or case.id in also]


def evaluated(cases: Sequence[Case], answers: Answers, hits: Hits) -> dict[str, Any]:
    """The figures of `eval.answers` for what was answered, with the counts of what was planned and what failed."""
    asked = {(case.question, case.groups): case.id for case in cases if case.id in answers.by_case}

    def ask(question: str, groups: tuple[str, ...]) -> dict[str, Any]:
        return answers.by_case[asked[question, groups]]

    def find(question: str, groups: tuple[str, ...], _limit: int) -> list[dict[str, Any]]:
        return hits[asked[question, groups]]

    answered = [case for case in cases if case.id in answers.by_case]
    return {
        "planned": answers.planned,
        "answered": len(answered),
        "errors": answers.errors,
        **evaluate_answers(answered, ask, find),
    }
