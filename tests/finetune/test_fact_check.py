"""The exact check: right is what answers the very thing that was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune.fact_check import Fact, check_samples, read_facts
from finetune.types import Message, Origin, Sample, SampleKind, SampleStatus
from ingest.errors import InputRefused

PENSION = "The company pays 9.5 percent of pensionable pay into the fund and staff pay 4 percent."
FACTS = [
    Fact("h.pdf", 7, PENSION, "pension fund", "company share", "9.5 percent", "en"),
    Fact("h.pdf", 7, PENSION, "pension fund", "staff share", "4 percent", "en"),
    Fact("h.pdf", 8, "Oslo NOK 2,150 Havnegata 9", "Oslo", "Hotel ceiling", "NOK 2,150", "en"),
]


def sample(
    question: str, answer: str, *, evidence: str = PENSION, page: int = 7, status: SampleStatus = SampleStatus.ACCEPTED
) -> Sample:
    origin = Origin("doc_1", "h.pdf", 1, "chunk_1", page, ("everyone",), evidence)
    messages = (Message("user", question), Message("assistant", answer))
    return Sample(SampleKind.CLOSED_BOOK, "rule:how-much", "en", question, answer, messages, origin, status=status)


def test_right_is_the_value_of_the_fact_that_is_asked_for() -> None:
    question = "What share of the pension fund does the company pay?"
    assert check_samples([sample(question, "9.5 percent.")], FACTS)["correct"]["value"] == 1
    report = check_samples([sample(question, "4 percent.")], FACTS)
    assert report["correct"]["value"] == 0
    assert report["wrong"] == [{"question": question, "answer": "4 percent.", "source": "rule:how-much"}]


def test_a_question_that_names_nothing_of_the_fact_is_wrong() -> None:
    assert check_samples([sample("How much is it?", "9.5 percent.")], FACTS)["correct"]["value"] == 0


def test_white_space_and_bars_do_not_matter() -> None:
    row = sample("What is the hotel ceiling for Oslo?", "It is NOK 2,150.", evidence="Oslo | NOK 2,150 | Havnegata  9", page=8)
    assert check_samples([row], FACTS)["correct"] == {"value": 1.0, "low": 0.207, "high": 1.0, "n": 1}


def test_what_the_corpus_does_not_list_is_counted_apart() -> None:
    row = sample("What is the partner hotel for Oslo?", "Havnegata 9.", evidence="Oslo | NOK 2,150 | Havnegata 9", page=8)
    report = check_samples([row], FACTS)
    assert (report["unlisted"], report["checkable"], report["correct"]) == (1, 0, None)
    assert report["correct_if_unlisted_are_wrong"]["value"] == 0


def test_another_value_for_what_the_corpus_lists_is_wrong_and_not_unlisted() -> None:
    row = sample("What is the hotel ceiling for Oslo?", "Havnegata 9.", evidence="Oslo | NOK 2,150 | Havnegata 9", page=8)
    assert check_samples([row], FACTS)["correct"]["value"] == 0


def test_only_accepted_samples_on_the_page_of_a_fact_are_checked() -> None:
    samples = [
        sample("What share does the company pay?", "9.5 percent.", status=SampleStatus.REJECTED),
        sample("What share does the company pay?", "9.5 percent.", page=6),
    ]
    report = check_samples(samples, FACTS)
    assert (report["accepted"], report["checkable"]) == (1, 0)


def test_a_line_that_is_no_fact_is_named(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text('{"document": "a.pdf"}\n', encoding="utf-8")
    with pytest.raises(InputRefused, match="line 1 is no fact"):
        read_facts(path)
