"""What a person should know of how a document was read, in words.

Invariants. A document that was read well has no warning. Every warning is worded here, whoever finds the reason for it: the
page says them in Chinese (`services/web/src/chinese.js`), and a test takes each function of this module to see that it can.
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


def warnings_of(pages: Sequence[Page]) -> list[str]:
    """What the pages themselves tell, whatever the format; each warning names its pages."""
    warnings = []
    for told, picture in ((NO_TEXT_LAYER, True), (NO_TEXT, False)):
        if blank := [page.number for page in pages if not page.text.strip() and page.has_picture is picture]:
            warnings.append(f"{told}: page {_ranges(blank)}")
    if unsure := [page.number for page in pages if page.confidence < UNSURE]:
        warnings.append(f"{READ_UNSURELY}: page {_ranges(unsure)}")
    if hiding := [page for page in pages if page.hidden]:
        counted = _characters(sum(page.hidden for page in hiding))
        how_to_see = "to see it, select everything on the page in a PDF viewer and paste it into a text editor"
        warnings.append(f"{HIDDEN_TEXT}: page {_ranges([page.number for page in hiding])} ({counted}; {how_to_see})")
    return warnings


def hidden_in_word(characters: int) -> str:
    """A Word document hides text; where on its pages is not known."""
    return f"{HIDDEN_TEXT} ({_characters(characters)}; to see it, mark everything in Word and clear its formatting)"


def not_text(places: int, encoding: str) -> str:
    """Some bytes of a text are none in its encoding."""
    return f"{places} places could not be read as {encoding}: they show \N{REPLACEMENT CHARACTER}"


def hidden_sheets(names: Sequence[str]) -> str:
    """A workbook hides these sheets."""
    return f"hidden sheets were not read: {', '.join(names)}"


def attachment_refused(name: str, reason: str) -> str:
    """A mail's attachment cannot be read."""
    return f"attachment {name!r} was not read: {reason}"


def attachment_without_text(name: str, blank: int, total: int) -> str:
    """Pages of a mail's attachment hold no text, and are left out."""
    return f"attachment {name!r}: {blank} of its {total} pages have no text"


def of_attachment(name: str, warning: str) -> str:
    """What the reader of a mail's attachment warned of."""
    return f"attachment {name!r}: {warning}"


def _characters(count: int) -> str:
    return f"{count} character{'s' if count > 1 else ''}"


def _ranges(numbers: Sequence[int]) -> str:
    """`1-3, 7` for [1, 2, 3, 7]."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
