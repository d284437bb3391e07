from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from eval.assessment import SIGNS
from eval.judge import HouseJudge
from eval.judge_model import WEIGHTS_FILE
from eval.metrics.classification import auroc
from eval.sample_support import Fact, LabelledSentence, labelled_sentences
from eval.types import Fault, Judge, Verdict
from eval.units import read_units
from ingest.errors import GraftError, InputRefused
from ingest.pdf import open_pdf, read_pages
from ingest.settings import IngestSettings

CORPUS = Path(__file__).parents[2] / "eval" / "sample_corpus"
ENGLISH = (
    "The KX-200 delivers 12.5 m3/h at a head of 32 m. It weighs 48 kg without the motor. "
    "Warranty claims are sent to Birgit Solheim in Leeds within thirty days. The pump must not run dry."
)
CHINESE = "正式员工每年享有十五天带薪年假。报销申请应在出差结束后10个工作日内提交给财务部。设备运行时不得打开护罩。"


@pytest.fixture(scope="module")
def judge() -> HouseJudge:
    return HouseJudge()


def verdict(judge: HouseJudge, sentence: str, *evidence: str) -> Verdict:
    return judge.judge([sentence], evidence=evidence)[0]


def test_it_is_a_judge(judge: HouseJudge) -> None:
    checked: Judge = judge
    assert len(checked.judge(["One.", "Two pumps."], evidence=[ENGLISH])) == 2


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("The KX-200 weighs 48 kg without the motor.", ENGLISH),
        ("Warranty claims go to Birgit Solheim in Leeds within 30 days [1].", ENGLISH),
        ("- The KX-200 delivers 12.5 m3/h.", ENGLISH),
        ("正式员工每年有15天带薪年假。", CHINESE),
        ("报销申请应在出差结束后十个工作日内提交。", CHINESE),
    ],
)
def test_what_the_evidence_says_is_supported(judge: HouseJudge, sentence: str, evidence: str) -> None:
    found = verdict(judge, sentence, evidence)
    assert found.supported, found
    assert found.support >= 0.5
    assert found.unsupported_spans == ()


@pytest.mark.parametrize(
    ("sentence", "evidence", "bad"),
    [
        ("The KX-200 weighs 51 kg without the motor.", ENGLISH, "51"),
        ("Warranty claims are sent to Thomas Abernathy in Leeds within thirty days.", ENGLISH, "Thomas Abernathy"),
        ("正式员工每年享有二十天带薪年假。", CHINESE, "二十"),
    ],
)
def test_what_it_does_not_say_is_unsupported_and_marked(judge: HouseJudge, sentence: str, evidence: str, bad: str) -> None:
    found = verdict(judge, sentence, evidence)
    assert not found.supported
    assert found.support < 0.5
    assert [sentence[a:b] for a, b in found.unsupported_spans] == [bad]
    assert bad in found.reason


def test_a_sentence_of_another_topic_is_unsupported(judge: HouseJudge) -> None:
    assert not verdict(judge, "Volcanoes erupt when magma rises through fractures of the crust.", ENGLISH).supported
    assert not verdict(judge, "火山喷发是由于岩浆沿地壳裂缝上升。", CHINESE).supported


@pytest.mark.parametrize(("sentence", "evidence"), [("The pump must run dry.", ENGLISH), ("设备运行时可打开护罩。", CHINESE)])
def test_a_negation_in_only_one_of_two_like_sentences_rules_support_out(judge: HouseJudge, sentence: str, evidence: str) -> None:
    found = verdict(judge, sentence, evidence)
    assert not found.supported
    assert found.fault is Fault.CONTRADICTED
    assert "not" in found.reason or "不得" in found.reason


@pytest.mark.parametrize(
    ("sentence", "evidence", "bad"),
    [
        (
            "The mechanical seal of the pump is replaced by Edith Garrow every spring.",
            "The mechanical seal of the pump is replaced by Birgit Solheim every spring. Other work is done by Edith Garrow.",
            "Edith Garrow",
        ),
        ("出差住宿标准为每晚380元。", "出差住宿标准为每晚450元。市内交通补贴为每天80元，餐费为每天380元。", "380"),
    ],
)
def test_a_value_from_elsewhere_in_the_evidence_is_an_exchange(judge: HouseJudge, sentence: str, evidence: str, bad: str) -> None:
    found = verdict(judge, sentence, evidence)
    assert not found.supported
    assert [sentence[a:b] for a, b in found.unsupported_spans] == [bad]
    assert bad in found.reason


def test_a_negation_elsewhere_in_a_longer_sentence_does_not_matter(judge: HouseJudge) -> None:
    evidence = "The pump delivers 12.5 m3/h at a head of 32 m, but it is not made for sea water or for oil at all."
    assert verdict(judge, "The pump delivers 12.5 m3/h at a head of 32 m.", evidence).supported


@pytest.mark.parametrize("sentence", ["Yes.", "", "   ", "是的。", "It is not.", "…"])
def test_a_sentence_without_content_is_not_judged_and_not_called_fine(judge: HouseJudge, sentence: str) -> None:
    found = verdict(judge, sentence, ENGLISH)
    assert not found.supported
    assert found.reason
    assert found.support == 0.5


def test_evidence_in_another_language_is_said_to_be_so(judge: HouseJudge) -> None:
    assert "another language" in verdict(judge, "Claims are sent in by staff.", CHINESE).reason
    assert "另一种语言" in verdict(judge, "水泵的重量是四十八公斤。", ENGLISH).reason


@pytest.mark.parametrize("evidence", [[], ["  "]])
def test_no_evidence_is_refused(judge: HouseJudge, evidence: list[str]) -> None:
    with pytest.raises(InputRefused):
        judge.judge(["The pump weighs 48 kg."], evidence=evidence)


def test_all_of_the_evidence_is_read(judge: HouseJudge) -> None:
    filler = "Many other matters are told here, none of which has to do with it. " * 400
    assert verdict(judge, "The KX-200 weighs 48 kg without the motor.", filler, filler + ENGLISH).supported


def test_a_sentence_is_judged_the_same_alone_and_among_others(judge: HouseJudge) -> None:
    sentences = ["The KX-200 weighs 48 kg.", "It weighs 51 kg.", "The KX-200 weighs 48 kg."]
    alone = [verdict(judge, sentence, ENGLISH) for sentence in sentences]
    assert judge.judge(sentences, evidence=[ENGLISH]) == alone


def test_threads_that_judge_by_the_same_evidence_give_the_verdicts_of_one(judge: HouseJudge) -> None:
    sentences = [f"The KX-{number} delivers {number} m3/h and weighs {number % 50} kg." for number in range(200, 240)]
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda one: verdict(judge, one, ENGLISH), sentences))
    assert told == [verdict(judge, one, f" {ENGLISH}") for one in sentences]  # the space: prepared anew


def test_an_answer_with_one_bad_sentence_is_hallucinated_and_its_span_is_in_the_answer(judge: HouseJudge) -> None:
    good = "The KX-200 delivers 12.5 m3/h at a head of 32 m."
    bad = "It was invented by Thomas Abernathy in 1961 for the navy of Portugal."
    assert not judge.judge_answer(good, evidence=[ENGLISH]).hallucinated
    found = judge.judge_answer(f"{good} {bad}", evidence=[ENGLISH])
    assert found.hallucinated
    assert found.spans
    assert all(start > len(good) for start, _, _ in found.spans)


def test_an_answer_that_cannot_be_judged_is_not_called_fine(judge: HouseJudge) -> None:
    found = judge.judge_answer("Yes.", evidence=[ENGLISH])
    assert (found.score, found.hallucinated) == (0.5, True)


def test_weights_of_other_features_are_refused(tmp_path: Path) -> None:
    content = json.loads(WEIGHTS_FILE.read_text())
    content["features"] = content["features"][1:]
    (tmp_path / "w.json").write_text(json.dumps(content))
    with pytest.raises(GraftError, match="other features"):
        HouseJudge(tmp_path / "w.json")
    with pytest.raises(GraftError, match="cannot be read"):
        HouseJudge(tmp_path / "none.json")


def test_every_shipped_weight_has_the_sign_that_it_must_have() -> None:
    for model in json.loads(WEIGHTS_FILE.read_text())["languages"].values():
        assert all(weight * sign >= 0 for weight, sign in zip(model["weights"], SIGNS.values(), strict=True))


# --- the acceptance figure: sample-corpus sentences labelled by construction


@pytest.fixture(scope="module")
def labelled() -> list[LabelledSentence]:
    limits = IngestSettings().limits
    facts = [Fact.of(json.loads(line)) for line in (CORPUS / "facts.jsonl").read_text(encoding="utf-8").splitlines()]
    pages = {
        (file.name, page.number): page.text
        for file in sorted((CORPUS / "pdf").glob("*.pdf"))
        for page in read_pages(open_pdf(file, limits=limits), limits=limits)
    }
    return labelled_sentences(facts, pages)


def overlap(labelled: LabelledSentence) -> float:
    held = {unit.term for unit in read_units(labelled.evidence)}
    terms = [unit.term for unit in read_units(labelled.sentence)]
    return sum(term in held for term in terms) / max(1, len(terms))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_beats_token_overlap_by_five_points_on_the_sample_corpus(
    judge: HouseJudge, labelled: list[LabelledSentence], lang: str
) -> None:
    mine = [one for one in labelled if one.language == lang]
    labels = [one.label for one in mine]
    assert len(mine) >= 200
    assert min(sum(labels), len(labels) - sum(labels)) >= 100
    bad = [1 - judge.judge([one.sentence], evidence=[one.evidence])[0].support for one in mine]
    assert auroc(labels, bad) >= auroc(labels, [1 - overlap(one) for one in mine]) + 0.05


def test_word_for_word_quotes_are_supported(judge: HouseJudge, labelled: list[LabelledSentence]) -> None:
    quotes = [one for one in labelled if one.kind == "verbatim"]
    supported = [judge.judge([one.sentence], evidence=[one.evidence])[0].supported for one in quotes]
    assert sum(supported) >= 0.99 * len(quotes)


@pytest.mark.parametrize(
    "sentence",
    [
        "The documents do not mention a parking fee.",
        "A parking fee is not mentioned in the provided documents.",
        "However, there is no information about parking in the documents.",
        "文档中没有提到停车费。",
        "资料未说明停车费的标准。",
    ],
)
def test_what_the_documents_are_said_not_to_hold_is_not_judged(judge: HouseJudge, sentence: str) -> None:
    found = verdict(judge, sentence, ENGLISH, CHINESE)
    assert (found.judged, found.supported, found.fault) == (False, False, None)
    assert found.reason.startswith(("not judged", "未核查"))


@pytest.mark.parametrize(
    "sentence",
    [
        "The documents do not mention a parking fee, but parking costs 9 euros.",
        "The policy does not cover parking in Oslo.",
        "文档中没有提到停车费，但停车每天收九元。",
        "员工没有提供停车票据。",
    ],
)
def test_what_is_said_beside_that_is_judged(judge: HouseJudge, sentence: str) -> None:
    assert verdict(judge, sentence, ENGLISH, CHINESE).judged
