from __future__ import annotations

from eval.abstention import WITHOUT_DOCUMENT, evaluate_abstention
from eval.types import Case, GoldPage

ANSWERABLE = Case("a", "en", "plain", "How much?", True, ("48 kg",), (GoldPage("manual.pdf", 3),))
PARAPHRASE = Case("p", "zh", "paraphrase", "多重？", True, ("48",), (GoldPage("手册.pdf", 1),), ("hr",))
UNANSWERABLE = Case("u", "en", "unanswerable", "Which colour?", False)


def test_every_answerable_case_is_asked_again_without_its_document() -> None:
    asked: list[tuple[str, tuple[str, ...], frozenset[str]]] = []

    def abstains(question: str, groups: tuple[str, ...], without: frozenset[str]) -> bool:
        asked.append((question, groups, without))
        return bool(without)

    measured = evaluate_abstention([ANSWERABLE, PARAPHRASE, UNANSWERABLE], abstains)
    assert asked == [
        ("How much?", (), frozenset()),
        ("How much?", (), frozenset({"manual.pdf"})),
        ("多重？", ("hr",), frozenset()),
        ("多重？", ("hr",), frozenset({"手册.pdf"})),
        ("Which colour?", (), frozenset()),
    ]
    assert [(one["kind"], one["right"]) for one in measured["decisions"]] == [
        ("plain", True),
        (WITHOUT_DOCUMENT, True),
        ("paraphrase", True),
        (WITHOUT_DOCUMENT, True),
        ("unanswerable", False),
    ]


def test_precision_recall_and_f1_are_those_of_abstaining() -> None:
    measured = evaluate_abstention([ANSWERABLE, PARAPHRASE, UNANSWERABLE], lambda question, _, without: question == "多重？")
    assert measured["overall"]["precision"]["value"] == 0.5
    assert measured["overall"]["recall"]["value"] == 0.333
    assert measured["overall"]["f1"] == 0.4
    assert measured["overall"]["abstained_answerable"] == {"value": 0.5, "low": 0.095, "high": 0.905, "n": 2}
    assert measured["plain"]["f1"] == 0.0
    assert measured["by_language"]["zh"]["f1"] == 0.667


def test_a_case_whose_documents_are_all_there_is_is_not_asked_without_them() -> None:
    measured = evaluate_abstention([ANSWERABLE], lambda _, __, without: None if without else False)
    assert measured["overall"] == {"questions": 1, "abstained_answerable": {"value": 0.0, "low": 0.0, "high": 0.793, "n": 1}}
