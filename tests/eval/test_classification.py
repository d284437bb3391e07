from __future__ import annotations

import pytest

from eval.metrics.classification import auroc, balanced_accuracy, bootstrap, f1, precision, recall, recall_at_precision
from eval.metrics.reliability import Bin, brier, calibration_error, reliability
from ingest.errors import InputRefused


def test_auroc_is_the_chance_that_a_one_scores_above_a_zero() -> None:
    assert auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == 0.75


def test_ties_count_half() -> None:
    assert auroc([0, 1], [0.5, 0.5]) == 0.5


def test_auroc_of_one_label_is_refused() -> None:
    with pytest.raises(InputRefused, match="both labels"):
        auroc([1, 1], [0.2, 0.3])


@pytest.mark.parametrize(("labels", "scores"), [([], []), ([0, 1], [0.5]), ([0, 2], [0.1, 0.2]), ([0, 1], [0.1, float("nan")])])
def test_lists_that_do_not_fit_are_refused(labels: list[int], scores: list[float]) -> None:
    with pytest.raises(InputRefused):
        auroc(labels, scores)


def test_f1_joins_precision_and_recall_of_label_one() -> None:
    assert f1([1, 1, 0, 0], [1, 0, 1, 0]) == 0.5
    assert f1([1, 0], [0, 0]) == 0.0


def test_recall_is_of_the_ones_and_precision_of_what_is_called_one() -> None:
    assert recall([1, 1, 0, 0], [1, 0, 1, 1]) == 0.5
    assert precision([1, 1, 0, 0], [1, 0, 1, 1]) == pytest.approx(1 / 3)
    with pytest.raises(InputRefused):
        recall([0, 0], [0, 1])
    with pytest.raises(InputRefused):
        precision([0, 1], [0, 0])


def test_recall_at_a_precision_is_the_best_of_any_threshold_and_equal_scores_fall_together() -> None:
    assert recall_at_precision([1, 0, 1, 1, 0], [0.9, 0.8, 0.7, 0.6, 0.1], wanted=0.75) == 1.0
    assert recall_at_precision([1, 0, 1, 1, 0], [0.9, 0.8, 0.7, 0.6, 0.1], wanted=0.8) == pytest.approx(1 / 3)
    assert recall_at_precision([1, 0], [0.5, 0.5], wanted=0.8) == 0.0


def test_probabilities_that_come_true_have_no_calibration_error() -> None:
    labels = [0, 0, 0, 1, 1, 1, 1, 0]
    honest = reliability(labels, [0.25] * 4 + [0.75] * 4)
    assert honest == [Bin(0.2, 0.3, 0.25, 0.25, 4), Bin(0.7, 0.8, 0.75, 0.75, 4)]
    assert calibration_error(honest) == 0.0
    assert calibration_error(reliability(labels, [1.0] * 8)) == 0.5
    assert brier([0, 1], [0.0, 0.5]) == 0.125


def test_balanced_accuracy_weighs_both_labels_alike() -> None:
    assert balanced_accuracy([1, 0, 0, 0], [1, 0, 0, 1]) == pytest.approx((1 + 2 / 3) / 2)
    with pytest.raises(InputRefused):
        balanced_accuracy([0, 0], [0, 1])


def test_the_interval_holds_the_value_and_repeats() -> None:
    labels = [0, 1] * 30
    scores = [(i * 7) % 10 + 3 * label for i, label in enumerate(labels)]
    first = bootstrap(auroc, labels, scores, rounds=200)
    assert first.low <= first.value <= first.high
    assert first.n == 60
    assert first == bootstrap(auroc, labels, scores, rounds=200)


def test_items_that_belong_together_are_drawn_together() -> None:
    labels, scores = [0, 1] * 10, [0.0, 1.0, 1.0, 0.0] * 5
    alone = bootstrap(auroc, labels, scores, rounds=200)
    together = bootstrap(auroc, labels, scores, groups=[str(i // 10) for i in range(20)], rounds=200)
    assert alone.value == together.value
    assert (alone.low, alone.high) != (together.low, together.high)
