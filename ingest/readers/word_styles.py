"""What the paragraph styles of a Word document say that matters to reading: heading level, number, page break, shading."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
"""The namespace of a Word document's elements, as the parser writes it before a name."""

# The built-in styles keep their English names in every language of Word.
_HEADING_NAME = re.compile(r"heading ([1-9])", re.IGNORECASE)
_DEEPEST_OUTLINE = 8  # 9 is body text


@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """`level` counts headings from 1, 0 is none; `number` is the list's id and the level within it, from 0."""

    level: int = 0
    number: tuple[str, int] | None = None
    begins_page: bool = False
    shaded: bool = False

    @staticmethod
    def of(properties: Any) -> ParagraphStyle:
        """What an element `pPr` sets."""
        outline = value_of(properties, "outlineLvl")
        level = int(outline) + 1 if outline.isdigit() and int(outline) <= _DEEPEST_OUTLINE else 0
        numbering = properties.find(f"{W}numPr")
        number = None
        if numbering is not None and (list_id := value_of(numbering, "numId")):
            depth = value_of(numbering, "ilvl")
            number = (list_id, int(depth) if depth.isdigit() and len(depth) == 1 else 0)
        begins = properties.find(f"{W}pageBreakBefore")
        begins_page = begins is not None and begins.get(f"{W}val", "1") not in ("0", "false")
        return ParagraphStyle(level, number, begins_page, shaded=properties.find(f"{W}shd") is not None)


def value_of(element: Any, name: str) -> str:
    """The attribute `val` of a child, or an empty string."""
    child = element.find(f"{W}{name}")
    return "" if child is None else str(child.get(f"{W}val", ""))


def paragraph_styles(document: Any) -> dict[str, ParagraphStyle]:
    """The document's paragraph styles by id, each with what it inherits."""
    elements = {style.get(f"{W}styleId", ""): style for style in document.styles.element.iterchildren(f"{W}style")}
    return {style_id: _inherited(style_id, elements) for style_id in elements}


def _inherited(style_id: str, elements: dict[str, Any]) -> ParagraphStyle:
    level, number, begins_page, shaded = 0, None, False, False
    seen: set[str] = set()
    while style_id in elements and style_id not in seen:  # a hostile style may be based on itself
        seen.add(style_id)
        element = elements[style_id]
        properties = element.find(f"{W}pPr")
        own = ParagraphStyle() if properties is None else ParagraphStyle.of(properties)
        level = level or own.level or _level_of_name(value_of(element, "name"))
        number = number or own.number
        begins_page = begins_page or own.begins_page
        shaded = shaded or own.shaded
        style_id = value_of(element, "basedOn")
    return ParagraphStyle(level, number, begins_page, shaded)


def _level_of_name(name: str) -> int:
    if name.lower() == "title":
        return 1
    found = _HEADING_NAME.fullmatch(name)
    return int(found[1]) if found else 0
