"""What counts as a right, cited or refused answer."""

from __future__ import annotations

from eval.reading import Reading, reading_figures


def reading(written: str, *, place: int = 2, refused: bool = False, language: str = "en") -> Reading:
    return Reading(language, "Who founded it?", ("Edith Garrow", "Garrow") if place else (), place, written, refused)


def test_an_answer_is_right_where_it_holds_a_right_answer_and_cited_where_it_names_the_passage() -> None:
    figures = reading_figures(
        [
            reading("Edith Garrow [2]: “It was founded by Edith Garrow.”"),
            reading("Lin Zhaoheng [2]: “It was founded by Lin Zhaoheng and Edith Garrow.”"),
            reading("Garrow [1]"),
            reading("The documents do not say.", refused=True),
        ]
    )["en"]
    assert {name: one["value"] for name, one in figures.items()} == {"right": 0.75, "value": 0.5, "cited": 0.5, "refused": 0.25}
    assert all(one["n"] == 4 and one["low"] < one["value"] < one["high"] for one in figures.values())


def test_a_number_in_brackets_is_no_part_of_the_answer() -> None:
    figures = reading_figures([Reading("en", "How many?", ("2",), 2, "Three [2]", False)])["en"]
    assert (figures["right"]["value"], figures["cited"]["value"]) == (0.0, 1.0)


def test_questions_without_an_answer_are_counted_apart_and_so_are_languages() -> None:
    figures = reading_figures([reading("文档中没有说明。", place=0, refused=True, language="zh"), reading("Garrow [2]")])
    assert figures["zh"] == {"refused_unanswerable": figures["zh"]["refused_unanswerable"]}
    assert figures["zh"]["refused_unanswerable"]["value"] == 1.0
    assert figures["en"]["right"]["value"] == 1.0
