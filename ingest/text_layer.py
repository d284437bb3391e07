"""Whether the text that a page carries is the text that it shows.

A font without a right table of characters (ToUnicode) prints well and reads as nonsense: characters of private use, the
replacement character, control characters, or letters and ideographs that no text is made of. Each sign is judged by its
share of the page, so that a bullet from a symbol font or one lost glyph condemns nothing. Signs that need a language's
statistics are used only for Latin letters and Chinese, which the OCR engines read. Nothing is known here of OCR.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter

# Fewer characters than this tell nothing by their shares.
_LEAST_CHARACTERS = 20
_LEAST_LETTERS = 60
_LEAST_IDEOGRAPHS = 30
# Of the characters, those that no text holds. Bullets of symbol fonts are of private use in sound pages: at most 6 % there.
_MOST_UNREADABLE = 0.15
# Of the letters of Latin script: vowels make 30 to 50 % of European languages; of a shifted alphabet 10 to 20 %.
_LEAST_VOWELS = 0.24
# Of them again, accented ones and signs: up to 20 % in French, German, Czech; all where Chinese bytes were taken for Latin.
_MOST_ACCENTED = 0.45
# Of the ideographs, the 3,755 of GB 2312's first level or the 5,401 of Big5's: over 95 % of Chinese text; a fifth of chance.
_LEAST_USUAL = 0.7
# Of the letters and figures of a page, those that its text layer and its picture share where both are right.
_SHARED_LETTERS = 0.9
_FIGURE = re.compile("[0-9]")


def is_garbage(text: str) -> bool:
    """Whether a page's text cannot be what it shows."""
    characters = Counter("".join(text.split()))
    total = characters.total()
    if total < _LEAST_CHARACTERS:
        return False
    unreadable = sum(count for character, count in characters.items() if _is_unreadable(character))
    return unreadable > _MOST_UNREADABLE * total or _is_no_latin(text) or _is_no_chinese(characters)


def says_the_same(layer: str, read: str) -> bool:
    """Whether a page's text layer and what was read from its picture are of the same letters and figures, in whatever order."""
    one, other = (Counter(character for character in text.lower() if character.isalnum()) for text in (layer, read))
    return (one & other).total() >= _SHARED_LETTERS * max(one.total(), other.total())


def _is_unreadable(character: str) -> bool:
    return character == "\ufffd" or unicodedata.category(character) in ("Co", "Cc", "Cn")


def _is_no_latin(text: str) -> bool:
    # Codes such as KX-110 have no vowels, so words with figures count for nothing.
    characters = Counter("".join(word for word in text.split() if not _FIGURE.search(word)))
    letters = Counter[str]()
    for character, count in characters.items():
        if _is_of_latin_script(character):
            letters[character.lower()] += count
    total = letters.total()
    if total < _LEAST_LETTERS or total < 0.3 * characters.total():
        return False
    accented = sum(count for letter, count in letters.items() if not letter.isascii())
    vowels = sum(count for letter, count in letters.items() if unicodedata.normalize("NFD", letter)[0] in "aeiouy")
    return accented > _MOST_ACCENTED * total or vowels < _LEAST_VOWELS * total


def _is_of_latin_script(character: str) -> bool:
    """Whether it is a letter, or a sign out of the range of Latin-1 that bytes of other encodings fall into."""
    return character.isalpha() if character < "\u0080" else character < "\u0180"


def _is_no_chinese(characters: Counter[str]) -> bool:
    ideographs = {character: count for character, count in characters.items() if "\u3400" <= character <= "\u9fff"}
    total = sum(ideographs.values())
    if total < _LEAST_IDEOGRAPHS:
        return False
    return sum(count for character, count in ideographs.items() if _is_usual(character)) < _LEAST_USUAL * total


@functools.lru_cache(maxsize=8192)
def _is_usual(ideograph: str) -> bool:
    simplified = ideograph.encode("gb2312", "ignore")
    traditional = ideograph.encode("big5", "ignore")
    return b"\xb0\xa1" <= simplified <= b"\xd7\xf9" or b"\xa4\x40" <= traditional <= b"\xc6\x7e"
