"""Which kind of set a folder is, told by its layout alone.

    OmniDocBench  a .json whose entries have `layout_dets` and `page_info`; the page images lie anywhere below
    ICDAR 2013    NAME-str.xml beside NAME.pdf, here or in the folders in it, and no PDFs without any
    references    NAME.md beside NAME.pdf, for every such NAME
    files         manifest.jsonl with one `file` a line, or just PDFs: outcomes and text, errors where NAME.txt is a reference

A folder that is none of these may hold such folders.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ingest.errors import InputRefused

STRUCTURE_SUFFIX = "-str.xml"
MANIFEST = "manifest.jsonl"
_NOT_REFERENCES = ("README.md",)


class SetKind(StrEnum):
    """What is measured on a set."""

    OMNIDOCBENCH = "omnidocbench"
    TABLES = "tables"
    REFERENCES = "references"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class DataSet:
    """A folder of one kind; `files` are those that are read."""

    name: str
    folder: Path
    kind: SetKind
    files: tuple[Path, ...]


def find_sets(folder: Path) -> list[DataSet]:
    """The set that the folder is, or those that lie in it.

    Raises:
        InputRefused: there is none.
    """
    if not folder.is_dir():
        raise InputRefused(f"there is no folder {folder}")
    found = [one for one in (_set(folder), *map(_set, sorted(filter(Path.is_dir, folder.iterdir())))) if one is not None]
    if not found:
        raise InputRefused(
            f"{folder} holds no set that is known: PDFs with -str.xml, .md or manifest.jsonl, or OmniDocBench's .json"
        )
    return [found[0]] if found[0].folder == folder else found


def annotations_of(folder: Path) -> list[dict[str, Any]]:
    """The annotated pages of an OmniDocBench file; none where the folder has no such file."""
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_bytes())
        except ValueError:
            continue
        if isinstance(content, list) and content and all(isinstance(one, dict) and "layout_dets" in one for one in content):
            return content
    return []


def manifest_of(folder: Path) -> dict[str, dict[str, Any]]:
    """File name → its line of the manifest; empty where there is no manifest.

    Raises:
        InputRefused: a line is no object with the string `file`.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    lines: dict[str, dict[str, Any]] = {}
    for number, text in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if text.strip():
            try:
                line = json.loads(text)
                lines[str(line["file"])] = line
            except (ValueError, KeyError, TypeError) as error:
                raise InputRefused(f'{path}:{number}: an object with the string "file" is needed ({error!r})') from error
    return lines


def reference_of(path: Path) -> Path | None:
    """The Markdown or text that says what stands in the file; None where there is none."""
    beside = (path.with_suffix(suffix) for suffix in (".md", ".txt"))
    return next((one for one in beside if one.is_file()), None)


def _set(folder: Path) -> DataSet | None:
    def as_set(kind: SetKind, files: Iterator[Path] | list[Path]) -> DataSet:
        return DataSet(folder.name, folder, kind, tuple(files))

    if annotations_of(folder):
        return as_set(SetKind.OMNIDOCBENCH, _images(folder))
    if structures := _structures(folder):
        return as_set(SetKind.TABLES, structures)
    pdfs = sorted(folder.glob("*.pdf"))
    if not pdfs:
        return None
    if not (folder / MANIFEST).is_file() and any(path.with_suffix(".md").is_file() for path in pdfs):
        return as_set(SetKind.REFERENCES, [path for path in pdfs if path.with_suffix(".md").is_file()])
    listed = manifest_of(folder)
    return as_set(SetKind.FILES, [path for path in pdfs if path.name in listed] if listed else pdfs)


def _structures(folder: Path) -> list[Path]:
    """The structure files of the folder and of those in it; none where one of them holds PDFs without any: it is another set."""
    found = sorted([*folder.glob(f"*{STRUCTURE_SUFFIX}"), *folder.glob(f"*/*{STRUCTURE_SUFFIX}")])
    with_pdfs = {path.parent for path in (*folder.glob("*.pdf"), *folder.glob("*/*.pdf"))}
    return found if with_pdfs <= {path.parent for path in found} else []


def _images(folder: Path) -> list[Path]:
    places = {path.name: path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg", ".png")}
    names = [Path(page["page_info"]["image_path"]).name for page in annotations_of(folder)]
    return [places[name] for name in names if name in places]
