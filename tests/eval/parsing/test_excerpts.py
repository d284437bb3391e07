"""Pages that are rendered or timed: which are taken, how far they lie from what stands on them, what is compared."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eval.parsing import peers, speed
from eval.parsing.apart import Apart
from eval.parsing.excerpts import PAGES_OF_A_FILE, GoodPage, good_pages
from eval.parsing.rendered import choose, measure_rendered
from ingest.errors import GraftError, Unavailable
from tests.fakes import pdf
from tests.product import SharedWorker

ENGLISH = "Every employee of the company has twenty-seven days of paid holiday in each calendar year. " * 6
CHINESE = "员工每年享有二十七天带薪年休假，未使用的假期在次年三月底失效。" * 9


@pytest.fixture(scope="module")
def apart() -> Iterator[Apart]:
    with Apart(timeout_s=60) as apart:
        yield apart


@pytest.fixture(scope="module")
def pages(worker: SharedWorker, apart: Apart, tmp_path_factory: pytest.TempPathFactory) -> list[GoodPage]:
    folder = tmp_path_factory.mktemp("files")
    (folder / "en.pdf").write_bytes(pdf(ENGLISH, "Too little text.", *[ENGLISH] * 10))
    (folder / "zh.pdf").write_bytes(pdf(CHINESE, ""))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4\n")
    files = sorted(folder.glob("*.pdf"))
    return good_pages(files, worker, apart, tmp_path_factory.mktemp("excerpts"), progress=lambda: None)


def test_pages_with_enough_text_are_taken_evenly_from_every_file_that_opens(pages: list[GoodPage]) -> None:
    assert {(page.file, page.language, page.has_table) for page in pages} == {("en.pdf", "en", False), ("zh.pdf", "zh", False)}
    assert PAGES_OF_A_FILE - 1 <= sum(page.file == "en.pdf" for page in pages) <= PAGES_OF_A_FILE
    assert all(len(page.text) > 200 for page in pages)
    assert [page.language for page in choose(pages, 2)] == ["en", "en", "zh"]


def test_a_page_that_is_no_use_is_not_even_read(worker: SharedWorker, apart: Apart, tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(pdf("", "Too little text."))
    assert good_pages([path], worker, apart, tmp_path, progress=lambda: None) == []
    assert list(tmp_path.iterdir()) == [path]


def test_a_rendered_page_is_held_against_its_bare_text_layer(pages: list[GoodPage], worker: SharedWorker, tmp_path: Path) -> None:
    found = measure_rendered(choose(pages, 1), worker, tmp_path, progress=lambda: None)
    assert list(found["by_language"]) == ["en", "zh"]
    for row in found["pages"]:
        assert row["text_layer_error"] == 0.0
        assert row["outcome"] == "read"
    assert found["figures"]["character_error"]["n"] == found["figures"]["pages"] == 2


def test_all_readers_are_timed_on_the_same_pages(
    pages: list[GoodPage], worker: SharedWorker, apart: Apart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "PEERS", {"plain": peers.read_with_pdfplumber})
    steps: list[int] = []
    found = speed.measure_speed(pages, worker, apart, tmp_path, progress=steps.append)
    group = found["by_group"]["pages_without_tables"]
    assert (group["files"], group["pages"], steps) == (2, len(pages), [2, 2])
    assert group["plain"]["ours_times_faster"]["n"] == group["graft"]["pages_per_wall_s"]["n"] == len(pages)
    assert found["by_group"]["pages_with_tables"]["graft"]["pages_per_cpu_s"] is None


class WithoutPeer(Apart):
    """Another process, in which one library is not installed."""

    def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        if function is peers.read_with_pdfplumber:
            raise GraftError("read_with_pdfplumber: ModuleNotFoundError: No module named 'pdfplumber'")
        return super().call(function, *arguments)


def test_a_peer_that_is_not_installed_is_named(
    pages: list[GoodPage], worker: SharedWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "PEERS", {"pdfplumber": peers.read_with_pdfplumber})
    with WithoutPeer(timeout_s=60) as without, pytest.raises(Unavailable, match="pdfplumber is not installed"):
        speed.measure_speed(pages[:1], worker, without, tmp_path, progress=lambda _steps: None)


# Apart


def test_an_error_of_what_runs_apart_is_told_and_its_process_stays(apart: Apart) -> None:
    before = apart.call(os.getpid)
    with pytest.raises(GraftError, match="ValueError"):
        apart.call(int, "one")
    assert apart.call(os.getpid) == before != os.getpid()


def test_what_dies_or_hangs_apart_costs_its_own_process(apart: Apart) -> None:
    before = apart.call(os.getpid)
    with pytest.raises(GraftError, match="its process died"):
        apart.call(os._exit, 3)
    assert apart.call(os.getpid) != before
    with Apart(timeout_s=0.2) as hasty, pytest.raises(GraftError, match=r"not done in 0\.2 s"):
        hasty.call(time.sleep, 60)
