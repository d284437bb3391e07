"""A judge joins only if it orders held-out sentences better."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence

import pytest

from eval.ensemble import HOUSE
from eval.judge import HouseJudge
from eval.types import Verdict
from finetune.corruptions import SupportSample
from finetune.stacking import decide
from ingest.errors import InputRefused


class House(HouseJudge):
    """A house judge that is right two times in three."""

    def judge(self, sentences: Sequence[str], *, evidence: Sequence[str], question: str = "") -> list[Verdict]:
        return [_verdict(sentence, "house", 0.67) for sentence in sentences]


class Knowing:
    """A judge that is right as often as it is told, by what stands in the sentence; some sentences it does not judge."""

    def __init__(self, name: str, right: float) -> None:
        self.name, self.right = name, right

    def judge(self, sentences: Sequence[str], *, evidence: Sequence[str], question: str = "") -> list[Verdict]:
        return [
            Verdict(0.5, False, judged=False) if sentence.endswith("7") else _verdict(sentence, self.name, self.right)
            for sentence in sentences
        ]


def _verdict(sentence: str, name: str, right: float) -> Verdict:
    chance = random.Random(zlib.crc32(f"{name} {sentence}".encode()))
    supported = sentence.startswith("good") == (chance.random() < right)
    support = 0.5 + (0.1 + 0.3 * chance.random()) * (1 if supported else -1)
    return Verdict(support, supported)


def samples(first: int, count: int) -> list[SupportSample]:
    return [
        SupportSample(
            f"{'bad' if i % 2 else 'good'} {first + i // 2}", ("evidence",), "", i % 2, "noise", "en", passage=f"p{i // 4}"
        )
        for i in range(count)
    ]


def test_a_judge_joins_only_if_it_raises_what_is_held_out() -> None:
    others = {"knowing": Knowing("knowing", 0.85), "guessing": Knowing("guessing", 0.5)}
    rules = decide(House(), others, samples(0, 400), samples(1000, 400))
    assert {trial.judge: trial.joins for trial in rules.trials} == {"knowing": True, "guessing": False}
    assert rules.members("en") == {HOUSE, "knowing"}
    assert rules.members("zh") == frozenset()
    (knowing,) = [trial for trial in rules.trials if trial.judge == "knowing"]
    assert knowing.low <= knowing.gain <= knowing.high
    assert knowing.n == 400
    both = rules.stack("en", frozenset({HOUSE, "knowing"}))
    assert both is not None
    assert both.weights["knowing"] > both.weights[HOUSE] > 0
    assert both.log_odds({HOUSE: 0.9, "knowing": 0.9}) > 0 > both.log_odds({HOUSE: 0.1, "knowing": 0.1})
    assert rules.stack("en", frozenset({"knowing"})) is not None


def test_where_none_joins_the_house_judge_is_left_as_it_is() -> None:
    rules = decide(House(), {"guessing": Knowing("guessing", 0.5)}, samples(0, 400), samples(1000, 400))
    assert rules.stacks == {}
    assert [trial.joins for trial in rules.trials] == [False]


def test_the_same_samples_give_the_same_rules() -> None:
    others = {"knowing": Knowing("knowing", 0.85)}
    assert decide(House(), others, samples(0, 80), samples(1000, 80)) == decide(
        House(), others, samples(0, 80), samples(1000, 80)
    )


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(InputRefused, match="too few to decide"):
        decide(House(), {"knowing": Knowing("knowing", 0.85)}, samples(0, 30), samples(1000, 400))
