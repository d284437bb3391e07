"""A full disk is told in one sentence, costs nothing that was there, and is forgotten as soon as there is room again."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from ingest.errors import StorageFull
from ingest.files import FileStore, full_disk_said_plainly, is_full_disk
from services.home import Home
from tests.fakes import pdf
from tests.product import ADMINISTRATOR, Product, SharedWorker, settings_of

MANY_WORDS = pdf(*[" ".join(f"word{page}x{number}" for number in range(250)) for page in range(120)])


class SmallDisk:
    """A file system of a few megabytes, which can be filled up to the last byte."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, *, leave: int) -> None:
        """Leaves this many bytes, or a little less."""
        state = os.statvfs(self.folder)
        # Somebody else may write at the same time; what is written then is what there is room for.
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            file.write(bytes(max(0, state.f_bavail * state.f_frsize - leave)))

    def clear(self) -> None:
        """Gives the room back."""
        self._ballast.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("only root can mount a small file system")
    yield SmallDisk(folder)
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def crowded(disk: SmallDisk, worker: SharedWorker) -> Iterator[Product]:
    """A product on the small disk, with one document."""
    product = Product(settings_of(disk.folder / "home"), worker=worker)
    product.add("lamp.pdf", pdf("The lamp in the corridor is green."))
    yield product
    disk.clear()
    product.stop()


def assert_as_before(product: Product) -> None:
    assert [one.document for one in product.kb.documents(access=ADMINISTRATOR)] == ["lamp.pdf"]
    assert product.found("is green") == {"lamp.pdf"}


def test_an_upload_to_a_full_disk_is_refused_and_leaves_nothing(disk: SmallDisk, crowded: Product) -> None:
    before = crowded.files()
    disk.fill(leave=100_000)
    files = [("files", ("large.pdf", os.urandom(400_000), "application/pdf"))]
    with crowded.client() as http:
        answer = http.post("/api/documents", files=files)
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")
    assert "is full: free some space" in answer.json()["detail"]
    assert crowded.files() == before
    assert_as_before(crowded)


@pytest.mark.parametrize(("leave", "stage"), [(500_000, "read"), (2_800_000, "index")])
def test_a_disk_that_fills_while_a_document_is_added_fails_the_job_alone(
    disk: SmallDisk, crowded: Product, leave: int, stage: str
) -> None:
    with crowded.kb.files.put([MANY_WORDS]):
        disk.fill(leave=leave)
    job = crowded.add("words.pdf", MANY_WORDS)
    assert (job.status, job.outcome, job.stage) == ("failed", None, stage)
    assert "is full: free some space" in str(job.error)
    assert_as_before(crowded)
    disk.clear()
    assert crowded.add("pump.pdf", pdf("The pump is blue.")).outcome == "added"
    assert crowded.found("pump is blue") == {"pump.pdf"}
    assert crowded.kb.pipeline.index.ids() == crowded.kb.catalog.indexed_chunk_ids()


def test_a_disk_without_one_free_byte_still_answers_and_loses_nothing(disk: SmallDisk, crowded: Product) -> None:
    disk.fill(leave=0)
    with pytest.raises(StorageFull):
        crowded.kb.add("pump.pdf", [b"%PDF-"], groups=[], access=ADMINISTRATOR)
    with crowded.client() as http:
        for number in range(40):  # some fit into what the database had reserved
            answer = http.post("/api/groups", json={"name": f"{number}" * 50})
            if not answer.is_success:
                break
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")
    assert_as_before(crowded)
    crowded.stop()
    with pytest.raises(StorageFull):
        Home(disk.folder / "another").acquire()
    disk.clear()
    assert_as_before(crowded)


def test_a_job_whose_end_cannot_be_written_is_told_as_failed_and_tried_again(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OperationalError("insert", {}, _sqlite_error(sqlite3.SQLITE_FULL))

    def fails(*_: Any, **__: Any) -> None:
        raise full

    with monkeypatch.context() as patch:
        patch.setattr(type(product.kb.jobs), "_end", fails)
        job = product.add("lamp.pdf", pdf("The lamp in the corridor is green."))
        assert job.status == "failed"
        product.stop()
    assert product.ended(job.job_id).outcome == "added"
    assert product.found("is green") == {"lamp.pdf"}


def _sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Quota exceeded"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (OperationalError("insert", {}, _sqlite_error(sqlite3.SQLITE_FULL)), True),
        (OperationalError("insert", {}, _sqlite_error(sqlite3.SQLITE_BUSY)), False),
        (ValueError("An IO error occurred: 'No space left on device (os error 28)'"), True),
        (ValueError("something else"), False),
    ],
)
def test_a_full_disk_is_known_however_it_is_told(error: Exception, full: bool) -> None:
    assert is_full_disk(error) is full
    with pytest.raises(StorageFull if full else type(error)), full_disk_said_plainly(Path("/somewhere")):
        raise error


def test_what_is_being_put_is_never_swept_away(tmp_path: Path) -> None:
    files = FileStore(tmp_path / "files")

    def pieces() -> Iterator[bytes]:
        yield b"one"
        files.keep_only(lambda: ())
        yield b"two"

    with files.put(pieces()) as sha256:
        files.keep_only(lambda: ())
        assert files.path(sha256).read_bytes() == b"onetwo"
    assert list(files.folder.iterdir()) == []  # nobody needed it when it was let go


def test_what_was_named_while_it_was_put_stays(tmp_path: Path) -> None:
    files, needed = FileStore(tmp_path / "files"), set[str]()
    with files.put([b"one"]) as sha256:
        files.keep_only(lambda: needed)
        needed.add(sha256)
    assert [path.name for path in files.folder.iterdir()] == [sha256]


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    files = FileStore(tmp_path / "files")

    def breaking() -> Iterator[bytes]:
        yield b"one"
        raise ConnectionError

    with pytest.raises(ConnectionError), files.put(breaking()):
        pass
    assert list(files.folder.iterdir()) == []
