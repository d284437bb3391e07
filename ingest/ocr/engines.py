"""The OCR engine that the settings name."""

from __future__ import annotations

from ingest.ocr.base import OcrEngine
from ingest.ocr.rapid import RapidEngine
from ingest.ocr.tesseract import TesseractEngine
from ingest.settings import OcrSettings


def engine_of(settings: OcrSettings) -> OcrEngine | None:
    """The engine, which loads its models when it first reads; None where nothing is to be read from pictures."""
    if settings.engine == "tesseract":
        return TesseractEngine(languages=settings.languages)
    return RapidEngine() if settings.engine == "rapidocr" else None
