"""PDF files that are meant to hurt, written byte by byte."""

from __future__ import annotations

import pymupdf

from tests.fakes import pdf


def raw_pdf(content: bytes, *, more: bytes = b"", forms: bytes = b"", unicode_map: bytes = b"") -> bytes:
    """One page with this content stream; the reader has to repair the file, because it has no cross-reference table."""
    resources = b"<</Font<</F1 5 0 R>>/XObject<<%s>>>>" % forms
    return b"\n".join(
        [
            b"%PDF-1.4",
            b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj",
            b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj",
            b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources%s>>endobj" % resources,
            b"4 0 obj<</Length %d>>stream\n%s\nendstream endobj" % (len(content), content),
            b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>endobj",
            b"6 0 obj<</Length %d>>stream\n%s\nendstream endobj" % (len(unicode_map), unicode_map),
            more,
            b"trailer<</Root 1 0 R>>",
        ]
    )


def many_times(content: bytes) -> bytes:
    """A few kilobytes that do what the content stream says some hundred million times: forms that draw forms that draw forms."""
    levels, repeats = 6, 30
    objects = []
    for level in range(levels):
        stream = content if level == levels - 1 else b"/X%d Do " % (level + 1) * repeats
        inner = b"/XObject<</X%d %d 0 R>>" % (level + 1, 11 + level) if level < levels - 1 else b""
        head = b"%d 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>%s>>/Length %d>>"
        objects.append(head % (10 + level, inner, len(stream)) + b"stream\n%s\nendstream endobj" % stream)
    return raw_pdf(b"/X0 Do " * repeats, forms=b"/X0 10 0 R", more=b"\n".join(objects))


def endless_drawing() -> bytes:
    """Asks for more strokes than anybody waits for."""
    return many_times(b"0 0 m 1 1 l S")


def endless_text() -> bytes:
    """Holds more letters than fit into memory."""
    return many_times(b"BT /F1 12 Tf 100 700 Td (" + b"word " * 100 + b") Tj ET")


def text_that_is_no_text() -> bytes:
    """Letters that claim to be half a surrogate pair, a zero byte and a character that does not exist."""
    letters = b"<41> <D800> <42> <0000> <43> <FFFF>"
    head = b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def "
    ranges = b"1 begincodespacerange <00> <FF> endcodespacerange 3 beginbfchar " + letters + b" endbfchar endcmap end end"
    return raw_pdf(b"BT /F1 12 Tf 100 700 Td (AxBCy) Tj ET", unicode_map=head + ranges)


def pages_in_a_circle() -> bytes:
    """Pages that are their own parent, which MuPDF sees when the first one is wanted."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[2 0 R]>>"]
    written, places = b"%PDF-1.4\n", b""
    for number, content in enumerate(objects, start=1):
        places += b"%010d 00000 n \n" % len(written)
        written += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"xref\n0 3\n0000000000 65535 f \n" + places
    return written + table + b"trailer<</Size 3/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(written)


def encrypted() -> bytes:
    """A PDF that needs a password."""
    document = pymupdf.open(stream=pdf("Nobody reads this."), filetype="pdf")
    return bytes(document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="owner"))
