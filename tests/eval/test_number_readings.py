from __future__ import annotations

import pytest

from eval.number_readings import joined_sentences
from eval.support import SIGNS, Evidence


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("Some 56, 000 dogs were seen. They ate.", ["Some 56,000 dogs were seen."]),
        ("It rose to 31. 8 million. It fell.", ["It rose to 31.8 million."]),
        ("共1, 234, 567元。", ["共1,234,567元。"]),
        ("Rooms 101, 102, 103 and 104 are closed.", []),
        ("It opened in 2010. 12 people came.", []),
        ("The 3,400 kg stay 3,400 kg.", []),
    ],
)
def test_a_number_with_a_space_in_it_is_read_as_one_too(text: str, joined: list[str]) -> None:
    assert joined_sentences(text) == joined


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("56,000 dogs were seen.", "Some 56, 000 dogs were seen."),
        ("56 dogs and 000 cats.", "Some 56, 000 dogs were seen."),
        ("It rose to 31.8 million.", "It rose to 31. 8 million."),
        ("It became a number 1 hit.", "It became a number one hit."),
        ("It is the 2nd largest lake.", "It is the second-largest lake."),
        ("A 10 pin plug fits.", "A 10-pin plug fits."),
        ("The notice is 14 days.", "A 14-day notice is given."),
    ],
)
def test_the_evidence_holds_a_number_in_either_reading(sentence: str, evidence: str) -> None:
    values = dict(zip(SIGNS, Evidence([evidence]).read(sentence).features, strict=True))
    assert (values["missing_numbers"], values["missing_names"]) == (0, 0)
