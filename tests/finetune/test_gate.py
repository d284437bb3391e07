"""The gate: what lets an adapter pass, and how it says why not."""

from __future__ import annotations

from typing import Any

import pytest

from finetune.gate import decide

PARITY = {"passed": True, "agreement": 0.99}


def gain(low: float, high: float, n: int = 80) -> dict[str, Any]:
    return {"n": n, "base": 0.2, "tuned": 0.5, "gain": (low + high) / 2, "interval": [low, high]}


@pytest.mark.parametrize(
    ("held_out", "passed"),
    [
        ({"rephrased": gain(0.1, 0.4)}, True),
        ({"rephrased": gain(0.1, 0.4), "test:grounded": gain(-0.1, 0.1)}, True),
        ({"rephrased": gain(0.1, 0.4), "test:grounded": gain(-0.1, 0.0)}, True),
        ({"rephrased": gain(0.1, 0.4), "test:grounded": gain(-0.3, -0.1)}, False),
        ({"rephrased": gain(0.0, 0.4)}, False),
        ({"rephrased": gain(-0.1, 0.4)}, False),
        ({}, False),
    ],
)
def test_a_gain_that_is_no_chance_and_no_loss_that_is_no_chance(held_out: dict[str, Any], passed: bool) -> None:
    assert decide({"held_out": held_out}, PARITY).passed is passed


@pytest.mark.parametrize(("parity", "passed"), [(PARITY, True), ({"passed": False, "agreement": 0.9}, False), ({}, False)])
def test_the_engine_must_answer_as_the_training_did(parity: dict[str, Any], passed: bool) -> None:
    assert decide({"held_out": {"rephrased": gain(0.1, 0.4)}}, parity).passed is passed


def test_the_decision_says_what_was_seen_and_what_is_wanted() -> None:
    decision = decide({"held_out": {"rephrased": gain(-0.1, 0.4, n=33)}}, {"passed": False, "agreement": 0.5})
    assert "held-out gain does not hold: seen rephrased +0.150 [-0.100, +0.400] of 33 questions; wanted" in decision.sentence
    assert "train/serve parity does not hold: seen agreement 50.0%" in decision.sentence
    assert not decide({}, {}).passed
    assert "no held-out figures" in decide({}, {}).sentence


def test_a_person_may_let_it_pass_and_the_reason_is_kept() -> None:
    forced = decide({}, PARITY, force_reason="  a trial of the chain ")
    assert forced.approved
    assert not forced.passed
    assert forced.record()["force_reason"] == "a trial of the chain"
    assert forced.sentence.endswith("Forced: a trial of the chain")
    assert not decide({}, PARITY, force_reason="  ").approved


def test_a_reason_that_was_not_needed_is_not_kept() -> None:
    decision = decide({"held_out": {"rephrased": gain(0.1, 0.4)}}, PARITY, force_reason="just in case")
    assert decision.record()["force_reason"] == ""
