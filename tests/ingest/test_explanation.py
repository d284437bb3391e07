"""Why a passage stands where it does."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.crosslingual import Group
from ingest.dictionary import Alternative
from ingest.explanation import Explanation, OtherName, explained
from ingest.tokens import placed_units, units
from ingest.types import Hit, ScoreParts

PARTS = ScoreParts(1.0, 0.7, 0.1, -0.15)


def hit(text: str, *headings: str, title: str = "") -> Hit:
    return Hit("a.pdf", "doc", 1, 1, "chk", PARTS.total, text, 0, headings, title=title, parts=PARTS)


def why(query: str, one: Hit, like: dict[str, list[tuple[str, float]]] | None = None) -> Explanation:
    return explained(query, one, weight=lambda _: 1.0, similar=lambda unit: (like or {}).get(unit, ()))


def test_each_term_names_the_fields_that_hold_it() -> None:
    told = why("What pressure does the HX pump manual name?", hit("The pressure is 20 bar.", "Pump", title="HX manual"))
    assert {term.term: term.fields for term in told.terms} == {
        "pressur": ("text",),
        "hx": ("title",),
        "pump": ("section",),
        "manual": ("title",),
        "name": (),
    }
    assert told.parts == PARTS


def test_words_that_stood_in_for_a_term_are_told() -> None:
    (doctor,) = why("doctor", hit("See a physician."), {"doctor": [("physician", 0.5), ("surgeon", 0.4)]}).terms
    assert (doctor.fields, doctor.like) == ((), ("physician",))


def test_the_window_is_where_most_of_the_question_stands_together() -> None:
    text = "Pumps are sold. " + "Nothing is said here. " * 40 + "The pump has a pressure of 20 bar." + " Nothing more." * 40
    told = why("pump pressure bar", hit(text))
    assert told.window is not None
    assert text[slice(*told.window)] == "pump has a pressure of 20 bar"


def test_a_chinese_window_is_cut_at_its_characters() -> None:
    told = why("員工年假有幾天", hit("公司规定：员工每年享有年假十天。"))
    assert told.window is not None
    assert "公司规定：员工每年享有年假十天。"[slice(*told.window)].startswith("员工")


def test_what_stands_for_a_word_in_another_language_is_told() -> None:
    leave, days = Group(("年", "假"), alternatives("annual leav", "holidai")), Group(("几", "天"), alternatives("day"))
    english = hit("Costs. Each employee has an Annual Leave of ten days. Nothing more.")
    told = explained("年假有几天？", english, weight=lambda _: 1.0, similar=lambda _: (), groups=[leave, days])
    assert told.other_names == (OtherName("年假", "Annual Leave"), OtherName("几天", "days"))
    assert told.window is not None
    assert english.text[slice(*told.window)] == "Annual Leave of ten days"


def test_a_word_of_two_chinese_characters_is_told_as_one() -> None:
    told = explained(
        "leave",
        hit("员工享有年假。"),
        weight=lambda _: 1.0,
        similar=lambda _: (),
        groups=[Group(("leav",), alternatives("年 假"))],
    )
    assert told.other_names == (OtherName("leav", "年假"),)


def alternatives(*names: str) -> tuple[Alternative, ...]:
    return tuple(Alternative(tuple(name.split(" ")), 1.0) for name in names)


def test_a_passage_that_holds_nothing_of_it_has_no_window() -> None:
    assert why("pump", hit("A green lamp.")).window is None


@given(st.text())
def test_placed_units_are_the_units_with_their_places(text: str) -> None:
    placed = placed_units(text)
    assert [unit for unit, _, _ in placed] == units(text)
    assert all(0 <= start <= end <= len(text) for _, start, end in placed)
    assert [start for _, start, _ in placed] == sorted(start for _, start, _ in placed)
