"""The few drawings of the sample corpus: the company's mark and two charts, in vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

HEIGHT = 170.0
_INK = (0.2, 0.2, 0.22)
_COLOURS = ((0.12, 0.31, 0.47), (0.75, 0.35, 0.1), (0.2, 0.5, 0.3))


def logo(shape: Any, x: float, y: float, size: float, colour: tuple[float, float, float]) -> None:
    """A ring with a wave through it."""
    centre = (x + size / 2, y + size / 2)
    shape.draw_circle(centre, size / 2)
    shape.finish(color=colour, width=size / 10)
    third = size / 3
    shape.draw_bezier((x, centre[1]), (x + third, y - third / 2), (x + 2 * third, y + size + third / 2), (x + size, centre[1]))
    shape.finish(color=colour, width=size / 12, closePath=False)


def _axes(shape: Any, x: float, y: float, width: float, height: float) -> None:
    for step in range(6):
        level = y + height * step / 5
        shape.draw_line((x, level), (x + width, level))
        shape.finish(color=(0.85, 0.85, 0.85), width=0.4, closePath=False)
    for end in ((x, y), (x + width, y + height)):
        shape.draw_line((x, y + height), end)
        shape.finish(color=_INK, width=0.9, closePath=False)


def pump_curves(shape: Any, x: float, y: float, width: float, *, write: Callable[..., None], size: float) -> None:
    """Head over flow for the three pump sizes, as falling parabolas."""
    left, top, w, h = x + 34, y + 8, width - 110, HEIGHT - 44
    _axes(shape, left, top, w, h)
    for (name, reach, height), colour in zip(
        (("KX-200", 0.45, 0.55), ("KX-350", 0.7, 0.75), ("KX-500", 0.95, 0.95)), _COLOURS, strict=True
    ):
        points = [(left + w * reach * i / 20, top + h * (1 - height * (1 - 0.55 * (i / 20) ** 2))) for i in range(21)]
        shape.draw_polyline(points)
        shape.finish(closePath=False, color=colour, width=1.4)
        write(name, points[-1][0] + 5, points[-1][1] + 3, size=size, colour=colour)
    write("Head", x, top + 8, size=size)
    write("Flow", left + w + 6, top + h + 3, size=size)


def valve_characteristics(shape: Any, x: float, y: float, width: float, *, write: Callable[..., None], size: float) -> None:
    """Relative flow over lift: linear and equal percentage."""
    left, top, w, h = x + 40, y + 8, width - 130, HEIGHT - 44
    _axes(shape, left, top, w, h)
    linear = [(left + w * i / 20, top + h * (1 - i / 20)) for i in range(21)]
    equal = [(left + w * i / 20, top + h * (1 - 50 ** (i / 20 - 1))) for i in range(21)]
    for points, colour in ((linear, _COLOURS[0]), (equal, _COLOURS[1])):
        shape.draw_polyline(points)
        shape.finish(closePath=False, color=colour, width=1.4)
    write("线性", left + w * 0.42, top + h * 0.42, size=size, colour=_COLOURS[0])
    write("等百分比", left + w * 0.68, top + h * 0.86, size=size, colour=_COLOURS[1])
    write("流量", x, top + 8, size=size)
    write("行程", left + w + 6, top + h + 3, size=size)
