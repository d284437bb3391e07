"""What questions are translated with: the dictionary, and the glossary that the settings name."""

from __future__ import annotations

import os
from pathlib import Path

from ingest.crosslingual import Translator
from ingest.dictionary import Dictionary, make
from ingest.glossary import read_glossary
from services.apart import run_apart
from services.settings import Settings

FOLDER = "cc-cedict"


def translator_of(settings: Settings, fallback: Path) -> Translator:
    """The translator. The dictionary's file lies beside the models and is shared by all homes; where that folder cannot be
    written it lies in `fallback`.

    Raises:
        InputRefused: the glossary cannot be taken; the message names file and line.
    """
    named = settings.search.glossary
    glossary = read_glossary(named.expanduser()) if named else None
    shared = settings.models_dir / FOLDER
    try:
        shared.mkdir(parents=True, exist_ok=True)
        is_writable = os.access(shared, os.W_OK)
    except OSError:
        is_writable = False
    return Translator(Dictionary(shared if is_writable else fallback, maker=_make_apart), glossary)


def _make_apart(path: Path) -> None:
    run_apart(make, path)
