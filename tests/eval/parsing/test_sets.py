"""What a folder is, is told by its layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.parsing.sets import SetKind, find_sets
from ingest.errors import InputRefused
from tests.fakes import pdf

ANNOTATION = [{"layout_dets": [], "page_info": {"image_path": "images/one.jpg", "page_attribute": {"language": "english"}}}]


def put(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(pdf("A page.") if name.endswith(".pdf") else b"text")
    return folder


def only(folder: Path) -> tuple[SetKind, list[str]]:
    (found,) = find_sets(folder)
    return found.kind, [path.name for path in found.files]


def test_structures_beside_pdfs_are_tables_also_in_the_parts_of_a_set(tmp_path: Path) -> None:
    put(tmp_path / "set" / "eu", "a.pdf", "a-str.xml")
    put(tmp_path / "set" / "us", "b.pdf", "b-str.xml")
    assert only(tmp_path / "set") == (SetKind.TABLES, ["a-str.xml", "b-str.xml"])
    assert only(tmp_path / "set" / "us") == (SetKind.TABLES, ["b-str.xml"])


def test_tables_beside_another_set_leave_it_its_kind(tmp_path: Path) -> None:
    put(tmp_path / "tables", "a.pdf", "a-str.xml")
    put(tmp_path / "texts", "a.pdf", "a.md")
    assert [(one.name, one.kind) for one in find_sets(tmp_path)] == [("tables", SetKind.TABLES), ("texts", SetKind.REFERENCES)]


def test_markdown_beside_pdfs_is_a_reference_and_a_readme_is_none(tmp_path: Path) -> None:
    folder = put(tmp_path / "set", "a.pdf", "b.pdf", "a.md", "README.md")
    assert only(folder) == (SetKind.REFERENCES, ["a.pdf"])
    (folder / "a.md").unlink()
    assert only(folder) == (SetKind.FILES, ["a.pdf", "b.pdf"])


def test_a_manifest_names_the_files_and_says_that_they_are_files(tmp_path: Path) -> None:
    folder = put(tmp_path / "set", "a.pdf", "b.pdf", "a.md")
    (folder / "manifest.jsonl").write_text('{"file": "a.pdf", "pages": 1}\n\n', encoding="utf-8")
    assert only(folder) == (SetKind.FILES, ["a.pdf"])


def test_annotated_images_are_found_wherever_they_lie(tmp_path: Path) -> None:
    folder = put(tmp_path / "set")
    put(folder / "images", "one.jpg", "other.jpg")
    (folder / "broken.json").write_text("{")
    (folder / "pages.json").write_text(json.dumps(ANNOTATION))
    assert only(folder) == (SetKind.OMNIDOCBENCH, ["one.jpg"])


def test_a_folder_of_sets_is_all_of_them(tmp_path: Path) -> None:
    put(tmp_path / "b", "a.pdf")
    put(tmp_path / "a", "a.pdf", "a.md")
    put(tmp_path / "c", "a.txt")
    assert [(one.name, one.kind) for one in find_sets(tmp_path)] == [("a", SetKind.REFERENCES), ("b", SetKind.FILES)]


def test_a_folder_that_is_no_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="holds no set that is known"):
        find_sets(tmp_path)
    with pytest.raises(InputRefused, match="there is no folder"):
        find_sets(tmp_path / "missing")


@pytest.mark.parametrize("line", ["{", "[]", "{}", '"a.pdf"'])
def test_a_manifest_with_a_line_that_names_no_file_is_refused(tmp_path: Path, line: str) -> None:
    folder = put(tmp_path / "set", "a.pdf")
    (folder / "manifest.jsonl").write_text(f'{{"file": "a.pdf"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(InputRefused, match=r"manifest\.jsonl:2"):
        find_sets(folder)
