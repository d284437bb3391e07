"""E-mail: the message, and every attachment on pages of its own."""

from __future__ import annotations

import io
from email.message import EmailMessage
from pathlib import Path

from PIL import Image

from ingest.types import BlockKind
from tests.fakes import pdf
from tests.office import docx
from tests.readings import pages_of, read, texts, told


def mail(text: str = "See attached.", *, html: str = "", subject: str = "Travel rules") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Ann <ann@example.com>"
    message["To"] = "Bo <bo@example.com>"
    message["Date"] = "Fri, 02 Jan 2026 09:30:00 +0100"
    message["Subject"] = subject
    message["Message-ID"] = "<1@example.com>"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def attach(message: EmailMessage, data: bytes, name: str, kind: str = "application/octet-stream") -> None:
    main, sub = kind.split("/")
    message.add_attachment(data, maintype=main, subtype=sub, filename=name)


def test_subject_headers_and_text_are_read_in_their_encodings(tmp_path: Path) -> None:
    message = mail("您好：\n\n年假为十五天。", subject="关于年假的通知")
    message.set_content("您好：\n\n年假为十五天。", charset="gb18030", cte="base64")
    reading = read(message.as_bytes(), "x.eml", tmp_path)
    (page,) = reading.pages
    assert reading.title == "关于年假的通知"
    assert told(page) == [
        (BlockKind.HEADING, "关于年假的通知"),
        (BlockKind.TEXT, "From: Ann <ann@example.com>\nTo: Bo <bo@example.com>\nDate: Fri, 02 Jan 2026 09:30:00 +0100"),
        (BlockKind.TEXT, "您好："),
        (BlockKind.TEXT, "年假为十五天。"),
    ]


def test_a_message_is_read_in_one_of_its_forms(tmp_path: Path) -> None:
    both = mail("Plain words.", html="<p>Formed words.")
    assert texts(pages_of(both.as_bytes(), "x.eml", tmp_path)[0])[2:] == ["Plain words."]
    empty = mail("\n", html="<p>Formed <b>words</b>.")
    assert texts(pages_of(empty.as_bytes(), "x.eml", tmp_path)[0])[2:] == ["Formed words."]


def test_each_attachment_begins_a_page_under_its_name(tmp_path: Path) -> None:
    message = mail()
    attach(message, docx("# Rules", "Book early."), "rules.docx")
    attach(message, pdf("First page.", "Second page."), "价目表.pdf", "application/pdf")
    attach(message, b"Article,Price\nKX-1,12\n", "prices.csv", "text/csv")
    pages = pages_of(message.as_bytes(), "x.eml", tmp_path)
    assert [texts(page)[:3] for page in pages[1:]] == [
        ["rules.docx", "Rules", "Book early."],
        ["价目表.pdf", "First page."],
        ["价目表.pdf", "Second page."],
        ["prices.csv", "Article | Price\n--- | ---\nKX-1 | 12"],
    ]
    assert not any(page.has_picture or page.lines for page in pages)
    assert [page.blocks[0].kind for page in pages] == [BlockKind.HEADING] * 5


def test_an_attached_mail_is_read_with_its_own_attachments_and_only_so_deep(tmp_path: Path) -> None:
    message = mail("Innermost.", subject="Number 0")
    for number in range(1, 6):
        outer = mail(f"Forwarded {number}.", subject=f"Number {number}")
        outer.add_attachment(message)
        message = outer
    reading = read(message.as_bytes(), "x.eml", tmp_path)
    assert [texts(page)[-1] for page in reading.pages] == [f"Forwarded {number}." for number in (5, 4, 3, 2)]
    (warning,) = reading.warnings
    assert "more than 3 files deep" in warning


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    message = mail()
    attach(message, b"MZ\x90\x00\x03\x00\x00\x00", "tool.exe")
    attach(message, picture.getvalue(), "scan.png", "image/png")
    attach(message, b"", "empty.txt")
    attach(message, b"Text.", "note.txt", "text/plain")
    reading = read(message.as_bytes(), "x.eml", tmp_path)
    assert [texts(page)[0] for page in reading.pages] == ["Travel rules", "note.txt"]
    told_of = dict(zip(("tool.exe", "scan.png", "empty.txt"), reading.warnings, strict=True))
    assert all(repr(name) in warning for name, warning in told_of.items())
    assert told_of["tool.exe"] == "attachment 'tool.exe' was not read: the file is a Windows program"
    assert "1 of its 1 pages have no text" in told_of["scan.png"]


def test_a_picture_set_into_the_text_is_no_attachment(tmp_path: Path) -> None:
    message = mail("Text.", html="<p>Text. <img src=cid:logo>")
    html = message.get_payload()[1]
    html.add_related(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", cid="<logo>", filename="logo.png")
    assert read(message.as_bytes(), "x.eml", tmp_path).warnings == ()


def test_broken_headers_and_unknown_encodings_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    data = (
        b'From: =?utf-8?q?=FF=FE?= <a@\xff>\nTo: "\nDate: the day after\nSubject: =?nonsense?x?y?=\nMessage-ID: <\n'
        b"Content-Type: text/plain; charset=no-such\nContent-Transfer-Encoding: base64\n\n!!!!5bm05YGH\n"
    )
    (page,) = pages_of(data, "x.eml", tmp_path)
    assert "年假" in page.text
