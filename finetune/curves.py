"""Loss curves: where a loss was lowest, whether it has risen since, and a picture of it.

Pure but for `draw`. Knows nothing of what is trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SMOOTHED_OVER = 20
"""A batch's loss jumps with what is in it: the line drawn is the mean of so many parts of the whole run."""


@dataclass(frozen=True, slots=True)
class Point:
    """A loss (mean over learned tokens, in nats) after a step."""

    step: int
    loss: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Where an evaluation loss was lowest. `rise` is its growth since then, as a share of the lowest loss."""

    best_step: int
    best_loss: float
    last_step: int
    last_loss: float
    rise: float
    overfitting: bool


def mark_overfitting(points: Sequence[Point], *, share: float) -> Mark | None:
    """Where the loss was lowest, `overfitting` if it rose by more than `share` of that since; None without points."""
    if not points:
        return None
    best = min(points, key=lambda point: (point.loss, point.step))
    last = points[-1]
    rise = (last.loss - best.loss) / best.loss if best.loss > 0 else 0.0
    return Mark(best.step, best.loss, last.step, last.loss, round(rise, 4), rise > share)


def draw_curves(
    training: Sequence[Point], evaluations: Mapping[str, Sequence[Point]], marks: Mapping[str, Mark], target: Path, *, title: str
) -> None:
    """Writes a PNG with the training loss, each evaluation loss, its lowest point, and the word overfitting where it applies."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    if training:
        axes.plot([p.step for p in training], [p.loss for p in training], color="0.8", linewidth=0.8)
        smooth = smoothed(training)
        axes.plot([p.step for p in smooth], [p.loss for p in smooth], color="0.35", label="training")
    for number, (name, points) in enumerate(evaluations.items()):
        if not points:
            continue
        color, mark, label = f"C{number}", marks.get(name), name
        if mark is not None:
            axes.axvline(mark.best_step, color=color, linestyle=":", linewidth=1)
            label += f": lowest at step {mark.best_step}"
            label += f"; overfitting, {mark.rise:+.0%} since" if mark.overfitting else ""
        axes.plot([p.step for p in points], [p.loss for p in points], color=color, marker=".", label=label)
    axes.set_title(title)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats per learned token)")
    axes.set_ylim(bottom=0)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    aside = target.with_name(f".{target.name}")
    FigureCanvasAgg(figure).print_figure(str(aside), format="png", dpi=120)
    aside.replace(target)


def smoothed(points: Sequence[Point]) -> list[Point]:
    """The means of consecutive equal parts of the points, each at its part's middle step."""
    size = max(1, len(points) // _SMOOTHED_OVER)
    parts = [points[start : start + size] for start in range(0, len(points), size)]
    return [Point(part[len(part) // 2].step, sum(p.loss for p in part) / len(part)) for part in parts]
