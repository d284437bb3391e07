"""One engine for all tests of OCR: loading its models takes longer than most of them."""

from __future__ import annotations

import pytest

from ingest.ocr.rapid import RapidEngine


@pytest.fixture(scope="session")
def rapid() -> RapidEngine:
    """The engine that the product uses."""
    return RapidEngine()
