"""The benchmark's own judgement: that it sees leaks and errors, that its figures mean what they say, that it cleans up."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pymupdf
import pytest
from pydantic import SecretStr

from eval.report import to_markdown
from eval.types import Case, GoldPage, Style
from ingest.errors import GraftError, UsageError
from ingest.types import EVERYONE, Hit
from services.bench.adding import add_files
from services.bench.answers import Answers, ask_all, evaluated, plan_written, search_all, spread
from services.bench.clock import Deadline, Progress, percentiles
from services.bench.concurrency import ASKS, ask_at_once
from services.bench.first_token import ask_engine, ask_product, compare_first_token, median_with_interval, prompt_of
from services.bench.public_sets import evaluate_passages, key_facts, read_questions
from services.bench.reporting import goals, make_report
from services.bench.rights import callers_without, forbidden_to, look_for_leaks
from services.bench.serving import Served, bench_settings, served, with_engine, without_engine, write_config
from services.engine import Endpoint
from services.prompts import grounded_prompt
from services.settings import load_settings

SOON = Deadline.after(600)
OVER = Deadline(0.0)
CARRIED = {"prices.pdf": ("finance", "sales"), "salaries.pdf": ("hr",)}


def case(
    name: str, *, kind: str = "plain", lang: str = "en", document: str = "handbook.pdf", groups: tuple[str, ...] = ()
) -> Case:
    return Case(name, lang, kind, f"What of {name}?", True, ("27 days",), (GoldPage(document, 1),), groups)


def hit(document: str) -> dict[str, Any]:
    return {
        "document": document, "document_id": f"id-{document}", "version": 1, "page": 1, "chunk": "c", "score": 1.0,
        "text": "You get 27 days.", "headings": ["Leave"],
    }  # fmt: skip


def answer(*documents: str, words: str = "You get some.") -> dict[str, Any]:
    return {
        "answer": words, "style": "quotes", "abstained": False, "nearest": [hit(one) for one in documents], "citations": [],
        "sentences": [{"text": words, "style": "quotes", "supported": True}], "usage": {"prompt_tokens": 9},
    }  # fmt: skip


# Stand-in servers


Reply = tuple[int, str]


@contextmanager
def serving(respond: Callable[[str, str, dict[str, Any], str], Reply]) -> Iterator[Served]:
    """A server that answers as `respond(method, path, body, key)` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply("GET", {})

        def do_POST(self) -> None:
            self.reply("POST", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, method: str, body: dict[str, Any]) -> None:
            status, text = respond(method, self.path, body, self.headers["Authorization"].removeprefix("Bearer "))
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream" if text.startswith(("event", "data")) else "application/json")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        with httpx.Client(base_url=address, headers={"Authorization": "Bearer administrator"}, trust_env=False) as http:
            yield Served(address, "administrator", http)
    finally:
        server.shutdown()
        server.server_close()


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


# Answers


def test_every_beginning_of_the_order_is_a_proportional_sample() -> None:
    cases = [case(f"a{n}") for n in range(30)] + [case(f"b{n}", kind="paraphrase", lang="zh") for n in range(10)]
    order = spread(cases)
    assert sorted(one.id for one in order) == sorted(one.id for one in cases)
    for size in (4, 8, 20, 32):
        assert abs(sum(one.lang == "zh" for one in order[:size]) - size / 4) <= 1


def test_generated_follows_auto_of_the_same_plain_question_because_the_engine_keeps_the_prompt() -> None:
    cases = [case("en"), *(case(f"zh{n}", lang="zh") for n in range(30)), case("other", kind="paraphrase")]
    planned = plan_written(cases, generated=True)
    assert [style for _, style in planned].count(Style.AUTO) == 32
    assert sum(style is Style.GENERATED and one.lang == "zh" for one, style in planned) == 20
    for (before, _), (one, style) in itertools.pairwise(planned):
        assert style is Style.AUTO or before is one
    assert all(one.kind == "plain" for one, style in planned if style is Style.GENERATED)
    assert {style for _, style in plan_written(cases, generated=False)} == {Style.AUTO}


def test_a_question_that_fails_is_an_error_and_the_others_go_on() -> None:
    def respond(_method: str, _path: str, body: dict[str, Any], _key: str) -> Reply:
        if "bad" in body["question"]:
            return 503, json.dumps({"detail": "the engine is away"})
        return 200, json.dumps(answer("handbook.pdf", words="27 days"))

    cases = [case("good"), case("bad")]
    with serving(respond) as server:
        asked = ask_all(server.client, [(one, Style.AUTO) for one in cases], SOON, Progress())[Style.AUTO]
    assert asked.errors == ["bad: the engine is away"]
    report = evaluated(cases, asked, {one.id: [hit("handbook.pdf")] for one in cases})
    assert (report["planned"], report["answered"]) == (2, 1)
    assert report["overall"]["key_fact"]["n"] == 1
    assert report["overall"]["recall@5"]["value"] == 1


def test_what_time_ran_out_for_is_neither_an_answer_nor_an_error() -> None:
    with serving(lambda *_: (500, "{}")) as server:
        asked = ask_all(server.client, [(case("one"), Style.QUOTES)], OVER, Progress())[Style.QUOTES]
    assert asked == Answers(Style.QUOTES, planned=1)


def test_every_question_is_searched_on_behalf_of_its_groups() -> None:
    groups = []

    def respond(_method: str, _path: str, body: dict[str, Any], _key: str) -> Reply:
        groups.append(body["groups"])
        return 200, json.dumps({"hits": [hit("handbook.pdf")], "timings_ms": {"search": 2.0}})

    with serving(respond) as server:
        hits, times = search_all(server.client, [case("one"), case("two", groups=("hr",))])
    assert groups == [[EVERYONE], ["hr"]]
    assert set(hits) == {"one", "two"}
    assert times["inside_ms"] == {"p50": 2.0, "p99": 2.0}


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
        prompt = grounded_prompt(question, given, language=language)
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


# Public sets


@pytest.mark.parametrize(
    ("gold", "facts"),
    [
        ("It dropped from 24.6% in FY 2021 to 21.6% in FY 2022.", ("24.6", "21.6")),
        ("It opened 47 new stores. The answer here assumes FY2023 refers to the 12 months ended on January 28.", ("47",)),
        ("77.78", ("77.78",)),
        ("USD 1,250 in Q2", ("1,250",)),
        ("Customer deposits.", ("Customer deposits",)),
        ("Yes", ()),
        ("It did so because the one thing led to the other thing.", ()),
    ],
)
def test_the_key_facts_of_free_text_are_its_figures_or_a_short_phrase(gold: str, facts: tuple[str, ...]) -> None:
    assert key_facts(gold) == facts


def test_questions_on_pdfs_become_cases_with_their_pages(tmp_path: Path) -> None:
    line = {"id": "q", "lang": "en", "question": "Why?", "answers": ["x"], "document": "a.pdf", "pages": [2, 3]}
    (tmp_path / "questions.jsonl").write_text(json.dumps(line) + "\n")
    (one,) = read_questions(tmp_path / "questions.jsonl")
    assert one.gold == (GoldPage("a.pdf", 2), GoldPage("a.pdf", 3))
    assert one.answerable


def test_a_data_set_that_is_not_whole_fails_with_the_command_s_own_words(tmp_path: Path) -> None:
    with pytest.raises(GraftError, match=r"corpus\.jsonl"):
        evaluate_passages(tmp_path, SOON)


# Goals and report


def good() -> dict[str, Any]:
    share = {"value": 1.0, "low": 0.9, "high": 1.0, "n": 50}
    plain = {"cases": 50, "key_fact": share, "recall@5": share, "sentences": 60, "sentences_written_by_the_model": 0.2}
    kinds = {f"plain {lang}": plain for lang in ("en", "zh")}
    answers = {"planned": 100, "answered": 100, "errors": [], "overall": plain, "by_language": {}, "by_kind_and_language": kinds}
    rights = {"leaks": 0, "looks": 9, "looks_by_place": {"search": 9}, "found": [], "failed": [], "complete": True}
    asks = {
        "asks": 28, "rounds": 3, "errors": 0, "messages": [], "alone": {}, "together": {}, "asks_per_s": 1.0,
        "slower_than_alone": None,
    }  # fmt: skip
    return {"answers": {"auto": answers}, "rights": rights, "concurrency": asks}


def test_all_goals_can_be_met() -> None:
    assert all(goal.met for goal in goals(good()))
    assert make_report(good(), {}, seconds=1, quick=False).all_met


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("answers", "auto", "by_kind_and_language", "plain zh", "recall@5"), {"value": 0.94, "low": 0, "high": 1, "n": 50}),
        (("answers", "auto", "by_kind_and_language", "plain en", "key_fact"), {"value": 0.79, "low": 0, "high": 1, "n": 50}),
        (("answers", "auto", "by_kind_and_language", "plain en"), {"cases": 3, "sentences": 0}),
        (("rights", "leaks"), 1),
        (("rights", "failed"), ["one could not be asked"]),
        (("concurrency", "errors"), 1),
        (("concurrency", "rounds"), 0),
    ],
)
def test_one_figure_short_of_its_goal_misses_it(path: tuple[str, ...], value: Any) -> None:
    measured = json.loads(json.dumps(good()))
    place = measured
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert sum(not goal.met for goal in goals(measured)) >= 1
    assert not make_report(measured, {}, seconds=1, quick=False).all_met


def test_what_was_not_measured_is_missed_and_what_was_left_out_is_said() -> None:
    report = make_report({}, {"first_token": "there is no engine"}, seconds=1, quick=True)
    assert not any(goal.met for goal in report.goals)
    assert "there is no engine" in to_markdown(report)


# Servers of its own


def test_the_server_is_configured_as_this_process_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GRAFT_")]:
        monkeypatch.delenv(name)
    configured = tmp_path / "configured"
    configured.mkdir()
    (configured / "config.toml").write_text(
        'models_dir = "/models"\nchat.key = "s\\"ecret"\nanswer.passages = 5\nread.timeout_s = 9.5\n'
    )
    monkeypatch.setenv("GRAFT_HOME", str(configured))
    settings = bench_settings(tmp_path / "own")
    write_config(with_engine(settings, Endpoint("http://127.0.0.1:1/v1", "葵", "m")))
    assert (tmp_path / "own" / "config.toml").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("GRAFT_HOME", str(tmp_path / "own"))
    found = load_settings()
    assert (found.answer.passages, found.read.timeout_s, str(found.models_dir)) == (5, 9.5, "/models")
    assert (found.chat.address, found.chat.key) == ("http://127.0.0.1:1/v1", SecretStr("葵"))
    assert settings.home == tmp_path / "own"
    assert settings.port != load_settings().port


def test_a_configured_database_is_never_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFT_DATABASE", "postgresql://company")
    with pytest.raises(UsageError, match="GRAFT_DATABASE="):
        bench_settings(tmp_path)
    monkeypatch.setenv("GRAFT_DATABASE", "")
    assert not bench_settings(tmp_path).database


def test_a_server_of_its_own_takes_documents_and_is_gone_after_the_block(tmp_path: Path) -> None:
    path = tmp_path / "leave.pdf"
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), "Every employee gets 27 days of leave.")
        document.save(path)
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"no PDF")
    with served(without_engine(bench_settings(tmp_path / "home"))) as server:
        added = add_files(server.client, [path, broken], groups={}, deadline=SOON)
        pid = json.loads((tmp_path / "home" / "run.json").read_text())["pid"]
    assert (added["documents"], added["pages"]) == (1, 1)
    assert added["pages_per_s"] > 0
    assert added["peer_pages_per_s"] > 0
    assert set(added["failed"]) == {"broken.pdf"}
    assert set(added["jobs"]) == {"leave.pdf", "broken.pdf"}
    assert not alive(pid)


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_no_process_outlives_an_interrupted_or_killed_benchmark(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "GRAFT_CHAT__START_ENGINE": "false"}
    command = [sys.executable, "-m", "services.bench", "--quick", "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: list(tmp_path.glob("graft-bench-*/home/run.json")) or process.poll() is not None)
        (note,) = tmp_path.glob("graft-bench-*/home/run.json")
        until(note.read_text)
        pid = json.loads(note.read_text())["pid"]
        process.send_signal(sent)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == code, errors
    until(lambda: not alive(pid))
    assert sent is signal.SIGKILL or not list(tmp_path.glob("graft-bench-*"))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


# Time


def test_a_deadline_within_another_is_the_earlier_one() -> None:
    assert OVER.within(10) is OVER
    assert SOON.within(0).passed
    assert list(SOON.until([1, 2])) == [1, 2]
    assert list(OVER.until([1, 2])) == []


def test_percentiles_of_nothing_are_nothing() -> None:
    assert percentiles([], 50) == {}
    assert percentiles([1, 2, 3], 50, 99) == {"p50": 2.0, "p99": 3.0}
