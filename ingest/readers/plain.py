"""Plain text: its paragraphs as they are written, in parts of about a page; a form feed begins a new page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.errors import LimitPassed
from ingest.readers.base import Break, Piece, Reading, Source
from ingest.readers.encoding import Decoded, decode
from ingest.readers.parts import reading_of
from ingest.types import BlockKind

_BLANK_LINES = re.compile(r"\n(?:[ \t\u3000]*\n)+")


def read(source: Source) -> Reading:
    """The text's paragraphs; it has no title."""
    decoded = read_text(source)
    return reading_of(pieces(decoded.text), limits=source.limits, warnings=decoded.warnings)


def read_text(source: Source) -> Decoded:
    """The file's text.

    Raises:
        LimitPassed: it is longer than is read.
    """
    decoded = decode(source.path.read_bytes())
    if len(decoded.text) > source.limits.text_characters:
        raise LimitPassed(
            f"the text of the file is longer than {source.limits.text_characters} characters: split it, or raise the setting "
            "read.text_characters"
        )
    return decoded


def pieces(text: str) -> Iterator[Piece | Break]:
    """Every paragraph, with its own line breaks."""
    for number, page in enumerate(text.split("\f")):
        if number:
            yield Break.IF_FILLED
        yield from (Piece(BlockKind.TEXT, paragraph) for paragraph in _BLANK_LINES.split(page))
