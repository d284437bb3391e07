"""`graft serve`: owns the home, runs the application and the engine, and leaves a note for local commands."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from ingest.errors import GraftError, Unavailable
from ingest.types import EVERYONE
from services.api.app import create_app
from services.api.auth import LOOPBACK
from services.assembly import open_knowledge_base
from services.home import Home, RunningServer
from services.settings import Settings

_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 60.0


def serve(settings: Settings) -> None:
    """Runs the server until it is told to stop.

    On an address that other machines reach, the first run makes an administrator's key and prints it once.

    Raises:
        Unavailable: the home or the port is taken.
    """
    home = Home(settings.home)
    home.acquire()
    try:
        with _listening(settings.host, settings.port) as listener:
            kb = open_knowledge_base(settings, home)
            if settings.host not in LOOPBACK and not kb.keys.required():
                _, secret = kb.keys.create("first run", groups=[EVERYONE], administrator=True)
                print(f"The administrator's key, shown this once: {secret}", file=sys.stderr, flush=True)
            kb.start()
            if settings.chat.start_engine or settings.chat.address:
                kb.engine.start()
            local_key = secrets.token_urlsafe(32)
            server = uvicorn.Server(
                uvicorn.Config(create_app(kb, local_key=local_key), log_level="warning", timeout_graceful_shutdown=10)
            )
            home.announce(RunningServer(_address(settings), local_key, os.getpid()))
            try:
                server.run(sockets=[listener])
            finally:
                home.withdraw()
                kb.stop()
    finally:
        home.release()


def serve_detached(settings: Settings) -> RunningServer:
    """Starts the server in the background; returns when it answers.

    Raises:
        Unavailable: it ended before it answered; the message is its own last one.
    """
    home = Home(settings.home)
    if (running := home.running_server()) is not None:
        return running
    log = home.logs / "server.log"
    with log.open("ab") as output:
        began = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "serve", "--host", settings.host, "--port", str(settings.port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "GRAFT_HOME": str(settings.home)},
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unavailable(_last_words(log, began))
        if (running := home.running_server()) is not None and running.pid == process.pid:
            return running
        time.sleep(0.1)
    process.terminate()
    raise Unavailable(f"the server did not answer within {_START_TIMEOUT_S:g} s; see {log}")


def stop(settings: Settings) -> bool:
    """Stops the running server; whether there was one.

    Raises:
        GraftError: it did not end in time.
    """
    home = Home(settings.home)
    running = home.running_server()
    if running is None:
        return False
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            home.acquire()
        except Unavailable:
            time.sleep(0.1)
        else:
            home.release()
            return True
    raise GraftError(f"process {running.pid} did not end within {_STOP_TIMEOUT_S:g} s: end it with kill -9, nothing is lost")


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((host, port), backlog=128)
    except OSError as error:
        raise Unavailable(
            f"port {port} on {host} cannot be used ({error.strerror}): choose another with --port or GRAFT_PORT"
        ) from error
    with listener:
        yield listener


def _address(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    return f"http://{host}:{settings.port}"


def _last_words(log: Path, began: int) -> str:
    """The last line that the server wrote, without the word that the command line puts before an error."""
    written = log.read_bytes()[began:].decode(errors="replace").strip()
    last = written.splitlines()[-1] if written else f"the server ended at once; see {log}"
    return last.removeprefix("Error: ")
