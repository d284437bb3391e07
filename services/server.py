"""`graft serve`: owns the home, runs the application and the engine, and leaves a note for local commands."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Iterator
from types import FrameType

import langchain_openai  # noqa: F401 - the first question would wait a second for it
import uvicorn

from ingest.errors import Unavailable
from services.api.app import create_app
from services.assembly import open_knowledge_base
from services.background import print_first_key
from services.home import Home, RunningServer
from services.settings import Settings


def serve(settings: Settings) -> None:
    """Runs the server until it is told to stop.

    On an address that other machines reach, the first run makes an administrator's key and prints it once.

    Raises:
        Unavailable: the home or the port is taken.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    home = Home(settings.home)
    home.acquire()
    try:
        with _listening(settings.host, settings.port) as listener:
            print_first_key(settings)
            _serve(settings, home, listener)
    finally:
        home.release()


def _serve(settings: Settings, home: Home, listener: socket.socket) -> None:
    kb = open_knowledge_base(settings, home)
    try:
        kb.start()
        if settings.chat.start_engine or settings.chat.address:
            kb.engine.start()
            kb.workshop.live.start()
        local_key = secrets.token_urlsafe(32)
        server = uvicorn.Server(
            uvicorn.Config(create_app(kb, local_key=local_key), log_level="warning", timeout_graceful_shutdown=10)
        )
        home.announce(RunningServer(_address(settings), local_key, os.getpid()))
        server.run(sockets=[listener])
    finally:
        home.withdraw()
        kb.stop()


def _end(_signal: int, _frame: FrameType | None) -> None:
    """Unwinds the stack. uvicorn ends its work on a signal, then raises it again: by default that would skip our own endings."""
    raise SystemExit(0)


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
