from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from eval import sample_corpus
from eval.grounded_set import LANGUAGES, Part, ReadPage, corpus_pages, evidence_text, grounded_lines, grounded_rows
from ingest.errors import GraftError
from ingest.tokens import language as language_of

ROOT = Path(__file__).parents[2]
ROWS = {(part, lang): grounded_rows(part, lang) for part in Part for lang in LANGUAGES}
SUPPORTED_KINDS = {"close", "framed", "merged", "paraphrase", "quoted", "respelled", "several", "table row"}
UNSUPPORTED_KINDS = {
    "attribute",
    "cause",
    "comparison",
    "condition",
    "date",
    "detail",
    "generalisation",
    "invented",
    "modality",
    "name",
    "negation",
    "number",
    "off question",
    "other thing",
    "outdated",
    "scope",
    "table cell",
    "unit",
}


@pytest.fixture(scope="module")
def read_page() -> ReadPage:
    return corpus_pages()


def of(lang: str) -> list[dict[str, Any]]:
    return [row for part in Part for row in ROWS[part, lang]]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_there_are_at_least_400_answers_a_language_and_about_half_are_unsupported(lang: str) -> None:
    assert len(of(lang)) >= 400
    for rows in (of(lang), *(ROWS[part, lang] for part in Part)):
        assert len(rows) >= 200
        assert 0.45 <= sum(row["label"] for row in rows) / len(rows) <= 0.55


@pytest.mark.parametrize("lang", LANGUAGES)
def test_they_are_wrong_in_varied_ways_and_no_way_prevails(lang: str) -> None:
    rows = of(lang)
    assert {row["kind"] for row in rows if row["label"] == 0} <= SUPPORTED_KINDS
    kinds = Counter(row["kind"] for row in rows if row["label"] == 1)
    assert set(kinds) == UNSUPPORTED_KINDS
    assert max(kinds.values()) <= 0.2 * kinds.total()


def test_every_answer_is_of_its_language_and_there_once() -> None:
    rows = [row for lang in LANGUAGES for row in of(lang)]
    assert len({row["id"] for row in rows}) == len(rows)
    assert len({(row["answer"], row["evidence"][0]["start"]) for row in rows}) == len(rows)
    for (_, lang), some in ROWS.items():
        for row in some:
            assert row["lang"] == lang == language_of(row["question"]), row["id"]
            assert row["answer"].strip() == row["answer"] != ""


def test_the_evidence_of_every_answer_stands_on_its_page_once(read_page: ReadPage) -> None:
    for rows in ROWS.values():
        for row in rows:
            for place in row["evidence"]:
                assert read_page(place["document"], place["page"]).count(place["start"]) == 1, row["id"]
                assert len(evidence_text(place, read_page)) >= 40, row["id"]


def test_evidence_that_is_not_there_is_an_error() -> None:
    place = {"document": "a.pdf", "page": 2, "start": "Leave", "end": "year."}
    with pytest.raises(GraftError, match=r"page 2 of a\.pdf"):
        evidence_text(place, lambda _document, _page: "Something else.")


def test_bad_parts_lie_in_unsupported_answers_in_order() -> None:
    for rows in ROWS.values():
        for row in rows:
            assert bool(row["spans"]) == bool(row["label"]), row["id"]
            assert all(0 <= span["start"] < span["end"] <= len(row["answer"]) for span in row["spans"]), row["id"]
            assert all(one["end"] <= other["start"] for one, other in pairwise(row["spans"])), row["id"]


def test_a_label_is_what_two_readings_say() -> None:
    """Where the readings differed in whether the question is answered, the question was written anew."""
    for rows in ROWS.values():
        for row in rows:
            said = {reading == "unsupported" for reading in row["readings"]}
            assert len(row["readings"]) == 2, row["id"]
            assert said == {row["label"] == 1 and row["kind"] != "off question"}, row["id"]


def test_no_document_is_in_both_parts() -> None:
    documents = {
        part: {place["document"] for lang in LANGUAGES for row in ROWS[part, lang] for place in row["evidence"]} for part in Part
    }
    assert not documents[Part.DEV] & documents[Part.TEST]
    assert documents[Part.DEV] | documents[Part.TEST] == {file.name for file in sample_corpus.PDF_DIR.glob("*.pdf")}


def test_a_line_holds_what_is_stored_and_the_evidence(read_page: ReadPage) -> None:
    line = next(grounded_lines(Part.TEST, languages=["zh"], read_page=read_page))
    assert line["context"] == [evidence_text(line["evidence"][0], read_page)]
    assert {"id", "lang", "kind", "question", "answer", "label", "spans"} <= set(line)


def test_nothing_is_trained_on_it() -> None:
    """No module that makes or reads training data knows the set, and no model of ours carries words of the company's."""
    for path in (ROOT / "finetune").rglob("*.py"):
        assert "grounded_set" not in path.read_text(encoding="utf-8"), path
    shipped = [*(ROOT / "finetune" / "house_models").rglob("*"), *(ROOT / "eval" / "models").iterdir()]
    texts = [path for path in shipped if path.suffix in (".json", ".jsonl", ".md", ".txt")]
    assert texts
    for path in texts:
        text = path.read_text(encoding="utf-8")
        assert "grounded_set" not in text and "Quillmere" not in text and "葵澜" not in text, path
