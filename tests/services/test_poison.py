"""A file that kills or hangs its reader is told, kept away from the reader, and read again only where somebody asks for that."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest import isolation
from ingest.errors import Conflict, NotFound, Quarantined
from ingest.isolation import FileWorker
from ingest.settings import ReadLimits
from ingest.types import Access
from services.settings import Settings
from tests import crashing, hostile
from tests.fakes import pdf
from tests.product import ADMINISTRATOR, Product
from tests.waiting import until

GREEN = pdf("The lamp in the corridor is green.")
HANGING = hostile.endless_drawing()


@pytest.fixture(scope="module")
def impatient_worker() -> Iterator[FileWorker]:
    """A real reader that gives a page little time."""
    worker = FileWorker(ReadLimits(page_timeout_s=1.0))
    yield worker
    worker.close()


@pytest.fixture
def poisoned(settings: Settings, impatient_worker: FileWorker) -> Iterator[Product]:
    """A product that was given a file that hangs its reader, and one that is good."""
    product = Product(settings, worker=impatient_worker)
    product.kb.groups.create("board")
    product.add("poison.pdf", HANGING, "board")
    yield product
    product.stop()


def readings(product: Product, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read from now on."""
    names: list[str] = []
    as_it_is = FileWorker.read

    def read(self: FileWorker, path: Path, **options: Any) -> Any:
        names.append(options["name"])
        return as_it_is(self, path, **options)

    monkeypatch.setattr(FileWorker, "read", read)
    return names


def open_jobs(product: Product, access: Access = ADMINISTRATOR) -> list[tuple[str, str | None]]:
    return [(job.document, job.code) for job in product.kb.jobs.list(access=access, only_open=True)]


def test_a_poison_file_is_quarantined_with_its_reason_and_the_queue_goes_on(poisoned: Product) -> None:
    (job,) = poisoned.kb.jobs.list(access=ADMINISTRATOR)
    assert (job.status, job.outcome, job.code) == ("done", "refused", "quarantined")
    assert "took longer than 1 s for one page" in str(job.error)
    assert poisoned.files() == {job.sha256}
    assert poisoned.add("lamp.pdf", GREEN).outcome == "added"
    assert open_jobs(poisoned) == [("poison.pdf", "quarantined")]


def test_what_is_in_quarantine_is_not_read_again_by_itself(poisoned: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    read = readings(poisoned, monkeypatch)
    poisoned.stop()
    again = poisoned.kb.add("poison.pdf", [HANGING], groups=["board"], access=ADMINISTRATOR)
    elsewhere = poisoned.kb.add("other name.pdf", [HANGING], groups=[], access=ADMINISTRATOR)
    for job in (again, elsewhere):
        assert (job.status, job.code) == ("done", "quarantined")
        assert "took longer" in str(job.error)
    assert read == []
    assert sorted(open_jobs(poisoned)) == [("other name.pdf", "quarantined"), ("poison.pdf", "quarantined")]


def test_whoever_asks_gets_it_read_again(poisoned: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    read = readings(poisoned, monkeypatch)
    (job,) = poisoned.kb.jobs.list(access=ADMINISTRATOR)
    again = poisoned.ended(poisoned.kb.jobs.retry(job.job_id, access=ADMINISTRATOR).job_id)
    assert read == ["poison.pdf"]
    assert again.code == "quarantined"
    assert open_jobs(poisoned) == [("poison.pdf", "quarantined")]


def test_dismissing_it_drops_its_file(poisoned: Product) -> None:
    (job,) = poisoned.kb.jobs.list(access=ADMINISTRATOR)
    poisoned.kb.jobs.dismiss(job.job_id, access=ADMINISTRATOR)
    assert (poisoned.files(), open_jobs(poisoned)) == (set(), [])


def test_who_may_not_read_the_document_sees_no_job_of_it(poisoned: Product) -> None:
    (job,) = poisoned.kb.jobs.list(access=ADMINISTRATOR)
    assert open_jobs(poisoned, Access.of()) == []
    assert open_jobs(poisoned, Access.of("board")) == [("poison.pdf", "quarantined")]
    jobs = poisoned.kb.jobs
    for ask in (jobs.get, jobs.stop, jobs.retry, jobs.dismiss):
        with pytest.raises(NotFound, match="there is no job"):
            ask(job.job_id, access=Access.of())


def test_a_file_with_which_the_whole_process_dies_again_and_again_is_quarantined(
    product: Product, killed: Callable[..., None]
) -> None:
    """As when the operating system ends the server and not the reader for want of memory."""
    killed(crashing.add_and_die, "lamp.pdf", GREEN, "read", "before")
    for _ in range(2):
        killed(crashing.go_on_and_die, "read", "before")
    (job,) = product.kb.jobs.list(access=ADMINISTRATOR)
    job = product.ended(job.job_id)
    assert (job.status, job.code) == ("done", "quarantined")
    assert "ended 3 times" in str(job.error)
    again = product.ended(product.kb.jobs.retry(job.job_id, access=ADMINISTRATOR).job_id)
    assert again.outcome == "added"
    assert open_jobs(product) == []


def test_stopping_in_good_order_counts_for_nothing(settings: Settings) -> None:
    product = Product(settings)
    long = pdf(*[f"Page {number} tells of pump {number}." for number in range(200)])
    try:
        job_id = product.kb.add("long.pdf", [long], groups=[], access=ADMINISTRATOR).job_id
        for _ in range(4):
            while not product.kb.jobs.get(job_id, access=ADMINISTRATOR).pages_done:
                time.sleep(0.005)
            product.stop()
        assert product.ended(job_id).outcome == "added"
    finally:
        product.stop()


def test_a_reader_takes_all_that_it_started_with_it() -> None:
    """An OCR program that the reader runs must not go on without it."""
    command = ["sh", "-c", "sleep 600 & echo $!; wait"]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert reader.stdout is not None
    started = int(reader.stdout.readline())
    isolation._end(reader)
    reader.wait()
    until(lambda: not _runs(started))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_an_answer_without_end_is_cut_off(tmp_path: Path) -> None:
    (tmp_path / "large.pdf").write_bytes(pdf(*["A page that says something. " * 80] * 400))
    with FileWorker(ReadLimits(output_mib=1)) as worker:
        with pytest.raises(Exception, match="yields more than 1 MiB") as raised:
            worker.read(tmp_path / "large.pdf")
        assert getattr(raised.value, "code", "") == "limit_passed"


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "empty.pdf", "broken_file"),
        (b"%PDF-1.7\n", "cut.pdf", "broken_file"),
        (b"GIF89a" + bytes(200), "film.gif", "unknown_type"),
        (hostile.encrypted(), "secret.pdf", "password_needed"),
        (pdf("one", "two", "three"), "long.pdf", "limit_passed"),
    ],
)
def test_every_refusal_has_a_kind(tmp_path: Path, few_pages_worker: FileWorker, data: bytes, name: str, code: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Exception, match=r"\w{4}") as raised:
        few_pages_worker.read(tmp_path / name, name=name)
    assert getattr(raised.value, "code", "") == code


@pytest.fixture(scope="module")
def few_pages_worker() -> Iterator[FileWorker]:
    worker = FileWorker(ReadLimits(pages=2))
    yield worker
    worker.close()


# Stopping, trying again, reading again


def test_a_stopped_job_leaves_nothing_but_its_file_and_can_be_tried_again(settings: Settings) -> None:
    product = Product(settings)
    long = pdf(*[f"Page {number} tells of pump {number}." for number in range(300)])
    jobs = product.kb.jobs
    try:
        reading, waiting = (
            product.kb.add(name, [data], groups=[], access=ADMINISTRATOR).job_id
            for name, data in (("long.pdf", long), ("lamp.pdf", GREEN))
        )
        while not jobs.get(reading, access=ADMINISTRATOR).pages_done:
            time.sleep(0.005)
        for job_id in (waiting, reading):
            jobs.stop(job_id, access=ADMINISTRATOR)
        for job_id in (waiting, reading):
            job = product.ended(job_id)
            assert (job.status, job.outcome, job.code) == ("stopped", None, "stopped")
            with pytest.raises(Conflict, match="stopped already"):
                jobs.stop(job_id, access=ADMINISTRATOR)
        assert set(product.rows().values()) == {0}
        assert len(product.files()) == 2
        again = product.ended(jobs.retry(waiting, access=ADMINISTRATOR).job_id)
        assert (again.outcome, product.found("is green")) == ("added", {"lamp.pdf"})
        with pytest.raises(Conflict, match="has no file any longer"):
            jobs.retry(waiting, access=ADMINISTRATOR)  # another took its place
        with pytest.raises(Conflict, match="ended well"):
            jobs.retry(again.job_id, access=ADMINISTRATOR)
    finally:
        product.stop()


def test_what_was_stopped_stays_so_when_the_process_is_killed(product: Product, killed: Callable[..., None]) -> None:
    killed(crashing.stop_and_die, "lamp.pdf", GREEN)
    (job_id,) = _rows(product)
    assert product.ended(job_id).status == "stopped"
    assert set(product.rows().values()) == {0}


def _rows(product: Product) -> list[str]:
    return [job.job_id for job in product.kb.jobs.list(access=ADMINISTRATOR)]


def test_jobs_are_stopped_retried_and_dismissed_over_http(poisoned: Product) -> None:
    (job_id,) = _rows(poisoned)
    with poisoned.client() as http:
        (told,) = http.get("/api/jobs", params={"open": True}).json()["jobs"]
        assert (told["job_id"], told["kind"], told["code"], told["open"], told["groups"]) == (
            job_id, "add", "quarantined", True, ["board"]
        )  # fmt: skip
        assert http.post(f"/api/jobs/{job_id}/stop").status_code == 409
        retried = http.post(f"/api/jobs/{job_id}/retry")
        assert retried.status_code == 202
        poisoned.ended(retried.json()["job_id"])
        assert http.delete(f"/api/jobs/{retried.json()['job_id']}").status_code == 204
        assert http.get("/api/jobs", params={"open": True}).json() == {"jobs": []}
    assert poisoned.files() == set()


def test_only_administrators_stop_retry_dismiss_and_read_again(poisoned: Product) -> None:
    (job_id,) = _rows(poisoned)
    document = str(poisoned.add("lamp.pdf", GREEN).document_id)
    _, secret = poisoned.kb.keys.create("worker", groups=["board"], administrator=False)
    with poisoned.client(key=secret) as http:
        assert http.get(f"/api/jobs/{job_id}").json()["code"] == "quarantined"
        for method, path in (
            ("POST", f"jobs/{job_id}/stop"),
            ("POST", f"jobs/{job_id}/retry"),
            ("DELETE", f"jobs/{job_id}"),
            ("POST", f"documents/{document}/reprocess"),
        ):
            assert http.request(method, f"/api/{path}").status_code == 403


def test_reading_again_replaces_what_was_read_and_what_is_found(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is = product.kb.pipeline.worker.read
    job = product.add("lamp.pdf", pdf("The lamp in the corridor is green.", "The lamp in the hall is blue."))
    twin = product.add("twin.pdf", pdf("The lamp in the corridor is green.", "The lamp in the hall is blue."))

    def reads_otherwise(path: Path, **options: Any) -> Any:
        parsed = as_it_is(path, **options)
        first = parsed.pages[0]
        return replace(parsed, pages=(replace(first, text=first.text.replace("green", "olive")),), warnings=("read anew",))

    monkeypatch.setattr(product.kb.pipeline.worker, "read", reads_otherwise)
    again = product.ended(product.kb.read_again(str(job.document_id), access=ADMINISTRATOR).job_id)
    assert (again.kind, again.outcome, again.version, again.warnings) == ("reprocess", "reread", 1, ("read anew",))
    assert product.found("is green") == product.found("is blue") == set()
    # Its twin has the same bytes; the same words are shown once, under either name.
    assert product.found("is olive") in ({"lamp.pdf"}, {"twin.pdf"})
    for document_id in (job.document_id, twin.document_id):
        assert product.kb.catalog.document(str(document_id), access=ADMINISTRATOR).pages == 1
    kb = product.kb
    assert kb.pipeline.index.ids() == kb.catalog.indexed_chunk_ids()
    assert kb.jobs.list(access=ADMINISTRATOR, only_open=True) == []


def test_a_reading_again_that_fails_changes_nothing(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    job = product.add("lamp.pdf", GREEN)

    def dies(*_: Any, **__: Any) -> None:
        raise Quarantined("the reader died on this file")

    with monkeypatch.context() as patch:
        patch.setattr(product.kb.pipeline.worker, "read", dies)
        again = product.ended(product.kb.read_again(str(job.document_id), access=ADMINISTRATOR).job_id)
    assert (again.outcome, again.code) == ("refused", "quarantined")
    assert product.found("is green") == {"lamp.pdf"}
    assert product.add("lamp.pdf", GREEN).outcome == "unchanged"  # what was read once is in no quarantine


def test_a_reading_again_that_is_killed_is_finished(product: Product, killed: Callable[..., None]) -> None:
    job = product.add("lamp.pdf", GREEN)
    killed(crashing.read_again_and_die, str(job.document_id), "remove", "before")
    kb = product.kb
    (again,) = (one for one in kb.jobs.list(access=ADMINISTRATOR) if one.kind == "reprocess")
    assert product.ended(again.job_id).outcome == "reread"
    assert product.found("is green") == {"lamp.pdf"}
    assert kb.pipeline.index.ids() == kb.catalog.indexed_chunk_ids()
