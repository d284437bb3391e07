"""Tesseract, where it is installed: for the languages that its trained data know and RapidOCR's weights do not."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ingest.errors import Unavailable
from ingest.layout import is_wide
from ingest.ocr.base import OcrLine, OcrWord

if TYPE_CHECKING:
    from ingest.ocr.base import Pixels

_WORD_LEVEL = "5"


class TesseractEngine:
    """Runs the program `tesseract` for each picture; it ends with the process that reads the file.

    `languages` are named as its option `-l` takes them: `eng+chi_sim`.
    """

    def __init__(self, *, languages: str) -> None:
        self._languages = languages

    def read(self, pixels: Pixels, /) -> Sequence[OcrLine]:
        """The lines of text in the picture."""
        program = shutil.which("tesseract")
        if program is None:
            raise Unavailable("the program tesseract is not installed: install it, or set ocr.engine to rapidocr or none")
        height, width = pixels.shape[:2]
        done = subprocess.run(
            [program, "-", "-", "-l", self._languages, "tsv"],
            input=b"P6 %d %d 255\n" % (width, height) + pixels.tobytes(),
            capture_output=True,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            check=False,
        )
        if done.returncode:
            told = " ".join(done.stderr.decode(errors="replace").split())[:200]
            raise Unavailable(f"tesseract cannot read {self._languages} (setting ocr.languages): {told}")
        return lines_of(done.stdout.decode(errors="replace"))


def lines_of(table: str) -> list[OcrLine]:
    """The lines of Tesseract's table of words (its output format `tsv`)."""
    rows = csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = (row for row in rows if row["level"] == _WORD_LEVEL and (row["text"] or "").strip())
    return [_line(row) for _, row in groupby(words, key=lambda row: (row["block_num"], row["par_num"], row["line_num"]))]


def _line(words: Iterable[Mapping[str, str]]) -> OcrLine:
    text = ""
    spans: list[OcrWord] = []
    boxes: list[tuple[float, float, float, float]] = []
    for word in words:
        printed = word["text"].strip()
        if text and not (is_wide(text[-1]) and is_wide(printed[0])):
            text += " "
        spans.append(OcrWord(len(text), len(text) + len(printed), round(max(0.0, float(word["conf"])) / 100, 2)))
        text += printed
        left, top = float(word["left"]), float(word["top"])
        boxes.append((left, top, left + float(word["width"]), top + float(word["height"])))
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return OcrLine(text, (min(x0), min(y0), max(x1), max(y1)), tuple(spans))
