"""The language model's engine: our own vLLM process, started and watched, or any OpenAI-compatible address.

    engine = EngineProcess(model_dir, home=home)        or RemoteEngine(base_url, api_key=..., model=...)
    engine.start()                                      returns at once; a thread does the rest
    engine.status                                       state and a sentence for people; never blocks
    engine.endpoint()                                   where to send requests; Unavailable unless ready

Invariants. The process listens on 127.0.0.1 only, on a free port, and wants a random key that only this object knows. It lies in
a process group of its own on a leash (`leash.py`) and ends with its owner, however that ends. A process that stops or no longer
answers is started again after 1, 2, 4 … 60 s. Address and key may change at every start: ask for the endpoint at each request.
Knows nothing of prompts, models or answers.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import httpx

from ingest.errors import GraftError, Unavailable
from services.engine_launch import FLAGS, SERVED_NAME, explain_exit, installed_device, plan_launch
from services.model_sources import sibling_engine_python

QUOTING = "Answers are quoted until then."
LOG_LIMIT_BYTES = 10_000_000


class EngineState(StrEnum):
    """How the engine stands."""

    OFF = "off"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """The state, a sentence that a person can act on, how often the engine had to be started again, and why at last."""

    state: EngineState
    sentence: str
    reason: str = ""
    restarts: int = 0
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an OpenAI client sends its requests. `base_url` ends in `/v1`."""

    base_url: str
    api_key: str
    model: str


class Engine(Protocol):
    """What the server needs of an engine, wherever it runs."""

    @property
    def status(self) -> EngineStatus:
        """The present state; never blocks."""

    def start(self) -> None:
        """Begins to start or to watch the engine; returns at once."""

    def stop(self) -> None:
        """Ends the engine if it is ours, and the watching; returns when it is gone."""

    def endpoint(self) -> Endpoint:
        """Where to send requests. Raises: Unavailable, with the status sentence, unless the engine is ready."""

    def wait_ready(self, timeout_s: float) -> bool:
        """Whether the engine became ready within `timeout_s`."""


@dataclass(frozen=True, slots=True)
class EngineTimes:
    """How long to wait, in seconds. The defaults are for real engines; tests use shorter ones."""

    start_timeout_s: float = 900.0
    poll_starting_s: float = 0.5
    poll_ready_s: float = 5.0
    health_timeout_s: float = 30.0
    missed_polls: int = 3
    back_off_s: float = 1.0
    back_off_limit_s: float = 60.0
    calm_s: float = 300.0
    """After this long without trouble the back-off begins anew."""
    stop_s: float = 12.0


class _Watched:
    """A thread that keeps a status up to date, and those who wait for it."""

    def __init__(self, times: EngineTimes, *, called: str = "The language model") -> None:
        """`called` is how its sentences begin."""
        self._times = times
        self._called = called
        self._changed = threading.Condition()
        self._status = EngineStatus(EngineState.OFF, f"{called} is off; answers are quoted.")
        self._endpoint: Endpoint | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def status(self) -> EngineStatus:
        """The present state; never blocks."""
        return self._status

    def start(self) -> None:
        """Begins the watching; returns at once; a second call does nothing."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._stopping.clear()
        self._set(EngineState.STARTING, f"{self._called} is starting. {QUOTING}")
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the engine if it is ours, and the watching; returns when it is gone."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._set(EngineState.OFF, f"{self._called} is off; answers are quoted.", pid=None)

    def endpoint(self) -> Endpoint:
        """Where to send requests. Raises: Unavailable, with the status sentence, unless the engine is ready."""
        endpoint, status = self._endpoint, self._status
        if endpoint is None or status.state is not EngineState.READY:
            raise Unavailable(status.sentence)
        return endpoint

    def wait_ready(self, timeout_s: float) -> bool:
        """Whether the engine became ready within `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._status.state is EngineState.READY, timeout_s)

    def _set(self, state: EngineState, sentence: str, **changes: Any) -> None:
        with self._changed:
            self._status = replace(self._status, state=state, sentence=sentence, **changes)
            self._changed.notify_all()

    def _run(self) -> None:
        raise NotImplementedError


class RemoteEngine(_Watched):
    """An OpenAI-compatible address that others run: watched, never started. An empty `model` means the first it serves."""

    def __init__(self, base_url: str, *, api_key: str = "", model: str = "", times: EngineTimes | None = None) -> None:
        super().__init__(times or EngineTimes())
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key or "none"
        self._model = model

    def _run(self) -> None:
        with httpx.Client(timeout=self._times.health_timeout_s, headers={"Authorization": f"Bearer {self._api_key}"}) as client:
            while not self._stopping.is_set():
                self._check(client)
                self._stopping.wait(self._times.poll_ready_s)

    def _check(self, client: httpx.Client) -> None:
        where = f"The language model's address {self._base_url}"
        try:
            answer = client.get(f"{self._base_url}/models")
            if answer.status_code in {401, 403}:
                return self._set(EngineState.FAILED, f"{where} refuses the API key in the settings. {QUOTING}")
            names = [str(model["id"]) for model in answer.raise_for_status().json()["data"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            sentence = f"{where} does not answer as an OpenAI-compatible server ({_plain(error)}). {QUOTING}"
            return self._set(EngineState.FAILED, sentence)
        if not names or (self._model and self._model not in names):
            wanted, served = self._model or "any model", ", ".join(names) or "none"
            return self._set(EngineState.FAILED, f"{where} does not serve {wanted}; it serves {served}. {QUOTING}")
        model = self._model or names[0]
        self._endpoint = Endpoint(self._base_url, self._api_key, model)
        return self._set(EngineState.READY, f"The language model {model} at {self._base_url} is ready.")


class EngineProcess(_Watched):
    """Our own vLLM, started from the engine's environment and kept running.

    `python` is that environment's interpreter (default: beside ours, `.venv` → `.venv-engine`); `model_dir` may be a callable, so
    that a model that is pulled later is found at the next try. The log is `home/logs/<log_name>.log`. With `lora`, adapters can
    be loaded into it while it runs. Where several run, each has a `served_name` and a `log_name` of its own.
    """

    def __init__(
        self,
        model_dir: Path | Callable[[], Path],
        *,
        home: Path,
        python: Path | None = None,
        context_tokens: int = 0,
        flags_file: Path = FLAGS,
        served_name: str = SERVED_NAME,
        called: str = "The language model",
        log_name: str = "engine",
        lora: bool = False,
        times: EngineTimes | None = None,
    ) -> None:
        super().__init__(times or EngineTimes(), called=called)
        self._model_dir = model_dir
        self._python = python or sibling_engine_python()
        self._context_tokens = context_tokens
        self._flags_file = flags_file
        self._served_name = served_name
        self.lora = lora
        self.log_path = home / "logs" / f"{log_name}.log"
        self._port = 0
        self._api_key = secrets.token_urlsafe(32)

    def _run(self) -> None:
        back_off_s = self._times.back_off_s
        while True:
            began = time.monotonic()
            try:
                reason = self._run_once()
            except (GraftError, OSError) as error:
                reason = str(error)
            if self._stopping.is_set():
                return
            if time.monotonic() - began > self._times.calm_s:
                back_off_s = self._times.back_off_s
            again = f"It is started again in {back_off_s:.0f} s."
            sentence = f"{self._called} is not running: {reason.rstrip('.')}. {again} {QUOTING}"
            self._set(EngineState.FAILED, sentence, reason=reason, pid=None, restarts=self._status.restarts + 1)
            if self._stopping.wait(back_off_s):
                return
            back_off_s = min(back_off_s * 2, self._times.back_off_limit_s)
            self._set(EngineState.STARTING, f"{self._called} is starting again. {QUOTING}")

    def _run_once(self) -> str:
        """Why the engine ended, in words; returns only when its whole process group is gone."""
        if not self._python.is_file():
            raise Unavailable(f"there is no engine environment at {self._python}; run `make up`")
        model_dir = self._model_dir() if callable(self._model_dir) else self._model_dir
        self._port = _free_port(self._port)
        launch = plan_launch(
            python=self._python, model_dir=model_dir, port=self._port, api_key=self._api_key, context_tokens=self._context_tokens,
            flags_file=self._flags_file, device=installed_device(self._python), cores=len(os.sched_getaffinity(0)),
            served_name=self._served_name, lora=self.lora,
        )  # fmt: skip
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        if self.log_path.is_file() and self.log_path.stat().st_size > LOG_LIMIT_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        leash = [sys.executable, "-I", str(Path(__file__).with_name("leash.py")), str(os.getpid())]
        with self.log_path.open("ab") as log:
            begin = log.tell()
            process = subprocess.Popen(
                [*leash, *launch.command], env=dict(launch.environment), cwd=self.log_path.parent,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._set(EngineState.STARTING, self._status.sentence, pid=process.pid)
        try:
            unanswered = self._watch(process)
        finally:
            self._end(process)
        with self.log_path.open("rb") as log:
            log.seek(begin)
            written = log.read().decode("utf-8", "replace")
        return explain_exit(written, process.returncode, self._python, unanswered)

    def _watch(self, process: subprocess.Popen[bytes]) -> str:
        """Polls until the process ends ("") or has to be given up (why)."""
        times = self._times
        health = f"http://127.0.0.1:{self._port}/health"
        deadline = time.monotonic() + times.start_timeout_s
        missed = 0
        with httpx.Client(timeout=times.health_timeout_s, trust_env=False) as client:
            while not self._stopping.is_set() and process.poll() is None:
                ready = self._status.state is EngineState.READY
                if _answers(client, health):
                    missed = 0
                    if not ready:
                        self._endpoint = Endpoint(f"http://127.0.0.1:{self._port}/v1", self._api_key, self._served_name)
                        self._set(EngineState.READY, f"{self._called} is ready.")
                elif ready:
                    missed += 1
                    if missed >= times.missed_polls and process.poll() is None:
                        return f"it gave no sign of life {missed} times in a row"
                elif time.monotonic() > deadline:
                    return f"it was not ready after {times.start_timeout_s:.0f} s (see {self.log_path})"
                calm = self._status.state is EngineState.READY and not missed
                self._pause(process, times.poll_ready_s if calm else times.poll_starting_s)
        return ""

    def _pause(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        """Sleeps, but not longer than the process lives or the engine is wanted."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and process.poll() is None:
            if self._stopping.wait(min(0.2, seconds)):
                return

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Ends the whole group: politely through the leash, then by force; also what outlived a killed leash."""
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self._times.stop_s)
        deadline = time.monotonic() + self._times.stop_s
        with contextlib.suppress(ProcessLookupError):
            while time.monotonic() < deadline:
                os.killpg(process.pid, signal.SIGKILL)
                process.poll()
                time.sleep(0.02)


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _free_port(wanted: int) -> int:
    """`wanted` if it is free (an address that stays is kinder to clients), else one that is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable("this machine has no free port for it")


def _plain(error: Exception) -> str:
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__
