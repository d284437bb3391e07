"""The server in the background: starting it, stopping it, and the first key. Loads nothing of what the server itself needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from ingest.errors import GraftError, Unavailable
from ingest.types import EVERYONE
from services.home import LOOPBACK, Home, RunningServer
from services.settings import Settings

_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 60.0


def serve_detached(settings: Settings) -> RunningServer:
    """Starts the server in the background; returns when it answers.

    Raises:
        Unavailable: it ended before it answered; the message is its own last one.
    """
    home = Home(settings.home)
    if (running := home.running_server()) is not None:
        return running
    home.acquire()
    try:
        print_first_key(settings)  # here, because what the server itself prints goes into its log
    finally:
        home.release()
    settings_of_child = {
        "GRAFT_HOME": str(settings.home),
        "GRAFT_CHAT__START_ENGINE": str(settings.chat.start_engine).lower(),
    }
    log = home.logs / "server.log"
    with log.open("ab") as output:
        began = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "serve", "--host", settings.host, "--port", str(settings.port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **settings_of_child},
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


def print_first_key(settings: Settings) -> None:
    """Makes an administrator's key and prints it, where other machines will reach the server and no key was ever made."""
    if settings.host in LOOPBACK:
        return
    from ingest.database import open_database
    from services.keys import Keys
    from services.migrations import migrate

    database = open_database(settings.database_url)
    try:
        migrate(database)
        keys = Keys(database)
        if not keys.required():
            _, secret = keys.create("first run", groups=[EVERYONE], administrator=True)
            print(f"The administrator's key, shown this once: {secret}", file=sys.stderr, flush=True)
    finally:
        database.dispose()


def _last_words(log: Path, began: int) -> str:
    """The last line that the server wrote, without the word that the command line puts before an error."""
    written = log.read_bytes()[began:].decode(errors="replace").strip()
    last = written.splitlines()[-1] if written else f"the server ended at once; see {log}"
    return last.removeprefix("Error: ")
