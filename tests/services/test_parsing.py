"""`graft parse` and `graft eval parsing`: what they print, what they write, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.settings import Settings
from tests import hostile
from tests.command_line import Graft
from tests.fakes import pdf

HOLIDAY = "Every employee has 27 days of paid holiday a year."


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    path = tmp_path / "files" / "handbook.pdf"
    path.parent.mkdir()
    path.write_bytes(pdf(HOLIDAY, title="Handbook"))
    return path


def test_a_file_is_parsed_with_the_place_of_every_block_and_nothing_is_stored(
    graft: Graft, handbook: Path, settings: Settings
) -> None:
    ran = graft("parse", handbook, "--json")
    assert (ran.code, ran.err) == (0, "")
    told = ran.json
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
    blocks = graft("parse", path, "--json").json["pages"][0]["blocks"]
    assert [(block["kind"], block["level"], block["bbox"]) for block in blocks] == [("heading", 1, None), ("table", 0, None)]
    assert blocks[1]["rows"] == [["Year", "Days"], ["2026", "27"]]


def test_the_report_is_one_file_that_the_command_names(graft: Graft, handbook: Path, tmp_path: Path) -> None:
    report = tmp_path / "new" / "report.html"
    ran = graft("parse", handbook, "--report", report)
    assert (ran.code, ran.out) == (0, f"report: {report}\n")
    assert HOLIDAY in report.read_text(encoding="utf-8")
    assert [path.name for path in report.parent.iterdir()] == ["report.html"]


def test_without_options_the_text_is_printed_and_warnings_go_to_standard_error(graft: Graft, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf(HOLIDAY, ""))
    ran = graft("parse", path)
    assert ran.code == 0
    assert HOLIDAY in ran.out
    assert "Warning:" in ran.err


@pytest.mark.parametrize(("content", "words"), [(None, "there is no file"), (b"", "empty"), (b"PK\x03\x04 no archive", "broken")])
def test_what_cannot_be_parsed_is_refused_in_one_sentence(
    graft: Graft, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "a.pdf"
    if content is not None:
        path.write_bytes(content)
    ran = graft("parse", path, "--json")
    assert (ran.code, ran.out) == (3, "")
    assert words in ran.err


def test_an_encrypted_file_is_parsed_with_its_password(graft: Graft, tmp_path: Path) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(hostile.encrypted())
    assert "--password" in graft("parse", path).err
    ran = graft("parse", path, "--password", "secret", "--report", tmp_path / "report.html")
    assert (ran.code, ran.err) == (0, "")
    assert path.name in (tmp_path / "report.html").read_text()


def test_a_set_is_measured_and_the_report_written_in_three_forms(graft: Graft, handbook: Path, tmp_path: Path) -> None:
    handbook.with_suffix(".md").write_text(HOLIDAY)
    report = tmp_path / "report.html"
    ran = graft("eval", "parsing", handbook.parent, "--report", report, "--json")
    assert (ran.code, ran.err) == (0, "")
    told = ran.json
    (one,) = told["sets"]
    assert (one["set"], one["kind"]) == ("files", "references")
    assert one["figures"]["edit_distance"] == {"value": 0.0, "low": 0.0, "high": 0.0, "n": 1}
    assert [goal["met"] for goal in told["goals"]] == [True]
    assert told["report"] == str(report)
    assert sorted(path.suffix for path in tmp_path.glob("report.*")) == [".html", ".json", ".md"]


def test_a_set_is_told_to_people_as_a_table(graft: Graft, handbook: Path) -> None:
    ran = graft("eval", "parsing", handbook.parent)
    assert ran.code == 0
    assert "openable files read" not in ran.out
    assert "read or refused without loss of a process" in ran.out


def test_a_folder_that_is_no_set_is_refused(graft: Graft, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = graft("eval", "parsing", tmp_path / "empty")
    assert (ran.code, ran.out) == (3, "")
    assert "holds no set that is known" in ran.err
