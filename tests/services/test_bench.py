"""The benchmark's order, figures, goals and servers: that they mean what they say, and that nothing is left behind."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from pydantic import SecretStr

from eval.report import to_markdown
from eval.types import GoldPage, Style
from ingest.errors import GraftError, UsageError
from ingest.types import EVERYONE
from services.bench.adding import add_files
from services.bench.answers import Answers, ask_all, evaluated, plan_written, search_all, spread
from services.bench.clock import Progress, percentiles
from services.bench.judging import measure_judge, own_sets, public_sets
from services.bench.public_sets import evaluate_passages, key_facts, read_questions
from services.bench.reporting import goals, make_report
from services.bench.serving import bench_settings, served, with_engine, without_engine, write_config
from services.engine import Endpoint
from services.settings import load_settings
from tests.services.stand_in import OVER, SOON, Reply, answer, case, hit, serving
from tests.waiting import until

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


def test_the_report_says_what_the_judge_reaches_and_costs(tmp_path: Path) -> None:
    text = "The pump weighs 48 kg and is painted blue. It was built in Leeds by the plant's own fitters."
    lines = [
        {"id": answer, "question": None, "context": text, "answer": answer, "label": label}
        for answer, label in (("The pump weighs 48 kg.", 0), ("The motor was sold to a mill in Cork.", 1))
    ]
    (tmp_path / "hallu" / "wice").mkdir(parents=True)
    (tmp_path / "hallu" / "wice" / "items.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    measured = {"judge": measure_judge(public_sets(tmp_path / "hallu"), SOON)}
    shown = to_markdown(make_report(measured, {}, seconds=1, quick=False))
    assert "CPU, ms a sentence" in shown
    assert "2 (1)" in shown


def test_no_set_is_judged_once_time_is_over() -> None:
    assert measure_judge(own_sets(), OVER) == {"sets": []}


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


# Time


def test_a_deadline_within_another_is_the_earlier_one() -> None:
    assert OVER.within(10) is OVER
    assert SOON.within(0).passed
    assert list(SOON.until([1, 2])) == [1, 2]
    assert list(OVER.until([1, 2])) == []


def test_percentiles_of_nothing_are_nothing() -> None:
    assert percentiles([], 50) == {}
    assert percentiles([1, 2, 3], 50, 99) == {"p50": 2.0, "p99": 3.0}
