"""The two ways of making an adapter answer: merged into a model that an engine of its own serves, or loaded into the base engine.

    serving.begin(adapter, ...)      returns when it answers; the one that answered before is left alone
    served.endpoint(), served.end()

Merged is for CPUs, where an unmerged adapter makes decoding 1.8 times and reading the prompt 6 times as slow (default model, two
cores); loading is for GPUs, where it costs little and takes a fraction of a second. Knows nothing of states and rights.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import httpx

from finetune.adapter_files import AdapterFiles
from finetune.types import Adapter, Progress
from ingest.errors import GraftError, Unavailable
from ingest.files import full_disk_said_plainly
from services.engine import Endpoint, Engine, EngineState
from services.engine_launch import installed_device

TUNED_NAME = "graft-tuned"
_READY_S = 900.0
_LOAD_TIMEOUT_S = 120.0
# How long the answers under way at the one that is replaced may take; at its end they fail.
_DRAIN_S = 60.0
# vLLM counts a request some time after its client has asked where to send it: two looks in a row must find nothing.
_DRAIN_POLL_S = 0.5
_QUIET_LOOKS = 2
_UNFINISHED_REQUESTS = re.compile(r"^vllm:num_requests_(?:running|waiting)(?:\{[^}]*\})? ([\d.e+]+)", re.MULTILINE)

Report = Callable[[Progress], None]
Way = Literal["merged", "lora"]


class Served(Protocol):
    """An adapter that answers."""

    def endpoint(self) -> Endpoint:
        """Where to send requests. Raises: Unavailable, with a sentence, while it is being started again."""

    def finish(self) -> None:
        """Waits until the answers under way are finished, as long as that is bearable; nobody asks it any longer."""

    def end(self) -> None:
        """Stops it; returns when its memory is free."""


class Serving(Protocol):
    """A way of making adapters answer; several may answer at a time."""

    def begin(self, adapter: Adapter, *, report: Report, cancelled: threading.Event) -> Served:
        """The adapter, answering.

        Raises:
            Conflict: its files are not what was registered. Unavailable: it cannot be started, or the work was cancelled.
        """


def choose_way(setting: Literal["auto", "merged", "lora"], *, own_engine: bool, engine_python: Path) -> Way:
    """How adapters are served: as the setting says, else loaded on GPUs and merged on CPUs.

    With an engine that others run (`own_engine` false) `auto` is merged: we cannot know whether it may be given adapters.
    """
    if setting != "auto":
        return setting
    return "lora" if own_engine and installed_device(engine_python) == "gpu" else "merged"


class MergedServing:
    """Serves an adapter as a whole model, by an engine of its own beside the base engine."""

    def __init__(
        self,
        files: AdapterFiles,
        *,
        merge: Callable[[Path, Path], None],
        engine: Callable[[Adapter, Path], Engine],
    ) -> None:
        """`merge(adapter, target)` writes the whole model; `engine(adapter, model)` is one that serves it, not started."""
        self._files = files
        self._merge = merge
        self._engine = engine

    def begin(self, adapter: Adapter, *, report: Report, cancelled: threading.Event) -> Served:
        """See `Serving`."""
        folder, merged = self._files.verify(adapter), self._files.merged(adapter.id)
        if not merged.is_dir():
            report(Progress("merge", 0, 3, "step"))
            with full_disk_said_plainly(folder):
                self._merge(folder, merged)
        report(Progress("start", 1, 3, "step"))
        engine = self._engine(adapter, merged)
        engine.start()
        try:
            _wait(engine, cancelled)
        except GraftError:
            engine.stop()
            raise
        return _OwnEngine(engine)


class _OwnEngine:
    """An adapter that an engine of its own serves."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def endpoint(self) -> Endpoint:
        return self._engine.endpoint()

    def finish(self) -> None:
        with contextlib.suppress(Unavailable):
            drain(self._engine.endpoint())

    def end(self) -> None:
        self._engine.stop()


class LoraServing:
    """Loads adapters into the base engine while it runs, and again after it was started again."""

    def __init__(self, files: AdapterFiles, *, engine: Engine) -> None:
        self._files = files
        self._engine = engine

    def begin(self, adapter: Adapter, *, report: Report, cancelled: threading.Event) -> Served:
        """See `Serving`."""
        folder = self._files.verify(adapter)
        if self._engine.status.state is EngineState.OFF:
            raise Unavailable("adapters are loaded into the running engine, and none runs: start it first (graft serve)")
        report(Progress("start", 1, 3, "step"))
        _wait(self._engine, cancelled)
        served = _Loaded(self._engine, adapter.id, folder)
        served.endpoint()
        return served


class _Loaded:
    """An adapter in the base engine. Its name there is its id, so that the engine never mixes up two of them."""

    def __init__(self, engine: Engine, name: str, folder: Path) -> None:
        self._engine = engine
        self._name = name
        self._folder = folder
        self._loading = threading.Lock()
        self._loaded_into: tuple[str, int] | None = None

    def endpoint(self) -> Endpoint:
        base = self._engine.endpoint()
        process = (base.base_url, self._engine.status.restarts)
        with self._loading:
            if self._loaded_into != process:
                self._load(base)
                self._loaded_into = process
        return Endpoint(base.base_url, base.api_key, self._name)

    def finish(self) -> None:
        """Nothing to wait for: the engine finishes answers of an adapter that was unloaded."""

    def end(self) -> None:
        with contextlib.suppress(Unavailable, httpx.HTTPError):
            _post(self._engine.endpoint(), "unload_lora_adapter", {"lora_name": self._name})

    def _load(self, base: Endpoint) -> None:
        body = {"lora_name": self._name, "lora_path": str(self._folder)}
        try:
            answer = _post(base, "load_lora_adapter", body)
        except httpx.HTTPError as error:
            raise Unavailable(f"the engine does not answer while adapter {self._name} is loaded ({error}): try again") from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise Unavailable("the engine was started without adapters: set training.serving to lora and start the server again")
        if not answer.is_success and "already been loaded" not in answer.text:
            raise Unavailable(f"the engine does not take adapter {self._name}: {_said(answer)}")


def _post(endpoint: Endpoint, path: str, body: dict[str, str]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {endpoint.api_key}"}
    with httpx.Client(timeout=_LOAD_TIMEOUT_S, trust_env=False, headers=headers) as client:
        return client.post(f"{endpoint.base_url}/{path}", json=body)


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return answer.text[:300]


def _wait(engine: Engine, cancelled: threading.Event) -> None:
    """Returns when the engine is ready.

    Raises:
        Unavailable: it failed, took too long, or the work was cancelled.
    """
    deadline = time.monotonic() + _READY_S
    while not engine.wait_ready(0.2):
        status = engine.status
        if status.state is EngineState.FAILED or time.monotonic() > deadline:
            raise Unavailable(f"the engine for the adapter cannot be started: {status.reason or status.sentence}")
        if cancelled.is_set():
            raise Unavailable("the server is stopping: start it again (graft serve), and the adapter that was live answers")


def drain(endpoint: Endpoint) -> None:
    """Waits until the engine has no answer under way, `_DRAIN_S` at most."""
    address = endpoint.base_url.removesuffix("/v1") + "/metrics"
    deadline = time.monotonic() + _DRAIN_S
    quiet = 0
    with httpx.Client(timeout=_DRAIN_S, trust_env=False) as client:
        while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
            time.sleep(_DRAIN_POLL_S)
            try:
                told = client.get(address).text
            except httpx.HTTPError:
                return
            unfinished = sum(float(number) for number in _UNFINISHED_REQUESTS.findall(told))
            quiet = 0 if unfinished else quiet + 1
