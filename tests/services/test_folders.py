"""A folder's documents follow its files: `graft add --sync` once, `graft watch` for as long as it runs."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import InputRefused
from services.client import Client
from services.commands.watching import Follower, _ticks
from services.folder_sync import Difference, FolderSync, Known, difference
from services.folders import files_in, given_files
from tests.fakes import pdf
from tests.product import ADMINISTRATOR, Product
from tests.waiting import until

EVERYONE = frozenset({"everyone"})
BOARD = frozenset({"board"})


def document(name: str, sha256: str, groups: frozenset[str] = EVERYONE) -> Known:
    return Known(name, groups, sha256, f"doc_{name}")


def job(name: str, sha256: str, *, unfinished: bool = False, groups: frozenset[str] = EVERYONE) -> Known:
    return Known(name, groups, sha256, None, f"job_{name}", unfinished)


# What must be done


@pytest.mark.parametrize(
    ("files", "known", "new"),
    [
        ({"a": "1"}, [], [("a", None)]),
        ({"a": "1"}, [document("a", "1")], []),
        ({"a": "2"}, [document("a", "1")], [("a", EVERYONE)]),
        ({"a": "2"}, [document("a", "1", BOARD)], [("a", BOARD)]),  # it keeps the groups that somebody gave it since
        ({"a": "2"}, [document("a", "1"), document("a", "2", BOARD)], [("a", EVERYONE)]),
        ({"a": "1"}, [job("a", "1", unfinished=True)], []),
        ({"a": "1"}, [job("a", "1")], []),  # it was refused, and is still the same
        ({"a": "2"}, [job("a", "1")], [("a", EVERYONE)]),
        ({"a": "1"}, [job("a", "2", unfinished=True), document("a", "1")], [("a", EVERYONE)]),  # changed, and changed back
    ],
)
def test_what_is_sent(files: dict[str, str], known: list[Known], new: list[tuple[str, frozenset[str] | None]]) -> None:
    assert list(difference(files, known, present=files).new) == new


def test_what_is_gone_is_what_was_added_from_the_folder_and_is_in_it_no_longer() -> None:
    known = [job("b", "1", unfinished=True), job("c", "1"), document("a", "1"), document("d", "1"), document("b", "0")]
    found = difference({"a": "1"}, known, present=["a", "d"])  # "d" is there and not quiet yet
    assert found == Difference(new=(), gone=(known[1], known[4]), unchanged=1, unquiet=1)


# Against the product


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    (folder / "sub").mkdir(parents=True)
    write(folder / "lamp.pdf", "The lamp is green.")
    write(folder / "sub" / "pump.pdf", "The pump is blue.")
    return folder


def write(path: Path, words: str) -> None:
    path.write_bytes(pdf(words))


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def client(product: Product) -> Iterator[Client]:
    with product.client() as http:
        yield Client(http, remote=True)


class Tree:
    """The folder, followed step by step."""

    def __init__(
        self, product: Product, client: Client, folder: Path, *, keep: bool = False, groups: tuple[str, ...] = ()
    ) -> None:
        self._product = product
        self.clock = Clock()
        self.told: list[tuple[str, str]] = []
        sync = FolderSync(client, folder, groups=groups, quiet_s=2.0, clock=self.clock)
        self._follower = Follower(client, sync, keep=keep, tell=lambda told: self.told.append((told["event"], told["document"])))

    def step(self, *, seconds: float) -> list[tuple[str, str]]:
        """What is told of the next look, when these seconds have passed, and of all that it began."""
        self.clock.now += seconds
        self.told.clear()
        list(self._follower.follow(iter([True])))
        until(lambda: all(not one.open or one.status == "done" for one in self._product.kb.jobs.list(access=ADMINISTRATOR)))
        self._follower._tell_ended()
        return sorted(self.told)


def names(product: Product) -> list[str]:
    return [one.document for one in product.kb.documents(access=ADMINISTRATOR)]


def test_new_changed_and_removed_files_follow_once_they_are_quiet(product: Product, client: Client, folder: Path) -> None:
    product.add("by hand.pdf", pdf("Nobody's folder."))
    tree = Tree(product, client, folder)
    assert tree.step(seconds=0) == []
    assert tree.step(seconds=1) == []
    assert tree.step(seconds=1) == [("added", "lamp.pdf"), ("added", "sub/pump.pdf")]
    write(folder / "lamp.pdf", "The lamp is olive.")
    assert tree.step(seconds=1) == []
    write(folder / "lamp.pdf", "The lamp is white.")  # a program that writes once more
    assert tree.step(seconds=1.5) == []
    assert tree.step(seconds=2) == [("added", "lamp.pdf")]
    assert product.found("is white") == {"lamp.pdf"}
    assert product.found("is olive") == set()
    (folder / "lamp.pdf").rename(folder / "light.pdf")
    assert tree.step(seconds=1) == []
    assert tree.step(seconds=2) == [("added", "light.pdf"), ("removed", "lamp.pdf")]
    assert names(product) == ["by hand.pdf", "light.pdf", "sub/pump.pdf"]
    assert tree.step(seconds=9) == []


def test_a_file_that_is_replaced_keeps_its_document(product: Product, client: Client, folder: Path) -> None:
    tree = Tree(product, client, folder)
    tree.step(seconds=0)
    tree.step(seconds=2)
    before = product.kb.documents(access=ADMINISTRATOR)[0].document_id
    (folder / "lamp.pdf").unlink()
    assert tree.step(seconds=1) == []
    write(folder / "lamp.pdf", "The lamp is new.")
    tree.step(seconds=1)
    assert tree.step(seconds=2) == [("added", "lamp.pdf")]
    assert product.kb.documents(access=ADMINISTRATOR)[0].document_id == before


def test_a_folder_that_is_away_or_empty_removes_nothing(product: Product, client: Client, folder: Path) -> None:
    tree = Tree(product, client, folder)
    tree.step(seconds=0)
    tree.step(seconds=2)
    away = folder.with_name("away")
    folder.rename(away)
    assert tree.step(seconds=9) == [("waiting", "")]
    folder.mkdir()
    assert tree.step(seconds=9) == [("waiting", "")]
    assert tree.step(seconds=9) == []  # said once
    assert names(product) == ["lamp.pdf", "sub/pump.pdf"]
    folder.rmdir()
    away.rename(folder)
    assert tree.step(seconds=9) == []


def test_a_document_of_a_folder_keeps_the_groups_that_it_was_given_since(product: Product, client: Client, folder: Path) -> None:
    """Else the next look would show to everyone what somebody has hidden."""
    product.kb.groups.create("board")
    tree = Tree(product, client, folder)
    tree.step(seconds=0)
    tree.step(seconds=2)
    lamp = product.kb.documents(access=ADMINISTRATOR)[0]
    product.kb.set_groups(lamp.document_id, ["board"], access=ADMINISTRATOR)
    write(folder / "lamp.pdf", "The lamp is secret.")
    tree.step(seconds=0)
    assert tree.step(seconds=2) == [("added", "lamp.pdf")]
    (lamp, _) = product.kb.documents(access=ADMINISTRATOR)
    assert (lamp.groups, lamp.version) == (("board",), 2)


def test_with_keep_nothing_is_removed(product: Product, client: Client, folder: Path) -> None:
    tree = Tree(product, client, folder, keep=True)
    tree.step(seconds=0)
    tree.step(seconds=2)
    (folder / "lamp.pdf").unlink()
    tree.step(seconds=9)
    assert tree.step(seconds=9) == []
    assert names(product) == ["lamp.pdf", "sub/pump.pdf"]


def test_what_was_refused_is_not_sent_again_and_forgotten_with_its_file(product: Product, client: Client, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\n")
    tree = Tree(product, client, folder)
    tree.step(seconds=0)
    assert ("refused", "broken.pdf") in tree.step(seconds=2)
    assert tree.step(seconds=2) == []
    (folder / "broken.pdf").unlink()
    tree.step(seconds=0)
    tree.step(seconds=2)
    assert product.kb.jobs.list(access=ADMINISTRATOR, only_open=True) == []


def test_what_came_another_way_is_never_removed(product: Product, client: Client, folder: Path) -> None:
    tree = Tree(product, client, folder)
    tree.step(seconds=0)
    tree.step(seconds=2)
    product.add("lamp.pdf", pdf("Another lamp, from the page."))  # the visible version is not the folder's any more
    (folder / "lamp.pdf").unlink()
    tree.step(seconds=0)
    assert tree.step(seconds=9) == []
    assert names(product) == ["lamp.pdf", "sub/pump.pdf"]


def test_a_folder_is_shown_to_administrators_alone(product: Product, folder: Path) -> None:
    _, secret = product.kb.keys.create("worker", groups=["everyone"], administrator=False)
    with product.client(key=secret) as http:
        assert http.get("/api/folder", params={"source": str(folder)}).status_code == 403
        files = [("files", ("a.pdf", pdf("A."), "application/pdf"))]
        assert http.post("/api/documents", files=files, data={"source": str(folder)}).status_code == 403


def test_the_watcher_says_when_something_changed(folder: Path) -> None:
    ticks = _ticks(folder)
    assert next(ticks) is True
    assert next(ticks) is False
    write(folder / "new.pdf", "New.")
    assert any(itertools.islice(ticks, 20))
    ticks.close()  # type: ignore[attr-defined]


# Folders and names


def test_a_folder_that_cannot_be_read_whole_is_no_folder_with_fewer_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is = os.scandir

    def scandir(path: Any) -> Any:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return as_it_is(path)

    monkeypatch.setattr("os.scandir", scandir)
    with pytest.raises(InputRefused, match=r"sub cannot be read \(Permission denied\)"):
        files_in(folder)


def test_files_by_themselves_have_no_folder(folder: Path) -> None:
    by_itself, *of_folder = given_files([folder / "lamp.pdf", folder / "sub"])
    assert (by_itself.name, by_itself.source) == ("lamp.pdf", "")
    assert [(one.name, one.source) for one in of_folder] == [("pump.pdf", str(folder.resolve() / "sub"))]
    shutil.rmtree(folder)
    with pytest.raises(InputRefused, match="there is no file or folder"):
        given_files([folder])
