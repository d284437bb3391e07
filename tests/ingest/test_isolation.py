"""A hostile file costs the reader process and nothing else."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pymupdf
import pytest

from ingest import isolation
from ingest.errors import GraftError, InputRefused, Unavailable
from ingest.isolation import FileWorker
from ingest.reading_warnings import NO_TEXT_LAYER
from ingest.settings import OcrSettings, ReadLimits
from tests import hostile
from tests.fakes import pdf
from tests.product import SharedWorker
from tests.waiting import until

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.pdf").write_bytes(pdf("A good file.", "With a second page."))
    return tmp_path


def process_of(worker: FileWorker) -> subprocess.Popen[str]:
    assert worker._process is not None
    return worker._process


def test_a_file_over_its_time_is_refused_and_the_next_one_is_read(folder: Path) -> None:
    (folder / "slow.pdf").write_bytes(hostile.endless_drawing())
    with FileWorker(ReadLimits(timeout_s=0.5)) as worker:
        with pytest.raises(InputRefused, match=r"took longer than 0.5 s"):
            worker.read(folder / "slow.pdf")
        assert len(worker.read(folder / "good.pdf").pages) == 2


def test_a_file_over_its_memory_is_refused_and_the_next_one_is_read(folder: Path) -> None:
    (folder / "large.pdf").write_bytes(hostile.endless_text())
    with FileWorker(ReadLimits(memory_mib=400)) as worker:
        with pytest.raises(InputRefused, match="400 MiB of memory"):
            worker.read(folder / "large.pdf")
        assert len(worker.read(folder / "good.pdf").pages) == 2


def test_what_earlier_files_took_is_no_limit_for_the_next(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FileWorker(ReadLimits()) as worker:
        worker.read(folder / "good.pdf")
        first = process_of(worker)
        resource.prlimit(first.pid, resource.RLIMIT_AS, (64 << 20, 64 << 20))  # as if the rest were taken
        (folder / "long.txt").write_text("word " * 2_800_000)
        assert len(worker.read(folder / "long.txt", name="long.txt").pages) > 4000
        second = process_of(worker)
        assert second is not first
        monkeypatch.setattr(isolation, "_WORN", 0.01)
        worker.read(folder / "good.pdf")
        assert worker._process is None
        assert len(worker.read(folder / "good.pdf").pages) == 2


def test_a_reader_that_dies_on_a_file_is_replaced(folder: Path, worker: SharedWorker) -> None:
    worker.read(folder / "good.pdf")
    seen = []

    def die(done: int, _total: int) -> None:
        seen.append(done)
        os.kill(process_of(worker).pid, signal.SIGKILL)
        time.sleep(0.2)

    (folder / "long.pdf").write_bytes(pdf(*["A page that takes its place in the pipe. " * 60] * 80))
    with pytest.raises(InputRefused, match="the reader died on this file"):
        worker.read(folder / "long.pdf", progress=die)
    assert seen
    assert len(worker.read(folder / "good.pdf").pages) == 2


def test_a_reader_that_died_while_it_was_idle_costs_no_file(folder: Path, worker: SharedWorker) -> None:
    worker.read(folder / "good.pdf")
    process_of(worker).kill()
    process_of(worker).wait()
    assert len(worker.read(folder / "good.pdf").pages) == 2


def test_whoever_stops_listening_gets_a_clean_reader_next_time(folder: Path, worker: SharedWorker) -> None:
    def stop(_done: int, _total: int) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError):
        worker.read(folder / "good.pdf", progress=stop)
    assert [page.number for page in worker.read(folder / "good.pdf").pages] == [1, 2]


def test_closing_ends_a_reading_at_once(folder: Path) -> None:
    (folder / "slow.pdf").write_bytes(hostile.endless_drawing())
    worker = FileWorker(ReadLimits(timeout_s=600))
    refused: list[GraftError] = []

    def read() -> None:
        try:
            worker.read(folder / "slow.pdf")
        except GraftError as error:
            refused.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    until(lambda: worker._process is not None)
    time.sleep(0.5)
    worker.close()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert len(refused) == 1


def test_a_reader_whose_owner_is_gone_ends_by_itself(folder: Path) -> None:
    (folder / "slow.pdf").write_bytes(hostile.endless_drawing())
    limits = ReadLimits(timeout_s=0.2)
    command = [sys.executable, "-m", "ingest.isolation", json.dumps(asdict(limits)), json.dumps(asdict(OcrSettings()))]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps({"operation": "read", "path": str(folder / "slow.pdf"), "name": ""}) + "\n")
    process.stdin.flush()
    assert process.wait(timeout=60) == -signal.SIGALRM


def test_an_interrupt_at_the_keyboard_is_for_the_owner(folder: Path, worker: SharedWorker) -> None:
    """A reader that died of it would make a good file look hostile."""
    worker.read(folder / "good.pdf")
    assert os.getpgid(process_of(worker).pid) != os.getpgid(0)


def test_a_reader_that_cannot_start_says_nothing_of_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with FileWorker(ReadLimits()) as worker, pytest.raises(Unavailable, match="did not start"):
        worker.read(folder / "good.pdf")


def test_what_a_library_prints_does_not_reach_the_answers(folder: Path) -> None:
    printing = "import os, sys; os.write(1, b'hello'); print('hello')"
    program = f"import ingest.pdf as p; own = p.read_title\ndef loud(d):\n {printing}\n return own(d)\np.read_title = loud\n"
    program += "from ingest.isolation import _serve; from ingest import settings as s; _serve(s.ReadLimits(), s.OcrSettings())"
    request = json.dumps({"operation": "read", "path": str(folder / "good.pdf"), "name": ""})
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, input=request, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert answers[0] == {"ready": True}
    assert answers[-1] == {"done": True}
    assert [sorted(answer) for answer in answers[1:-1]] == [["title", "total", "warnings"], ["page"], ["page"]]


def test_files_are_refused_in_one_sentence_each(folder: Path, worker: SharedWorker) -> None:
    whole = pdf("Some text.")
    files = {
        "empty": (b"", "0 bytes"),
        "text": (b"Dear Sir or Madam", "not a PDF"),
        "encrypted": (hostile.encrypted(), "encrypted"),
        "header": (b"%PDF-1.7\n", "broken"),
        "circle": (hostile.pages_in_a_circle(), "broken"),
        "cut": (whole[: len(whole) // 3], "(broken|no pages)"),
        "no pages": (
            b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj",
            "no pages|broken",
        ),
    }
    for name, (data, words) in files.items():
        path = folder / f"{name}.pdf"
        path.write_bytes(data)
        with pytest.raises(InputRefused, match=words) as refused:
            worker.read(path, name=path.name)
        assert "\n" not in str(refused.value), name
        with pytest.raises(InputRefused):
            worker.render(path, 1, boxes=[], dpi=30)


def test_limits_of_pages_size_and_text_are_told_with_what_was_seen(folder: Path) -> None:
    limits = ReadLimits(pages=1, file_mib=1, text_characters=10)
    (folder / "one.pdf").write_bytes(pdf("More than ten characters."))
    (folder / "huge.pdf").write_bytes(b"%PDF-1.4" + bytes(2 << 20))
    with FileWorker(limits) as worker:
        for name, words in (("good", "has 2 pages; at most 1"), ("one", "longer than 10"), ("huge", "has 2 MiB; at most 1")):
            with pytest.raises(InputRefused, match=words):
                worker.read(folder / f"{name}.pdf")


def test_pages_without_text_are_named_in_one_warning(folder: Path, worker: SharedWorker) -> None:
    (folder / "scan.pdf").write_bytes(pdf("", "", "text", "", "text", "", ""))
    assert worker.read(folder / "scan.pdf").warnings == (f"{NO_TEXT_LAYER}: page 1-2, 4, 6-7",)


def test_text_that_is_no_text_can_be_stored(folder: Path, worker: SharedWorker) -> None:
    (folder / "odd.pdf").write_bytes(hostile.text_that_is_no_text())
    (page,) = worker.read(folder / "odd.pdf").pages
    page.text.encode("utf-8")
    assert "\x00" not in page.text
    assert "x" in page.text


def test_a_page_is_drawn_within_the_pixel_limit_however_large_it_is(folder: Path) -> None:
    (folder / "poster.pdf").write_bytes(pdf("A poster.", size=(14_000, 14_000)))
    with FileWorker(ReadLimits(image_pixels=250_000)) as worker:
        image = pymupdf.Pixmap(worker.render(folder / "poster.pdf", 1, boxes=[(0, 0, 100, 100)], dpi=110))
    assert image.width * image.height <= 250_000
