"""Where a loss was lowest and whether it has risen since."""

from __future__ import annotations

from pathlib import Path

from finetune.curves import Point, draw_curves, mark_overfitting, smoothed


def curve(*losses: float) -> list[Point]:
    return [Point(10 * (number + 1), loss) for number, loss in enumerate(losses)]


def test_a_loss_that_rose_by_more_than_the_share_since_its_lowest_is_overfitting() -> None:
    mark = mark_overfitting(curve(3.0, 2.0, 2.2), share=0.05)
    assert mark is not None
    assert (mark.best_step, mark.last_step, mark.rise, mark.overfitting) == (20, 30, 0.1, True)


def test_a_loss_that_rose_by_less_or_fell_to_the_end_is_not() -> None:
    for losses in ((3.0, 2.0, 2.05), (3.0, 2.0, 1.0), (1.0,)):
        mark = mark_overfitting(curve(*losses), share=0.05)
        assert mark is not None
        assert not mark.overfitting


def test_the_first_of_equal_losses_is_the_best_and_no_points_have_no_mark() -> None:
    mark = mark_overfitting(curve(2.0, 1.0, 1.0), share=0.05)
    assert mark is not None
    assert mark.best_step == 20
    assert mark_overfitting([], share=0.05) is None


def test_a_long_curve_is_smoothed_over_equal_parts() -> None:
    points = smoothed(curve(*([1.0, 3.0] * 100)))
    assert {point.loss for point in points} == {2.0}
    assert smoothed(curve(1.0, 2.0)) == curve(1.0, 2.0)


def test_the_picture_is_a_png_whatever_was_evaluated(tmp_path: Path) -> None:
    points = curve(3.0, 2.0, 2.2)
    mark = mark_overfitting(points, share=0.05)
    assert mark is not None
    draw_curves(curve(3.0, 1.0), {"validation": points}, {"validation": mark}, tmp_path / "one.png", title="one")
    draw_curves([], {}, {}, tmp_path / "none.png", title="none")
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("one.png", "none.png"))
    assert len(list(tmp_path.iterdir())) == 2
