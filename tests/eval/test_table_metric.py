"""Tables are compared by which cells stand beside and below which."""

from __future__ import annotations

import pytest

from eval.metrics.tables import AdjacencyScore, TableCell, adjacency_f1, adjacency_relations, cells_of


def test_relations_lead_to_the_nearest_cells_to_the_right_and_below() -> None:
    cells = cells_of([["a", "b"], ["c", "d"]])
    assert sorted(adjacency_relations(cells)) == [
        ("a", "b", "right"),
        ("a", "c", "below"),
        ("b", "d", "below"),
        ("c", "d", "right"),
    ]


def test_empty_cells_are_passed_over() -> None:
    assert adjacency_relations(cells_of([["a", "", "b"]])) == [("a", "b", "right")]


def test_a_cell_that_spans_columns_has_a_neighbour_below_in_each_and_one_beside_it_once() -> None:
    spanning = cells_of([["all", "", "x"], ["a", "b", "c"]], [(0, 0, 1, 2)])
    assert [one for one in sorted(adjacency_relations(spanning)) if one[0] == "all"] == [
        ("all", "a", "below"),
        ("all", "b", "below"),
        ("all", "x", "right"),
    ]


def test_white_space_and_case_do_not_count() -> None:
    found, expected = cells_of([["Net  Sales", "1 000"]]), cells_of([["net\nsales", "1000"]])
    assert adjacency_f1([found], [expected]).f1 == 1


def test_the_score_is_that_of_all_tables_together() -> None:
    table, other = cells_of([["a", "b", "c"]]), cells_of([["x", "y"]])
    score = adjacency_f1([table, other], [table])
    assert score == AdjacencyScore(right=2, found=3, expected=2)
    assert (score.precision, score.recall, score.f1) == (pytest.approx(2 / 3), 1, pytest.approx(0.8))
    assert (score + score).f1 == pytest.approx(0.8)


def test_nothing_found_where_nothing_is_is_right() -> None:
    assert adjacency_f1([], []).f1 == 1
    assert adjacency_f1([], [cells_of([["a", "b"]])]).f1 == 0
    assert adjacency_relations([TableCell(0, 0, 0, 0, "alone")]) == []
