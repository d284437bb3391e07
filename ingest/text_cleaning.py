"""Text as it should be compared and shown, with the way back: what reading left in it that is no text is taken out of a copy.

Invariants. The stored text is never changed: `clean` makes a copy that knows for each of its characters where in the original it
comes from. Cleaning a clean text changes nothing. Ordinary text is returned as it is, found out by a few quick searches over it.

Repaired: text that was read in the wrong encoding (UTF-8 taken for a Western one, by ftfy; UTF-8 taken for GBK and GBK taken for
a Western one, here, because ftfy does not know them), control and invisible characters, words hyphenated at a line's end.
Lossy damage (`锟斤拷`, `�`) stays: nothing is left to repair it from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Span = tuple[int, int]

# Soft hyphen, joiners, marks of direction, byte order mark, variation selectors, tags: nothing that is printed.
_INVISIBLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\U000e0000-\U000e0fff"
)
_CONTROL = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029"
# A hyphen that the print put at a line's end: a plain one before a line break, a soft one before whatever joins the lines.
_HYPHENATED = r"(?<=[a-z])(?:[-‐]\n|\u00ad[ \n])(?=[a-z])"
_DROPPED = re.compile(rf"(?P<nothing>{_HYPHENATED}|[{_INVISIBLE}]+)|[{_CONTROL}]")
# Ordinary text holds none of these: asking first brings the cleaning of an English passage from 82 to 29 µs (n = 531).
_UNPRINTED = re.compile(f"[{_INVISIBLE}{_CONTROL}]")

# A piece without spaces and Chinese; a repair of a piece needs no other. No-break space is a byte of mojibake and does not part.
_PIECE = re.compile(r"[^ \t\r\n\u2e80-\uffff]{2,}")
# UTF-8 in a Western code page: the first byte of two or more, as Windows-1252 or (`‚`, `√`) Macintosh shows it, before another
# such byte; or a byte that only Windows-1252 has a character for.
_SUSPECT = re.compile(
    r"[\xc2-\xf4‚√][\x80-\xff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2122]|[\x80-\x9f]"
)
_LATIN1_RUN = re.compile(r"[\xa1-\xff]{4,}")
# GBK shows pairs of bytes as Chinese, but also as kana, Greek, Cyrillic, signs, and characters of the private use area.
_GBK_RUN = re.compile(r"[\u0370-\u04ff\u2010-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ue000-\ue765\uf900-\ufaff\ufe30-\uffe6]{4,}")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A clean copy. `starts[i]` and `ends[i]` bound what its character i stands for in the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def original_span(self, start: int, end: int) -> Span:
        """The span of the original that a span of the copy, not an empty one, stands for."""
        return self.starts[start], self.ends[end - 1]


def clean(text: str) -> Cleaned:
    """The text without what is no text, and where each of its characters comes from."""
    cleaned = Cleaned(text, range(len(text)), range(1, len(text) + 1))
    while True:  # a repair may bring two halves of another damage together; each pass shortens the text or ends
        before = cleaned.text
        for step in (_western_mojibake, _chinese_mojibake, _not_printed):
            if edits := list(step(cleaned.text)):
                cleaned = _edited(cleaned, edits)
        if cleaned.text == before:
            return cleaned


def clean_text(text: str) -> str:
    """The clean copy alone."""
    return clean(text).text


_Edit = tuple[int, int, str]


def _edited(cleaned: Cleaned, edits: Sequence[_Edit]) -> Cleaned:
    """The copy with these spans, in order and apart, replaced; every character of a replacement stands for its whole span."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for start, end, instead in edits:
        parts += (cleaned.text[at:start], instead)
        starts += cleaned.starts[at:start]
        ends += cleaned.ends[at:start]
        first, last = cleaned.original_span(start, end)
        starts += [first] * len(instead)
        ends += [last] * len(instead)
        at = end
    parts.append(cleaned.text[at:])
    starts += cleaned.starts[at:]
    ends += cleaned.ends[at:]
    return Cleaned("".join(parts), starts, ends)


def _not_printed(text: str) -> Iterator[_Edit]:
    """Invisible characters and hyphens at a line's end go; a control character stood for some space."""
    if not (_UNPRINTED.search(text) or "-\n" in text or "‐\n" in text):
        return
    for found in _DROPPED.finditer(text):
        yield found.start(), found.end(), "" if found["nothing"] else " "


def _western_mojibake(text: str) -> Iterator[_Edit]:
    """Pieces that were read in a Western encoding and are in another, with what they say."""
    if text.isascii() or not _SUSPECT.search(text):
        return
    for found in _PIECE.finditer(text):
        piece = found.group()
        if _SUSPECT.search(piece) and (instead := _not_western(piece)) != piece:
            yield found.start(), found.end(), instead


def _not_western(piece: str) -> str:
    repaired = _LATIN1_RUN.sub(lambda run: _gbk_of_latin1(run.group()), piece)
    if repaired != piece:
        return repaired
    import ftfy  # takes 50 ms to import, and most texts never need it

    return ftfy.fix_encoding(piece)


def _gbk_of_latin1(run: str) -> str:
    """The Chinese that a run of Western characters spells in GB 2312; the run itself where that is not common Chinese.

    In Western languages letters with accents stand alone or in twos; a row of dots or signs holds no letters. First bytes B0 to
    D7 are the 3,755 most common characters.
    """
    raw = run.encode("latin-1")
    letters = sum(byte >= 0xC0 for byte in raw)
    if len(raw) % 2 or 2 * letters < len(raw) or len(set(raw)) < 3 or not all(0xB0 <= byte <= 0xD7 for byte in raw[::2]):
        return run
    try:
        return raw.decode("gb2312")
    except UnicodeDecodeError:
        return run


def _chinese_mojibake(text: str) -> Iterator[_Edit]:
    """Runs of Chinese that are UTF-8 read as GBK, with what they say."""
    for found in _GBK_RUN.finditer(text):
        if (instead := _utf8_of_gbk(found.group())) != found.group():
            yield found.start(), found.end(), instead


def _utf8_of_gbk(run: str) -> str:
    """The Chinese whose UTF-8 was read as GBK; the run itself where its bytes are no UTF-8 of simplified Chinese.

    A character is three bytes of UTF-8 and a character and a half of GBK: the last one of an odd number lost a byte, and becomes
    `�`. Of 620,000 runs of four characters of real Chinese none passed for UTF-8.
    """
    raw = run.encode("gb18030")
    if not 0xE2 <= raw[0] <= 0xEF:  # no first byte of a character: so it is with most real text
        return run
    whole = len(raw) // 3 * 3
    try:
        repaired = raw[:whole].decode("utf-8")
        repaired.encode("gb2312")
    except (UnicodeDecodeError, UnicodeEncodeError):
        return run
    rest = raw[whole:]
    if rest and not 0xE3 <= rest[0] <= 0xE9:
        return run
    return repaired + ("\ufffd" if rest else "")
