"""The real server process: killed, ended, in the way of another, and found by the commands beside it."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingest.errors import Unavailable
from services import background, server
from services.home import Home, RunningServer
from services.settings import Settings
from tests.fakes import pdf
from tests.product import ADMINISTRATOR, Product, Server
from tests.waiting import until

WORDS = "alpha bravo charlie delta echo foxtrot golf hotel india juliett".split()


@pytest.fixture(scope="module")
def server_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server over a fresh home, started. One for all, because starting it is what costs."""
    running = Server(tmp_path_factory.mktemp("server") / "home")
    running.start()
    yield running
    running.kill()


def document(name: str) -> bytes:
    """Six pages that speak of one thing and of nothing else."""
    return pdf(*[f"The colour of {name} on page {page} is green." for page in range(6)])


def add_until_killed(running: Server, names: list[str], acknowledged: list[str]) -> threading.Thread:
    """Uploads one document after another until the server is gone; `acknowledged` grows with each that it took."""

    def upload() -> None:
        with httpx.Client(base_url=running.address, timeout=30) as http:
            for name in names:
                try:
                    answer = http.post("/api/documents", files=[("files", (f"{name}.pdf", document(name), "application/pdf"))])
                except httpx.HTTPError:
                    return
                assert answer.status_code == 202
                acknowledged.append(name)

    thread = threading.Thread(target=upload)
    thread.start()
    return thread


def listed(running: Server) -> list[str]:
    answer = httpx.get(f"{running.address}/api/documents", timeout=30)
    return [Path(one["document"]).stem for one in answer.json()["documents"]]


def assert_there_once_and_found(running: Server, names: list[str]) -> None:
    until(lambda: set(listed(running)) >= set(names))
    there = listed(running)
    for name in names:
        assert there.count(name) == 1
        body = {"query": f"colour of {name}", "limit": 100}
        hits = httpx.post(f"{running.address}/api/search", json=body, timeout=30).json()["hits"]
        own = [hit["page"] for hit in hits if hit["document"] == f"{name}.pdf"]
        assert sorted(own) == [1, 2, 3, 4, 5, 6]


def test_what_a_killed_server_acknowledged_is_there_once_and_found(server_process: Server) -> None:
    everything: list[str] = []
    for moment, (enough_acknowledged, enough_published) in enumerate([(4, 0), (10, 3)]):
        names = [f"{word}{moment}" for word in WORDS]
        acknowledged: list[str] = []
        uploading = add_until_killed(server_process, names, acknowledged)
        until(lambda: len(acknowledged) >= enough_acknowledged)  # noqa: B023 - called within the round
        until(lambda: len(set(listed(server_process)) & set(names)) >= enough_published)  # noqa: B023
        server_process.kill()
        uploading.join()
        everything += acknowledged
        server_process.start()
        assert_there_once_and_found(server_process, everything)


def test_graft_add_of_ten_documents_beside_a_server_that_is_killed(server_process: Server, tmp_path: Path) -> None:
    folder = tmp_path / "ten"
    folder.mkdir()
    for word in WORDS:
        (folder / f"{word}.pdf").write_bytes(document(word))
    adding = server_process.command("add", folder, "--json")
    until(lambda: len(set(listed(server_process)) & set(WORDS)) >= 2)
    server_process.kill()
    _, said = adding.communicate(timeout=60)
    assert adding.returncode == 4
    assert "Error: the server no longer answers" in said
    assert "Traceback" not in said
    server_process.start()
    again = server_process.command("add", folder, "--json")
    told, said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    documents = json.loads(told)["documents"]
    assert {one["status"] for one in documents} <= {"added", "unchanged"}
    assert [one["version"] for one in documents] == [1] * 10
    assert_there_once_and_found(server_process, WORDS)
    assert server_process.terminate() == 0
    assert not (server_process.home / "run.json").exists()
    Home(server_process.home).acquire()


# The rest needs no process of its own


@pytest.fixture
def quiet_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handlers of the test run stay in place."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


def test_a_port_in_use_is_told_before_anything_is_loaded(settings: Settings, quiet_signals: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = settings.model_copy(update={"port": other.getsockname()[1]})
        with pytest.raises(Unavailable, match=r"port \d+ on 127.0.0.1 cannot be used .* choose another with --port"):
            server.serve(taken)
    Home(settings.home).acquire()


def test_a_host_that_is_not_ours_is_told(settings: Settings, quiet_signals: None) -> None:
    with pytest.raises(Unavailable, match="cannot be used"):
        server.serve(settings.model_copy(update={"host": "203.0.113.1", "port": 1}))


def test_a_home_in_use_is_told_with_its_holder(product: Product, quiet_signals: None) -> None:
    assert product.kb.status(access=ADMINISTRATOR).documents == 0
    with pytest.raises(Unavailable, match=rf"in use by process {os.getpid()}: wait for it"):
        server.serve(product.settings)


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Unavailable, match=r"cannot be the home .* set GRAFT_HOME"):
        Home(tmp_path / "file" / "home")


def test_a_note_of_a_killed_server_counts_for_nothing_even_where_another_answers_there(product: Product, tmp_path: Path) -> None:
    """The other server may be anybody's: a command that believed the note would send it documents and a key."""
    with product.listening() as address:
        home = Home(tmp_path / "other")
        home.announce(RunningServer(address, "a key", pid=2**22 + 1))
        assert home.running_server() is None
        home.announce(RunningServer(address, "a key", pid=os.getpid()))
        assert home.running_server() == RunningServer(address, "a key", pid=os.getpid())
        assert (home.folder / "run.json").stat().st_mode & 0o777 == 0o600
        home.acquire()
        assert home.running_server() is None
        home.release()


@pytest.mark.parametrize("note", ["", "{}", "[]", '{"address": "nonsense", "key": "k", "pid": 1}', '{"pid": "x"}'])
def test_a_damaged_note_counts_for_nothing(settings: Settings, note: str) -> None:
    home = Home(settings.home)
    (home.folder / "run.json").write_text(note)
    assert home.running_server() is None


def test_stopping_where_nothing_runs_says_so(settings: Settings) -> None:
    assert background.stop(settings) is False


def test_the_first_key_is_made_once_and_only_where_others_can_reach_the_server(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    Home(settings.home)
    background.print_first_key(settings)
    assert capsys.readouterr().err == ""
    for _ in range(2):
        background.print_first_key(settings.model_copy(update={"host": "0.0.0.0"}))  # noqa: S104
    (line,) = capsys.readouterr().err.splitlines()
    product = Product(settings)
    try:
        assert product.client(key=line.split()[-1]).get("/api/me").json()["administrator"] is True
    finally:
        product.stop()


def test_ending_a_server_runs_its_endings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """uvicorn raises the signal again when it is done: what we do then must not be skipped."""
    handlers: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", handlers.setdefault)
    monkeypatch.setattr(server, "_serve", lambda *_: handlers[signal.SIGTERM](signal.SIGTERM, None))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(SystemExit) as ended:
        server.serve(settings.model_copy(update={"port": port}))
    assert ended.value.code == 0
    Home(settings.home).acquire()
