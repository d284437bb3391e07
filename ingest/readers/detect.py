"""What a file is, by its content. Its name decides only between kinds of text, which look alike.

Invariants. A file is never taken for what its name says against its content; what is not read is refused by name.
Nothing here opens more of a file than its head, its tail and, of an archive, the list of content types.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path, PurePath

from ingest.errors import BrokenFile, PasswordNeeded, UnknownType
from ingest.readers.archive import BROKEN_ARCHIVE
from ingest.readers.encoding import wide_encoding

_HEAD_BYTES = 1 << 16
_TAIL_BYTES = 2048
# Longer lists of what is in an archive name more parts than any office program writes.
_LONGEST_MEMBER = 4 << 20
# Text has a tab, line ends and perhaps a form feed or escape among its control characters, and nearly none of the others.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
_CONTROLS_PER_BYTE = 0.01


class FileType(StrEnum):
    """What is read."""

    PDF = "PDF"
    WORD = "Word document"
    SLIDES = "PowerPoint presentation"
    SHEETS = "Excel workbook"
    HTML = "web page"
    MARKDOWN = "Markdown text"
    TEXT = "plain text"
    TABLE = "table of values"
    MAIL = "e-mail"
    IMAGE = "image"


SUFFIXES = {
    ".pdf": FileType.PDF,
    ".docx": FileType.WORD,
    ".pptx": FileType.SLIDES,
    ".pptm": FileType.SLIDES,
    ".xlsx": FileType.SHEETS,
    ".xlsm": FileType.SHEETS,
    ".html": FileType.HTML,
    ".htm": FileType.HTML,
    ".xhtml": FileType.HTML,
    ".md": FileType.MARKDOWN,
    ".markdown": FileType.MARKDOWN,
    ".txt": FileType.TEXT,
    ".text": FileType.TEXT,
    ".log": FileType.TEXT,
    ".csv": FileType.TABLE,
    ".tsv": FileType.TABLE,
    ".eml": FileType.MAIL,
    ".png": FileType.IMAGE,
    ".jpg": FileType.IMAGE,
    ".jpeg": FileType.IMAGE,
    ".tif": FileType.IMAGE,
    ".tiff": FileType.IMAGE,
    ".webp": FileType.IMAGE,
}
"""The usual endings of what is read."""

ALLOWED = (
    "These are read: PDF, Word (.docx), PowerPoint (.pptx), Excel (.xlsx), web pages (.html), Markdown (.md), text (.txt), "
    "tables (.csv, .tsv), e-mail (.eml) and images (.png, .jpg, .tiff, .webp)"
)

_TEXTS = (FileType.HTML, FileType.MARKDOWN, FileType.TEXT, FileType.TABLE, FileType.MAIL)
_OFFICE = (
    (b"wordprocessingml.document.main+xml", FileType.WORD),
    (b"presentationml.presentation.main+xml", FileType.SLIDES),
    (b"ms-powerpoint.presentation.macroEnabled.main+xml", FileType.SLIDES),
    (b"spreadsheetml.sheet.main+xml", FileType.SHEETS),
    (b"ms-excel.sheet.macroEnabled.main+xml", FileType.SHEETS),
)
# By what the files begin with; what they are called to a person, and what helps. Those of the second list are text.
_NOT_READ = (
    (b"GIF8", "a GIF image: save it as .png"),
    (b"BM", "a BMP image: save it as .png"),
    (b"\x1f\x8b", "a gzip archive: unpack it and add what is in it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it and add what is in it"),
    (b"Rar!", "a RAR archive: unpack it and add what is in it"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "a database"),
    (b"OggS", "a sound or film"),
    (b"ID3", "a sound"),
)
_TEXTS_NOT_READ = (
    (b"{\\rtf", "a rich text file (.rtf): save it as .docx"),
    (b"%!PS", "a PostScript file (.ps): convert it to PDF"),
)
_INSIDE_ZIP = (
    (b"ms-word.document.macroEnabled", "a Word document with macros (.docm): save it as .docx"),
    (b"wordprocessingml.template", "a Word template (.dotx): save it as .docx"),
    (b"presentationml.slideshow", "a PowerPoint show (.ppsx): save it as .pptx"),
    (b"presentationml.template", "a PowerPoint template (.potx): save it as .pptx"),
    (b"spreadsheetml.template", "an Excel template (.xltx): save it as .xlsx"),
    (b"ms-excel.sheet.binary", "a binary Excel workbook (.xlsb): save it as .xlsx"),
    (b"application/vnd.oasis.opendocument.text", "an OpenDocument text (.odt): save it as .docx or PDF"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "an OpenDocument table (.ods): save it as .xlsx"),
    (b"application/vnd.oasis.opendocument", "an OpenDocument file: save it as PDF"),
    (b"application/epub+zip", "an e-book (.epub): convert it to PDF"),
)
# The names of streams in the container of Office before 2007, which also wraps encrypted files of today's.
_ENCRYPTED = "EncryptedPackage"
_INSIDE_COMPOUND = (
    ("WordDocument", "a Word document of before 2007 (.doc): save it as .docx"),
    ("PowerPoint Document", "a PowerPoint presentation of before 2007 (.ppt): save it as .pptx"),
    ("Workbook", "an Excel workbook of before 2007 (.xls): save it as .xlsx"),
    ("__properties_version", "an Outlook message (.msg): save it as .eml"),
)
_STRICT = b"http://purl.oclc.org/ooxml/"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML_START = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_XML_START = re.compile(rb"\s*<(?:\?xml|svg|!DOCTYPE)\b", re.IGNORECASE)
_MAILBOX_START = re.compile(rb"From \S+ [^\n]*\d\d:\d\d[^\n]*\n[!-9;-~]+: ")
_HEADER_LINE = re.compile(rb"([!-9;-~]+):[ \t]?\S")
_MAIL_HEADERS = frozenset(
    b"from to cc subject date message-id received return-path mime-version delivered-to content-type reply-to sender".split()
)
_CERTAIN_MAIL_HEADERS = 3


def detect(path: Path, name: str) -> FileType:
    """What the file is.

    Raises:
        UnknownType: it is of a type that is not read; the message names the type and what is read.
        PasswordNeeded: it is an Office file that is encrypted. BrokenFile: it is an archive that cannot be opened.
    """
    head, tail = _ends(path)
    suffix = PurePath(name).suffix.lower()
    if _is_pdf(head, tail, suffix):
        return FileType.PDF
    if image_format(head) is not None:
        return FileType.IMAGE
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _in_zip(path)
    if head.startswith(_COMPOUND):
        raise _refusal(_in_compound(path))
    if not _is_text(head):
        raise _refusal(_named(_NOT_READ, head) or _unknown(head, suffix))
    return _kind_of_text(head, suffix)


def image_format(head: bytes) -> str | None:
    """`png`, `jpeg`, `tiff` or `webp` for a file that begins so, else None."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith((b"II*\x00", b"MM\x00*")):
        return "tiff"
    return "webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def media_type(path: Path) -> str | None:
    """The media type of a file that a browser can show without running what is in it: a PDF or an image. Else None."""
    head, tail = _ends(path)
    if _is_pdf(head, tail, ""):
        return "application/pdf"
    shown = image_format(head)
    return f"image/{shown}" if shown in ("png", "jpeg", "webp") else None


def _ends(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return head, file.read()


def _is_pdf(head: bytes, tail: bytes, suffix: str) -> bool:
    """The header may stand behind some junk, but not far (PDF 32000-1, annex H.3.4.1); a text about PDF may name it too."""
    if head.startswith(b"%PDF-"):
        return True
    return b"%PDF-" in head[:1024] and (suffix == ".pdf" or b"startxref" in tail or b"%%EOF" in tail)


def _in_zip(path: Path) -> FileType:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            told = "[Content_Types].xml" if "[Content_Types].xml" in names else "mimetype" if "mimetype" in names else None
            if told is None:
                raise _refusal("a zip archive: unpack it and add what is in it")
            types = _beginning(archive, told)
            strict = "_rels/.rels" in names and _STRICT in _beginning(archive, "_rels/.rels")
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BrokenFile(BROKEN_ARCHIVE) from error
    if strict:
        raise _refusal("an Office file in the form called Strict Open XML: save it in the ordinary one")
    for mark, kind in _OFFICE:
        if mark in types:
            return kind
    raise _refusal(next((named for mark, named in _INSIDE_ZIP if mark in types), "an archive of an unknown type"))


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        return member.read(_LONGEST_MEMBER)


def _in_compound(path: Path) -> str:
    data = path.read_bytes()
    if _ENCRYPTED.encode("utf-16-le") in data:
        raise PasswordNeeded("the file is an encrypted Office file: give its password with --password, or in the password field")
    for name, named in _INSIDE_COMPOUND:
        if name.encode("utf-16-le") in data:
            return named
    return "a file of an old Office program: save it in today's format"


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return True
    if wide_encoding(head) is not None:
        head = head.replace(b"\x00", b"")
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return controls <= _CONTROLS_PER_BYTE * len(head)


def _kind_of_text(head: bytes, suffix: str) -> FileType:
    plain = head.replace(b"\x00", b"").removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    if _HTML_START.match(plain):
        return FileType.HTML
    headers = _mail_headers(plain)
    if headers >= _CERTAIN_MAIL_HEADERS or (headers and suffix == ".eml"):
        return FileType.MAIL
    named = SUFFIXES.get(suffix, FileType.TEXT)
    if not_read := _named(_TEXTS_NOT_READ, plain):
        raise _refusal(not_read)
    if _MAILBOX_START.match(plain):
        raise _refusal("a mailbox of several e-mails (.mbox): save them as .eml")
    if _XML_START.match(plain) and named is not FileType.HTML:
        raise _refusal("an XML file")
    if named not in _TEXTS:
        raise UnknownType(f"the file is not a {named}, as its name ({suffix}) says: it holds plain text. {ALLOWED}")
    return FileType.TEXT if named is FileType.MAIL else named


def _mail_headers(text: bytes) -> int:
    """How many of a mail's usual headers the text begins with."""
    count = 0
    for line in text.splitlines():
        if line[:1] in (b" ", b"\t") and count:
            continue
        header = _HEADER_LINE.match(line)
        if header is None:
            break
        count += header[1].lower() in _MAIL_HEADERS
    return count


def _named(known: Iterable[tuple[bytes, str]], head: bytes) -> str | None:
    return next((named for start, named in known if head.startswith(start)), None)


def _unknown(head: bytes, suffix: str) -> str:
    ending = f"({suffix}) " if suffix else ""
    return f"of an unknown type {ending}and no text: it begins with the bytes {head[:8].hex(' ')}"


def _refusal(named: str) -> UnknownType:
    return UnknownType(f"the file is {named}. {ALLOWED}")
