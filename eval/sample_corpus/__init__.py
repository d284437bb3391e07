"""The sample corpus: PDFs of one invented company, the facts they hold and the questions asked of them.

Everything here is data, made by `python -m eval.sample_corpus.make` from `sources/` and `questions/` and committed. Importing
this module reads nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

_HERE = Path(__file__).parent

PDF_DIR = _HERE / "pdf"
FACTS = _HERE / "facts.jsonl"
CASES = _HERE / "cases.jsonl"
GROUPS = _HERE / "groups.json"
FOLLOW_UPS = _HERE / "follow_ups.jsonl"


def document_groups() -> dict[str, tuple[str, ...]]:
    """The groups of each restricted document, by file name; a document that is not named is for everyone."""
    listed: dict[str, list[str]] = json.loads(GROUPS.read_text(encoding="utf-8"))
    return {document: tuple(groups) for document, groups in listed.items()}
