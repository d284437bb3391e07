"""Checks of values that the evidence gives to several things: in a list, under labels, in a table."""

from __future__ import annotations

import pytest

from eval.checks.claim import Claim
from eval.checks.run import Checked, run_checks
from eval.checks.statements import Statements
from eval.support import Evidence
from eval.types import Fault

LIST = "Members in class C pay 26 euros a month, guests pay 19 euros, and schools pay 12 euros for a group."
CHINESE_LIST = "今年新人底薪为：学徒4100元，技工6300元，班长9800元。"
MINUTES = "Present: Ada Birk, Jonas Ferro. Excused: Deng Yiwei.\n4.1 Budget\nThe budget was read by Ada Birk."
CHINESE_MINUTES = "主持：邓以巍。出席：温若岚、顾长河。缺席：邵砚秋，出差。"
STAFF = "技术委员会由五人组成，主任为尹千帆，下设两个小组。"
FAULTS = (
    "Code | Meaning | Remedy\n--- | --- | ---\n"
    "E11 | bearing temperature high | check the grease\nE15 | leakage sensor wet | replace the seal"
)
GRADES = "等级 | 目标 | 上限\n--- | --- | ---\nP3与P4 | 1.5个月 | 2.5个月\nP5与P6 | 2.2个月 | 3.5个月"


def checked(sentence: str, *evidence: str) -> Checked:
    prepared = Evidence(evidence)
    return run_checks(Claim.of(sentence, Statements(prepared)), prepared.read(sentence))


@pytest.mark.parametrize(
    ("sentence", "evidence", "check", "bad", "told"),
    [
        ("Guests pay 12 euros.", LIST, "listed", "12 euros", "19 euros"),
        ("技工的底薪为4100元。", CHINESE_LIST, "listed", "4100元", "6300元"),
        ("Jonas Ferro was excused from the meeting.", MINUTES, "labels", "Jonas Ferro", "deng yiwei"),
        ("会议由顾长河主持。", CHINESE_MINUTES, "labels", "顾长河", "邓以巍"),
        ("技术委员会主任为祝怀瑾。", STAFF, "names", "祝怀瑾", "尹千帆"),
        ("E11 means that the leakage sensor is wet.", FAULTS, "tables", "leakage sensor is wet", "bearing temperature high"),
        ("P6的目标是1.5个月。", GRADES, "tables", "1.5", "2.2个月"),
    ],
)
def test_the_value_of_another_entry_is_contradicted(sentence: str, evidence: str, check: str, bad: str, told: str) -> None:
    (finding,) = [finding for finding in checked(sentence, evidence).findings if finding.check == check]
    assert finding.fault is Fault.CONTRADICTED
    assert [sentence[start:end] for start, end in finding.spans] == [bad]
    assert told in finding.reason


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("Guests pay 19 euros and schools 12 euros.", LIST),
        ("For a group a school pays 12 euros.", LIST),
        ("技工的底薪为6300元，学徒为4100元。", CHINESE_LIST),
        ("Deng Yiwei was excused; Jonas Ferro was present.", MINUTES),
        ("Ada Birk read the budget.", MINUTES),
        ("顾长河出席，会议由邓以巍主持。", CHINESE_MINUTES),
        ("技术委员会主任为尹千帆。", STAFF),
        ("E15 means that the leakage sensor is wet.", FAULTS),
        ("P5的目标是2.2个月。", GRADES),
    ],
)
def test_the_right_value_is_no_fault(sentence: str, evidence: str) -> None:
    assert checked(sentence, evidence).findings == ()


def test_a_value_that_another_statement_gives_the_thing_is_left_alone() -> None:
    assert checked("Guests pay 12 euros.", LIST, "In winter guests pay 12 euros.").findings == ()
