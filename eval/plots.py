"""Drawings of measurements as SVG that stands inside a page: text as text, colours that read on a light and on a dark ground.

Invariants. No script, nothing fetched, the same figures give the same bytes. Lines and words take the page's own colour
(`currentColor`). Knows nothing of how the figures were measured.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Figures = Mapping[str, Mapping[str, Any]]
"""Arm → measure → value, low, high, n."""

# Middle tones: each has a contrast of at least 3 : 1 to white and to #121212. They differ in lightness too, not in hue alone.
_COLOURS = ("#8a8f98", "#2f81c7", "#c2701c", "#1f8f62")
# Matplotlib writes it where the page's colour belongs, and nowhere else.
_INK = "#010203"
_STYLE: dict[Any, Any] = {  # the library types every name on its own
    "svg.fonttype": "none",
    "svg.hashsalt": "graft",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.parse_math": False,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.unicode_minus": False,
}


def bars(groups: Mapping[str, Figures], measure: str, *, title: str, label: str, most: float | None = 1.02) -> str:
    """A share by group and arm, with its interval; another figure than a share has no `most` that is known before."""
    arms = _arms(groups)
    with _drawing(width=7.2, height=3.4) as (figure, axes):
        for place, arm in enumerate(arms):
            known = [
                (index, figures[arm][measure]) for index, figures in enumerate(groups.values()) if _has(figures, arm, measure)
            ]
            wide = 0.8 / len(arms)
            axes.bar(
                [index + (place - (len(arms) - 1) / 2) * wide for index, _ in known],
                [one["value"] for _, one in known],
                width=wide * 0.92,
                color=_colour(arms, arm),
                label=arm,
                yerr=_errors([one for _, one in known]) if known else None,
                error_kw={"ecolor": _INK, "elinewidth": 1, "capsize": 2.5},
            )
        axes.set_xticks(range(len(groups)), list(groups))
        axes.set_ylim(0, most)
        axes.set_ylabel(label)
        axes.legend(frameon=False, ncols=len(arms), loc="lower center", bbox_to_anchor=(0.5, 1.0))
        return _svg(figure, title)


def scatter(figures: Figures, across: str, up: str, *, title: str, labels: tuple[str, str]) -> str:
    """Each arm as a point with both its intervals; both axes are shares."""
    arms = list(figures)
    with _drawing(width=5.2, height=3.8) as (figure, axes):
        for arm in arms:
            if _has(figures, arm, across) and _has(figures, arm, up):
                x, y = figures[arm][across], figures[arm][up]
                colour = _colour(arms, arm)
                axes.errorbar(
                    x["value"], y["value"], xerr=_errors([x]), yerr=_errors([y]), fmt="o", color=colour, markersize=7, capsize=2.5
                )
                axes.annotate(arm, (x["value"], y["value"]), textcoords="offset points", xytext=(7, 6), color=_INK)
        axes.set_xlim(-0.03, 1.03)  # a point on the edge is seen whole
        axes.set_ylim(-0.03, 1.03)
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        return _svg(figure, title)


def times(figures: Figures, rows: Sequence[tuple[str, str]], *, title: str, label: str) -> str:
    """For each arm, a point with interval for each (measure, name) of `rows`, in seconds; measures are in milliseconds."""
    arms = list(figures)
    with _drawing(width=7.2, height=0.6 + 0.42 * len(arms) * len(rows)) as (figure, axes):
        ticks = []
        for row, (measure, name) in enumerate(rows):
            for place, arm in enumerate(arms):
                at = row * (len(arms) + 0.6) + place
                ticks.append((at, f"{name}, {arm}"))
                if _has(figures, arm, measure):
                    one = {part: value / 1000 for part, value in figures[arm][measure].items()}
                    axes.errorbar(one["value"], at, xerr=_errors([one]), fmt="o", color=_colour(arms, arm), capsize=2.5)
        axes.set_yticks([at for at, _ in ticks], [name for _, name in ticks])
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_xlabel(label)
        return _svg(figure, title)


def growth(lines: Mapping[str, Sequence[tuple[float, float]]], *, title: str, labels: tuple[str, str]) -> str:
    """How values grow with a size, a line a name, as SVG; both scales are logarithmic, so no value may be 0."""
    with _drawing(width=8.2, height=3.6) as (figure, axes):
        for name, points in lines.items():
            across, up = [point[0] for point in points], [point[1] for point in points]
            axes.plot(across, up, marker="o", label=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        axes.legend(fontsize="small", frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        return _svg(figure, title)


def roc(curves: Mapping[str, Sequence[tuple[float, float]]], *, title: str, labels: tuple[str, str]) -> str:
    """Lines of (false alarms, found) points from (0, 0) to (1, 1), a curve a name; the dashes are what chance gets."""
    names = list(curves)
    with _drawing(width=4.6, height=4.2) as (figure, axes):
        axes.plot([0, 1], [0, 1], linestyle="--", linewidth=1, color=_COLOURS[0])
        for name, points in curves.items():
            axes.plot(*zip(*points, strict=True), color=_COLOURS[(names.index(name) + 1) % len(_COLOURS)], label=name)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.01)
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        axes.legend(frameon=False, loc="lower right")
        return _svg(figure, title)


def reliability(curves: Mapping[str, Sequence[Mapping[str, float]]], *, title: str, labels: tuple[str, str]) -> str:
    """What was seen over what was said, a point a bin (`mean`, `share`, `n`), larger where it holds more; dashes are right."""
    names = list(curves)
    with _drawing(width=4.6, height=4.2) as (figure, axes):
        axes.plot([0, 1], [0, 1], linestyle="--", linewidth=1, color=_COLOURS[0])
        for name, bins in curves.items():
            colour = _COLOURS[(names.index(name) + 1) % len(_COLOURS)]
            most = max(one["n"] for one in bins)
            said, seen = [one["mean"] for one in bins], [one["share"] for one in bins]
            axes.plot(said, seen, color=colour, linewidth=1, label=name)
            axes.scatter(said, seen, s=[12 + 60 * one["n"] / most for one in bins], color=colour)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        axes.legend(frameon=False, loc="upper left")
        return _svg(figure, title)


def _arms(groups: Mapping[str, Figures]) -> list[str]:
    return list(dict.fromkeys(arm for figures in groups.values() for arm in figures))


def _has(figures: Figures, arm: str, measure: str) -> bool:
    return figures.get(arm, {}).get(measure) is not None


def _colour(arms: Sequence[str], arm: str) -> str:
    return _COLOURS[arms.index(arm) % len(_COLOURS)]


def _errors(known: Sequence[Mapping[str, float]]) -> list[list[float]]:
    """How far the intervals reach below and above the values; a percentile's may lie beside it by a rounding."""
    return [[max(0.0, one["value"] - one["low"]) for one in known], [max(0.0, one["high"] - one["value"]) for one in known]]


@contextmanager
def _drawing(*, width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """An empty drawing of so many inches, in the house's style. Pyplot's global state is not touched."""
    import matplotlib as mpl  # takes most of a second, and most commands draw nothing
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.add_subplot()


def _svg(figure: Figure, title: str) -> str:
    written = io.StringIO()
    figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Title": title})
    drawing = written.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>\s*", "", drawing, flags=re.DOTALL)
    # Its style sheet would hold for the whole page; the same two properties are inherited from the drawing's root.
    drawing = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'<g id="[^"]*">', "<g>", drawing)  # nothing refers to them, and a page may hold several drawings
    drawing = drawing.replace("<svg ", '<svg role="img" stroke-linejoin="round" stroke-linecap="butt" ', 1)
    return drawing.replace(_INK, "currentColor")
