"""The whole product over a home of its own: in this process, behind HTTP, or as a real server that can be killed."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn
from fastapi.testclient import TestClient

from eval.judge import HouseJudge
from eval.types import Arm
from ingest.errors import NotFound, Unavailable
from ingest.isolation import FileWorker
from ingest.personal_data import PersonalData
from ingest.types import Access
from services import assembly
from services.answering import Answering, ChatAbility
from services.api.app import create_app
from services.home import Home
from services.job_states import UNFINISHED
from services.jobs import Job
from services.knowledge_base import KnowledgeBase, boxes_of_quote
from services.prompts import ServingPrompts
from services.settings import AnswerSettings, Settings, load_settings
from tests.fakes import FakeChat
from tests.waiting import until

ADMINISTRATOR = Access.everything()
BOTH_LANGUAGES = ChatAbility(generated={}, quotes={}, writes=frozenset({"zh", "en"}))
LOCAL_KEY = "the-local-key"
ROOT = Path(__file__).parent.parent


def hang_up(url: str, body: dict[str, Any], *, once: Callable[[], bool]) -> None:
    """Send a request, and close the connection without reading an answer once something has come to pass."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc)
    connection.request("POST", address.path, json.dumps(body), {"Content-Type": "application/json"})
    until(once)
    connection.close()


def settings_of(home: Path) -> Settings:
    """Settings of a product without an engine in this home."""
    return load_settings(home=home, chat={"start_engine": False})


class SharedWorker(FileWorker):
    """A reader that many tests use one after another: starting one costs more than most of them."""

    def close(self) -> None:
        """Leaves the process running, for the next test."""

    def end(self) -> None:
        """Ends the process."""
        super().close()


class Product:
    """A knowledge base over a home, which can be stopped and opened again."""

    def __init__(self, settings: Settings, *, worker: FileWorker | None = None) -> None:
        self.settings = settings
        self._worker = worker
        self._home = Home(settings.home)
        self._opened: KnowledgeBase | None = None

    @property
    def kb(self) -> KnowledgeBase:
        """The knowledge base, started."""
        if self._opened is None:
            self._home.acquire()
            self._opened = self._open()
            self._opened.start()
        return self._opened

    def _open(self) -> KnowledgeBase:
        if self._worker is None:
            return assembly.open_knowledge_base(self.settings, self._home)
        own, shared = assembly.FileWorker, self._worker
        assembly.FileWorker = lambda limits, ocr=None: shared  # type: ignore[assignment, misc]
        try:
            return assembly.open_knowledge_base(self.settings, self._home)
        finally:
            assembly.FileWorker = own  # type: ignore[misc]

    def stop(self) -> None:
        """Stops it; the next use opens it again."""
        if self._opened is not None:
            self._opened.stop()
            self._opened = None
            self._home.release()

    def use_chat(
        self,
        chat: FakeChat | None,
        *,
        tuned: FakeChat | None = None,
        ability: ChatAbility = BOTH_LANGUAGES,
        mask: Collection[PersonalData] = (),
        answer: AnswerSettings | None = None,
    ) -> KnowledgeBase:
        """The knowledge base with this chat model, or with an engine that is down; `tuned` answers as the live adapter."""

        def model(arm: Arm, _access: Access) -> FakeChat:
            if arm in (Arm.TUNED, Arm.TUNED_RAG):
                if tuned is None:
                    raise NotFound(f"no adapter is live, so there is no arm {arm}")
                return tuned
            if chat is None:
                raise Unavailable("the language model is not running")
            return chat

        answering = Answering(
            retriever=self.kb.retriever,
            chat=model,
            ability=ability,
            judge=HouseJudge(),
            boxes=partial(boxes_of_quote, self.kb.catalog),
            prompts=ServingPrompts(),
            settings=answer or AnswerSettings(),
            mask=mask,
        )
        self._opened = replace(self.kb, answering=answering, ability=ability)
        return self._opened

    def add(self, name: str, data: bytes, *groups: str, access: Access = ADMINISTRATOR) -> Job:
        """The job that added the file, ended."""
        return self.ended(self.kb.add(name, [data], groups=groups, access=access).job_id)

    def ended(self, job_id: str) -> Job:
        """The job when it has ended."""
        return until(lambda: (job := self.kb.jobs.get(job_id, access=ADMINISTRATOR)).status not in UNFINISHED and job)

    def found(self, words: str, access: Access = ADMINISTRATOR) -> set[str]:
        """The names of the documents in which the words are found, word for word."""
        hits = self.kb.search(words, access=access, limit=20)
        return {hit.document for hit in hits if words.lower() in hit.text.lower()}

    def rows(self) -> dict[str, int]:
        """How many rows the tables of documents have."""
        names = ("contents", "pages", "documents", "document_groups", "versions", "chunks", "vectors")
        with self.kb.catalog._engine.connect() as connection:
            return {name: connection.exec_driver_sql(f"select count(*) from {name}").scalar_one() for name in names}  # noqa: S608

    def files(self) -> set[str]:
        """The names of the originals on the disk."""
        return {path.name for path in self.kb.files.folder.iterdir()}

    @contextlib.contextmanager
    def listening(self) -> Iterator[str]:
        """The address of a real HTTP server over the knowledge base, in a thread of this process."""
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(self.kb, local_key=LOCAL_KEY), log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=10)

    def client(self, *, key: str | None = None) -> TestClient:
        """A client of the HTTP interface, in this process."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        app = create_app(self.kb, local_key=LOCAL_KEY)
        return TestClient(app, base_url="http://127.0.0.1:8484", headers=headers, raise_server_exceptions=False)


class Server:
    """`graft serve` as a process of its own, without an engine; can be killed and started again on the same home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What commands need to find it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GRAFT_")}
        return {**kept, "GRAFT_HOME": str(self.home), "GRAFT_PORT": str(self.port), "GRAFT_CHAT__START_ENGINE": "false"}

    def start(self) -> None:
        """Returns when it answers."""
        log = self.home.parent / "server.log"
        with log.open("ab") as output:
            command = [sys.executable, "-m", "services.cli", "serve"]
            self.process = process = subprocess.Popen(command, env=self.environment, cwd=ROOT, stderr=output)

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return httpx.get(f"{self.address}/healthz", timeout=5).is_success
            except httpx.TransportError:
                return False

        until(answers)

    def kill(self) -> None:
        """`kill -9`."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """Asks it to end; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def command(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """A command beside it, begun."""
        command = [sys.executable, "-m", "services.cli", *map(str, arguments)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
