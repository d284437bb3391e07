"""`/api/compare`, `graft ask --compare` and `graft compare`: several arms over the public interface, and runs that go on."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ingest.errors import GraftError, InputRefused, Unavailable
from services.cli import app
from services.commands import comparing
from services.home import Home, RunningServer
from tests.fakes import FakeChat, pdf
from tests.product import LOCAL_KEY, Product, hang_up
from tests.waiting import until

HOLIDAY = "Every employee has 27 days of paid holiday a year. Unused days expire at the end of March."
MINUTES = "The board meets in Leeds on Mondays at nine."
QUESTION = "How many days of paid holiday does an employee have?"
RIGHT = "Every employee has 27 days of paid holiday a year."
WRONG = "The sky is a green sort of elephant."
CASES = [
    {"id": "a", "lang": "en", "kind": "plain", "question": QUESTION, "answerable": True, "answers": ["27 days"]},
    {"id": "b", "lang": "en", "kind": "none", "question": "What is the boiling point of tungsten?", "answerable": False},
    {
        "id": "c",
        "lang": "en",
        "kind": "plain",
        "question": "When do unused days expire?",
        "answerable": True,
        "answers": ["March"],
    },
]


@pytest.fixture
def stocked(product: Product) -> Product:
    """The product with a handbook that all may read and a page that the board may read."""
    product.add("handbook.pdf", pdf(HOLIDAY))
    product.kb.groups.create("board")
    product.add("minutes.pdf", pdf(MINUTES), "board")
    return product


def events(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            yield lines["event"], json.loads(lines["data"])


def ask(product: Product, **body: Any) -> Any:
    with product.client() as http:
        return http.post("/api/compare", json={"question": QUESTION, **body})


# HTTP


def test_every_event_names_its_arm_and_the_stream_ends_with_end(stocked: Product) -> None:
    stocked.use_chat(FakeChat(answer=f"{RIGHT} {WRONG}"), tuned=FakeChat(answer=RIGHT))
    told = list(events(ask(stocked).text))
    assert told[0][0] == "sources"
    assert told[0][1]["arm"] is None
    assert told[0][1]["hits"][0]["document"] == "handbook.pdf"
    assert told[-1] == ("end", {})
    by_arm = {arm: [name for name, data in told if data.get("arm") == arm] for arm in ("base", "rag", "tuned", "tuned-rag")}
    for arm, names in by_arm.items():
        assert names[-1] == "done", arm
        assert names.count("sentence") == (1 if "tuned" in arm else 2)
        assert "token" in names
    sentences = [data for name, data in told if name == "sentence" and data["arm"] == "base"]
    assert [one["supported"] for one in sentences] == [True, False]
    assert sentences[0]["citations"][0]["document"] == "handbook.pdf"


def test_the_whole_comparison_is_what_the_stream_tells(stocked: Product) -> None:
    stocked.use_chat(FakeChat(answer=RIGHT), tuned=FakeChat(answer=WRONG))
    whole = ask(stocked, stream=False).json()
    streamed = {data["arm"]: data for name, data in events(ask(stocked).text) if name == "done"}
    assert whole["question"] == QUESTION
    assert whole["hits"][0]["document"] == "handbook.pdf"
    assert list(whole["answers"]) == ["base", "rag", "tuned", "tuned-rag"]
    for arm, answer in whole["answers"].items():
        assert streamed[arm].pop("arm") == arm
        for one in (answer, streamed[arm]):
            del one["timings_ms"]
        assert streamed[arm] == answer


def test_without_arms_those_are_compared_that_are_there(stocked: Product) -> None:
    stocked.use_chat(FakeChat(answer=RIGHT))
    assert list(ask(stocked, stream=False).json()["answers"]) == ["base", "rag"]


def test_an_arm_that_is_asked_for_and_not_there_says_why(stocked: Product) -> None:
    stocked.use_chat(FakeChat(answer=RIGHT))
    answers = ask(stocked, stream=False, arms=["rag", "tuned"]).json()["answers"]
    assert answers["rag"]["answer"].startswith(RIGHT)
    assert (answers["tuned"]["error"]["status"], "no adapter is live" in answers["tuned"]["error"]["detail"]) == (404, True)
    told = [data for name, data in events(ask(stocked, arms=["tuned"]).text) if name == "error"]
    assert (told[0]["arm"], told[0]["status"]) == ("tuned", 404)


def test_an_engine_that_is_down_is_told_by_every_arm(stocked: Product) -> None:
    stocked.use_chat(None)
    answers = ask(stocked, stream=False).json()["answers"]
    assert {arm: answer["error"]["status"] for arm, answer in answers.items()} == {"base": 503, "rag": 503}


@pytest.mark.parametrize(
    ("body", "status"), [({"question": " "}, 422), ({"arms": []}, 422), ({"arms": ["best"]}, 422), ({"x": 1}, 422)]
)
def test_a_wrong_request_is_refused_before_the_first_byte(stocked: Product, body: dict[str, Any], status: int) -> None:
    assert ask(stocked, **body).status_code == status


def test_what_the_caller_may_not_read_reaches_no_arm(stocked: Product) -> None:
    chat = FakeChat(answer=MINUTES)
    stocked.use_chat(chat)
    question = "When does the board meet in Leeds?"
    inside = ask(stocked, question=question, stream=False, groups=["board"]).json()
    assert any(hit["document"] == "minutes.pdf" for hit in inside["hits"])
    assert inside["answers"]["rag"]["sentences"][0]["supported"]
    seen = len(chat.prompts)
    outside = ask(stocked, question=question, stream=False, groups=["everyone"]).json()
    assert all(hit["document"] != "minutes.pdf" for hit in outside["hits"])
    assert not any(sentence["supported"] for answer in outside["answers"].values() for sentence in answer["sentences"])
    assert not any("Leeds on Mondays" in prompt for prompt in chat.prompts[seen:])


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_stops_every_arm(stocked: Product, stream: bool) -> None:
    chats = [FakeChat(answer="word", endless=True) for _ in range(2)]
    stocked.use_chat(chats[0], tuned=chats[1])
    with stocked.listening() as address:
        body = {"question": QUESTION, "stream": stream}
        hang_up(f"{address}/api/compare", body, once=lambda: all(chat.written > 5 for chat in chats))
        until(lambda: all(chat.closed.is_set() for chat in chats))
        written = [chat.written for chat in chats]
        time.sleep(0.2)
        assert ([chat.written for chat in chats], [chat.finished for chat in chats]) == (written, [0, 0])


def test_the_arms_are_told_with_what_their_answers_are_made_of(stocked: Product) -> None:
    stocked.use_chat(FakeChat())
    with stocked.client() as http:
        told = http.get("/api/compare").json()
        stocked.add("more.pdf", pdf("Lamps are green."))
        later = http.get("/api/compare").json()
    assert {arm: bool(missing) for arm, missing in told["arms"].items()} == {
        "base": False,
        "rag": False,
        "tuned": True,
        "tuned-rag": True,
    }
    assert told["learned"] is None
    changed = {name for name in told["state"] if told["state"][name] != later["state"][name]}
    assert changed == {"documents"}


# Commands


@contextmanager
def serving(product: Product) -> Iterator[None]:
    """The product as a server that commands find in the home."""
    with product.listening() as address:
        home = Home(product.settings.home)
        home.announce(RunningServer(address, LOCAL_KEY, os.getpid()))
        yield
        home.withdraw()


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(map(json.dumps, CASES)))
    return path


def graft(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def asked(*chats: FakeChat) -> int:
    return sum(len(chat.prompts) for chat in chats)


def test_ask_compare_prints_the_arms_side_by_side(stocked: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    stocked.use_chat(FakeChat(answer=RIGHT), tuned=FakeChat(answer=WRONG))
    with serving(stocked):
        shown = graft("ask", "--compare", QUESTION)
        told = json.loads(graft("ask", "--compare", QUESTION, "--json").stdout)
    for words in (
        "base",
        "tuned-rag",
        "27 days of paid holiday",
        "green sort of",
        "1 of 1 sentences supported",
        "handbook.pdf, page 1",
    ):
        assert words in shown.output
    assert set(told["answers"]) == {"base", "rag", "tuned", "tuned-rag"}


def test_compare_asks_every_case_of_every_arm_and_reports(stocked: Product, cases: Path, tmp_path: Path) -> None:
    base, tuned = FakeChat(answer=RIGHT), FakeChat(answer=WRONG)
    stocked.use_chat(base, tuned=tuned)
    with serving(stocked):
        ran = graft("compare", cases, "--report", tmp_path / "out" / "page.html", "--json")
        count = asked(base, tuned)
        again = graft("compare", cases, "--report", tmp_path / "out" / "page.html")
    figures = json.loads(ran.stdout)
    arms = figures["overall"]["arms"]
    assert (figures["overall"]["cases"], arms["rag"]["key_fact"]["value"], arms["tuned"]["key_fact"]["value"]) == (3, 0.5, 0.0)
    assert arms["base"]["abstention_recall"]["value"] == 0.0
    assert arms["rag"]["abstention_recall"]["value"] == 1.0
    assert figures["overall"]["differences"]["tuned minus base"]["key_fact"]["value"] == -0.5
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["page.html", "page.json", "page.md"]
    assert asked(base, tuned) == count, "a run that is finished asks nothing again"
    assert "key fact in the answer" in again.output
    assert "page.html" in again.output


def test_a_run_that_stopped_goes_on_and_a_changed_product_begins_anew(stocked: Product, cases: Path, tmp_path: Path) -> None:
    output = tmp_path / "kept"
    command = ("compare", cases, "--output", output, "--arms", "base", "--concurrency", "1", "--json")
    stocked.use_chat(FakeChat(answer=RIGHT))
    with serving(stocked):
        first = graft(*command, "--limit", "2")
        rows = (output / "answers.jsonl").read_text().splitlines()
        whole = graft(*command)
        kept = (output / "answers.jsonl").read_text().splitlines()
        stocked.add("more.pdf", pdf("Lamps are green."))
        anew = graft(*command)
    assert [json.loads(ran.stdout)["overall"]["cases"] for ran in (first, whole, anew)] == [2, 3, 3]
    assert (kept[:2], len(kept)) == (rows, 3)
    assert ["begins anew" in ran.stderr for ran in (first, whole, anew)] == [False, False, True]
    assert len((output / "answers.jsonl").read_text().splitlines()) == 6


def test_a_product_that_changes_while_it_is_compared_is_not_reported(
    stocked: Product, cases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked.use_chat(FakeChat(answer=RIGHT))
    run = comparing.answers_to

    def changing(*arguments: Any, **options: Any) -> dict[str, Any]:
        stocked.add("more.pdf", pdf("Lamps are green."))
        return run(*arguments, **options)

    monkeypatch.setattr(comparing, "answers_to", changing)
    with serving(stocked):
        ran = graft("compare", cases, "--arms", "base")
    assert isinstance(ran.exception, GraftError)
    assert "changed during the run" in str(ran.exception)


def test_an_engine_that_goes_away_stops_the_run_and_says_how_to_go_on(stocked: Product, cases: Path) -> None:
    stocked.use_chat(None)
    with serving(stocked):
        ran = graft("compare", cases)
    assert isinstance(ran.exception, Unavailable)
    assert "0 of 3 cases are kept" in ran.stderr
    assert "the same command goes on" in ran.stderr


def test_an_arm_that_is_not_there_is_refused_before_any_case_is_asked(stocked: Product, cases: Path) -> None:
    with serving(stocked):
        ran = graft("compare", cases, "--arms", "tuned")
    assert isinstance(ran.exception, InputRefused)
    assert "no adapter is live" in str(ran.exception)
