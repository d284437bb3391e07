"""The benchmark's requests to a stand-in server: it must see every leak and error, and compare like with like."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from eval.types import Style
from ingest.types import EVERYONE, Hit
from services.bench.clock import Deadline, Progress
from services.bench.concurrency import ASKS, ask_at_once
from services.bench.first_token import ask_engine, ask_product, compare_first_token, median_with_interval, prompt_of
from services.bench.release import measure_release
from services.bench.reporting import goals
from services.bench.rights import callers_without, forbidden_to, look_for_leaks
from services.engine import Endpoint
from services.prompts import ServingPrompts
from tests.services.stand_in import OVER, SOON, Reply, answer, case, hit, serving

CARRIED = {"prices.pdf": ("finance", "sales"), "salaries.pdf": ("hr",)}


class Company:
    """Answers as the product does for three documents; `leak` names the one place that forgets the rights."""

    def __init__(self, leak: str = "") -> None:
        self.leak = leak
        self.keys: dict[str, set[str]] = {"administrator": {EVERYONE, "finance", "sales", "hr"}}

    def readable(self, key: str, body: dict[str, Any]) -> list[str]:
        held = self.keys[key]
        if body.get("groups") is not None:
            asked = set(body["groups"])
            held = asked if self.leak == "widening" else held & asked
        held = held | {EVERYONE}
        return [name for name, groups in {"handbook.pdf": (EVERYONE,), **CARRIED}.items() if held & set(groups)]

    def respond(self, method: str, path: str, body: dict[str, Any], key: str) -> Reply:
        if path == "/api/keys":
            secret = f"key-{len(self.keys)}"
            self.keys[secret] = set(body["groups"])
            return 201, json.dumps({"secret": secret})
        names = self.readable(key, body)
        everything = ["handbook.pdf", *CARRIED]
        if path == "/api/search":
            return 200, json.dumps({"hits": [hit(one) for one in (everything if self.leak == "search" else names)]})
        if path == "/api/ask":
            words = "You get 27 days." if self.leak == "words" or "prices.pdf" in names else "You get some."
            return 200, json.dumps(answer(*(everything if self.leak == "nearest" else names), words=words))
        if path == "/v1/chat/completions":
            notes = [{"graft": hit(one)} for one in (everything if self.leak == "annotations" else names)]
            return 200, json.dumps({"choices": [{"message": {"content": "You get some.", "annotations": notes}}]})
        if path == "/api/documents":
            listed = everything if self.leak == "list" else names
            return 200, json.dumps({"documents": [{"document": one, "document_id": f"id-{one}"} for one in listed]})
        return self.one(path, names)

    def one(self, path: str, names: list[str]) -> Reply:
        """A document's own endpoints."""
        identity = path.split("/")[3]
        known = any(identity.endswith(f"-{one}") for one in CARRIED)
        if known and self.leak == "file" and path.endswith("/file"):
            return 200, "%PDF"
        if known and self.leak == "told apart":
            return 404, json.dumps({"detail": "you may not read this"})
        return 404, json.dumps({"detail": f"there is no document {identity!r}"})


def leaks_of(company: Company, *, deadline: Deadline = SOON) -> dict[str, Any]:
    cases = [case("leave"), case("price", document="prices.pdf", groups=("sales",))]
    with serving(company.respond) as server:
        return look_for_leaks(
            server, cases, carried=CARRIED, jobs={name: f"job-{name}" for name in CARRIED},
            styles=[Style.QUOTES], deadline=deadline, progress=Progress(),
        )  # fmt: skip


# Rights


def test_a_server_that_keeps_the_rights_has_no_leak_and_was_looked_at_everywhere() -> None:
    report = leaks_of(Company())
    assert (report["leaks"], report["failed"], report["complete"]) == (0, [], True)
    assert report["looks"] == sum(report["looks_by_place"].values()) > 30
    assert {"search", "ask, quotes", "/v1", "document list", "/api/documents/…/pages/1.png"} <= set(report["looks_by_place"])


@pytest.mark.parametrize("leak", ["search", "nearest", "words", "annotations", "list", "file", "told apart", "widening"])
def test_a_leak_is_seen_wherever_it_is(leak: str) -> None:
    assert leaks_of(Company(leak))["leaks"] > 0


def test_looks_that_were_not_made_in_time_are_not_called_clean() -> None:
    report = leaks_of(Company(), deadline=OVER)
    assert not report["complete"]
    assert not next(goal for goal in goals({"rights": report}) if "leaks" in goal.name).met


def test_any_one_group_of_a_document_is_enough_to_read_it() -> None:
    assert forbidden_to(["sales"], CARRIED) == {"salaries.pdf"}
    assert forbidden_to([EVERYONE], CARRIED) == set(CARRIED)
    assert callers_without(CARRIED) == [(EVERYONE,), ("finance",), ("hr",), ("sales",)]


# Concurrency


def chunks(*contents: str, finish: str | None = "stop") -> str:
    head = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "graft-rag"}
    events = [{**head, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in contents]
    if finish:
        events.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"


def at_once(reply: Callable[[str, str], Reply]) -> dict[str, Any]:
    def respond(_method: str, _path: str, body: dict[str, Any], _key: str) -> Reply:
        return reply(body["messages"][0]["content"], body["style"])

    with serving(respond) as server:
        return ask_at_once(server, [case(f"q{number}") for number in range(ASKS)], generated=True, deadline=SOON)


def test_whole_streams_are_no_errors() -> None:
    styles = []

    def reply(_question: str, style: str) -> Reply:
        styles.append(style)
        return 200, chunks("You get ", "27 days.")

    report = at_once(reply)
    assert (report["asks"], report["errors"], report["rounds"]) == (ASKS, 0, 3)
    assert (styles.count("generated"), styles.count("auto")) == (ASKS // 2, ASKS // 2)
    assert report["together"].keys() == {"median_first_s", "median_whole_s", "longest_s"}


@pytest.mark.parametrize(
    "broken",
    [
        (503, json.dumps({"error": {"message": "too many"}})),
        (200, chunks("You get ", finish=None)),
        (200, chunks()),
        (200, "data: " + json.dumps({"error": {"message": "the engine failed"}}) + "\n\ndata: [DONE]\n\n"),
    ],
)
def test_a_refused_broken_empty_or_failing_stream_is_an_error(broken: Reply) -> None:
    report = at_once(lambda question, _style: broken if "q9?" in question else (200, chunks("27 days.")))
    assert (report["asks"], report["errors"]) == (ASKS, 1)
    assert len(report["messages"]) == 1


# From a sentence's last token to its release


def test_sentences_that_were_repaired_are_timed_apart_and_quotes_beside_the_text_not_at_all() -> None:
    held: list[tuple[float | None, dict[str, str] | None]] = [(3.0, None), (5.0, None), (900.0, {"text": "Wrong."}), (None, None)]
    told = [("sentence", {"held_ms": ms, "replaces": replaces}) for ms, replaces in held]
    stream = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in told)
    with serving(lambda *_: (200, stream)) as server:
        measured = measure_release(server, [case("a")], SOON)
    assert measured["asks"] == 1
    assert (measured["as_written"]["sentences"], measured["as_written"]["p50"]) == (2, 4.0)
    assert (measured["repaired"]["sentences"], measured["repaired"]["p50"]) == (1, 900.0)


# Time to first token


def product_events(text: str = "You") -> str:
    events = [("sources", {"hits": [hit("handbook.pdf")]}), ("token", {"text": text}), ("done", answer("handbook.pdf"))]
    return "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events if name != "token" or text)


def engine_events(prompt_tokens: int) -> str:
    usage = {"choices": [], "usage": {"prompt_tokens": prompt_tokens}}
    return chunks("", "You").replace("data: [DONE]", f"data: {json.dumps(usage)}\n\ndata: [DONE]")


def first_tokens(*, text: str = "You", prompt_tokens: int = 9) -> tuple[dict[str, Any], list[str]]:
    asked = []

    def respond(_method: str, path: str, _body: dict[str, Any], key: str) -> Reply:
        asked.append(path)
        if path == "/api/ask":
            return 200, product_events(text)
        assert key == "secret"
        return 200, engine_events(prompt_tokens)

    with serving(respond) as server:
        endpoint = Endpoint(f"{server.address}/v1", "secret", "graft-base")
        times = compare_first_token(server, endpoint, [case("a"), case("b")], passages=3, answer_tokens=4, deadline=SOON)
    return times, [path.rsplit("/", 1)[-1] for path in asked]


def test_each_question_is_asked_once_untimed_and_then_in_alternating_order() -> None:
    times, asked = first_tokens()
    assert asked == ["ask", "completions", "ask", "ask", "ask", "completions"]
    assert (times["pairs"], times["pairs_with_unlike_prompts"]) == (2, 0)
    assert times["ratio"]["n"] == times["overhead_ms"]["n"] == 2


def test_a_pair_counts_only_where_both_read_a_prompt_of_the_same_length() -> None:
    times, _ = first_tokens(prompt_tokens=8)
    assert (times["pairs"], times["pairs_with_unlike_prompts"], times["ratio"]) == (0, 2, None)


def test_a_question_that_the_product_does_not_answer_is_not_compared() -> None:
    times, asked = first_tokens(text="")
    assert (times["pairs"], asked) == (0, ["ask", "ask"])


def test_the_bare_prompt_is_the_one_that_the_product_sends() -> None:
    given = [Hit("handbook.pdf", "id-handbook.pdf", 1, 1, "c", 1.0, "You get 27 days.", 0, ("Leave",))]
    for question, language in (("How many days?", "en"), ("年假有几天？", "zh")):
        prompt = ServingPrompts().grounded(question, given, language=language)
        assert [one["content"] for one in prompt_of(question, [hit("handbook.pdf")])] == [one.content for one in prompt]
        assert [one["role"] for one in prompt_of(question, [hit("handbook.pdf")])] == ["system", "user"]


def test_the_first_token_is_the_first_with_text() -> None:
    def transport(body: str) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text=body)), base_url="http://x")

    with transport(engine_events(7)) as http:
        timed = ask_engine(http, Endpoint("http://x/v1", "", "m"), [], answer_tokens=4)
    assert timed.first_s is not None
    assert timed.prompt_tokens == 7
    with transport(product_events("")) as http:
        assert ask_product(http, case("one")).first_s is None


def test_the_median_lies_within_its_interval_and_is_the_same_each_time() -> None:
    found = median_with_interval([1.0, 2.0, 3.0, 4.0, 10.0], digits=1)
    assert found is not None
    assert found["low"] <= found["value"] == 3.0 <= found["high"]
    assert found == median_with_interval([1.0, 2.0, 3.0, 4.0, 10.0], digits=1)
    assert median_with_interval([], digits=1) is None
