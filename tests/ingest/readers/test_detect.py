"""A file is what its content says; its name decides between kinds of text alone; what is not read is refused by name."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from ingest.errors import InputRefused, PasswordNeeded
from ingest.readers.detect import ALLOWED, SUFFIXES, FileType, detect, media_type
from ingest.readers.registry import READERS
from tests.fakes import pdf
from tests.office import docx, pptx, xlsx

MAIL = b"From: a@example.com\nTo: b@example.com\nSubject: Hello\n\nText"


def image(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind)
    return file.getvalue()


def archive(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        for name, text in members.items():
            new.writestr(name, text)
    return file.getvalue()


def kind_of(data: bytes, name: str, folder: Path) -> FileType:
    path = folder / "file"
    path.write_bytes(data)
    return detect(path, name)


READ = {
    FileType.PDF: pdf("Text."),
    FileType.WORD: docx("Text."),
    FileType.SLIDES: pptx(("Title", ["Point"])),
    FileType.SHEETS: xlsx({"Sheet": [["a"]]}),
    FileType.HTML: b"<!DOCTYPE html><p>Text",
    FileType.MAIL: MAIL,
    FileType.IMAGE: image("PNG"),
}


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("name", ["file", "file.docx", "file.pdf", "file.md", "file.png", "file.exe"])
def test_a_renamed_file_is_read_as_what_it_is(kind: FileType, name: str, tmp_path: Path) -> None:
    assert kind_of(READ[kind], name, tmp_path) is kind


def test_the_name_decides_between_kinds_of_text_alone(tmp_path: Path) -> None:
    text = b"One line, and another; nothing else.\n"
    for suffix, kind in SUFFIXES.items():
        if kind in (FileType.HTML, FileType.MARKDOWN, FileType.TEXT, FileType.TABLE):
            assert kind_of(text, f"FILE{suffix.upper()}", tmp_path) is kind
        elif kind is FileType.MAIL:
            assert kind_of(text, f"file{suffix}", tmp_path) is FileType.TEXT
        else:
            with pytest.raises(InputRefused, match=f"not a {kind}, as its name .*plain text"):
                kind_of(text, f"file{suffix}", tmp_path)
    assert kind_of(text, "README", tmp_path) is FileType.TEXT
    assert kind_of(text, "notes.2026", tmp_path) is FileType.TEXT


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "big5", "cp1252"])
def test_text_is_text_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    text = "Überstunden at 21:00\r\n" if encoding == "cp1252" else "年假 twenty-seven days of holiday\r\n" * 3
    assert kind_of(text.encode(encoding), "file.txt", tmp_path) is FileType.TEXT


def test_what_only_speaks_of_a_format_is_not_of_that_format(tmp_path: Path) -> None:
    assert kind_of(b"A PDF begins with %PDF-1.7 and a web page with <!doctype html>.", "file.md", tmp_path) is FileType.MARKDOWN
    assert kind_of(b"From: here to there\nis what this poem is about", "poem.txt", tmp_path) is FileType.TEXT
    assert kind_of(b"From here to there is a long way.", "file.txt", tmp_path) is FileType.TEXT
    assert kind_of(b"BMW builds cars, MZ built motor cycles, and ID3 is a tag.", "file.txt", tmp_path) is FileType.TEXT


def test_junk_before_the_header_of_a_pdf_is_forgiven(tmp_path: Path) -> None:
    assert kind_of(b"\r\nHTTP/1.1 200 OK\r\n\r\n" + pdf("Text."), "file", tmp_path) is FileType.PDF


OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
NOT_READ = {
    "rich text": b"{\\rtf1 Text}",
    "PostScript": b"%!PS-Adobe-3.0\n",
    "GIF image": image("GIF"),
    "BMP image": image("BMP"),
    "gzip archive": b"\x1f\x8b\x08\x00" + bytes(range(40)),
    "7-Zip": b"7z\xbc\xaf\x27\x1c\x00\x04",
    "Windows program": b"MZ\x90\x00\x03\x00\x00\x00\x04",
    "a zip archive": archive(a="text"),
    ".odt": archive(mimetype="application/vnd.oasis.opendocument.text"),
    ".epub": archive(mimetype="application/epub+zip"),
    ".docm": archive(**{"[Content_Types].xml": "application/vnd.ms-word.document.macroEnabled.main+xml"}),
    "Strict Open XML": archive(
        **{
            "[Content_Types].xml": "wordprocessingml.document.main+xml",
            "_rels/.rels": "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument",
        }
    ),
    ".xlsb": archive(**{"[Content_Types].xml": "application/vnd.ms-excel.sheet.binary.macroEnabled.main"}),
    "before 2007 (.doc)": OLD + "WordDocument".encode("utf-16-le"),
    "before 2007 (.xls)": OLD + "Workbook".encode("utf-16-le"),
    "before 2007 (.ppt)": OLD + "PowerPoint Document".encode("utf-16-le"),
    ".msg": OLD + "__properties_version1.0".encode("utf-16-le"),
    "mailbox": b"From ann@example.com Fri Jan  2 09:30:00 2026\nReceived: from x\n\nText",
    "an XML file": b"<?xml version='1.0'?>\n<data/>",
    "unknown type (.xyz)": bytes(range(64)),
}


@pytest.mark.parametrize("named", NOT_READ)
def test_what_is_not_read_is_refused_by_name_with_what_is(named: str, tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as refused:
        kind_of(NOT_READ[named], "file.xyz", tmp_path)
    assert named in str(refused.value)
    assert str(refused.value).endswith(ALLOWED)
    assert "\n" not in str(refused.value)


def test_an_encrypted_office_file_asks_for_its_password(tmp_path: Path) -> None:
    with pytest.raises(PasswordNeeded, match="an encrypted Office file: give its password"):
        kind_of(OLD + "EncryptedPackage".encode("utf-16-le"), "file.docx", tmp_path)


def test_a_broken_archive_is_called_broken(tmp_path: Path) -> None:
    whole = docx("Text.")
    start = whole.index(b"[Content_Types].xml") + len("[Content_Types].xml")
    for data in (b"PK\x03\x04", whole[: len(whole) // 2], whole[:-22], whole[:start] + b"\xff" * 9 + whole[start + 9 :]):
        with pytest.raises(InputRefused, match="broken"):
            kind_of(data, "file.docx", tmp_path)


def test_every_type_has_a_reader_an_ending_and_a_place_in_what_is_allowed() -> None:
    assert set(READERS) == set(FileType) == set(SUFFIXES.values())
    common = {".pdf", ".docx", ".pptx", ".xlsx", ".html", ".md", ".txt", ".csv", ".tsv", ".eml", ".png", ".jpg", ".tiff", ".webp"}
    assert common <= set(SUFFIXES)
    assert {suffix for suffix in common if suffix in ALLOWED} == common - {".pdf"}


def test_a_browser_is_shown_pdfs_and_images_and_nothing_that_could_run(tmp_path: Path) -> None:
    path = tmp_path / "file.pdf"
    for data, expected in (
        (READ[FileType.PDF], "application/pdf"),
        (image("PNG"), "image/png"),
        (image("JPEG"), "image/jpeg"),
        (image("WEBP"), "image/webp"),
        (image("TIFF"), None),
        (b"<html><script>alert(1)</script>", None),
        (b"<html><!-- %PDF- --><script>alert(1)</script>", None),
        (b"<svg onload='alert(1)'/>", None),
        (READ[FileType.WORD], None),
        (b"", None),
    ):
        path.write_bytes(data)
        assert media_type(path) == expected
