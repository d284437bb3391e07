"""PowerPoint presentations: a page for each slide, its title first, then its shapes from the top, its notes last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ingest.readers.archive import require_unpackable
from ingest.readers.base import Break, Piece, Reading, Source
from ingest.readers.parts import reading_of, table_pieces
from ingest.types import BlockKind

_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


def read(source: Source) -> Reading:
    """The presentation's title, and a page for each slide, for one without text too."""
    from pptx import Presentation  # only the worker needs it

    require_unpackable(source.path, limits=source.limits)
    presentation = Presentation(str(source.path))
    title = presentation.core_properties.title or ""
    return reading_of(_pieces(presentation.slides), limits=source.limits, title=title, by_size=False)


def _pieces(slides: Iterable[Any]) -> Iterator[Piece | Break]:
    for slide in slides:
        title = slide.shapes.title
        if title is not None:
            yield Piece(BlockKind.HEADING, title.text_frame.text, level=1)
        for shape in sorted(_single(slide.shapes), key=_place):
            if not (_is_running(shape) or (title is not None and shape.shape_id == title.shape_id)):
                yield from _shape_pieces(shape)
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None:
            yield from (Piece(BlockKind.TEXT, paragraph.text) for paragraph in notes.paragraphs)
        yield Break.ALWAYS


def _single(shapes: Iterable[Any]) -> Iterator[Any]:
    """The shapes, those of groups one by one."""
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _single(shape.shapes)
        else:
            yield shape


def _is_running(shape: Any) -> bool:
    """Whether it is the date, footer or number that stands on every slide."""
    from pptx.enum.shapes import PP_PLACEHOLDER

    running = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)
    return shape.is_placeholder and shape.placeholder_format.type in running


def _place(shape: Any) -> tuple[int, int]:
    return shape.top or 0, shape.left or 0


def _shape_pieces(shape: Any) -> Iterator[Piece]:
    from pptx.oxml import parse_xml  # resolves no entities

    if getattr(shape, "has_table", False):
        yield from table_pieces([["" if cell.is_spanned else cell.text for cell in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_chart", False):
        yield from _chart_pieces(parse_xml(shape.chart_part.blob))
    elif shape.has_text_frame:
        paragraphs = [paragraph for paragraph in shape.text_frame.paragraphs if paragraph.text.strip()]
        # The lines of a slide's body are points of a list, whether or not their marks are drawn.
        kind = BlockKind.LIST if shape.is_placeholder and len(paragraphs) > 1 else BlockKind.TEXT
        yield from (Piece(kind, paragraph.text.replace("\v", "\n")) for paragraph in paragraphs)


def _chart_pieces(chart: Any) -> Iterator[Piece]:
    """A chart's title, and the numbers behind it as a table, whatever the chart's form."""
    title = chart.find(f"{_CHART}chart/{_CHART}title")
    if title is not None:
        yield Piece(BlockKind.CAPTION, "".join(text.text or "" for text in title.iter(f"{_DRAWING}t")))
    series = list(chart.iter(f"{_CHART}ser"))
    columns = [_points(series[0], "cat", "xVal")] if series else []
    columns += [_points(one, "val", "yVal") for one in series]
    names = ["", *(" ".join(_points(one, "tx").values()) for one in series)]
    places = sorted({place for column in columns for place in column})
    yield from table_pieces([names, *([column.get(place, "") for column in columns] for place in places)])


def _points(series: Any, *names: str) -> dict[int, str]:
    """The labels or values of a series by their place, as the file keeps them beside the chart."""
    found = next((part for name in names if (part := series.find(f"{_CHART}{name}")) is not None), ())
    points = (point for part in found for point in part.iter(f"{_CHART}pt"))
    return {int(point.get("idx", "0")): _shown(point) for point in points}


def _shown(point: Any) -> str:
    """A label as it is, a number without the noise of its binary form."""
    value = point.findtext(f"{_CHART}v") or ""
    is_number = value and point.getparent().tag in (f"{_CHART}numCache", f"{_CHART}numLit")
    return f"{float(value):.15g}" if is_number else value
