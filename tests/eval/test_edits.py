"""What a sentence says otherwise than the statement nearest to it."""

from __future__ import annotations

import pytest

from eval.assessment import SIGNS, assess
from eval.checks.statements import Statements
from eval.edits.features import SIGNS as EDITS
from eval.support import Evidence

ENGLISH = (
    "Visitors may enter the boiler house only with a guide. A permit is required for diving in the north basin. "
    "Sails are dried for at least 12 hours after a regatta, because damp cloth rots. "
    "A new member pays a fee of 40 pounds, a student a fee of 15 pounds. "
    "Moorings cost 9 pounds a night for dinghies and 21 pounds a night for yachts. The harbour is run by Edith Castellan.\n\n"
    "Boat | Crew | Weight\n--- | --- | ---\nGannet | 3 | 240 kg\nPetrel | 5 | 610 kg\n"
)
CHINESE = (
    "游客须由向导陪同方可进入锅炉房。夜间不得在北港潜水。帆布比赛后晾干不少于12小时，因为潮湿会使布料腐烂。"
    "风力超过六级时停止出航。港务由冯雅芳负责。"
)


def edits(sentence: str, evidence: str, question: str = "") -> dict[str, float]:
    statements = Statements(Evidence([evidence], question=question))
    assessed = assess(sentence, statements, statements.evidence.read(sentence))
    values = dict(zip(SIGNS, assessed.features, strict=True))
    return {name: values[name] for name in EDITS if values[name]}


@pytest.mark.parametrize(
    ("sentence", "evidence", "question", "name"),
    [
        ("No permit is required for diving in the north basin.", ENGLISH, "", "other_force"),
        ("Diving in the north basin is not possible.", ENGLISH, "", "denied"),
        ("Visitors can go into the boiler house at any time.", ENGLISH, "", "universal"),
        ("All visitors may enter the boiler house.", ENGLISH, "", "restriction_lost"),
        ("Sails dry for at most 12 hours after racing.", ENGLISH, "", "bound_turned"),
        ("Sails are dried for 12 hours before a regatta.", ENGLISH, "", "direction_turned"),
        ("It is 21 pounds.", ENGLISH, "What does a mooring cost for a dinghy a night?", "count_elsewhere"),
        ("The Gannet weighs 610 kg.", ENGLISH, "", "cell_elsewhere"),
        ("The harbour master is Edith Solheim.", ENGLISH, "", "other_person"),
        ("Sails are dried because the insurance demands it.", ENGLISH, "", "strange_cause"),
        ("夜间可以在北港潜水。", CHINESE, "", "other_force"),
        ("游客随时都能进入锅炉房。", CHINESE, "", "universal"),
        ("所有游客可以进入锅炉房。", CHINESE, "", "restriction_lost"),
        ("赛后帆布最多晾12小时。", CHINESE, "", "bound_turned"),
        ("风力低于六级时停止出航。", CHINESE, "", "direction_turned"),
        ("管港务的是冯雅琴。", CHINESE, "", "other_person"),
        ("帆布要晾干，因为保险公司有要求。", CHINESE, "", "strange_cause"),
    ],
)
def test_a_difference_that_matters_is_seen(sentence: str, evidence: str, question: str, name: str) -> None:
    assert edits(sentence, evidence, question).get(name, 0.0) > 0


@pytest.mark.parametrize(
    ("sentence", "evidence", "question"),
    [
        ("Visitors may enter the boiler house only with a guide.", ENGLISH, ""),
        ("Only with a guide can visitors go into the boiler house.", ENGLISH, ""),
        ("Damp cloth rots, so sails are dried for 12 hours or more after a regatta.", ENGLISH, ""),
        ("It is 9 pounds.", ENGLISH, "What does a mooring cost for a dinghy a night?"),
        ("The Petrel weighs 610 kg and has a crew of 5.", ENGLISH, ""),
        ("Edith Castellan runs the harbour.", ENGLISH, ""),
        ("夜间不得在北港潜水。", CHINESE, ""),
        ("风力超过六级就停止出航。", CHINESE, ""),
        ("冯雅芳负责港务。", CHINESE, ""),
    ],
)
def test_what_says_the_same_has_no_edits(sentence: str, evidence: str, question: str) -> None:
    assert edits(sentence, evidence, question) == {}


def test_a_sentence_about_something_else_has_no_statement_to_differ_from() -> None:
    assert edits("Quartz glows violet.", ENGLISH) == {}


def test_every_edit_speaks_against_support_and_lies_between_none_and_one() -> None:
    assert set(EDITS.values()) == {1}
    found = edits("All dinghies must never pay 21 pounds, because Edith Solheim forbids it.", ENGLISH)
    assert found
    assert all(0 < value <= 1 for value in found.values())
