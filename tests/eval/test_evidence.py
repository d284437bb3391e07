from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.evidence import SIGNS, WEIGHTS_FILE, judge_evidence, read_evidence
from eval.quoting import Reading, answering_quotes
from ingest.crosslingual import Group
from ingest.dictionary import Alternative
from ingest.errors import GraftError
from ingest.types import Hit

ENGLISH = (
    "The KX-200 delivers 12.5 m3/h at a head of 32 m. It weighs 48 kg without the motor. The oil is changed every 2,000 hours.",
    "Warranty claims are sent to Birgit Solheim in Leeds within thirty days of delivery.",
)
CHINESE = ("正式员工每年享有十五天带薪年假。年假应在次年三月底前休完。", "报销申请应在出差结束后10个工作日内提交给财务部。")


def hits(texts: tuple[str, ...]) -> list[Hit]:
    return [Hit("a.pdf", "a", 1, 1, f"c{i}", 1.0, text, 0, ()) for i, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ("How much does the KX-200 weigh without the motor?", ENGLISH),
        ("To whom are warranty claims sent?", ENGLISH),
        ("How often is the oil changed?", ENGLISH),
        ("正式员工每年有多少天带薪年假？", CHINESE),
        ("报销申请应在多少个工作日内提交？", CHINESE),
    ],
)
def test_evidence_that_answers_is_enough(question: str, texts: tuple[str, ...]) -> None:
    found = judge_evidence(Reading(question, hits(texts)))
    assert found.enough, found
    assert found.reason == ""


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ("Who won the chess championship of Portugal in 1961?", ENGLISH),
        ("Which colour does the casing of the KX-200 have after anodising?", ENGLISH),
        ("谁发明了蒸汽机车？", CHINESE),
        ("食堂的午餐补贴标准是多少钱？", CHINESE),
    ],
)
def test_evidence_of_something_else_is_not_enough_and_the_reason_says_what_is_missing(
    question: str, texts: tuple[str, ...]
) -> None:
    found = judge_evidence(Reading(question, hits(texts)))
    assert not found.enough, found
    assert found.reason
    assert found.missing
    assert all(word in question for word in found.missing)


def test_evidence_of_the_other_language_is_enough_where_its_translations_stand_together() -> None:
    groups = [
        Group(tuple(word), (Alternative(said, 1.0),))
        for word, said in {"保修": ("warranti",), "索赔": ("claim",), "天": ("day",), "交付": ("deliveri",)}.items()
    ]
    question = "保修索赔须在交付后多少天内提出？"
    assert not judge_evidence(Reading(question, hits(ENGLISH))).enough
    assert judge_evidence(Reading(question, hits(ENGLISH), translate=lambda _: groups)).enough


WARRANTY = [
    Group(tuple(word), (Alternative((said,), 1.0),))
    for word, said in {"保修": "warranti", "索赔": "claim", "天": "day", "交付": "deliveri"}.items()
]


def test_strong_evidence_of_the_other_language_counts_behind_hits_of_the_question_s_own() -> None:
    question, behind = "保修索赔须在交付后多少天内提出？", hits((*CHINESE, *ENGLISH))
    reading = Reading(question, behind, translate=lambda _: WARRANTY)
    verdict = judge_evidence(reading)
    assert (verdict.enough, verdict.languages) == (True, ("en",)), verdict
    (best,) = answering_quotes(reading, limit=2, languages=verdict.languages)
    assert best.text == ENGLISH[1]


def test_weaker_evidence_of_the_other_language_counts_only_in_front() -> None:
    question, some = "保修索赔须在交付后多少天内提出？", [WARRANTY[0], Group(("交", "付"), (Alternative(("shipment",), 1.0),))]
    assert judge_evidence(Reading(question, hits((*ENGLISH, *CHINESE)), translate=lambda _: some)).enough
    assert not judge_evidence(Reading(question, hits((*CHINESE, *ENGLISH)), translate=lambda _: some)).enough


def test_chinese_words_in_another_order_are_found_by_their_characters() -> None:
    at = list(SIGNS).index("hit_characters")
    found = {
        question: read_evidence(Reading(question, hits(CHINESE))) for question in ("年假天数", "假年数天", "蒸汽机车", "KX-200")
    }
    share = {question: one["zh"].features[at] for question, one in found.items()}
    assert share["年假天数"] == share["假年数天"] == 0.75
    assert share["蒸汽机车"] == share["KX-200"] == 0.0


def test_the_reason_is_in_the_question_s_language() -> None:
    assert judge_evidence(Reading("Who painted Guernica?", hits(ENGLISH))).reason.isascii()
    assert not judge_evidence(Reading("谁发明了蒸汽机车？", hits(CHINESE))).reason.isascii()


@pytest.mark.parametrize("found", [[], hits(("",)), hits(("  \n",))])
def test_no_hits_are_never_enough(found: list[Hit]) -> None:
    verdict = judge_evidence(Reading("How much does it weigh?", found))
    assert (verdict.probability, verdict.enough) == (0.0, False)
    assert verdict.reason


@pytest.mark.parametrize("question", ["", "???", "什么？"])
def test_every_question_gets_a_verdict(question: str) -> None:
    verdict = judge_evidence(Reading(question, hits(ENGLISH)))
    assert not verdict.enough
    assert verdict.reason


def test_a_hit_s_own_score_is_not_read() -> None:
    question = "How often is the oil changed?"
    other = [Hit(h.document, h.document_id, 1, 1, h.chunk, 99.0 - i, h.text, 0, ()) for i, h in enumerate(hits(ENGLISH))]
    assert judge_evidence(Reading(question, hits(ENGLISH))) == judge_evidence(Reading(question, other))


def test_weights_of_other_features_are_refused(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text(json.dumps({"format": 1, "features": ["other"], "languages": {}}))
    with pytest.raises(GraftError, match="other features"):
        judge_evidence(Reading("oil?", hits(ENGLISH)), weights=tmp_path / "w.json")


def test_every_shipped_weight_has_the_sign_that_it_must_have() -> None:
    for model in json.loads(WEIGHTS_FILE.read_text())["languages"].values():
        assert all(weight * sign >= 0 for weight, sign in zip(model["weights"], SIGNS.values(), strict=True))
