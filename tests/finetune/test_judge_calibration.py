"""The judge's calibration on a workspace's own passages."""

from __future__ import annotations

import pytest

from eval.judge_model import Bend, read_judge_model
from finetune.corruptions import Passage
from finetune.judge_calibration import LEAST_PASSAGES, calibrate_on

_PLACES = "Leeds Boston Rotterdam Wuxi Porto Bergen Lyon Turin Ghent Basel".split()
_PEOPLE = "Abernathy Solheim Garrow Lindqvist Moreau Castellan Novak Okafor Petrov Tanaka Ferrari".split()


def passages(count: int) -> list[Passage]:
    return [
        Passage(
            f"p{i}",
            f"d{i}",
            f"The harbour of {_PLACES[i % 10]} was opened in {1900 + 3 * i} by Edith {_PEOPLE[i % 11]}, who studied in Vienna. "
            f"It handles about {40 + i} ships a week, most of them small fishing boats. "
            f"The lighthouse near pier {i + 3} was repaired {i + 2} times; visitors may climb it on Sundays.",
            "en",
        )
        for i in range(count)
    ]


def test_a_language_with_too_few_passages_has_no_calibration_of_its_own() -> None:
    assert calibrate_on(passages(LEAST_PASSAGES - 1), model=read_judge_model()) == {}


def test_the_same_passages_give_the_same_calibration_and_other_languages_none() -> None:
    first, again = (calibrate_on(passages(LEAST_PASSAGES), model=read_judge_model()) for _ in range(2))
    assert first == again
    assert set(first) == {"en"}
    assert first["en"].sentence[0] > 0
    assert first["en"].answer[0] > 0


@pytest.mark.parametrize("shift", [-3.0, 3.0])
def test_half_of_the_probability_is_where_the_passages_own_corruptions_part(shift: float) -> None:
    """Weights that are off by a constant everywhere are set right by the calibration."""
    from dataclasses import replace

    model = read_judge_model()
    english = model.languages["en"]
    english = replace(english, bend=Bend(below=1.0, knee=0.0))
    moved = replace(model, languages={"en": replace(english, bias=english.bias + shift)})
    straight = calibrate_on(passages(60), model=replace(model, languages={"en": english}))["en"]
    own = calibrate_on(passages(60), model=moved)["en"]
    cut, moved_cut = (-one.sentence[1] / one.sentence[0] for one in (straight, own))
    assert moved_cut - cut == pytest.approx(shift, abs=0.01)
