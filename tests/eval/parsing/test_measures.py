"""The figures of each kind of set, on small files with the product's own reader."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pymupdf
import pytest

from eval.parsing.figures import mean, ratio
from eval.parsing.page_images import annotated_texts, language_of
from eval.parsing.reading import Outcome, attempt
from eval.parsing.references import markdown_text
from eval.parsing.report import figure_text, goals, parsing_report
from eval.parsing.run import evaluate_parsing
from eval.parsing.tables import read_structure
from eval.report import to_html, to_markdown
from ingest.errors import InputRefused
from ingest.isolation import FileWorker
from ingest.settings import ReadLimits
from ingest.types import Bbox, ParsedDocument
from tests import hostile
from tests.fakes import pdf
from tests.product import SharedWorker

CELLS = [["Year", "Days"], ["2025", "26"], ["2026", "27"]]


def nothing(_what: str, _steps: int) -> None:
    """No progress is shown."""


def measured(folder: Path, worker: FileWorker) -> dict[str, Any]:
    (one,) = evaluate_parsing(folder, worker, progress=nothing)["sets"]
    return one


# Outcomes


class Dying:
    """A reader whose process is killed while it reads."""

    def __init__(self, worker: FileWorker) -> None:
        self._worker = worker

    def read(self, path: Path, *, name: str = "", progress: Callable[[int, int], None] | None = None) -> ParsedDocument:
        def die(_done: int, _total: int) -> None:
            assert self._worker._process is not None
            os.kill(self._worker._process.pid, signal.SIGKILL)
            time.sleep(0.2)

        return self._worker.read(path, name=name, progress=die)

    def opened(self, path: Path, password: str) -> AbstractContextManager[Path]:
        return self._worker.opened(path, password)

    def render(self, path: Path, number: int, *, boxes: Sequence[Bbox], dpi: int) -> bytes:
        raise NotImplementedError


class Failing(Dying):
    """A reader with a mistake in it."""

    def read(self, path: Path, *, name: str = "", progress: Callable[[int, int], None] | None = None) -> ParsedDocument:
        raise KeyError(name)


def test_each_way_in_which_a_reading_ends_is_told_apart(worker: SharedWorker, tmp_path: Path) -> None:
    good, broken, slow, long = (tmp_path / f"{name}.pdf" for name in ("good", "broken", "slow", "long"))
    good.write_bytes(pdf("A good file."))
    broken.write_bytes(b"%PDF-1.4\n")
    slow.write_bytes(hostile.endless_drawing())
    long.write_bytes(pdf(*["A page that takes its place in the pipe. " * 60] * 80))
    assert attempt(worker, good).outcome is Outcome.READ
    refused = attempt(worker, broken)
    assert (refused.outcome, bool(refused.said), bool(refused.code)) == (Outcome.REFUSED, True, True)
    with FileWorker(ReadLimits(timeout_s=0.4)) as hasty:
        assert attempt(hasty, slow).outcome is Outcome.TIMEOUT
    assert attempt(Dying(worker), long).outcome is Outcome.DIED
    assert attempt(Failing(worker), good).outcome is Outcome.CRASH


def test_files_are_counted_by_outcome_and_tag_and_only_openable_ones_must_be_read(worker: SharedWorker, tmp_path: Path) -> None:
    lines = [
        {"file": "good.pdf", "pages": 1, "tags": ["form"]},
        {"file": "locked.pdf", "pages": 1, "tags": ["password"]},
        {"file": "opened.pdf", "pages": 1, "tags": ["password"], "password": "secret"},
        {"file": "empty.pdf", "pages": None, "tags": ["unopenable"]},
    ]
    (tmp_path / "good.pdf").write_bytes(pdf("A good file."))
    (tmp_path / "good.txt").write_text("A good fill.")
    (tmp_path / "locked.pdf").write_bytes(hostile.encrypted())
    (tmp_path / "opened.pdf").write_bytes(hostile.encrypted())
    (tmp_path / "empty.pdf").write_bytes(b"")
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
    one = measured(tmp_path, worker)
    figures = one["figures"]
    assert (one["kind"], figures["files"], figures["read"], figures["refused"], figures["crash"]) == ("files", 4, 2, 2, 0)
    assert (figures["read_of_openable"]["value"], figures["read_of_openable"]["n"]) == (1.0, 2)
    assert figures["ended"]["n"] == 4
    assert figures["character_error"]["value"] == pytest.approx(1 / 12, abs=1e-4)
    outcomes = [(one["by_tag"][tag]["read"], one["by_tag"][tag]["refused"]) for tag in ("password", "form")]
    assert outcomes == [(1, 1), (1, 0)]
    (locked,) = [row for row in one["files"] if row["file"] == "locked.pdf"]
    assert "password" in locked["error"]


# References


def test_a_references_marks_are_no_text() -> None:
    markdown = "# Leave *days*\n\n<!-- image -->\n\n- one\n- two &amp; three\n\n| Year | Days |\n|---|---|\n| 2026 | 27 |"
    markdown += "\n\na\\_b ![x](y)"
    assert markdown_text(markdown).split() == "Leave days one two & three Year Days 2026 27 a_b".split()


def test_references_are_compared_with_the_text_of_the_page_tables_by_their_cells(worker: SharedWorker, tmp_path: Path) -> None:
    ruled(tmp_path / "a.pdf")
    (tmp_path / "a.md").write_text("| Year | Days |\n|---|---|\n| 2025 | 26 |\n| 2026 | 27 |\n")
    (tmp_path / "b.pdf").write_bytes(b"no file at all")
    (tmp_path / "b.md").write_text("Something.")
    figures, rows = measured(tmp_path, worker)["figures"], measured(tmp_path, worker)["files"]
    assert [row["edit_distance"] for row in rows] == [0.0, 1.0]
    assert figures["edit_distance"]["value"] == 0.5


# Tables


def ruled(path: Path) -> None:
    """A page with a table of three rows and two columns."""
    with pymupdf.open() as document:
        page = document.new_page()
        for number, row in enumerate(CELLS):
            for column, text in enumerate(row):
                x, y = 80 + 100 * column, 200 + 30 * number
                page.draw_rect(pymupdf.Rect(x, y, x + 100, y + 30), color=(0, 0, 0), width=1)
                page.insert_text((x + 10, y + 20), text, fontsize=11)
        document.save(path)


def structure(rows: list[list[str]]) -> str:
    cells = "".join(
        f'<cell start-row="{row}" start-col="{column}"><content>{text}</content></cell>'
        for row, texts in enumerate(rows)
        for column, text in enumerate(texts)
    )
    return f'<document><table><region page="1">{cells}</region></table></document>'


def test_a_table_that_was_read_rightly_has_all_its_neighbours(worker: SharedWorker, tmp_path: Path) -> None:
    ruled(tmp_path / "a.pdf")
    (tmp_path / "a-str.xml").write_text(structure(CELLS))
    figures = measured(tmp_path, worker)["figures"]
    assert (figures["tables"], figures["tables_found"]) == (1, 1)
    assert [figures[f"adjacency_{name}"]["value"] for name in ("precision", "recall", "f1")] == [1.0, 1.0, 1.0]
    assert figures["adjacency_f1"]["n"] == 7


def test_of_two_readings_of_one_table_the_better_counts(worker: SharedWorker, tmp_path: Path) -> None:
    ruled(tmp_path / "a.pdf")
    (tmp_path / "a-str.xml").write_text(structure([["Something", "else"]]))
    (tmp_path / "b-str.xml").write_text(structure(CELLS))
    assert measured(tmp_path, worker)["figures"]["adjacency_f1"]["value"] == 1.0


def test_a_structure_without_its_pdf_or_that_is_none_is_refused(tmp_path: Path, worker: SharedWorker) -> None:
    (tmp_path / "a-str.xml").write_text("<document>")
    with pytest.raises(InputRefused, match=r"a-str\.xml describes a\.pdf"):
        measured(tmp_path, worker)
    with pytest.raises(InputRefused, match="no table structure"):
        read_structure(tmp_path / "a-str.xml")


def test_cells_over_several_columns_keep_their_extent(tmp_path: Path) -> None:
    path = tmp_path / "a-str.xml"
    cell_over_three = '<cell start-row="0" start-col="1" end-col="3"><content>a\nb</content></cell>'
    path.write_text(f"<document><table><region>{cell_over_three}</region></table></document>")
    ((cell,),) = read_structure(path)
    assert (cell.row, cell.last_row, cell.column, cell.last_column, cell.text) == (0, 0, 1, 3, "a\nb")


# Page images


def block(kind: str, order: int | None, text: str, **more: object) -> dict[str, object]:
    return {"category_type": kind, "order": order, "text": text, **more}


def test_a_pages_printed_text_is_taken_in_its_annotated_order() -> None:
    blocks = [
        block("text_block", 2, "where $x=1$ holds"),
        block("title", 1, "Title"),
        block("page_number", None, "7"),
        block("equation_isolated", 3, "", latex="x^2"),
        block("text_block", 4, "smudged", ignore=True),
        block("table", 5, "", html="<table><tr><td>a</td><td> b </td></tr><tr><td></td><td>c</td></tr></table>"),
    ]
    page = {"layout_dets": blocks, "page_info": {"page_attribute": {"language": "simplified_chinese"}}}
    assert list(annotated_texts(page)) == ["Title", "where x=1 holds", "a b\nc"]
    assert language_of(page) == "zh"


def test_page_images_are_measured_by_language(worker: SharedWorker, tmp_path: Path) -> None:
    with pymupdf.open(stream=pdf("Nothing here is text."), filetype="pdf") as document:
        (tmp_path / "one.png").write_bytes(document[0].get_pixmap(dpi=40).tobytes("png"))
    info = {"image_path": "one.png", "page_attribute": {"language": "english"}}
    annotation = [{"layout_dets": [block("text_block", 1, "Nothing here is text.")], "page_info": info}]
    (tmp_path / "pages.json").write_text(json.dumps(annotation))
    one = measured(tmp_path, worker)
    assert list(one["by_language"]) == ["en"]
    assert one["figures"]["edit_distance"]["n"] == one["by_language"]["en"]["pages"] == 1
    assert one["files"][0]["outcome"] == "read"


# Figures and the report


def test_a_ratio_is_that_of_the_sums_with_an_interval_over_files() -> None:
    figure = ratio([1, 9], [10, 10], n=20)
    assert figure == {"value": 0.5, "low": 0.1, "high": 0.9, "n": 20}
    assert mean([0.25, 0.25, 0.25]) == {"value": 0.25, "low": 0.25, "high": 0.25, "n": 3}
    assert mean([]) is None
    assert ratio([1.0], [0.0]) is None


def test_the_report_says_what_was_wanted_and_which_files_were_read_worst(worker: SharedWorker, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf("One good page."))
    (tmp_path / "a.md").write_text("One good page.")
    (tmp_path / "b.pdf").write_bytes(pdf("Another page."))
    (tmp_path / "b.md").write_text("Not what stands there <b>at all</b>.")
    whole = evaluate_parsing(tmp_path, worker, progress=nothing)
    (goal,) = goals(whole)
    assert (goal.wanted, goal.met) == ("≤ .08", False)
    report = parsing_report(whole, circumstances={"machine": "any"})
    markdown = to_markdown(report)
    assert markdown.index("b.pdf") < markdown.index("a.pdf")
    assert "<svg" in to_html(report)


def test_small_figures_are_told_to_four_digits_and_large_ones_to_one() -> None:
    assert figure_text({"value": 0.0123, "low": 0.01, "high": 0.02, "n": 7}) == "0.0123 (0.0100-0.0200, n=7)"
    assert figure_text({"value": 46.79, "low": 28.29, "high": 85.2, "n": 14}) == "46.8 (28.3-85.2, n=14)"
