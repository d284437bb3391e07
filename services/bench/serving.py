"""The benchmark's own servers and engine: a throw-away home, a free port, and no process that outlives the benchmark.

The server runs on the product's leash (`services/leash.py`), so it ends with the benchmark even where that is killed. It measures
what is configured here: the settings of this process are written to the throw-away home's `config.toml`.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel, SecretStr

from ingest.errors import GraftError, Unavailable, UsageError
from services import background, leash
from services.assembly import model_store
from services.bench.clock import Deadline
from services.client import Client
from services.engine import Endpoint, EngineProcess
from services.home import Home, RunningServer
from services.manifest import Role
from services.settings import Settings, load_settings

_START_TIMEOUT_S = 180.0
_ENGINE_TIMEOUT_S = 300.0
# An engine that fails is started again by itself; after this long in that state it will not come.
_FAILED_S = 20.0
_REQUEST_TIMEOUT_S = 300.0
_POLL_S = 0.25
_ELSEWHERE = frozenset({"home", "host", "port", "database"})


@dataclass(frozen=True, slots=True)
class Served:
    """A running server, as its administrator sees it."""

    address: str
    key: str
    http: httpx.Client

    @property
    def client(self) -> Client:
        """The command line's way of calling it."""
        return Client(self.http, remote=True)

    def holder(self, key: str) -> httpx.Client:
        """A caller who has another key."""
        return _http(self.address, key)


def bench_settings(home: Path, **changes: Any) -> Settings:
    """What is configured here, in a home and on a port of its own.

    Raises:
        UsageError: a database is configured: the benchmark would fill it.
    """
    settings = load_settings()
    if settings.database:
        raise UsageError("a database is configured, and the benchmark would fill it: run it with GRAFT_DATABASE= (empty)")
    return settings.model_copy(update={"home": home, "host": "127.0.0.1", "port": _free_port(), **changes})


def with_engine(settings: Settings, endpoint: Endpoint) -> Settings:
    """The settings, with this engine in place of the server's own."""
    chat = {"address": endpoint.base_url, "key": SecretStr(endpoint.api_key), "model": endpoint.model}
    return settings.model_copy(update={"chat": settings.chat.model_copy(update=chat)})


def without_engine(settings: Settings) -> Settings:
    """The settings of a server that quotes only."""
    return settings.model_copy(update={"chat": settings.chat.model_copy(update={"address": None, "start_engine": False})})


def write_config(settings: Settings) -> None:
    """Writes what differs from the defaults to the home's `config.toml`."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in _flat(settings) if name not in _ELSEWHERE]
    path = settings.home / "config.toml"
    path.touch(mode=0o600)
    path.write_text("".join(lines), encoding="utf-8")


def _flat(settings: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and plain values of what differs from the defaults. JSON's strings, numbers and booleans are TOML's too."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None and value != field.default:
            plain = value.get_secret_value() if isinstance(value, SecretStr) else value
            yield prefix + name, str(plain) if isinstance(plain, Path) else plain


@contextlib.contextmanager
def served(settings: Settings) -> Iterator[Served]:
    """A server of these settings, until the block ends.

    Raises:
        Unavailable: it did not start; its log says more.
    """
    write_config(settings)
    home = Home(settings.home)
    command = [sys.executable, "-m", "services.cli", "serve", "--host", settings.host, "--port", str(settings.port)]
    with (home.logs / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", str(Path(leash.__file__)), str(os.getpid()), *command],
            env={**os.environ, "GRAFT_HOME": str(settings.home)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        running = _answering(home, process)
        with _http(running.address, running.key) as http:
            yield Served(running.address, running.key, http)
    finally:
        with contextlib.suppress(GraftError):
            background.stop(settings)
        process.terminate()
        process.wait()


def _answering(home: Home, process: subprocess.Popen[bytes]) -> RunningServer:
    deadline = Deadline.after(_START_TIMEOUT_S)
    while not deadline.passed and process.poll() is None:
        if (running := home.running_server()) is not None:
            return running
        time.sleep(_POLL_S)
    said = (home.logs / "server.log").read_text(errors="replace").strip().splitlines()
    raise Unavailable(f"the benchmark's server did not start: {said[-1] if said else 'it wrote nothing'}")


def wait_for_engine(client: Client, deadline: Deadline) -> dict[str, str]:
    """The engine's state, detail and model, once it is ready or will not be."""
    failed = Deadline.after(_FAILED_S)
    deadline = deadline.within(_ENGINE_TIMEOUT_S)
    while True:
        engine: dict[str, str] = client.call("GET", "/api/status")["engine"]
        if engine["state"] == "starting":
            failed = Deadline.after(_FAILED_S)
        if engine["state"] in ("ready", "off") or deadline.passed or failed.passed:
            return engine
        time.sleep(_POLL_S)


@contextlib.contextmanager
def bare_engine(settings: Settings, deadline: Deadline, *, model: str | None = None) -> Iterator[Endpoint]:
    """The configured engine without a server before it: the address in the settings, or a process of our own, of the profile's
    chat model or of another one of the manifest.

    Raises:
        Unavailable: it did not become ready.
    """
    chat = settings.chat
    if chat.address and chat.model:
        yield Endpoint(chat.address, chat.key.get_secret_value() if chat.key else "none", chat.model)
        return
    if chat.address:
        raise Unavailable("the engine cannot be compared: setting chat.model does not name its model")
    store = model_store(settings)
    (chosen,) = store.manifest.chosen(settings.profile, Role.CHAT)
    engine = EngineProcess(
        partial(store.path, model or chosen.name),
        home=settings.home,
        python=settings.engine_python,
        context_tokens=chat.context_tokens,
    )
    engine.start()
    try:
        engine.wait_ready(deadline.within(_ENGINE_TIMEOUT_S).left_s)
        yield engine.endpoint()
    finally:
        engine.stop()


def _http(address: str, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=address, headers=headers, timeout=_REQUEST_TIMEOUT_S, trust_env=False)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
