from __future__ import annotations

import re
from collections import Counter

import pytest

from eval import sample_corpus
from eval.grounded_set import LANGUAGES, Part, corpus_pages, grounded_rows
from finetune.written import written_answers, written_passages, written_questions
from ingest.tokens import language

ANSWERS, QUESTIONS = written_answers(), written_questions()
# So many words or Chinese characters in a row are no coincidence.
KEYS = ("question", "answer")
RUN = {"en": 10, "zh": 14}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_half_of_the_answers_are_unsupported_and_half_of_the_questions_unanswerable(lang: str) -> None:
    labels = [one.label for one in ANSWERS if one.passage.language == lang]
    answerable = [bool(one.answer_sentence) for one in QUESTIONS if one.passage.language == lang]
    assert len(labels) > 1000
    assert sum(labels) / len(labels) == pytest.approx(0.5, abs=0.02)
    assert sum(answerable) / len(answerable) == pytest.approx(0.5, abs=0.02)


def test_only_unsupported_answers_have_bad_parts_and_only_answerable_questions_a_sentence_of_their_passage() -> None:
    for answer in ANSWERS:
        assert bool(answer.spans) == bool(answer.label)
        assert all(0 <= start < end <= len(answer.answer) for start, end in answer.spans)
    for question in QUESTIONS:
        assert bool(question.answer_sentence) == (question.kind in {"plain", "reworded"})
        assert question.answer_sentence in question.passage.text


def test_no_kind_of_mistake_prevails_and_no_answer_is_there_twice() -> None:
    kinds = Counter(answer.kind for answer in ANSWERS if answer.label)
    assert max(kinds.values()) <= 0.15 * kinds.total()
    assert len({(answer.passage.id, answer.answer) for answer in ANSWERS}) == len(ANSWERS)


def test_passages_are_of_their_language_and_four_a_document() -> None:
    assert set(Counter(passage.document for passage in written_passages()).values()) == {4}
    for passage in written_passages():
        assert language(passage.text) == passage.language


def test_nothing_of_it_is_in_the_sample_corpus_or_the_grounded_set() -> None:
    """The judges learn from these lines and are measured on those."""
    read_page = corpus_pages()
    measured = [
        row[key] for part in Part for lang in LANGUAGES for row in grounded_rows(part, lang) for key in ("question", "answer")
    ]
    for file in sample_corpus.PDF_DIR.glob("*.pdf"):
        number = 1
        while text := read_page(file.name, number):
            measured.append(text)
            number += 1
    known = {run for text in measured for run in _runs(text)}
    ours = [(one.passage.id, text) for one in ANSWERS for text in (one.question, one.answer)]
    ours += [(one.passage.id, one.question) for one in QUESTIONS] + [(one.id, one.text) for one in written_passages()]
    assert len(known) > 10_000
    for place, text in ours:
        assert not known & set(_runs(text)), place


def _runs(text: str) -> list[str]:
    pieces = re.findall(r"[\u3400-\u9fff]" if language(text) == "zh" else r"[\w']+", text.lower())
    length = RUN["zh" if language(text) == "zh" else "en"]
    return [" ".join(pieces[at : at + length]) for at in range(len(pieces) - length + 1)]
