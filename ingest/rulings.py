"""The straight strokes of a page: what tables are ruled with.

Invariants. A rule is horizontal or vertical; strokes in one line that touch are one rule, and a thin filled box is a rule too.
Pure: takes what PyMuPDF's `get_cdrawings` gives, and knows neither text nor tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.types import Bbox

# A box no thicker than this is a stroke, in points.
_THICKEST = 3.0
# Strokes that lie no further from each other than this are one.
_APART = 2.0
# Shorter ones are parts of drawn letters and dots.
_SHORTEST = 5.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A stroke from `start` to `end`, at the place `at` of the other direction."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a page: the horizontal ones from top to bottom, the vertical ones from left to right."""

    horizontal: tuple[Rule, ...] = ()
    vertical: tuple[Rule, ...] = ()


def rules_of(drawings: Iterable[Any]) -> Rules:
    """The rules among the drawings."""
    flat, upright = [], []
    for x0, y0, x1, y1 in _strokes(drawings):
        if y1 - y0 <= _THICKEST < x1 - x0:
            flat.append(Rule((y0 + y1) / 2, x0, x1))
        elif x1 - x0 <= _THICKEST < y1 - y0:
            upright.append(Rule((x0 + x1) / 2, y0, y1))
    return Rules(joined_rules(flat, apart=_APART), joined_rules(upright, apart=_APART))


def slanted_strokes(drawings: Iterable[Any]) -> list[Bbox]:
    """The boxes of the curves and of the lines that run aslant."""
    boxes: list[Bbox] = []
    for drawing in drawings:
        for kind, *points in drawing["items"]:
            if kind in ("l", "c"):
                xs, ys = zip(*points, strict=True)
                box = (min(xs), min(ys), max(xs), max(ys))
                if min(box[2] - box[0], box[3] - box[1]) > _THICKEST:
                    boxes.append(box)
    return boxes


def _strokes(drawings: Iterable[Any]) -> Iterator[tuple[float, float, float, float]]:
    for drawing in drawings:
        for kind, *points in drawing["items"]:
            if kind == "l":
                (x0, y0), (x1, y1) = points[0], points[1]
                yield min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
            elif kind == "re":
                x0, y0, x1, y1 = points[0]
                yield x0, y0, x1, y1
                if drawing.get("color") is not None and min(x1 - x0, y1 - y0) > _THICKEST:  # its edges are drawn
                    yield from ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1))


def joined_rules(rules: Sequence[Rule], *, apart: float) -> tuple[Rule, ...]:
    """The rules, those in one line as one that stand no further from each other than this, in points."""
    lines: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda rule: rule.at):
        if lines and rule.at - lines[-1][0].at <= _APART:
            lines[-1].append(rule)
        else:
            lines.append([rule])
    joined: list[Rule] = []
    for line in lines:
        at = line[0].at
        start, end = float("inf"), float("-inf")
        for rule in sorted(line, key=lambda rule: rule.start):
            if rule.start > end + apart:
                joined.append(Rule(at, start, end))
                start, end = rule.start, rule.end
            end = max(end, rule.end)
        joined.append(Rule(at, start, end))
    return tuple(rule for rule in joined if rule.end - rule.start >= _SHORTEST)
