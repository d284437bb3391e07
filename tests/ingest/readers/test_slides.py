"""PowerPoint: a page for each slide, whatever is on it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from pptx import Presentation
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.util import Inches

from ingest.types import BlockKind
from tests.office import pptx, saved
from tests.readings import pages_of, read, texts, told


def test_every_slide_is_a_page_and_one_without_text_keeps_its_number(tmp_path: Path) -> None:
    reading = read(
        pptx(("Plan", ["First point", "Second point"]), ("", []), ("End", ["Thanks"]), title="Deck"), "x.pptx", tmp_path
    )
    first, second, third = reading.pages
    assert reading.title == "Deck"
    assert told(first) == [
        (BlockKind.HEADING, "Plan"),
        (BlockKind.LIST, "First point"),
        (BlockKind.LIST, "Second point"),
    ]
    assert second.text == ""
    assert texts(third) == ["End", "Thanks"]


def test_shapes_come_from_the_top_those_of_groups_too_and_notes_last(tmp_path: Path) -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    for text, top in (("low", 5), ("high", 2)):
        slide.shapes.add_textbox(0, Inches(top), Inches(3), Inches(1)).text_frame.text = text
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(0, Inches(3), Inches(3), Inches(1)).text_frame.text = "grouped"
    slide.shapes.title.text = "Title\vof two lines"
    slide.notes_slide.notes_text_frame.text = "Say this."
    for placeholder in slide.slide_layout.placeholders:
        if placeholder.placeholder_format.type in (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER):
            slide.shapes._spTree.append(copy.deepcopy(placeholder._element))
            slide.shapes[-1].text_frame.text = "Confidential"
    (page,) = pages_of(saved(presentation), "x.pptx", tmp_path)
    assert texts(page) == ["Title of two lines", "high", "grouped", "low", "Say this."]


def test_tables_and_the_numbers_of_charts_are_tables(tmp_path: Path) -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    table = slide.shapes.add_table(2, 3, 0, 0, Inches(3), Inches(1)).table
    for number in range(6):
        table.cell(number // 3, number % 3).text = f"c{number}"
    table.cell(0, 0).merge(table.cell(0, 1))
    data: Any = CategoryChartData()
    data.categories = ["2023", "2024"]
    data.add_series("Revenue", (21012, 1.5))
    data.add_series("Cost", (3, None))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, Inches(2), Inches(3), Inches(3), data).chart
    chart.chart_title.text_frame.text = "Result"
    cloud = XyChartData()
    cloud.add_series("Cloud").add_data_point(0.1 + 0.2, 7)
    slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, 0, Inches(6), Inches(3), Inches(3), cloud)
    (page,) = pages_of(saved(presentation), "x.pptx", tmp_path)
    assert (BlockKind.CAPTION, "Result") in told(page)
    first, second, third = (block.rows for block in page.blocks if block.kind is BlockKind.TABLE)
    assert third == (("", "Cloud"), ("0.3", "7"))
    assert first == (("c0 c1", "", "c2"), ("c3", "c4", "c5"))
    assert second == (("", "Revenue", "Cost"), ("2023", "21012", "3"), ("2024", "1.5", ""))
