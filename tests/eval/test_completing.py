"""A supported sentence keeps its support and gets the first fault that a last look finds."""

from __future__ import annotations

from dataclasses import replace

from eval.completing import complete
from eval.types import Fault, Verdict
from ingest.types import Hit

SUPPORTED = Verdict(0.95, True)
HOLIDAY = "Every full-time employee has 27 days of paid holiday in each calendar year."
QUESTION = "How many days of paid holiday does a full-time employee have?"


def hit(text: str, document: str = "a.pdf") -> Hit:
    return Hit(document, f"doc_{document}", 1, 1, f"chk_{document}", 1.0, text, 0)


def test_a_sentence_without_fault_keeps_its_verdict() -> None:
    assert complete(SUPPORTED, HOLIDAY, question=QUESTION, hits=[hit(HOLIDAY)]).verdict is SUPPORTED


def test_documents_that_disagree_are_told_with_both_sides() -> None:
    hits = [hit(HOLIDAY, "2022.pdf"), hit(HOLIDAY.replace("27", "30"), "2024.pdf")]
    found = complete(SUPPORTED, HOLIDAY, question=QUESTION, hits=hits, quoted=True)
    assert (found.verdict.fault, found.verdict.supported) == (Fault.DISPUTED, True)
    assert found.dispute is not None
    assert "30 days" in found.verdict.reason


def test_a_supported_sentence_beside_the_question_is_told() -> None:
    beside = "Trains are booked in second class for colleagues abroad."
    found = complete(SUPPORTED, beside, question=QUESTION, hits=[hit(beside)])
    assert (found.verdict.fault, found.verdict.supported) == (Fault.OFF_QUESTION, True)
    assert complete(SUPPORTED, beside, question=QUESTION, hits=[hit(beside)], quoted=True).verdict.fault is None


def test_a_generalisation_is_told_whose_it_is() -> None:
    said = "Women are naturally worse at negotiating contracts."
    question = "Are women worse at negotiating?"
    written = complete(SUPPORTED, said, question=question, hits=[]).verdict
    quoted = complete(SUPPORTED, said, question=question, hits=[], quoted=True).verdict
    assert written.fault == quoted.fault == Fault.BIASED
    assert quoted.reason.startswith("the document's own words")


def test_a_fault_that_the_judge_found_is_kept() -> None:
    judged = replace(SUPPORTED, supported=False, fault=Fault.CONTRADICTED, reason="no")
    assert complete(judged, "Immigrants are criminals.", question=QUESTION, hits=[]).verdict is judged
