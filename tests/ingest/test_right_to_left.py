"""Text from right to left is read by the places of its characters, whatever order the file has them in."""

from __future__ import annotations

import random

import pytest

from ingest.right_to_left import PrintedCharacter, has_right_to_left, words_in_reading_order


def printed(seen: str) -> list[PrintedCharacter]:
    """The characters as a reader sees them from left to right, ten points wide each; `+` joins one to the letter before it."""
    made: list[PrintedCharacter] = []
    x = 0.0
    for character in seen.replace("+", ""):
        if seen[seen.index(character) - 1] == "+" and made:
            made.append(PrintedCharacter(character, (x, 0.0, x, 12.0)))
            continue
        if not character.isspace():
            made.append(PrintedCharacter(character, (x, 0.0, x + 10, 12.0)))
        x += 10
    return made


@pytest.mark.parametrize(
    ("seen", "read"),
    [
        ("םולש", "שלום"),
        ("ב א", "א ב"),
        ("אב 2024", "2024 בא"),
        ("1,234.50 א", "א 1,234.50"),
        ("1403/09/19 א", "א 1403/09/19"),
        ("Python 3 א", "א Python 3"),
        ("!םולש", "שלום!"),
    ],
)
def test_words_are_read_from_right_to_left_and_numbers_and_latin_as_they_are(seen: str, read: str) -> None:
    characters = printed(seen)
    assert " ".join(word.text for word in words_in_reading_order(characters)) == read
    random.Random(7).shuffle(characters)
    assert " ".join(word.text for word in words_in_reading_order(characters)) == read


def test_the_second_half_of_a_ligature_comes_after_the_first() -> None:
    lam, alef, beh = "\u0644", "\u0627", "\u0628"
    ligature = [PrintedCharacter(alef, (20.0, 0.0, 20.0, 12.0)), PrintedCharacter(lam, (10.0, 0.0, 20.0, 12.0))]
    characters = [PrintedCharacter(beh, (20.0, 0.0, 28.0, 12.0)), *ligature]
    assert [word.text for word in words_in_reading_order(characters)] == [beh + lam + alef]


def test_only_text_with_such_letters_is_treated_so() -> None:
    assert has_right_to_left("R و Python")
    assert not has_right_to_left("Zürich, 北京 – 2024")
