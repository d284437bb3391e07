from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.checks.claim import Claim
from eval.checks.run import Checked, run_checks
from eval.checks.statements import Statements
from eval.judge import HouseJudge
from eval.support import Evidence
from eval.types import Fault

PUMP = (
    "The KX-200 delivers 12.5 m3/h at a head of 32 m and weighs 48 kg without the motor. "
    "Warranty claims are sent to Birgit Solheim in Leeds within 30 days. The pump must not run dry. "
    "Visitors may park in the yard. The contract began on 1 March 2025. The noise rose to 74 dB after the repair. "
    "Oil is changed every 4,000 hours. The seal is checked before each start."
)
STAFF = (
    "正式员工每年享有十五天带薪年假。报销申请应在出差结束后10个工作日内提交给财务部。设备运行时不得打开护罩。员工可以申请居家办公。"
    "公司2025年3月1日起执行新制度。注册资本为3.5亿元。产品合格率高于行业平均水平。联系人是蒋书瑶，电话6105。"
)
TABLE = "City | Hotel ceiling | Guests\n--- | --- | ---\nAmsterdam | EUR 185 | 40\nFrankfurt | EUR 170 | 60\nMilan | EUR 165 | 25"
LIMITS = "The notice period is at least 30 days."


def checked(sentence: str, *evidence: str) -> Checked:
    prepared = Evidence(evidence)
    return run_checks(Claim.of(sentence, Statements(prepared)), prepared.read(sentence))


@pytest.mark.parametrize(
    ("sentence", "evidence", "check", "bad"),
    [
        ("The KX-200 weighs 51 kg without the motor.", PUMP, "numbers", "51"),
        ("The KX-200 weighs 48 g without the motor.", PUMP, "numbers", "48 g"),
        ("注册资本为3.5万元。", STAFF, "numbers", "3.5万"),
        ("正式员工每年享有二十天带薪年假。", STAFF, "numbers", "二十"),
        ("The contract began on 1 May 2025.", PUMP, "dates", "1 May 2025"),
        ("公司2025年8月1日起执行新制度。", STAFF, "dates", "2025年8月1日"),
        ("The KX-300 delivers 12.5 m3/h at a head of 32 m.", PUMP, "names", "KX-300"),
        ("Warranty claims are sent to Thomas Abernathy in Leeds within 30 days.", PUMP, "names", "Thomas Abernathy"),
        ("联系人是罗家栋，电话6105。", STAFF, "names", "罗家栋"),
        ("The pump must run dry.", PUMP, "modality", "must"),
        ("Visitors must park in the yard.", PUMP, "modality", "must"),
        ("Visitors must not park in the yard.", PUMP, "modality", "must not"),
        ("设备运行时可打开护罩。", STAFF, "modality", "可"),
        ("员工不得申请居家办公。", STAFF, "modality", "不得"),
        ("The noise fell to 74 dB after the repair.", PUMP, "comparison", "fell"),
        ("The seal is checked after each start.", PUMP, "comparison", "after"),
        ("产品合格率低于行业平均水平。", STAFF, "comparison", "低于"),
        ("The notice period is at most 30 days.", LIMITS, "comparison", "30 days"),
        ("The hotel ceiling in Frankfurt is EUR 165.", TABLE, "tables", "EUR 165"),
        ("Amsterdam has 60 guests.", TABLE, "tables", "60"),
        ("The noise was 12 + 15 = 28 before.", PUMP + " 12 and 15 and 28", "arithmetic", "28"),
        ("It grew from 40 to 50 guests, a rise of 20%.", "It grew from 40 to 50 guests, and 20% left.", "arithmetic", "20%"),
    ],
)
def test_what_the_evidence_says_otherwise_is_contradicted_and_marked(sentence: str, evidence: str, check: str, bad: str) -> None:
    finding = checked(sentence, evidence).findings[0]
    assert (finding.check, finding.fault) == (check, Fault.CONTRADICTED)
    assert [sentence[start:end] for start, end in finding.spans] == [bad]
    assert finding.reason


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("The KX-200 weighs 48,000 g without the motor.", PUMP),
        ("Oil is changed every 4000 hours.", PUMP),
        ("Claims are sent to Birgit Solheim within thirty days.", PUMP),
        ("The contract began on 2025-03-01.", PUMP),
        ("The contract began on March 1st, 2025.", PUMP),
        ("The pump is not to run dry.", PUMP),
        ("Visitors are allowed to park in the yard.", PUMP),
        ("正式员工每年享有15天带薪年假。", STAFF),
        ("注册资本为35000万元。", STAFF),
        ("注册资本为350,000,000元。", STAFF),
        ("新制度自2025-03-01起执行。", STAFF),
        ("设备运行时严禁打开护罩。", STAFF),
        ("报销申请须在出差结束后十个工作日内提交。", STAFF),
        ("The hotel ceiling in Frankfurt is EUR 170.", TABLE),
        ("Milan and Amsterdam have 25 and 40 guests.", TABLE),
        ("The notice period is 30 days or more.", LIMITS),
        ("The notice period is 30 days.", LIMITS),
    ],
)
def test_the_same_in_other_words_or_spellings_is_no_fault(sentence: str, evidence: str) -> None:
    assert checked(sentence, evidence).findings == ()


def test_reasons_are_in_the_language_of_the_sentence() -> None:
    assert "依据" in checked("注册资本为3.5万元。", STAFF).findings[0].reason
    assert "evidence" in checked("The KX-200 weighs 51 kg without the motor.", PUMP).findings[0].reason


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("Amsterdam and Frankfurt have 100 guests in total.", "40 + 60 = 100"),
        ("Frankfurt has 20 more guests than Amsterdam.", "60 − 40 = 20"),
        ("Frankfurt has 2.4 times as many guests as Milan.", "60 / 25 = 2.4"),
        ("Frankfurt has 50% more guests than Amsterdam.", "(60 − 40) / 40 = 50"),
        ("The cities have 125 guests in total.", "40 + 60 + 25 = 125"),
        ("The average of the guests is 41.7.", "(40 + 60 + 25) / 3 = 41.7"),
    ],
)
def test_a_calculation_that_can_be_done_again_is_confirmed_and_shown(sentence: str, shown: str) -> None:
    found = checked(sentence, TABLE)
    assert found.findings == ()
    assert found.notes == (shown,)


def test_a_result_that_is_wrong_is_contradicted_with_the_right_one() -> None:
    (finding,) = checked("The guests of Amsterdam and of Frankfurt are 113 in total.", TABLE).findings
    assert finding.fault is Fault.CONTRADICTED
    assert "40 + 60 = 100" in finding.reason


def test_a_change_in_percent_is_calculated_where_the_evidence_tells_none() -> None:
    sales = "2024年营业收入为12.4亿元，2023年为10.0亿元。"
    (calculated,) = HouseJudge().judge(["2024年营业收入同比增长24%。"], evidence=[sales])
    assert (calculated.judged, calculated.supported) == (False, False)
    (quoted,) = HouseJudge().judge(["2024年营业收入同比增长24%。"], evidence=[sales + "同比增长20%。"])
    assert (quoted.judged, quoted.supported) == (True, False)


def test_a_calculation_that_cannot_be_done_again_is_not_judged() -> None:
    verdict = HouseJudge().judge(["On average the hotels had 371 guests."], evidence=[TABLE])[0]
    assert (verdict.judged, verdict.supported) == (False, False)
    assert "371" in verdict.reason


def test_a_supported_calculation_shows_itself_in_the_verdict() -> None:
    verdict = HouseJudge().judge(["Amsterdam and Frankfurt have 100 guests in total."], evidence=[TABLE])[0]
    assert "40 + 60 = 100" in verdict.reason or not verdict.supported


def test_an_answer_counts_its_faults() -> None:
    judged = HouseJudge().judge_answer(
        "The KX-200 weighs 51 kg without the motor. Visitors may park in the yard. Volcanoes erupt in Portugal.", evidence=[PUMP]
    )
    assert judged.faults == {Fault.CONTRADICTED: 1, Fault.NOT_IN_EVIDENCE: 1}
    assert judged.unjudged == 0


@settings(max_examples=50, deadline=None)
@given(st.integers(min_value=11, max_value=99_999))
def test_a_number_in_any_of_its_spellings_never_alarms(number: int) -> None:
    for ours, theirs in (
        (f"{number:,}元", f"{number}元"),
        (f"{number * 10_000}元", f"{number}万元"),
        (f"{number}公斤", f"{number * 1000}克"),
    ):
        assert checked(f"设备的购置预算是{ours}。", f"设备的购置预算是{theirs}。").findings == ()


@settings(max_examples=50, deadline=None)
@given(st.integers(min_value=11, max_value=9_999), st.integers(min_value=11, max_value=9_999))
def test_another_number_in_the_same_sentence_always_alarms(ours: int, theirs: int) -> None:
    found = checked(
        f"The tank of the new pump holds {ours} litres of oil.", f"The tank of the new pump holds {theirs} litres of oil."
    )
    assert bool(found.findings) == (ours != theirs)


@pytest.mark.parametrize("sentence", ["", "   ", "…", "5", "不", "|", "12 + = 3", "从"])
def test_fragments_are_checked_without_an_error(sentence: str) -> None:
    assert isinstance(checked(sentence, PUMP, STAFF, TABLE), Checked)
