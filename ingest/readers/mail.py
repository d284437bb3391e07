"""E-mail: the message, then each of its attachments on pages of its own, headed by the attachment's name.

Invariants. An attachment is read by the same readers as a file of its own, and never written to a disk. One that cannot be
read is named in the warnings and the rest is read all the same. Pages of attachments have no picture: the file that was
added is the mail.
"""

from __future__ import annotations

import email.policy
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message, MIMEPart
from email.parser import BytesParser

from ingest.errors import InputRefused
from ingest.readers import hypertext, plain
from ingest.readers.base import Break, Piece, Reading, Source
from ingest.readers.detect import ALLOWED
from ingest.readers.encoding import decode
from ingest.readers.parts import headed, reading_of, within
from ingest.reading_warnings import attachment_refused, attachment_without_text, of_attachment
from ingest.types import BlockKind, Page

_SHOWN_HEADERS = ("From", "To", "Cc", "Date")


def read(source: Source) -> Reading:
    """The subject as title; the message's pages, then those of its attachments."""
    with source.path.open("rb") as file:
        message = BytesParser(policy=email.policy.default).parse(file)
    subject = _header(message, "Subject")
    body = _body(message)
    flow = [*_opening(message, subject), *_body_pieces(body)]
    opened = reading_of(flow, limits=source.limits, title=subject)
    pages = list(opened.pages)
    warnings: list[str] = []
    for name, data in _attachments(message, body):
        try:
            inside = source.inside(data, name)
        except InputRefused as refused:
            if isinstance(refused.__cause__, MemoryError):
                raise
            warnings.append(attachment_refused(name, str(refused).removesuffix(ALLOWED).rstrip(" .")))
            continue
        filled = [page for page in inside.pages if page.text.strip()]
        pages += _on_own_pages(filled, name, first=len(pages) + 1)
        warnings += [of_attachment(name, warning) for warning in inside.warnings]
        if len(filled) < inside.total:
            warnings.append(attachment_without_text(name, inside.total - len(filled), inside.total))
    return Reading(opened.title, len(pages), tuple(within(pages, source.limits)), tuple(warnings))


def _on_own_pages(pages: list[Page], name: str, *, first: int) -> Iterator[Page]:
    for number, page in enumerate(pages, start=first):
        yield replace(headed(page, name), number=number)


def _opening(message: Message, subject: str) -> Iterator[Piece | Break]:
    if subject:
        yield Piece(BlockKind.HEADING, subject, level=1)
    lines = [f"{name}: {value}" for name in _SHOWN_HEADERS if (value := _header(message, name))]
    yield Piece(BlockKind.TEXT, "\n".join(lines))


def _header(message: Message, name: str) -> str:
    """The header in one line, or as it is written where it breaks the rules."""
    try:
        value = message[name]
    except Exception:  # noqa: BLE001 - the standard library fails on broken headers in many ways
        value = next((raw for key, raw in message.raw_items() if key.lower() == name.lower()), "")
    return " ".join(str(value or "").split())


def _body(message: MIMEPart) -> MIMEPart | None:
    """The part that is the message itself: its plain text, or its HTML where that says nothing."""
    body = message.get_body(("plain", "html"))
    if body is not None and body.get_content_type() == "text/plain" and not _text(body).strip():
        return message.get_body(("html",)) or body
    return body


def _body_pieces(body: MIMEPart | None) -> Iterator[Piece | Break]:
    if body is None:
        return
    if body.get_content_type() == "text/html":
        yield from hypertext.pieces_of(_text(body))[1]
    else:
        yield from plain.pieces(_text(body))


def _text(part: Message) -> str:
    return decode(_bytes(part), declared=part.get_content_charset()).text


def _bytes(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _attachments(message: Message, body: Message | None) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each attachment, in order; not the message in its other form, and no picture set into its text."""
    waiting = [(message, False)]
    while waiting:
        part, is_set_in = waiting.pop()
        kind = part.get_content_type()
        if kind == "message/rfc822":
            for inner in part.get_payload():
                if isinstance(inner, Message):
                    yield part.get_filename() or "message.eml", inner.as_bytes()
        elif part.is_multipart():
            related = kind == "multipart/related"
            waiting += reversed([(one, related) for one in part.get_payload() if isinstance(one, Message)])
        elif part is not body and _is_attached(part) and not (is_set_in and kind.startswith("image/")):
            yield part.get_filename() or f"attachment of type {kind}", _bytes(part)


def _is_attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or part.get_filename() is not None
