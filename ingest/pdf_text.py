"""The lines and words of a PDF page, by PyMuPDF.

Invariants. Text is the file's own, without what no reader sees (`ingest.hidden_text`); where a line is written from right to
left, its characters are put in order by their places.
Words are taken only when they are asked for: most pages need none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import groupby
from typing import Any

import pymupdf

from ingest.hidden_text import hidden_spans
from ingest.lines import PrintedLine, PrintedWord, rows_of, union
from ingest.right_to_left import PrintedCharacter, has_right_to_left, words_in_reading_order

TEXT_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP
"""How text is taken from a page: spaces kept, ligatures spelled out, nothing from outside the page."""

_BOLD = 1 << 4
# Parts of one line that stand closer than this share of their height belong together.
_TOGETHER = 0.4


class PageText:
    """What is printed on a page; `turned` is how far most of it is turned clockwise, in degrees, and `hidden` the number of
    characters, without spaces, that the page carries beside and does not show."""

    def __init__(self, page: Any) -> None:
        self._content = page.get_textpage(flags=TEXT_FLAGS)
        content = self._content.extractDICT()
        spans = hidden_spans(page, content)
        self.hidden = sum(spans.values())
        self._hidden_spans = spans.keys()
        content = self._shown(content)
        self.turned = _mostly_turned(content)
        lines = list(_lines(content))
        self._backwards = any(has_right_to_left(line.text) for line in lines)
        self.lines: list[PrintedLine] = self._reordered[0] if self._backwards else lines

    @cached_property
    def words(self) -> list[PrintedWord]:
        """The words in the order of the file, those of a line from right to left in the order in which it is read."""
        if self._backwards:
            return self._reordered[1]
        if self._hidden_spans:
            return list(_words(self._shown(self._content.extractRAWDICT())))
        return [PrintedWord(word, (x0, y0, x1, y1)) for x0, y0, x1, y1, word, *_ in self._content.extractWORDS()]

    @cached_property
    def _reordered(self) -> tuple[list[PrintedLine], list[PrintedWord]]:
        lines: list[PrintedLine] = []
        words: list[PrintedWord] = []
        parts = [line for block in self._shown(self._content.extractRAWDICT())["blocks"] for line in block.get("lines", ())]
        for together in _whole_lines([part for part in parts if _raw_text(part).strip()]):
            spans = [span for part in together for span in part["spans"]]
            characters = [
                PrintedCharacter(one["c"], one["bbox"]) for span in spans for one in span["chars"] if one["c"] != "\x00"
            ]
            found = words_in_reading_order(characters)
            if found:
                text, box = " ".join(word.text for word in found), union(word.bbox for word in found)
                largest = max(spans, key=lambda span: len(span["chars"]))
                lines.append(PrintedLine(text, box, largest["size"], all(map(_is_bold, spans))))
                words.extend(found)
        return lines, words

    def _shown(self, content: Any) -> Any:
        """The extracted text with a space in the place of each hidden span."""
        for b, n, s in self._hidden_spans:
            line = content["blocks"][b]["lines"][n]
            span = line["spans"][s]
            span.update({"chars": [{"c": " ", "bbox": span["bbox"]}]} if "chars" in span else {"text": " "})
            if left := [one["bbox"] for one in line["spans"] if _text_of(one).strip()]:
                line["bbox"] = union(left)
        return content


def _mostly_turned(content: Any) -> int:
    """How far most of the page's text is turned clockwise: 0, 90, 180 or 270 degrees."""
    characters: Counter[int | None] = Counter()
    for block in content["blocks"]:
        for line in block.get("lines", ()):
            characters[_direction(line)] += sum(len(span["text"].strip()) for span in line["spans"])
    return next((turn for turn in (90, 180, 270) if characters[turn] > characters.total() / 2), 0)


def _lines(content: Any) -> Iterator[PrintedLine]:
    for block in content["blocks"]:
        for line in block.get("lines", ()):
            spans = [span for span in line["spans"] if span["text"].strip()]
            if text := "".join(span["text"] for span in line["spans"]).replace("\x00", "").strip():
                size = max(spans, key=lambda span: len(span["text"]))["size"]
                yield PrintedLine(text, line["bbox"], size, all(map(_is_bold, spans)), _direction(line) != 0)


def _words(content: Any) -> Iterator[PrintedWord]:
    for line in (line for block in content["blocks"] for line in block.get("lines", ())):
        characters = [one for span in line["spans"] for one in span["chars"]]
        for is_space, word in groupby(characters, key=lambda one: one["c"].isspace()):
            if not is_space:
                together = list(word)
                yield PrintedWord("".join(one["c"] for one in together), union(one["bbox"] for one in together))


def _direction(line: Any) -> int | None:
    """How far the line's direction is turned clockwise from a horizontal one, in degrees; None where it runs aslant."""
    across, down = (round(part, 1) for part in line["dir"])
    return {(1.0, 0.0): 0, (0.0, 1.0): 90, (-1.0, 0.0): 180, (0.0, -1.0): 270}.get((across, down))


def _whole_lines(parts: list[Any]) -> Iterator[list[Any]]:
    """The parts of which one printed line was put together, for each line."""
    boxes = [part["bbox"] for part in parts]
    for row in rows_of(boxes):
        together: list[int] = []
        for number in row:
            if together and boxes[number][0] - boxes[together[-1]][2] > _TOGETHER * (boxes[number][3] - boxes[number][1]):
                yield [parts[n] for n in together]
                together = []
            together.append(number)
        yield [parts[n] for n in together]


def _raw_text(line: Any) -> str:
    return "".join(map(_text_of, line["spans"]))


def _text_of(span: Any) -> str:
    return "".join(character["c"] for character in span["chars"]) if "chars" in span else str(span["text"])


def _is_bold(span: Any) -> bool:
    return bool(span["flags"] & _BOLD) or "bold" in span["font"].lower()
