"""Small Word, PowerPoint and Excel files, made by the libraries that others make theirs with."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import xlsxwriter
from docx import Document
from pptx import Presentation


def docx(*paragraphs: str, title: str = "") -> bytes:
    """A Word document; a paragraph that begins with `# ` is a heading."""
    document = Document()
    document.core_properties.title = title
    for text in paragraphs:
        if text.startswith("#"):
            document.add_heading(text.lstrip("# "), len(text) - len(text.lstrip("#")))
        else:
            document.add_paragraph(text)
    return saved(document)


def pptx(*slides: tuple[str, Sequence[str]], title: str = "") -> bytes:
    """A presentation: title and points of each slide; neither is a slide without text."""
    presentation = Presentation()
    presentation.core_properties.title = title
    for heading, points in slides:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1 if heading or points else 6])
        if heading or points:
            slide.shapes.title.text = heading
            slide.placeholders[1].text = "\n".join(points)
    return saved(presentation)


def xlsx(sheets: Mapping[str, Iterable[Sequence[object]]], *, formats: Mapping[tuple[int, int], str] | None = None) -> bytes:
    """A workbook: the rows of each sheet. `formats` are of the cells of the first one, by row and column."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "remove_timezone": True}) as workbook:
        for number, (name, rows) in enumerate(sheets.items()):
            sheet = workbook.add_worksheet(name)
            for place, row in enumerate(rows):
                for column, value in enumerate(row):
                    told = (formats or {}).get((place, column)) if number == 0 else None
                    sheet.write(place, column, value, workbook.add_format({"num_format": told}) if told else None)
    return file.getvalue()


def saved(document: Any) -> bytes:
    """The bytes of what has a method `save`."""
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()
