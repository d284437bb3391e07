"""`graft`: what it prints for people and for programs, and the exit code and one sentence of everything that can go wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from services import cli
from services.home import Home, RunningServer
from services.settings import Settings
from tests import hostile
from tests.command_line import Graft, Ran
from tests.fakes import FakeChat, pdf
from tests.product import LOCAL_KEY, Product

HOLIDAY = "Every employee has 27 days of paid holiday a year."
QUESTION = "How many days of paid holiday does an employee have?"


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    path = tmp_path / "handbook.pdf"
    path.write_bytes(pdf(HOLIDAY))
    return path


def assert_told(ran: Ran, code: int, words: str) -> None:
    """The command ended with this code and one sentence on standard error, and printed nothing else."""
    assert (ran.code, ran.out) == (code, ""), ran.err
    (line,) = ran.err.splitlines()
    assert line.startswith("Error: ")
    assert words in line


# Without a server: the command is the whole product for as long as it runs


def test_a_document_added_by_one_command_is_answered_from_by_the_next(graft: Graft, handbook: Path) -> None:
    added = graft("add", handbook, "--json").json
    assert added["documents"] == [
        {
            "document": "handbook.pdf",
            "document_id": added["documents"][0]["document_id"],
            "version": 1,
            "status": "added",
            "pages": 1,
            "warnings": [],
            "error": None,
            "code": None,
            "job_id": added["documents"][0]["job_id"],
        }
    ]
    answer = graft("ask", QUESTION, "--json").json
    assert answer.keys() >= {"answer", "language", "style", "abstained", "reason", "nearest", "citations", "sentences", "usage"}
    assert (answer["style"], answer["language"], answer["abstained"]) == ("quotes", "en", False)
    (citation,) = answer["citations"]
    assert (citation["document"], citation["page"], citation["quote"]) == ("handbook.pdf", 1, HOLIDAY)
    assert f"[{citation['marker']}]" in answer["answer"]
    assert answer["sentences"][0]["citations"] == [1]
    refused = graft("ask", QUESTION, "--style", "generated")
    assert_told(refused, 4, "language model")


def test_not_waiting_needs_a_server(graft: Graft, handbook: Path) -> None:
    assert_told(graft("add", handbook, "--no-wait"), 4, "--no-wait needs a running server")


def test_a_home_in_use_by_another_process_is_told(graft: Graft, product: Product) -> None:
    assert product.kb.jobs is not None
    assert_told(graft("documents", "list"), 4, f"in use by process {os.getpid()}")


def test_a_home_that_cannot_be_one_is_told(graft: Graft, monkeypatch: pytest.MonkeyPatch, handbook: Path) -> None:
    monkeypatch.setenv("GRAFT_HOME", str(handbook))
    assert_told(graft("documents", "list"), 4, "cannot be the home")


def test_settings_that_cannot_be_used_are_named(graft: Graft, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    Home(settings.home)
    config = settings.home / "config.toml"
    for text, words in (
        ('profil = "mini"', "setting profil:"),
        ('[chat]\nadress = "x"', "setting chat.adress:"),
        ('port = "abc"', "setting port:"),
        ("port =", "setting config.toml:"),
    ):
        config.write_text(text)
        assert_told(graft("config", "show"), 2, words)
    config.unlink()
    monkeypatch.setenv("GRAFT_PROFILE", "maxi")
    assert_told(graft("documents", "list"), 2, "setting profile:")


def test_files_that_cannot_be_read_are_refused_and_the_others_added(graft: Graft, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "deep").mkdir(parents=True)
    files = {
        "a.pdf": pdf("The first good file."),
        "b.pdf": b"Dear Sir or Madam",
        "c.pdf": b"",
        "d.pdf": hostile.encrypted(),
        "e.pdf": pdf("Cut off.")[:300],
        "deep/f.PDF": pdf("", "The second good file."),
        "notes.md": b"# Notes\n\nThe third good file.",
        "tool.exe": b"left alone",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    ran = graft("add", folder, "--json")
    assert ran.code == 3
    assert "not every document could be taken; the others are there" in ran.err
    told = {one["document"]: one for one in ran.json["documents"]}
    assert {name: one["status"] for name, one in told.items()} == {
        "a.pdf": "added",
        "b.pdf": "refused",
        "c.pdf": "refused",
        "d.pdf": "refused",
        "e.pdf": "refused",
        "deep/f.PDF": "added",
        "notes.md": "added",
    }
    for name, words in (("b.pdf", "not a PDF"), ("c.pdf", "empty"), ("d.pdf", "encrypted")):
        assert words in told[name]["error"]
    assert told["deep/f.PDF"]["warnings"] == ["no text layer: page 1"]
    assert [one["document"] for one in graft("documents", "list", "--json").json["documents"]] == [
        "a.pdf",
        "deep/f.PDF",
        "notes.md",
    ]


# Beside a server


def test_paths_that_are_wrong_are_refused_before_anything_is_added(
    graft: Graft, running: Product, handbook: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "handbook.pdf").write_bytes(pdf("Another book."))
    assert_told(graft("add", handbook, tmp_path / "nowhere.pdf"), 3, "there is no file or folder")
    assert_told(graft("add", handbook, tmp_path / "empty"), 3, "holds no file that can be read")
    assert_told(graft("add", handbook, tmp_path / "other"), 3, "would both be called 'handbook.pdf'")
    assert_told(graft("add", handbook, "--group", "nobody"), 3, "there is no group 'nobody'")
    assert graft("add").code == 2
    assert graft("documents", "list", "--json").json == {"documents": [], "jobs": []}


def test_a_file_named_twice_is_added_once(graft: Graft, running: Product, handbook: Path) -> None:
    assert [one["status"] for one in graft("add", handbook, handbook, "--json").json["documents"]] == ["added"]
    assert [one["status"] for one in graft("add", handbook, "--json").json["documents"]] == ["unchanged"]


def test_a_name_that_is_no_text_is_shown_with_marks(graft: Graft, running: Product, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.pdf"))
    path.write_bytes(pdf("A file of the old days."))
    assert graft("add", path, "--json").json["documents"][0]["document"] == "??.pdf"


def test_not_waiting_prints_the_jobs(graft: Graft, running: Product, handbook: Path) -> None:
    (job,) = graft("add", handbook, "--no-wait", "--json").json["jobs"]
    assert running.ended(job["job_id"]).outcome == "added"
    (other,) = graft("add", handbook, "--no-wait").out.split()
    assert other.startswith("job_")


def test_a_document_is_shown_with_its_near_duplicates_and_its_personal_data_masked(
    graft: Graft, running: Product, tmp_path: Path
) -> None:
    card = "The card 4111 1111 1111 1111 belongs to the travel desk and may be used for hotels and for nothing else."
    for name, text in (("a.pdf", f"{HOLIDAY} {card}"), ("b.pdf", f"{HOLIDAY} {card} Or so.")):
        (tmp_path / name).write_bytes(pdf(text))
        graft("add", tmp_path / name)
    shown = graft("documents", "show", "a.pdf").out
    for words in ("1 passages (1 en)", "shares 1 passages with b.pdf", "1 bank_card (page 1: ████ ████ ████ 1111)"):
        assert words in shown


def test_documents_are_listed_shown_regrouped_and_removed(graft: Graft, running: Product, handbook: Path) -> None:
    graft("add", handbook)
    (one,) = graft("documents", "list", "--json").json["documents"]
    assert one.keys() == {"document", "document_id", "version", "pages", "bytes", "groups", "added_at", "warnings"}
    nothing_made = {"document_id": one["document_id"], "samples": 0, "datasets": [], "adapters": []}
    for name in ("handbook.pdf", one["document_id"]):
        shown = graft("documents", "show", name, "--json").json
        report = shown.pop("report")
        assert (report["languages"], report["near_duplicates"], report["personal_data"]) == ({"en": 1}, [], {})
        assert shown == {**one, "lineage": nothing_made}
    for arguments in (("documents", "list"), ("documents", "show", "handbook.pdf")):
        assert "handbook.pdf" in graft(*arguments).out
    graft("groups", "create", "board")
    assert graft("documents", "set-groups", "handbook.pdf", "board", "--json").json["groups"] == ["board"]
    assert_told(graft("documents", "set-groups", "handbook.pdf", "nobody"), 3, "there is no group 'nobody'")
    assert graft("reindex", "--json").json == {"chunks": 1}
    assert graft("documents", "remove", "handbook.pdf", "--json").json == {"removed": one["document_id"], **nothing_made}
    assert_told(graft("documents", "show", "handbook.pdf"), 3, "there is no document 'handbook.pdf'")
    assert_told(graft("documents", "remove", one["document_id"]), 3, "there is no document")


def test_a_name_of_several_documents_needs_an_id(graft: Graft, running: Product, handbook: Path) -> None:
    graft("groups", "create", "board")
    for group in ("board", "everyone"):
        graft("add", handbook, "--group", group)
    assert_told(graft("documents", "remove", "handbook.pdf"), 3, "2 documents are called 'handbook.pdf': give the id of one")


def test_groups_and_keys_are_made_listed_and_taken_back(graft: Graft, running: Product) -> None:
    assert graft("groups", "create", "R&D/Zürich?", "--json").json == {"groups": ["R&D/Zürich?", "everyone"]}
    assert graft("groups", "list", "--json").json == {"groups": ["R&D/Zürich?", "everyone"]}
    assert graft("groups", "list").out == "R&D/Zürich?\neveryone\n"
    assert_told(graft("groups", "create", "everyone,all"), 3, "cannot be used")
    assert_told(graft("groups", "create", "R&D/Zürich?"), 3, "is there already")
    assert_told(graft("groups", "remove", "everyone"), 3, "stays")
    made = graft("keys", "create", "--group", "R&D/Zürich?", "--name", "ann", "--json").json
    assert made.keys() == {"key", "secret"}
    assert made["key"]["groups"] == ["R&D/Zürich?"]
    assert graft("keys", "create", "--admin").out.startswith("graft_")
    assert [key["name"] for key in graft("keys", "list", "--json").json["keys"]] == ["ann", ""]
    assert "ann" in graft("keys", "list").out
    assert_told(graft("groups", "remove", "R&D/Zürich?"), 3, "keys hold group")
    assert graft("keys", "revoke", made["key"]["key_id"], "--json").json["revoked_at"]
    assert_told(graft("keys", "revoke", "key_none"), 3, "there is no key 'key_none'")
    assert_told(graft("keys", "create", "--group", "nobody"), 3, "there is no group")
    assert graft("groups", "remove", "R&D/Zürich?", "--json").json == {"removed": "R&D/Zürich?"}


def test_a_key_that_is_not_known_is_not_permitted(graft: Graft, running: Product) -> None:
    running.kb.keys.create("a", groups=[])
    home = Home(running.settings.home)
    note = json.loads((home.folder / "run.json").read_text())
    home.announce(RunningServer(note["address"], "not the key", os.getpid()))
    assert_told(graft("documents", "list"), 5, "unknown or revoked")


def test_search_and_answers_narrow_to_groups(graft: Graft, running: Product, handbook: Path) -> None:
    graft("groups", "create", "board")
    graft("add", handbook, "--group", "board")
    (hit,) = graft("search", "paid holiday", "--json").json["hits"]
    assert hit.keys() >= {"document", "document_id", "page", "chunk", "score", "text"}
    assert graft("search", "paid holiday", "--group", "everyone", "--json").json["hits"] == []
    assert len(graft("search", "paid holiday", "--group", "board", "--json").json["hits"]) == 1
    assert "handbook.pdf, page 1" in graft("search", "paid holiday").out
    assert graft("ask", QUESTION, "--group", "everyone", "--json").json["abstained"] is True
    for command in ("search", "ask"):
        assert_told(graft(command, "paid holiday", "--group", "nobody"), 3, "there is no group 'nobody'")
    assert_told(graft("search", " "), 3, "the query is empty")
    assert_told(graft("ask", "   "), 3, "the question is empty")
    assert_told(graft("ask", "a" * 8001), 3, "8000")
    assert graft("search", "x", "--limit", "101").code == 2
    assert graft("ask", "x", "--style", "poem").code == 2


def test_answers_follow_the_style_that_is_asked_for(graft: Graft, running: Product, handbook: Path) -> None:
    graft("add", handbook)
    running.use_chat(FakeChat(answer=f"{HOLIDAY}"))
    home = Home(running.settings.home)
    with running.listening() as address:
        home.announce(RunningServer(address, LOCAL_KEY, os.getpid()))
        for style in ("generated", "quotes"):
            answer = graft("ask", QUESTION, "--style", style, "--json").json
            assert (answer["style"], answer["citations"][0]["quote"]) == (style, HOLIDAY)
        assert "[1] handbook.pdf, page 1" in graft("ask", QUESTION).out


def test_models_and_settings_are_shown(graft: Graft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFT_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("GRAFT_CHAT__KEY", "a secret")
    told = graft("models", "list", "--json").json
    assert told["profile"] == "mini"
    assert {model["name"] for model in told["models"] if model["used"]}
    assert "mini" in graft("models", "list").out
    assert graft("models", "verify", "nothing-like-it").code in (2, 3)
    shown = graft("config", "show", "--json")
    assert shown.json["profile"] == "mini"
    assert "a secret" not in shown.out
    table = graft("config", "show").out
    assert "a secret" not in table
    assert "chat.address" in table


def commands(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
    else:
        for name, one in inner.items():
            yield from commands(one, *path, name)


def test_every_command_has_json_and_says_what_it_does() -> None:
    found = dict(commands(typer.main.get_command(cli.app)))
    assert len(found) > 20
    for path, command in found.items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--json" in options, path
        assert command.help, path


def test_commands_beside_a_server_load_little() -> None:
    """Each of these takes half a second or more to import; `graft ask` beside a server needs none of them."""
    program = "import sys, services.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"chromadb", "sklearn", "openai", "torch", "dbos", "sqlalchemy", "fastapi", "pymupdf"}.intersection(loaded)
