"""`/api/datasets`, `/api/samples`, `/api/review`, and the commands over them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from eval.judge import HouseJudge
from finetune.datasets import Datasets
from finetune.review import ReviewQueue
from finetune.samples import SampleStore
from finetune.types import DatasetVersion, Message, Origin, Sample, SampleKind
from ingest.database import open_database
from ingest.errors import GraftError, InputRefused
from ingest.groups import Groups
from ingest.schema import metadata
from ingest.types import Access
from services.api import datasets as datasets_api
from services.api import errors
from services.api import review as review_api
from services.commands import datasets as dataset_commands
from services.commands import review as review_commands
from services.keys import Keys

EVIDENCE = "Quillmere was founded in 1994."


@dataclass(frozen=True)
class Workshop:
    """The part of the application object that these routes use."""

    samples: SampleStore
    datasets: Datasets
    review: ReviewQueue

    def protected(self) -> Sequence[str]:
        return ["Is this asked in the exam?"]

    def build_dataset(self, name: str, *, access: Access, seed: int) -> DatasetVersion:
        found = self.samples.accepted(access=access, live=[("doc_a", 1), ("doc_b", 1)])
        return self.datasets.build(name, found, seed=seed, protected=self.protected(), content_of={})


@pytest.fixture
def kb(tmp_path: Path) -> Iterator[Any]:
    database = open_database(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    metadata.create_all(database)
    groups = Groups(database)
    groups.create("board")
    workshop = Workshop(SampleStore(database), Datasets(database), ReviewQueue(database, judge=HouseJudge()))
    workshop.samples.add([sample("When was Quillmere founded?"), sample("Who may sign?", document="doc_b", groups=("board",))])
    yield SimpleNamespace(groups=groups, keys=Keys(database), workshop=workshop)
    database.dispose()


def sample(question: str, *, document: str = "doc_a", groups: tuple[str, ...] = ("everyone",)) -> Sample:
    origin = Origin(document, f"{document}.pdf", 1, f"chk_{document}", 3, groups, EVIDENCE)
    messages = (Message("user", question), Message("assistant", "In 1994."))
    return Sample(SampleKind.CLOSED_BOOK, "model", "en", question, "In 1994.", messages, origin)


def app(kb: Any) -> FastAPI:
    made = FastAPI()
    made.state.knowledge_base, made.state.local_key = kb, "the-local-key"
    errors.install(made)
    made.include_router(datasets_api.router)
    made.include_router(review_api.router)
    return made


def client(kb: Any, *groups: str, administrator: bool = False) -> TestClient:
    """A client with a key of these groups."""
    _, secret = kb.keys.create("a key", groups=groups, administrator=administrator)
    headers = {"Authorization": f"Bearer {secret}"}
    return TestClient(app(kb), base_url="http://127.0.0.1:8484", headers=headers, raise_server_exceptions=False)


@pytest.fixture
def http(kb: Any) -> TestClient:
    """An administrator's client."""
    return client(kb, administrator=True)


def conversations(*asked: str) -> bytes:
    made = [{"messages": [{"role": "user", "content": one}, {"role": "assistant", "content": "Yes."}]} for one in asked]
    return "".join(json.dumps(one) + "\n" for one in made).encode()


def post_file(http: TestClient, data: bytes, **fields: Any) -> Any:
    return http.post("/api/datasets/import", files={"file": ("chats.jsonl", data)}, data={"name": "chats", **fields})


# Data sets


def test_a_data_set_is_built_listed_shown_and_exported(http: TestClient) -> None:
    made = http.post("/api/datasets", json={"name": "all"})
    assert made.status_code == 201
    version = made.json()
    assert version["counts"] == {"train": 2, "validation": 0, "test": 0, "rephrased": 0}
    assert http.get("/api/datasets").json() == {"datasets": [version]}
    assert http.get(f"/api/datasets/{version['id']}").json() == http.get("/api/datasets/all").json() == version
    exported = http.get(f"/api/datasets/{version['id']}/export")
    assert exported.headers["content-type"].startswith("application/jsonl")
    lines = [json.loads(line) for line in exported.text.splitlines()]
    assert {line["messages"][0]["content"] for line in lines} == {"When was Quillmere founded?", "Who may sign?"}
    alpaca = http.get("/api/datasets/all/export", params={"format": "alpaca", "split": "train"}).text.splitlines()
    assert {json.loads(line)["output"] for line in alpaca} == {"In 1994."}
    assert http.get("/api/datasets/all/export?split=test").text == ""


def test_a_data_set_of_some_groups_holds_only_what_they_may_read(kb: Any, http: TestClient) -> None:
    version = http.post("/api/datasets", json={"name": "open", "groups": ["everyone"], "seed": 3}).json()
    assert (version["group_sets"], version["counts"]["train"], version["card"]["seed"]) == ([["everyone"]], 1, 3)
    assert http.post("/api/datasets", json={"name": "x", "groups": ["bord"]}).status_code == 422


def test_what_may_not_be_used_looks_like_what_is_not_there(kb: Any, http: TestClient) -> None:
    version = http.post("/api/datasets", json={"name": "all"}).json()
    reader = client(kb, "works")
    assert reader.get("/api/datasets").json() == {"datasets": []}
    for path in ("", "/export"):
        hidden = reader.get(f"/api/datasets/{version['id']}{path}")
        missing = reader.get(f"/api/datasets/ds_0{path}")
        assert (hidden.status_code, missing.status_code) == (404, 404)
        assert hidden.json()["detail"].replace(version["id"], "ds_0") == missing.json()["detail"]
    assert client(kb, "board").get(f"/api/datasets/{version['id']}").json() == version


def test_an_incomplete_data_set_is_shown_and_not_exported(kb: Any, http: TestClient) -> None:
    version = http.post("/api/datasets", json={"name": "all"}).json()
    kb.workshop.samples.purge("doc_b")
    shown = http.get(f"/api/datasets/{version['id']}").json()
    assert shown["incomplete"] == "document doc_b.pdf was removed: 1 of 2 samples"
    refused = http.get(f"/api/datasets/{version['id']}/export")
    assert refused.status_code == 409
    assert "is incomplete" in refused.json()["detail"]


def test_a_file_is_imported_for_the_groups_named(kb: Any, http: TestClient) -> None:
    made = post_file(http, conversations("Rain?", "Snow?"), group=["board"], licence="MIT").json()
    assert (made["group_sets"], made["counts"]["train"]) == ([["board"]], 2)
    assert made["card"]["licence"] == "MIT"
    assert post_file(http, conversations("Rain?", "Snow?")).json()["group_sets"] == [["everyone"]]


def test_a_file_with_a_wrong_line_is_refused_and_nothing_of_it_kept(http: TestClient) -> None:
    refused = post_file(http, conversations("Rain?") + b'{"messages": []}\n')
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("the file cannot be taken: line 2: `messages` must be an array")
    assert http.get("/api/datasets").json() == {"datasets": []}
    assert http.get("/api/samples").json()["counts"]["source"] == {"model": 2}


def test_an_import_is_checked_against_protected_questions(http: TestClient) -> None:
    made = post_file(http, conversations("Rain?", "Is this asked in the exam?")).json()
    assert made["card"]["dropped"] == {"protected": 1}


def test_a_file_that_is_too_large_is_refused(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets_api, "LARGEST_IMPORT_MIB", 0)
    refused = post_file(http, conversations("Rain?") * 20_000)
    assert "at most 0 MiB" in refused.json()["detail"]


# Samples and review


def test_samples_are_counted_and_listed_with_their_lineage(kb: Any, http: TestClient) -> None:
    found = client(kb).get("/api/samples").json()
    assert found["counts"]["status"] == {"accepted": 1}
    (one,) = found["samples"]
    assert one["id"] == sample("When was Quillmere founded?").id
    assert one["origin"] == {
        "document_id": "doc_a",
        "document": "doc_a.pdf",
        "version": 1,
        "chunk": "chk_doc_a",
        "page": 3,
        "groups": ["everyone"],
        "evidence": EVIDENCE,
    }
    assert (one["reviewer"], one["reviewed_at"], one["edited_from"]) == ("", None, None)
    assert len(http.get("/api/samples", params={"kind": "closed-book", "limit": 1}).json()["samples"]) == 1
    assert http.get("/api/samples", params={"kind": "chat"}).json()["samples"] == []
    assert http.get("/api/samples", params={"limit": 5000}).status_code == 422


def test_samples_are_accepted_edited_and_rejected_once(kb: Any, http: TestClient) -> None:
    kb.workshop.samples.add([sample("Third?")])
    first, second, third = (one["id"] for one in http.get("/api/review").json()["samples"])
    accepted = http.post(f"/api/review/{first}", json={"decision": "accept", "reviewer": "ann"}).json()
    assert (accepted["sample"]["review"], accepted["reviewer"], accepted["warning"]) == ("accepted", "ann", "")
    edited = http.post(f"/api/review/{second}", json={"decision": "edit", "answer": "In 2003, by the mayor."}).json()
    assert (edited["edited_from"], edited["sample"]["source"]) == (second, "person")
    assert EVIDENCE in edited["warning"]
    rejected = http.post(f"/api/review/{third}", json={"decision": "reject", "reason": "wrong"}).json()
    assert rejected["sample"]["reason"] == "wrong"
    assert http.get("/api/review").json() == {"samples": []}
    again = http.post(f"/api/review/{first}", json={"decision": "reject", "reason": "no"})
    assert again.status_code == 409
    assert "was accepted by ann" in again.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"decision": "accept", "answer": "x"}, 400, "accept takes no answer"),
        ({"decision": "reject"}, 422, "needs a reason"),
        ({"decision": "edit"}, 422, "nothing was changed"),
        ({"decision": "maybe"}, 422, "decision"),
        ({"decision": "accept", "comment": "x"}, 422, "comment"),
    ],
)
def test_a_decision_that_does_not_fit_is_refused(http: TestClient, body: dict[str, str], status: int, words: str) -> None:
    (first, *_) = http.get("/api/review").json()["samples"]
    refused = http.post(f"/api/review/{first['id']}", json=body)
    assert refused.status_code == status
    assert words in refused.json()["detail"]
    assert len(http.get("/api/review").json()["samples"]) == 2


def test_only_an_administrator_changes_things(kb: Any) -> None:
    reader = client(kb, "board")
    first = reader.get("/api/review").json()["samples"][0]["id"]
    calls = [
        reader.post("/api/datasets", json={"name": "all"}),
        post_file(reader, conversations("Rain?")),
        reader.post(f"/api/review/{first}", json={"decision": "accept"}),
    ]
    assert [answer.status_code for answer in calls] == [403, 403, 403]
    assert len(reader.get("/api/review").json()["samples"]) == 2
    assert len(client(kb).get("/api/review").json()["samples"]) == 1


# Commands


class Client:
    """`services.client.Client` over an application in this process."""

    def __init__(self, http: TestClient) -> None:
        self._http = http

    def call(self, method: str, path: str, **request: Any) -> Any:
        return self._sent(method, path, **request).json()

    def fetch(self, path: str) -> bytes:
        return bytes(self._sent("GET", path).content)

    def _sent(self, method: str, path: str, **request: Any) -> Any:
        answer = self._http.request(method, path, **request)
        if answer.is_success:
            return answer
        raise GraftError(answer.json()["detail"])


@pytest.fixture
def commands(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command over the administrator's client."""

    @contextlib.contextmanager
    def connect(_settings: Any) -> Iterator[Client]:
        yield Client(http)

    for module in (dataset_commands, review_commands):
        monkeypatch.setattr(module, "connect", connect)

    def run(*arguments: str | Path) -> Any:
        group, *rest = map(str, arguments)
        return CliRunner().invoke({"dataset": dataset_commands.app, "review": review_commands.app}[group], rest)

    return run


def test_commands_build_show_and_export(commands: Any, tmp_path: Path) -> None:
    made = json.loads(commands("dataset", "build", "all", "--json").stdout)
    assert json.loads(commands("dataset", "list", "--json").stdout)["datasets"] == [made]
    assert json.loads(commands("dataset", "show", "all", "--json").stdout) == made
    assert commands("dataset", "show", "all").exit_code == commands("dataset", "list").exit_code == 0
    printed = commands("dataset", "export", "all").stdout
    output = tmp_path / "out.jsonl"
    told = json.loads(commands("dataset", "export", "all", "--output", output, "--json").stdout)
    assert (told["conversations"], output.read_text(encoding="utf-8")) == (2, printed)
    assert commands("dataset", "validate", output).exit_code == 0
    assert commands("dataset", "export", "all", "--json").exit_code == 2


def test_commands_import_and_review(commands: Any, tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    path.write_bytes(conversations("Rain?", "Snow?"))
    made = json.loads(commands("dataset", "import", path, "--name", "chats", "--group", "board", "--json").stdout)
    assert (made["name"], made["group_sets"]) == ("chats", [["board"]])
    waiting = json.loads(commands("review", "list", "--json").stdout)["samples"]
    assert [one["source"] for one in waiting] == ["model", "model", "import", "import"]
    first, second, third, _ = (one["id"] for one in waiting)
    assert "accepted" in commands("review", "accept", first).stdout
    edited = json.loads(commands("review", "edit", second, "--answer", "In 1994, then.", "--reviewer", "ann", "--json").stdout)
    assert (edited["reviewer"], edited["edited_from"]) == ("ann", second)
    assert "rejected" in commands("review", "reject", third, "--reason", "no").stdout
    assert len(json.loads(commands("review", "list", "--json").stdout)["samples"]) == 1


def test_validate_names_every_line_and_ends_with_input_refused(commands: Any, tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    path.write_bytes(conversations("Rain?") + b'{"messages": []}\nx\n')
    ran = commands("dataset", "validate", path)
    assert [line.partition(":")[0] for line in ran.stdout.splitlines()] == ["line 2", "line 3"]
    assert isinstance(ran.exception, InputRefused)
    assert ran.exception.exit_code == 3
    told = json.loads(commands("dataset", "validate", path, "--json").stdout)
    assert (told["valid"], [one["line"] for one in told["problems"]]) == (False, [2, 3])
