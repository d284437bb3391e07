"""What a person should know of how a document's pages were read, in words.

Invariants. Each warning names its pages; a document that was read well has none. Knows nothing of formats: the pages tell.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.types import Page

NO_TEXT_LAYER = "no text layer"
NO_TEXT = "no text"
READ_UNSURELY = "read from the picture with low confidence"
HIDDEN_TEXT = "text that no reader sees was left out"
# Pages under this mean confidence need a person's eye: see docs/decisions/0011-ocr.md.
UNSURE = 0.85

_HOW_TO_SEE = "to see it, select everything on the page in a PDF viewer and paste it into a text editor"


def warnings_of(pages: Sequence[Page]) -> list[str]:
    """The warnings of these pages."""
    warnings = []
    for told, picture in ((NO_TEXT_LAYER, True), (NO_TEXT, False)):
        if blank := [page.number for page in pages if not page.text.strip() and page.has_picture is picture]:
            warnings.append(f"{told}: page {_ranges(blank)}")
    if unsure := [page.number for page in pages if page.confidence < UNSURE]:
        warnings.append(f"{READ_UNSURELY}: page {_ranges(unsure)}")
    if hiding := [page for page in pages if page.hidden]:
        characters = sum(page.hidden for page in hiding)
        counted = f"{characters} character{'s' if characters > 1 else ''}"
        warnings.append(f"{HIDDEN_TEXT}: page {_ranges([page.number for page in hiding])} ({counted}; {_HOW_TO_SEE})")
    return warnings


def _ranges(numbers: Sequence[int]) -> str:
    """`1-3, 7` for [1, 2, 3, 7]."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
