"""A few pages of each PDF with a good text layer, as small PDFs of their own: what rendering and timing are done on.

A page is taken when its text layer holds enough text, no private or replaced characters, few pictures, and when the product's
own reading finds the same characters in it, in whatever order: then the layer is what is printed, once the pictures are out.
"""

from __future__ import annotations

import contextlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.parsing.apart import Apart
from eval.parsing.peers import TextLayer, excerpt, text_layers
from eval.parsing.reading import DocumentReader, attempt, text_of
from ingest.errors import GraftError
from ingest.languages import UNDETERMINED, language_of
from ingest.types import BlockKind, Page

PAGES_OF_A_FILE = 8
_LEAST_CHARACTERS = 400
_LEAST_CHARACTERS_HAN = 200
_MOST_PICTURES = 0.05
_SAME_CHARACTERS = 0.98


@dataclass(frozen=True, slots=True)
class GoodPage:
    """A page of an excerpt: `file` is the PDF that it is from, `number` its place in the excerpt."""

    file: str
    excerpt: Path
    number: int
    text: str
    read: Page

    @property
    def language(self) -> str:
        """The code of the language; en for a page of too few words to tell."""
        code = language_of(self.text)
        return "en" if code == UNDETERMINED else code

    @property
    def has_table(self) -> bool:
        """Whether the product found a table on the page."""
        return any(block.kind is BlockKind.TABLE for block in self.read.blocks)


def good_pages(
    files: Sequence[Path], reader: DocumentReader, apart: Apart, folder: Path, *, progress: Callable[[], None]
) -> list[GoodPage]:
    """The good ones among up to `PAGES_OF_A_FILE` pages of each file, evenly from first to last; excerpts go to `folder`."""
    found: list[GoodPage] = []
    for number, path in enumerate(files):
        with contextlib.suppress(GraftError):  # a file that the other library cannot open has no text layer to go by
            found += _good_pages(path, reader, apart, folder / f"{number}.pdf")
        progress()
    return found


def _good_pages(path: Path, reader: DocumentReader, apart: Apart, part: Path) -> list[GoodPage]:
    read: dict[int, TextLayer] = apart.call(text_layers, path, PAGES_OF_A_FILE)
    layers = {number: layer for number, layer in read.items() if _is_good(layer)}
    if not layers:
        return []
    apart.call(excerpt, path, part, list(layers))
    pages = attempt(reader, part).pages
    if len(pages) != len(layers):
        return []
    both = zip(layers.values(), pages, strict=True)
    return [GoodPage(path.name, part, page.number, layer.text, page) for layer, page in both if _agree(layer, page)]


def _is_good(layer: TextLayer) -> bool:
    """Whether the layer alone looks like what is printed."""
    letters = "".join(layer.text.split())
    least = _LEAST_CHARACTERS_HAN if _han(letters) > 1 / 3 else _LEAST_CHARACTERS
    if len(letters) < least or layer.pictures > _MOST_PICTURES:
        return False
    return not any(unicodedata.category(character) in ("Co", "Cn") or character == "\ufffd" for character in letters)


def _agree(layer: TextLayer, page: Page) -> bool:
    """Whether our reading of the page, without recognition, found the same characters."""
    ours, theirs = (Counter("".join(text.split())) for text in (text_of([page], running=True), layer.text))
    return not page.ocr and (ours & theirs).total() >= _SAME_CHARACTERS * max(ours.total(), theirs.total())


def _han(text: str) -> float:
    letters = [character for character in text if character.isalpha()]
    return sum("\u4e00" <= character <= "\u9fff" for character in letters) / len(letters) if letters else 0.0
