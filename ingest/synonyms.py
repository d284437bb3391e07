"""English words that say nearly the same, from a small table that ships with the product.

It is read once, when a search first asks; a word that it does not know has no synonyms. What it was made of, and what it is
worth, stands in `ingest/models/README.md`. Chinese has none here.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

SYNONYMS_FILE = Path(__file__).parent / "models" / "synonyms-en.json.gz"


def synonyms(stem: str) -> list[tuple[str, float]]:
    """The stems of words of like meaning, each with its likeness in (0, 1]: `physician` for `doctor`, `paid` for `pay`."""
    return [(other, likeness) for other, likeness in _table().get(stem, {}).items()]


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Mapping[str, float]]:
    with gzip.open(SYNONYMS_FILE, "rt", encoding="utf-8") as file:
        table: dict[str, dict[str, float]] = json.load(file)
    return table
