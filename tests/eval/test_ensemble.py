"""Judges together: who takes part, what the house judge keeps for itself, and what is said when one is away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from eval.calibration import log_odds
from eval.ensemble import HOUSE, EnsembleJudge, Rules, Stack, Trial, read_rules, write_rules
from eval.judge import HouseJudge
from eval.types import Fault, Verdict
from ingest.errors import InputRefused, Unavailable

EVIDENCE = ["The pump has a pressure of 42 bar.", "The harbour was opened in 1907 by Edith Weber."]
SUPPORTED = "The pump has a pressure of 42 bar."
INVENTED = "Whales sang in the cathedral of Ghent."


class Saying:
    """A judge that gives each sentence the support it is told, and does not judge the others; it may be away."""

    def __init__(self, supports: Mapping[str, float], *, away: bool = False) -> None:
        self.supports = supports
        self.away = away
        self.asked: list[str] = []

    def judge(self, sentences: Sequence[str], *, evidence: Sequence[str], question: str = "") -> list[Verdict]:
        if self.away:
            raise Unavailable("it is away")
        self.asked += sentences
        return [
            Verdict(self.supports[one], self.supports[one] >= 0.5, () if self.supports[one] >= 0.5 else ((0, 3),), "it says so")
            if one in self.supports
            else Verdict(0.5, False, (), "not judged", judged=False)
            for one in sentences
        ]


def rules(**languages: Sequence[Stack]) -> Rules:
    return Rules(HouseJudge().version, {lang: tuple(stacks) for lang, stacks in languages.items()})


def stacks() -> list[Stack]:
    return [
        Stack({HOUSE: 1.0}, 0.0, (1.0, 0.0)),
        Stack({"other": 1.0}, 0.0, (1.0, 0.0)),
        Stack({HOUSE: 0.5, "other": 2.0}, 0.0, (1.0, 0.0)),
    ]


def test_the_weighted_log_odds_of_those_that_judge_decide() -> None:
    other = Saying({SUPPORTED: 0.01, INVENTED: 0.999})
    first, second = EnsembleJudge(HouseJudge(), {"other": other}, rules(en=stacks())).judge(
        [SUPPORTED, INVENTED], evidence=EVIDENCE
    )
    assert (first.supported, first.reason, first.unsupported_spans) == (False, "it says so", ((0, 3),))
    assert second.supported
    (house,) = HouseJudge().judge([SUPPORTED], evidence=EVIDENCE)
    assert log_odds(first.support) == pytest.approx(0.5 * log_odds(house.support) + 2.0 * log_odds(0.01))


def test_a_judge_takes_no_part_in_a_language_that_it_has_not_joined() -> None:
    other = Saying({})
    chinese = "水泵的压力为42巴。"
    (verdict,) = EnsembleJudge(HouseJudge(), {"other": other}, rules(en=stacks())).judge([chinese], evidence=[chinese])
    assert other.asked == []
    assert verdict == HouseJudge().judge([chinese], evidence=[chinese])[0]


def test_where_a_judge_does_not_judge_a_sentence_the_house_judge_decides() -> None:
    (verdict,) = EnsembleJudge(HouseJudge(), {"other": Saying({})}, rules(en=stacks())).judge([SUPPORTED], evidence=EVIDENCE)
    assert verdict.support == pytest.approx(HouseJudge().judge([SUPPORTED], evidence=EVIDENCE)[0].support)


@pytest.mark.parametrize("how", ["away", "absent"])
def test_when_a_judge_is_away_the_rest_judge_and_it_is_said(how: str) -> None:
    judge = EnsembleJudge(
        HouseJudge(),
        {"other": Saying({}, away=True)} if how == "away" else {},
        rules(en=stacks()),
        absent={"other": "it was not pulled"} if how == "absent" else None,
    )
    good, bad = judge.judge([SUPPORTED, INVENTED], evidence=EVIDENCE)
    assert good.supported
    assert not bad.supported
    assert good.reason == "judged without other"
    assert bad.reason.endswith("; judged without other")


def test_what_an_exact_check_finds_contradicted_is_not_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    house = HouseJudge()
    said = Verdict(0.49, False, ((0, 3),), "negated", Fault.CONTRADICTED)
    monkeypatch.setattr(house, "judge", lambda sentences, **_: [said for _ in sentences])
    judge = EnsembleJudge(house, {"other": Saying({SUPPORTED: 0.9999})}, rules(en=stacks()))
    assert judge.judge([SUPPORTED], evidence=EVIDENCE) == [said]


def test_what_the_house_judge_cannot_judge_is_judged_by_others_across_languages_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    house = HouseJudge()
    monkeypatch.setattr(
        house, "judge", lambda sentences, **_: [Verdict(0.5, False, (), "not judged", judged=False) for _ in sentences]
    )
    judge = EnsembleJudge(house, {"other": Saying({SUPPORTED: 0.9})}, rules(en=stacks()))
    assert not judge.judge([SUPPORTED], evidence=EVIDENCE)[0].judged
    assert judge.judge([SUPPORTED], evidence=["水泵的压力为42巴。"])[0].supported


def test_no_evidence_is_refused_and_not_taken_for_a_judge_that_is_away() -> None:
    with pytest.raises(InputRefused):
        EnsembleJudge(HouseJudge(), {"other": Saying({})}, rules(en=stacks())).judge([SUPPORTED], evidence=[" "])


def test_a_whole_answer_is_as_bad_as_its_sentences_together() -> None:
    other = Saying({SUPPORTED: 0.9, INVENTED: 0.01})
    judge = EnsembleJudge(HouseJudge(), {"other": other}, rules(en=stacks()))
    good = judge.judge_answer(SUPPORTED, evidence=EVIDENCE)
    bad = judge.judge_answer(f"{SUPPORTED} {INVENTED}", evidence=EVIDENCE)
    assert (good.hallucinated, bad.hallucinated) == (False, True)
    assert [(start, end) for start, end, _ in bad.spans] == [(len(SUPPORTED) + 1, len(SUPPORTED) + 4)]
    assert len(bad.sentences) == 2


def test_rules_are_kept_and_those_for_another_house_judge_refused(tmp_path: Path) -> None:
    file = tmp_path / "judges" / "ensemble.json"
    assert read_rules(file) is None
    made = Rules("judge-v0", {"en": tuple(stacks())}, (Trial("other", "en", 0.8, 0.85, 0.05, 0.01, 0.09, 200),))
    write_rules(file, made)
    assert read_rules(file) == made
    assert made.trials[0].joins
    with pytest.raises(InputRefused, match="judge-v0"):
        EnsembleJudge(HouseJudge(), {}, made)
    file.write_text('{"house": 1}')
    with pytest.raises(InputRefused, match=r"ensemble\.json"):
        read_rules(file)
