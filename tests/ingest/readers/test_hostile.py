"""Files of every format that mean harm cost the reader process and nothing else, and end in words."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import InputRefused
from ingest.isolation import FileWorker
from ingest.settings import ReadLimits
from tests.fakes import pdf
from tests.office import docx, pptx, xlsx
from tests.product import SharedWorker
from tests.readings import member, read, with_member

OFFICE = {
    "docx": (docx("# Rules", "Book early."), "word/document.xml"),
    "pptx": (pptx(("Rules", ["Book early."])), "ppt/slides/slide1.xml"),
    "xlsx": (xlsx({"Rules": [["Book", "early"]]}), "xl/worksheets/sheet1.xml"),
}


def refused(worker: FileWorker, data: bytes, name: str, folder: Path) -> str:
    """The words of the refusal, after which the worker reads on."""
    (folder / "hostile").write_bytes(data)
    (folder / "good").write_bytes(b"A good text.")
    with pytest.raises(InputRefused) as error:
        worker.read(folder / "hostile", name=name)
    assert "\n" not in str(error.value)
    assert worker.read(folder / "good", name="good.txt").pages[0].text == "A good text."
    return str(error.value)


def read_text(worker: FileWorker, data: bytes, name: str, folder: Path) -> str:
    """All the text that is read of the file."""
    (folder / "hostile").write_bytes(data)
    return "\n".join(page.text for page in worker.read(folder / "hostile", name=name).pages)


def test_what_unpacks_to_more_than_is_allowed_is_never_unpacked(tmp_path: Path) -> None:
    for kind, (data, _) in OFFICE.items():
        bomb = with_member(data, "media/bomb.bin", bytes(3 << 20))
        assert len(bomb) < 1 << 16
        with pytest.raises(InputRefused, match="would unpack to 3 MiB; at most 1 MiB"):
            read(bomb, f"x.{kind}", tmp_path, limits=ReadLimits(unpacked_mib=1))  # in this process: it is refused before


@pytest.mark.parametrize("kind", OFFICE)
def test_a_member_that_lies_about_its_size_is_broken(kind: str, worker: SharedWorker, tmp_path: Path) -> None:
    data, main = OFFICE[kind]
    info = zipfile.ZipFile(io.BytesIO(data)).getinfo(main)
    sizes = info.compress_size.to_bytes(4, "little") + info.file_size.to_bytes(4, "little")
    lying = data.replace(sizes, info.compress_size.to_bytes(4, "little") + (10).to_bytes(4, "little"))
    assert lying != data
    assert "broken" in refused(worker, lying, f"x.{kind}", tmp_path)


@pytest.mark.parametrize("kind", OFFICE)
def test_an_outer_entity_is_never_fetched(kind: str, worker: SharedWorker, tmp_path: Path) -> None:
    data, main = OFFICE[kind]
    (tmp_path / "secret").write_text("the secret of the machine")
    doctype = f'<!DOCTYPE x [<!ENTITY secret SYSTEM "{(tmp_path / "secret").as_uri()}">]>'.encode()
    inside = re.sub(rb"(<\?xml[^>]*\?>)?", lambda found: found[0] + doctype, member(data, main), count=1)
    inside = inside.replace(b"Book early.", b"Book &secret; early.").replace(b"<v>0</v>", b"<v>&secret;</v>")
    assert b"&secret;" in inside
    try:
        text = read_text(worker, with_member(data, main, inside), f"x.{kind}", tmp_path)
    except InputRefused:
        return
    assert "the secret" not in text


@pytest.mark.parametrize("kind", OFFICE)
def test_entities_that_multiply_end_in_words_or_in_nothing(kind: str, worker: SharedWorker, tmp_path: Path) -> None:
    data, main = OFFICE[kind]
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    doctype = f'<!DOCTYPE x [<!ENTITY l0 "laugh">{laughs}]>'.encode()
    inside = re.sub(rb"(<\?xml[^>]*\?>)?", lambda found: found[0] + doctype, member(data, main), count=1)
    inside = inside.replace(b"Book early.", b"Book &l11; early.").replace(b"<v>0</v>", b"<v>&l11;</v>")
    try:
        assert len(read_text(worker, with_member(data, main, inside), f"x.{kind}", tmp_path)) < 10_000
    except InputRefused as error:
        assert "broken" in str(error)


@pytest.mark.parametrize("kind", OFFICE)
@pytest.mark.parametrize(
    "change",
    [
        lambda data, main: with_member(data, main, None),
        lambda data, main: with_member(data, main, b""),
        lambda data, main: with_member(data, main, b"<not xml"),
        lambda data, main: with_member(data, main, b"<a>" * 100_000),
        lambda data, main: data[: len(data) * 2 // 3],
        lambda data, main: data.replace(b"PK\x01\x02", b"PK\x01\x03"),
    ],
    ids=["gone", "empty", "no xml", "deep", "cut", "no list"],
)
def test_a_broken_office_file_is_called_broken(
    kind: str, change: Callable[[bytes, str], bytes], worker: SharedWorker, tmp_path: Path
) -> None:
    data, main = OFFICE[kind]
    words = refused(worker, change(data, main), f"x.{kind}", tmp_path)
    assert "broken" in words or "no text" in words


def test_an_encrypted_archive_is_called_encrypted(worker: SharedWorker, tmp_path: Path) -> None:
    data = bytearray(OFFICE["docx"][0])
    at = data.index(b"PK\x01\x02", data.index(b"word/document.xml"))
    while b"word/document.xml" not in data[at : at + 80]:
        at = data.index(b"PK\x01\x02", at + 4)
    data[at + 8] |= 1
    assert "encrypted" in refused(worker, bytes(data), "x.docx", tmp_path)


def test_a_page_nested_without_end_is_read(worker: SharedWorker, tmp_path: Path) -> None:
    html = b"<!doctype html>" + b"<table><tr><td><div>" * 3000 + b"deep" + b"<p>" * 50_000 + b"deeper"
    assert read_text(worker, html, "x.html", tmp_path).split() == ["deep", "deeper"]


def test_ten_megabytes_in_one_line_are_read_and_kept_apart_in_parts(worker: SharedWorker, tmp_path: Path) -> None:
    words = "Ten megabytes in one line. " * 400_000
    (tmp_path / "long").write_text(f"<html><p>{words}</p></html>")
    pages = worker.read(tmp_path / "long", name="x.html").pages
    assert sum(len(page.text) for page in pages) > 10_000_000
    assert max(len(page.text) for page in pages) <= 3000


def test_a_text_with_control_characters_all_over_is_no_text(worker: SharedWorker, tmp_path: Path) -> None:
    assert "no text" in refused(worker, b"a,\x00b\x01\n" * 100, "x.csv", tmp_path)


def test_a_cell_without_end_is_refused(worker: SharedWorker, tmp_path: Path) -> None:
    assert "broken" in refused(worker, b'a,"' + b"x" * 200_000, "x.csv", tmp_path)


def test_text_past_the_limit_is_refused_before_it_is_worked_on(tmp_path: Path) -> None:
    with FileWorker(ReadLimits(text_characters=1000)) as worker:
        for name in ("x.txt", "x.csv", "x.md", "x.html"):
            assert "longer than 1000 characters" in refused(worker, b"Words, words. " * 100, name, tmp_path)


def test_a_sheet_that_does_not_fit_into_memory_or_time_is_refused(tmp_path: Path) -> None:
    row = b'<row r="%d"><c r="A%d"><v>1</v></c><c r="B%d"><v>2</v></c></row>'
    rows = b"".join(row % (n, n, n) for n in range(1, 40_000))
    data, main = OFFICE["xlsx"]
    sheet = re.sub(
        rb"<sheetData>.*</sheetData>", lambda _: b"<sheetData>" + rows + b"</sheetData>", member(data, main), flags=re.DOTALL
    )
    with FileWorker(ReadLimits(timeout_s=0.5)) as worker:
        assert "took longer than 0.5 s" in refused(worker, with_member(data, main, sheet), "x.xlsx", tmp_path)


def test_an_image_of_a_billion_pixels_is_refused_before_it_is_unpacked(worker: SharedWorker, tmp_path: Path) -> None:
    def part(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = (40_000).to_bytes(4, "big")
    rows = zlib.compress(bytes(1 << 20))
    bomb = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", size + size + b"\x08\x02\x00\x00\x00") + part(b"IDAT", rows) + part(b"IEND", b"")
    assert "pixels" in refused(worker, bomb, "x.png", tmp_path)


def test_a_broken_image_is_called_broken(worker: SharedWorker, tmp_path: Path) -> None:
    for data in (b"\x89PNG\r\n\x1a\n", b"II*\x00\x08\x00\x00\x00", b"\xff\xd8\xff\xe0junk", b"RIFF\x00\x00\x00\x00WEBPVP8 "):
        assert "broken" in refused(worker, data, "x.png", tmp_path)


def test_an_attachment_that_means_harm_is_left_out(worker: SharedWorker, tmp_path: Path) -> None:
    head = b"From: a@b.c\nTo: d@e.f\nSubject: x\nContent-Type: multipart/mixed; boundary=Q\n\n--Q\n\nText.\n"
    part = b'--Q\nContent-Disposition: attachment; filename="%s"\nContent-Type: application/octet-stream\n\n%s\n'
    data = head + part % (b"broken.docx", b"PK\x03\x04") + part % (b"../../good.txt", b"Good.") + b"--Q--\n"
    (tmp_path / "mail").write_bytes(data)
    parsed = worker.read(tmp_path / "mail", name="x.eml")
    assert [page.text.split("\n\n")[-1] for page in parsed.pages] == ["Text.", "Good."]
    assert ["broken.docx" in warning for warning in parsed.warnings] == [True]
    assert not (tmp_path.parent.parent / "good.txt").exists()


def test_a_mail_of_parts_within_parts_without_end_costs_nothing_but_itself(worker: SharedWorker, tmp_path: Path) -> None:
    head = b"From: a@b.c\nTo: d@e.f\nSubject: Deep\nMIME-Version: 1.0\n"
    data = head + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000)) + b"\nText.\n"
    try:
        assert "Deep" in read_text(worker, data, "x.eml", tmp_path)
    except InputRefused as error:
        assert "broken" in str(error)


def test_a_file_that_is_two_things_is_read_as_one(worker: SharedWorker, tmp_path: Path) -> None:
    both = pdf("The PDF's words.") + OFFICE["docx"][0]
    assert read_text(worker, both, "x.docx", tmp_path) == "The PDF's words."
