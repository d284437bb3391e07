"""Checks of sentences that follow the evidence but for one thing: its place, its reach, its opposite, its number."""

from __future__ import annotations

import pytest

from eval.checks.claim import Claim
from eval.checks.run import Checked, run_checks
from eval.checks.statements import Statements
from eval.support import Evidence
from eval.types import Fault

EVIDENCE = (
    "Compared with last year tents have become dearer by 4.2 percent and stoves by 2.9 percent. "
    "Helmets are compulsory in all caves. "
    "The committee approved the new bridge in Turin. Guides renew their first aid course every two years. "
    "New members pay half of the fee in advance. Ropes are examined every quarter by the warden. "
    "The hut received 81 points; 75 points are needed. The fuel lasts for 730 days in a dry room."
)
CHINESE = (
    "夜间津贴每次65元，午间津贴每次40元。单身职工可以申请公寓，租金每月180元。断电以后，电磁阀自动关闭。密封圈共六圈，切口相互错开。"
    "收到警报后请沿绿色标志撤到体育场集合。图书卡每季度更换一次。误差不应大于1.5%。薪金为正式标准的九成。"
)


def checked(sentence: str, evidence: str) -> Checked:
    prepared = Evidence([evidence])
    return run_checks(Claim.of(sentence, Statements(prepared)), prepared.read(sentence))


@pytest.mark.parametrize(
    ("sentence", "evidence", "check", "bad"),
    [
        ("Stoves have become dearer by 4.2 percent and tents by 2.9 percent.", EVIDENCE, "bindings", ["Stoves", "tents"]),
        ("Helmets are optional in all caves.", EVIDENCE, "opposites", ["optional"]),
        ("The committee refused the new bridge in Turin.", EVIDENCE, "opposites", ["refused"]),
        ("Ropes are examined every month by the warden.", EVIDENCE, "opposites", ["month"]),
        ("All members pay half of the fee in advance.", EVIDENCE, "scope", ["All"]),
        ("Helmets are compulsory only in caves.", EVIDENCE, "scope", ["only"]),
        ("The hut received 75 points.", EVIDENCE, "aligned", ["75"]),
        ("The fuel lasts for 730 weeks in a dry room.", EVIDENCE, "numbers", ["730 weeks"]),
        ("午间津贴每次65元，夜间津贴每次40元。", CHINESE, "bindings", ["午", "夜"]),
        ("所有职工都可以申请公寓。", CHINESE, "scope", ["所有"]),
        ("断电以后，电磁阀自动打开。", CHINESE, "opposites", ["打开"]),
        ("密封圈共八圈，切口相互错开。", CHINESE, "aligned", ["八"]),
        ("收到警报后请沿绿色标志撤到蓄水池集合。", CHINESE, "aligned", ["蓄水池"]),
        ("误差应大于1.5%。", CHINESE, "comparison", ["1.5%"]),
        ("薪金为正式标准的八成。", CHINESE, "numbers", ["八成"]),
    ],
)
def test_what_differs_in_one_place_is_contradicted_and_marked(sentence: str, evidence: str, check: str, bad: list[str]) -> None:
    found = [finding for finding in checked(sentence, evidence).findings if finding.check == check]
    assert [finding.fault for finding in found] == [Fault.CONTRADICTED]
    assert [sentence[start:end] for start, end in found[0].spans] == bad
    assert found[0].reason


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("Stoves have become dearer by 2.9 percent and tents by 4.2 percent.", EVIDENCE),
        ("Helmets are mandatory in all caves.", EVIDENCE),
        ("New members pay 50 % of the fee in advance.", EVIDENCE),
        ("All helmets are compulsory in caves.", EVIDENCE),
        ("The hut received 81 points.", EVIDENCE),
        ("午间津贴每次40元，夜间津贴每次65元。", CHINESE),
        ("单身职工都可以申请公寓。", CHINESE),
        ("误差最多1.5%。", CHINESE),
        ("薪金为正式标准的90%。", CHINESE),
    ],
)
def test_the_same_in_another_order_or_spelling_is_no_fault(sentence: str, evidence: str) -> None:
    assert checked(sentence, evidence).findings == ()


def test_a_list_in_another_order_is_no_exchange() -> None:
    assert checked("The box holds ropes, maps and tents.", "The box holds tents, maps and ropes.").findings == ()


@pytest.mark.parametrize(
    ("sentence", "evidence", "added"),
    [
        ("Helmets are compulsory in all caves and on the northern glacier.", EVIDENCE, "on the northern glacier"),
        ("The fuel lasts for 730 days in a dry room, even beside a bonfire.", EVIDENCE, "even beside a bonfire"),
        ("误差不应大于1.5%，并免费提供望远镜。", CHINESE, "免费提供望远镜"),
    ],
)
def test_a_part_of_which_the_evidence_has_no_word_is_not_in_it(sentence: str, evidence: str, added: str) -> None:
    (finding,) = checked(sentence, evidence).findings
    assert (finding.check, finding.fault) == ("additions", Fault.NOT_IN_EVIDENCE)
    assert [sentence[start:end] for start, end in finding.spans] == [added]
    assert added in finding.reason


@pytest.mark.parametrize(
    "sentence",
    [
        "Helmets are compulsory in all caves and grottoes.",
        "Ropes and slings are examined every quarter by the warden, and guides renew their course.",
        "Mountaineers wear protection underground, and nobody objects to it.",
    ],
)
def test_a_new_word_or_a_sentence_in_other_words_is_no_addition(sentence: str) -> None:
    assert not [finding for finding in checked(sentence, EVIDENCE).findings if finding.check == "additions"]


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        (
            "Winter is the coldest season in the zone.",
            "Winter is the coldest season in the zone (it does not occur in the tropics).",
        ),
        ("Tools were made for members.", "Tools were made for members who did not have much experience."),
        ("Anna Birk will leave the club.", "That has not stopped Anna Birk - - who will leave the club - - being named."),
        ("A firm can obtain the use of assets.", "A firm can obtain the use of assets for which it must pay."),
        ("Wait two days (48 hours) before joining the pipes.", "Do not join the pipes before two days (48 hours) have passed."),
        ("Helmets, on the other hand, are compulsory in all caves.", EVIDENCE),
    ],
)
def test_what_is_denied_or_demanded_beside_the_clause_is_no_fault(sentence: str, evidence: str) -> None:
    assert checked(sentence, evidence).findings == ()
