"""Images: a page for each frame, like a scanned page of a PDF."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from PIL import Image

from ingest.errors import InputRefused
from ingest.readers.registry import draw_page
from ingest.settings import ReadLimits
from tests.readings import read

LIMITS = ReadLimits()


def image(kind: str, *sizes: tuple[int, int], **options: Any) -> bytes:
    frames = [Image.new("RGB", size, "white") for size in sizes]
    file = io.BytesIO()
    more = {"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}
    frames[0].save(file, kind, **more, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_an_image_is_a_page_without_text_that_can_be_drawn_and_marked(kind: str, tmp_path: Path) -> None:
    data = image(kind, (600, 300), dpi=(150, 150))
    (page,) = read(data, "scan", tmp_path).pages
    assert page.has_picture
    assert page.width == 2 * page.height
    assert page.text == ""
    drawn = pymupdf.Pixmap(draw_page(tmp_path / "file", 1, boxes=[(20, 20, 60, 40)], dpi=72, limits=LIMITS))
    assert (drawn.width, drawn.height) == (round(page.width), round(page.height))
    assert drawn.pixel(40, 30) != drawn.pixel(100, 100) == (255, 255, 255)


def test_every_frame_of_a_tiff_is_a_page_of_its_own_size(tmp_path: Path) -> None:
    reading = read(image("TIFF", (600, 300), (300, 600), (100, 100), dpi=(150, 150)), "scan.tif", tmp_path)
    assert [(page.width, page.height) for page in reading.pages] == [(288.0, 144.0), (144.0, 288.0), (48.0, 48.0)]


def test_a_photograph_stands_upright_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    (page,) = read(image("JPEG", (600, 300), exif=exif), "photo.jpg", tmp_path).pages
    assert page.width * 2 == page.height


def test_too_many_frames_or_pixels_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputRefused, match="3 frames; at most 2"):
        read(image("TIFF", (8, 8), (8, 8), (8, 8)), "x.tif", tmp_path, limits=ReadLimits(pages=2))
    few = ReadLimits(pixels=5000)
    with pytest.raises(InputRefused, match="100 × 100 pixels; at most 5,000"):
        read(image("PNG", (100, 100)), "x.png", tmp_path, limits=few)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(InputRefused, match="more than 5,000 pixels"):
        read(image("PNG", (100, 100)), "x.png", tmp_path, limits=few)


def test_a_format_without_pictures_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"Text.")
    with pytest.raises(InputRefused, match="its text is all there is to show"):
        draw_page(tmp_path / "file", 1, boxes=[], dpi=72, limits=LIMITS)
