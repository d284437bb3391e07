"""Breaks text into lines and measures it, for the sample corpus: Latin-1 in a base-14 font, everything else in `china-s`.

Neither font is embedded, so a document costs a few kilobytes; PyMuPDF brings the glyphs of both. `china-s` sets every
character one em wide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import pymupdf

CJK_FONT = "china-s"
_NOT_AT_START = "，。、；：？！）》”’】%％℃…—」』"
_NOT_AT_END = "（《“‘【「『"
_WIN_ANSI = str.maketrans({"\u2022": "\x95", "\u2013": "\x96"})
_WIN_ANSI_EMS = {"\x95": 0.35, "\x96": 0.556}
"""Bullet and en dash, as the base-14 fonts' encoding has them; they are read back as themselves."""
_WORD = re.compile(r"[\x21-\x7e\xa1-\xff\u2013]+| +|[^\x20-\xff]")


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of one font."""

    text: str
    font: str
    width: float


@lru_cache(maxsize=2_000)
def _em(character: str, font: str) -> float:
    """The width of one character, in ems. PyMuPDF's measure of a whole string falls short of what it prints."""
    if font == CJK_FONT:
        return 1.0
    return _WIN_ANSI_EMS.get(character) or float(pymupdf.get_text_length(character, fontname=font, fontsize=1))


def width_of(text: str, font: str, size: float) -> float:
    """The width of a text of one font, in points."""
    return size * sum(_em(character, font) for character in text)


def runs_of(text: str, latin: str, size: float) -> list[Run]:
    """The text cut where the font changes."""
    out = []
    for piece in re.findall(r"[\x20-\xff]+|[^\x20-\xff]+", text.translate(_WIN_ANSI)):
        font = latin if ord(piece[0]) < 0x100 else CJK_FONT
        out.append(Run(piece, font, width_of(piece, font, size)))
    return out


def text_width(text: str, latin: str, size: float) -> float:
    """The width of a mixed text, in points."""
    return sum(run.width for run in runs_of(text, latin, size))


def _unbreakable(text: str) -> list[str]:
    """The pieces between which a line may end: words, spaces, single Han characters with the punctuation that clings."""
    out: list[str] = []
    for piece in _WORD.findall(text):
        if out and (piece in _NOT_AT_START or out[-1][-1] in _NOT_AT_END) and out[-1] != " ":
            out[-1] += piece
        else:
            out.append(piece)
    return out


def break_lines(text: str, latin: str, size: float, width: float) -> list[str]:
    """The text in lines no wider than `width`, ragged right; a word that is wider by itself stands alone."""
    lines, line, used = [], "", 0.0
    for piece in _unbreakable(text):
        w = text_width(piece, latin, size)
        if line and used + w > width and piece.strip():
            lines.append(line.rstrip())
            line, used = "", 0.0
        if line or piece.strip():
            line += piece
            used += w
    return [*lines, line.rstrip()] if line.strip() else lines
