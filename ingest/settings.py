"""How documents are read and split. Frozen: a change of these makes other chunks, never a change under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ingest.chunk_size import DEFAULT_TOKENS


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What reading one file may cost before it is refused. A 3 KB PDF can ask for 37 s of parsing.

    `page_timeout_s` is the time until the first page is read and from each page to the next, `timeout_s` that of the whole:
    a long scan is given its time, and a page that hangs is not. `pixels` are those of an image that is read, 4 bytes each in
    memory; an A0 sheet at 200 dpi has 62 million. `output_mib` bounds all that the reader process may answer for one file.
    `image_pixels` are those of a page as it is drawn for people: it is drawn more coarsely rather than refused.
    """

    timeout_s: float = 3600.0
    page_timeout_s: float = 120.0
    memory_mib: int = 3072
    pages: int = 5000
    pixels: int = 100_000_000
    text_characters: int = 20_000_000
    output_mib: int = 256
    file_mib: int = 200
    unpacked_mib: int = 500
    image_pixels: int = 8_000_000


@dataclass(frozen=True, slots=True)
class OcrSettings:
    """How pictures of text are read. `languages` is for Tesseract alone, in its own words: RapidOCR reads Chinese and English."""

    engine: Literal["rapidocr", "tesseract", "none"] = "rapidocr"
    languages: str = "eng+chi_sim"


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Limits of reading, how pictures are read, and the size of a chunk: it is closed when the next sentence would take it past
    `chunk_tokens`, which are the embedder's.
    """

    limits: ReadLimits = ReadLimits()
    ocr: OcrSettings = OcrSettings()
    chunk_tokens: int = DEFAULT_TOKENS
