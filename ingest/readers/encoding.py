"""Bytes of a text file → text: its encoding found by what the bytes are, never by the machine's settings.

Invariants. Line ends become `\\n`. Nothing is raised: bytes that are no text become U+FFFD, and the caller is told how many.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from ingest.reading_warnings import not_text

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# UTF-8 with a few bad bytes is still UTF-8: up to one bad place in so many characters.
_CHARACTERS_PER_FLAW = 200
# A text is GB18030 when at least this share of its wide characters are among the 3755 everyday ones (GB 2312, level 1) or
# its punctuation. Chinese prose has 98 %; another encoding's bytes read so fall on rare characters.
_SHARE_EVERYDAY = 0.8
# So much of a file tells its encoding; the detection by statistics takes a second for each megabyte.
_SAMPLE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text. `flaws` counts the places whose bytes are no text in its encoding."""

    text: str
    encoding: str
    flaws: int = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of it."""
        return (not_text(self.flaws, self.encoding),) if self.flaws else ()


def decode(data: bytes, *, declared: str | None = None) -> Decoded:
    """The text of the bytes. `declared` is what the file or its carrier says of itself; a Unicode mark or valid UTF-8 wins."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding)
    if (wide := wide_encoding(data)) is not None:
        return _decoded(data, wide)
    as_utf8 = _decoded(data, "utf-8")
    if as_utf8.flaws == 0:
        return as_utf8
    if declared is not None and (as_declared := _as_declared(data, declared)) is not None:
        return as_declared
    if as_utf8.flaws * _CHARACTERS_PER_FLAW < len(as_utf8.text):
        return as_utf8
    return _decoded(data, _guess(data[:_SAMPLE_BYTES]))


def _decoded(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    flaws = text.count("\N{REPLACEMENT CHARACTER}")
    return Decoded(text.replace("\r\n", "\n").replace("\r", "\n"), encoding, flaws)


def _as_declared(data: bytes, declared: str) -> Decoded | None:
    try:
        name = codecs.lookup(declared).name
        decoded = _decoded(data, "gb18030" if name in ("gb2312", "gbk") else name)  # what says GB 2312 is often more
    except (LookupError, UnicodeError, ValueError):  # no such encoding, or one of bytes to bytes
        return None
    return decoded if decoded.flaws * _CHARACTERS_PER_FLAW <= len(decoded.text) else None


def wide_encoding(data: bytes) -> str | None:
    """UTF-16 that lacks its mark, told by every other byte of Western text, which is NUL; None for all else."""
    sample = data[:_SAMPLE_BYTES]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 3 <= len(sample) // 2 or min(even, odd) * 20 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _guess(sample: bytes) -> str:
    if _is_gb18030(sample):
        return "gb18030"
    from charset_normalizer import from_bytes  # its tables take a moment to load, and most files are UTF-8

    best = from_bytes(sample).best()
    return best.encoding if best is not None else "cp1252"


def _is_gb18030(sample: bytes) -> bool:
    """Whether the bytes are Chinese text in GB18030 (or GBK or GB 2312, which it contains)."""
    everyday = wide = at = 0
    while at < len(sample) - 1:
        first, second = sample[at], sample[at + 1]
        if first < 0x80:
            at += 1
            continue
        if not (0x81 <= first <= 0xFE and (0x40 <= second <= 0xFE or 0x30 <= second <= 0x39)):
            return False
        wide += 1
        everyday += second >= 0xA1 and (0xB0 <= first <= 0xD7 or first in (0xA1, 0xA3))
        at += 4 if second <= 0x39 else 2
    return wide > 0 and everyday >= _SHARE_EVERYDAY * wide
