"""Images: one page for each frame, as a PDF page that holds nothing but the image, so that all that is done with scanned
pages (reading them, drawing them, marking a box on them) is done with images alike.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ingest.errors import LimitPassed
from ingest.readers import printed
from ingest.readers.base import Reading, Source
from ingest.readers.detect import image_format
from ingest.settings import ReadLimits
from ingest.types import Bbox

# Of the others that Pillow knows, one runs a program on the file.
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP")


def read(source: Source) -> Reading:
    """A page for each frame, in the size that the image's own resolution gives it."""
    return printed.reading_of(_as_pdf(source.path, limits=source.limits), limits=source.limits, ocr=source.ocr)


def draw(path: Path, number: int, *, boxes: list[Bbox], dpi: int, limits: ReadLimits) -> bytes:
    """One frame as PNG with the boxes marked."""
    from ingest import pdf

    with _as_pdf(path, limits=limits) as document:
        return pdf.render_png(document, number, boxes=boxes, dpi=dpi, limits=limits)


def _as_pdf(path: Path, *, limits: ReadLimits) -> Any:
    """A PDF document of the image's frames.

    Raises:
        LimitPassed: it has too many frames or pixels.
    """
    import pymupdf
    from PIL import Image

    kind = image_format(_head(path))
    try:
        with Image.open(path, formats=_FORMATS) as image:
            _require_drawable(image, limits)
            if kind == "webp":  # the one format that MuPDF does not open
                png = io.BytesIO()
                image.convert("RGB").save(png, "PNG")
                opened = pymupdf.open(stream=png.getvalue(), filetype="png")
            else:
                opened = pymupdf.open(path, filetype=kind)
    except Image.DecompressionBombError as error:
        raise LimitPassed(
            f"the image has more than {limits.pixels:,} pixels, the most that are read: make it smaller, or raise the setting "
            "read.pixels"
        ) from error
    with opened:
        return pymupdf.open(stream=opened.convert_to_pdf(), filetype="pdf")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _require_drawable(image: Any, limits: ReadLimits) -> None:
    frames = int(getattr(image, "n_frames", 1))
    if frames > limits.pages:
        raise LimitPassed(f"the image has {frames} frames; at most {limits.pages} are read (setting read.pages)")
    for frame in range(frames):
        image.seek(frame)
        if image.width * image.height > limits.pixels:
            raise LimitPassed(
                f"the image has {image.width} × {image.height} pixels; at most {limits.pixels:,} are read: make it smaller, or "
                "raise the setting read.pixels"
            )
    image.seek(0)
