"""`graft parse` and `graft eval parsing`: what they print, what they write, and what they refuse."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services import cli
from services.settings import Settings
from tests import hostile
from tests.fakes import pdf

HOLIDAY = "Every employee has 27 days of paid holiday a year."
Graft = Callable[..., tuple[int, str, str]]


@pytest.fixture
def graft(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Graft:
    """Runs a command in this process; its exit code, standard output and standard error."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch, pytest.raises(SystemExit) as ended:
            patch.setattr(sys, "argv", ["graft", *map(str, arguments)])
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            cli.main()
        return int(ended.value.code or 0), out.getvalue(), err.getvalue()

    return run


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    path = tmp_path / "files" / "handbook.pdf"
    path.parent.mkdir()
    path.write_bytes(pdf(HOLIDAY, title="Handbook"))
    return path


def test_a_file_is_parsed_with_the_place_of_every_block_and_nothing_is_stored(
    graft: Graft, handbook: Path, settings: Settings
) -> None:
    code, out, err = graft("parse", handbook, "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    (page,) = told["pages"]
    (block,) = page["blocks"]
    assert (told["document"], told["title"], told["warnings"]) == ("handbook.pdf", "Handbook", [])
    assert (page["number"], page["ocr"], page["width"]) == (1, False, 595.0)
    assert {"kind": "text", "level": 0, "text": HOLIDAY, "rows": []}.items() <= block.items()
    assert 55 < block["bbox"][0] < block["bbox"][2] < 540
    assert not settings.home.exists()


def test_a_page_without_a_picture_has_no_boxes(graft: Graft, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("# Leave\n\n| Year | Days |\n|---|---|\n| 2026 | 27 |\n")
    blocks = json.loads(graft("parse", path, "--json")[1])["pages"][0]["blocks"]
    assert [(block["kind"], block["level"], block["bbox"]) for block in blocks] == [("heading", 1, None), ("table", 0, None)]
    assert blocks[1]["rows"] == [["Year", "Days"], ["2026", "27"]]


def test_the_report_is_one_file_that_the_command_names(graft: Graft, handbook: Path, tmp_path: Path) -> None:
    report = tmp_path / "new" / "report.html"
    code, out, _ = graft("parse", handbook, "--report", report)
    assert (code, out) == (0, f"report: {report}\n")
    assert HOLIDAY in report.read_text(encoding="utf-8")
    assert [path.name for path in report.parent.iterdir()] == ["report.html"]


def test_without_options_the_text_is_printed_and_warnings_go_to_standard_error(graft: Graft, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf(HOLIDAY, ""))
    code, out, err = graft("parse", path)
    assert code == 0
    assert HOLIDAY in out
    assert "Warning:" in err


@pytest.mark.parametrize(("content", "words"), [(None, "there is no file"), (b"", "empty"), (b"PK\x03\x04 no archive", "broken")])
def test_what_cannot_be_parsed_is_refused_in_one_sentence(
    graft: Graft, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "a.pdf"
    if content is not None:
        path.write_bytes(content)
    code, out, err = graft("parse", path, "--json")
    assert (code, out) == (3, "")
    assert words in err


def test_an_encrypted_file_is_parsed_with_its_password(graft: Graft, tmp_path: Path) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(hostile.encrypted())
    assert "--password" in graft("parse", path)[2]
    code, out, err = graft("parse", path, "--password", "secret", "--report", tmp_path / "report.html")
    assert (code, err) == (0, "")
    assert path.name in (tmp_path / "report.html").read_text()


def test_a_set_is_measured_and_the_report_written_in_three_forms(graft: Graft, handbook: Path, tmp_path: Path) -> None:
    handbook.with_suffix(".md").write_text(HOLIDAY)
    report = tmp_path / "report.html"
    code, out, err = graft("eval", "parsing", handbook.parent, "--report", report, "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    (one,) = told["sets"]
    assert (one["set"], one["kind"]) == ("files", "references")
    assert one["figures"]["edit_distance"] == {"value": 0.0, "low": 0.0, "high": 0.0, "n": 1}
    assert [goal["met"] for goal in told["goals"]] == [True]
    assert told["report"] == str(report)
    assert sorted(path.suffix for path in tmp_path.glob("report.*")) == [".html", ".json", ".md"]


def test_a_set_is_told_to_people_as_a_table(graft: Graft, handbook: Path) -> None:
    code, out, _ = graft("eval", "parsing", handbook.parent)
    assert code == 0
    assert "openable files read" not in out
    assert "read or refused without loss of a process" in out


def test_a_folder_that_is_no_set_is_refused(graft: Graft, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, out, err = graft("eval", "parsing", tmp_path / "empty")
    assert (code, out) == (3, "")
    assert "holds no set that is known" in err
