"""`graft add`, `documents`, `jobs` and `watch` for what is encrypted, refused, stopped, replaced or follows a folder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import Unavailable
from services.commands import watching
from services.folder_sync import Difference
from tests import hostile
from tests.command_line import Graft
from tests.fakes import pdf
from tests.product import ADMINISTRATOR, Product


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    for name in ("lamp", "pump"):
        (folder / f"{name}.pdf").write_bytes(pdf(f"The {name} is green."))
    return folder


def names(running: Product) -> list[str]:
    return [one.document for one in running.kb.documents(access=ADMINISTRATOR)]


def test_a_refused_file_is_listed_with_its_reason_until_it_is_tried_again_or_dismissed(
    graft: Graft, running: Product, tmp_path: Path
) -> None:
    (tmp_path / "locked.pdf").write_bytes(hostile.encrypted())
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\n")
    ran = graft("add", tmp_path, "--json")
    assert ran.code == 3
    told = {one["document"]: one for one in ran.json["documents"]}
    assert {name: one["code"] for name, one in told.items()} == {"locked.pdf": "password_needed", "broken.pdf": "broken_file"}
    shown = graft("documents", "list").out
    for words in ("password needed", "broken file", "its structure cannot be read", told["locked.pdf"]["job_id"]):
        assert words in shown
    assert "open" not in graft("jobs", "list", "--open").out
    refused = graft("jobs", "retry", told["broken.pdf"]["job_id"])
    assert (refused.code, "has no file any longer: add the document again" in refused.err) == (3, True)
    retried = graft("jobs", "retry", told["locked.pdf"]["job_id"], "--password", "-", "--json", given="secret\n")
    assert (retried.code, retried.json["documents"][0]["status"]) == (0, "added")
    assert graft("jobs", "dismiss", told["broken.pdf"]["job_id"], "--json").json == {"dismissed": told["broken.pdf"]["job_id"]}
    assert graft("documents", "list", "--json").json["jobs"] == []
    assert "secret" not in retried.out + retried.err


def test_a_password_opens_the_file_at_once(graft: Graft, tmp_path: Path) -> None:
    (tmp_path / "locked.pdf").write_bytes(hostile.encrypted())
    ran = graft("add", tmp_path / "locked.pdf", "--password", "secret")
    assert (ran.code, ran.out.split()[:2]) == (0, ["added", "locked.pdf"])


def test_versions_are_listed_and_searched_where_one_is_asked_for(graft: Graft, running: Product, folder: Path) -> None:
    graft("add", folder / "lamp.pdf")
    (folder / "lamp.pdf").write_bytes(pdf("The lamp is blue."))
    graft("add", folder / "lamp.pdf")
    listed = graft("documents", "versions", "lamp.pdf", "--json").json["versions"]
    assert [(one["version"], one["live"]) for one in listed] == [(2, True), (1, False)]
    assert "searched" in graft("documents", "versions", "lamp.pdf").out
    old = graft("search", "lamp green", "--document", "lamp.pdf", "--version", "1", "--json").json["hits"]
    assert [(hit["version"], hit["text"]) for hit in old] == [(1, "The lamp is green.")]
    assert graft("search", "lamp", "--version", "1").code == 2
    assert graft("search", "lamp", "--document", "lamp.pdf", "--version", "9").code == 3
    again = graft("documents", "reprocess", "lamp.pdf", "--json")
    assert (again.code, again.json["status"]) == (0, "reread")


def test_sync_says_what_is_gone_and_removes_it(graft: Graft, running: Product, folder: Path) -> None:
    graft("add", folder)
    running.add("by hand.pdf", pdf("From elsewhere."))
    (folder / "lamp.pdf").unlink()
    (folder / "valve.pdf").write_bytes(pdf("The valve is blue."))
    asked = graft("add", folder, "--sync")
    assert (asked.code, "nobody can be asked whether 1 documents shall be removed: say so with --yes" in asked.err) == (2, True)
    assert "lamp.pdf (everyone)" in asked.err
    assert names(running) == ["by hand.pdf", "lamp.pdf", "pump.pdf", "valve.pdf"]
    done = graft("add", folder, "--sync", "--yes", "--json")
    assert done.code == 0, done.err
    assert done.json == {"documents": [], "unchanged": 2, "removed": ["lamp.pdf"]}
    assert names(running) == ["by hand.pdf", "pump.pdf", "valve.pdf"]
    assert graft("add", folder, "--sync").out == "2 unchanged, 0 removed\n"


def test_sync_takes_folders_and_waits(graft: Graft, folder: Path) -> None:
    for arguments, words in (
        ((folder / "lamp.pdf", "--sync"), "--sync needs folders"),
        ((folder, "--sync", "--no-wait"), "leave --no-wait out"),
        ((folder, "--yes"), "--yes goes with --sync"),
    ):
        ran = graft("add", *arguments)
        assert (ran.code, words in ran.err) == (2, True), ran.err
    missing = graft("watch", folder / "nowhere")
    assert (missing.code, "there is no folder" in missing.err) == (3, True)


def test_watching_tells_what_happens_and_waits_for_a_server_that_went_away(
    graft: Graft, running: Product, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow = watching.Follower.follow
    followed = []

    def follow_once_it_is_back(follower: watching.Follower, ticks: Iterator[bool]) -> Iterator[Difference]:
        followed.append(follower)
        if len(followed) == 1:
            raise Unavailable("the server no longer answers")
        return follow(follower, ticks)

    def ticks(_folder: Path) -> Iterator[bool]:
        while len(names(running)) < 2 or running.kb.jobs.list(access=ADMINISTRATOR, only_open=True):
            yield True
            time.sleep(0.05)
        yield True
        (folder / "lamp.pdf").unlink()
        yield True
        raise KeyboardInterrupt

    monkeypatch.setattr(watching.Follower, "follow", follow_once_it_is_back)
    monkeypatch.setattr(watching, "_ticks", ticks)
    monkeypatch.setattr(watching, "_PAUSE_PER_LOOK", 0.0)
    ran = graft("watch", folder, "--quiet-s", "0", "--json")
    told = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0
    assert [(one["event"], one["document"]) for one in told] == [
        ("added", "lamp.pdf"),
        ("added", "pump.pdf"),
        ("removed", "lamp.pdf"),
    ]
    assert "waiting for it to come back" in ran.err
