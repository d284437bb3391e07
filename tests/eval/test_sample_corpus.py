from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pymupdf
import pytest

from eval import sample_corpus
from eval.sample_corpus.make import make, without_space
from eval.sample_corpus.questions import fact_of, read_questions
from eval.sample_corpus.source import read_documents
from ingest.tokens import STOP_WORDS, is_han, pieces, stem, without_question_words

COPIED_WORDS, COPIED_HAN = 4, 7
"""The longest run of words, or Han characters, that a question may share with its gold sentence."""


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


FACTS = lines(sample_corpus.FACTS)
CASES = lines(sample_corpus.CASES)
QUESTIONS = {question.id: question for question in read_questions()}
GOLD = {case["id"]: fact_of(QUESTIONS[case["id"]], FACTS) for case in CASES if case["answerable"]}
SAME_LANGUAGE = [case for case in CASES if case["kind"] in ("plain", "paraphrase")]
NAMES = sorted(
    (
        line
        for line in (Path(sample_corpus.__file__).parent / "names.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("%")
    ),
    key=len,
    reverse=True,
)


@cache
def page_texts(document: str) -> tuple[str, ...]:
    with pymupdf.open(sample_corpus.PDF_DIR / document) as pdf:
        return tuple(page.get_text() for page in pdf)


def without_names(text: str) -> str:
    """The text without names and codes: a code is a word with a digit in it that begins with a letter."""
    text = re.sub(r"\b[A-Z]+-?\d[\w-]*\b", " ", text, flags=re.ASCII)
    for name in NAMES:
        text = re.sub(rf"\b{name}\b" if name.isascii() else name, " ", text, flags=re.ASCII)
    return text


def content(text: str, language: str) -> set[str]:
    """English stems that are not stop words, or Han bigrams, without names and codes."""
    found = pieces(without_names(without_question_words(text)))
    if language == "en":
        return {stem(piece) for piece in found if not is_han(piece[0]) and piece not in STOP_WORDS}
    return {piece[i : i + 2] for piece in found if is_han(piece[0]) for i in range(len(piece) - 1)}


def longest_run(question: str, sentence: str, language: str) -> int:
    """The length of the longest run of words (en) or Han characters (zh) that stands in both, names and codes apart."""
    cut = re.findall(r"[A-Za-z']+" if language == "en" else r"[\u4e00-\u9fff]", without_names(question).lower())
    other = re.findall(r"[A-Za-z']+" if language == "en" else r"[\u4e00-\u9fff]", without_names(sentence).lower())
    best, before = 0, [0] * (len(other) + 1)
    for mine in cut:
        now = [0] * (len(other) + 1)
        for at, theirs in enumerate(other, start=1):
            if mine == theirs:
                now[at] = before[at - 1] + 1
                best = max(best, now[at])
        before = now
    return best


@cache
def statements() -> tuple[str, ...]:
    """Everything the sources say: paragraphs' sentences, headings, and table rows with their caption and heads."""
    out: list[str] = []
    for source in read_documents():
        for block in source.blocks:
            out += re.split(r"(?<=[。；！？])|(?<=[.;!?])\s+", block.text)
            out += [" ".join((block.text, *block.rows[0], *row)) for row in block.rows[1:]]
    return tuple(out)


def test_is_large_enough_and_small_enough() -> None:
    pdfs = sorted(sample_corpus.PDF_DIR.glob("*.pdf"))
    assert len(pdfs) == len({fact["document"] for fact in FACTS}) >= 12
    assert sum(len(page_texts(pdf.name)) for pdf in pdfs) >= 60
    committed = [path for path in sample_corpus.FACTS.parent.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert sum(path.stat().st_size for path in committed) < 1_000_000
    languages = Counter(fact["language"] for fact in {fact["document"]: fact for fact in FACTS}.values())
    assert languages["zh"] == languages["en"]


def test_every_fact_stands_on_its_page_word_for_word() -> None:
    assert len(FACTS) >= 300
    assert len({fact["id"] for fact in FACTS}) == len(FACTS)
    for fact in FACTS:
        page = without_space(page_texts(fact["document"])[fact["page"] - 1])
        assert without_space(fact["sentence"]) in page, fact["id"]
        assert without_space(fact["value"]) in without_space(fact["sentence"]), fact["id"]


def test_most_facts_stand_in_prose_and_some_in_tables_only() -> None:
    places = Counter(fact["in"] for fact in FACTS)
    assert places["prose"] > places["table"] >= 50


def test_every_table_is_ruled_and_found_whole() -> None:
    for source in read_documents():
        printed = [(len(block.rows), len(block.rows[0])) for block in source.blocks if block.kind == "table"]
        with pymupdf.open(sample_corpus.PDF_DIR / source.file) as pdf:
            grids = [grid for page in pdf for grid in page.find_tables(strategy="lines_strict", use_layout=False).tables]
            found = [(grid.row_count, grid.col_count) for grid in grids]
        assert found == printed, source.file


def test_no_two_facts_of_a_document_have_one_name() -> None:
    names = Counter((fact["document"], fact["subject"], fact["attribute"]) for fact in FACTS)
    assert [name for name, count in names.items() if count > 1] == []


def test_chinese_pages_are_read_back_and_drawn_with_glyphs() -> None:
    with pymupdf.open(sample_corpus.PDF_DIR / "信息安全管理制度.pdf") as pdf:
        assert "登录密码不少于14位" in without_space(pdf[2].get_text())
        ink = pdf[2].get_pixmap(dpi=72, colorspace=pymupdf.csGRAY).samples
    assert sum(1 for value in ink if value < 128) / len(ink) > 0.02


def test_the_build_is_deterministic_and_the_committed_files_are_its_output(tmp_path: Path) -> None:
    make(tmp_path / "a")
    make(tmp_path / "b")
    for made in sorted((tmp_path / "a").rglob("*.*")):
        name = made.relative_to(tmp_path / "a")
        assert made.read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    for file in ("facts.jsonl", "cases.jsonl", "groups.json"):
        assert (tmp_path / "a" / file).read_text("utf-8") == (sample_corpus.FACTS.parent / file).read_text("utf-8"), file
    for printed in sorted((tmp_path / "a" / "pdf").iterdir()):  # bytes may differ between versions of PyMuPDF, the text may not
        with pymupdf.open(printed) as opened:
            assert tuple(page.get_text() for page in opened) == page_texts(printed.name)


def test_has_enough_questions_of_every_kind() -> None:
    assert len({case["id"] for case in CASES}) == len({case["question"] for case in CASES}) == len(CASES) >= 150
    count = Counter((case["kind"], case["lang"]) for case in CASES)
    assert len(SAME_LANGUAGE) >= 110
    zh, en = (sum(case["lang"] == language for case in SAME_LANGUAGE) for language in ("zh", "en"))
    assert abs(zh - en) <= 0.2 * len(SAME_LANGUAGE)
    assert count["paraphrase", "en"] * 3 >= en
    assert count["paraphrase", "zh"] * 3 >= zh
    for kind, least in (("unanswerable", 15), ("crosslingual", 6), ("restricted", 5)):
        assert min(count[kind, "zh"], count[kind, "en"]) >= least, kind


def test_cases_have_the_shape_of_the_contract() -> None:
    for case in CASES:
        assert list(case) == ["id", "lang", "kind", "question", "answerable", "answers", "gold", "groups"]
        assert bool(case["answers"]) == bool(case["gold"]) == case["answerable"] == (case["kind"] != "unanswerable")


def test_answers_stand_in_the_gold_sentence_and_are_specific() -> None:
    for case in CASES:
        if not case["answerable"]:
            continue
        gold = GOLD[case["id"]]
        sentence = without_space(gold["sentence"]).casefold()
        forms = [without_space(form).casefold() for form in case["answers"]]
        assert any(form in sentence for form in forms), case
        assert all(len(form) >= (3 if form.isascii() else 2) for form in forms), case
        assert not any(form in without_space(case["question"]).casefold() for form in forms), case
        page = without_space(page_texts(gold["document"])[gold["page"] - 1]).casefold()
        assert min(page.count(form) for form in forms if form in page) <= 2, (case, gold["sentence"])


@pytest.mark.parametrize("case", [case for case in CASES if case["answerable"]], ids=lambda case: str(case["id"]))
def test_no_question_copies_its_gold_sentence(case: dict[str, Any]) -> None:
    limit = COPIED_WORDS if case["lang"] == "en" else COPIED_HAN
    assert longest_run(case["question"], GOLD[case["id"]]["sentence"], case["lang"]) <= limit


@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] == "paraphrase"], ids=lambda case: str(case["id"]))
def test_a_paraphrase_shares_no_content_with_its_gold_sentence(case: dict[str, Any]) -> None:
    shared = content(case["question"], case["lang"]) & content(GOLD[case["id"]]["sentence"], case["lang"])
    assert shared == set()


@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] == "plain"], ids=lambda case: str(case["id"]))
def test_a_plain_question_shares_content_with_its_gold_sentence(case: dict[str, Any]) -> None:
    gold = GOLD[case["id"]]
    said = f"{gold['subject']} {gold['attribute']} {gold['sentence']}"
    assert content(case["question"], case["lang"]) & content(said, case["lang"])


@pytest.mark.parametrize("case", [case for case in CASES if not case["answerable"]], ids=lambda case: str(case["id"]))
def test_what_an_unanswerable_question_asks_is_said_nowhere(case: dict[str, Any]) -> None:
    def says(statement: str, term: str) -> bool:
        if not term.isascii():
            return term in statement
        return re.search(rf"\b{re.escape(term)}\b", statement, re.IGNORECASE | re.ASCII) is not None

    terms = QUESTIONS[case["id"]].absent
    assert [statement for statement in statements() if all(says(statement, term) for term in terms)] == []
    if len(terms) > 1:
        assert any(says(statement, terms[0]) for statement in statements()), "the thing asked about is there"


def test_restricted_answers_stand_in_no_public_document() -> None:
    groups = sample_corpus.document_groups()
    assert {group for named in groups.values() for group in named} == {"finance", "sales", "hr"}
    public = [
        without_space(text).casefold()
        for pdf in sample_corpus.PDF_DIR.glob("*.pdf")
        if pdf.name not in groups
        for text in page_texts(pdf.name)
    ]
    for case in CASES:
        documents = {gold["document"] for gold in case["gold"]}
        assert bool(case["groups"]) == bool(documents & groups.keys()) == (case["kind"] == "restricted")
        if case["kind"] == "restricted":
            assert set(case["groups"]) <= set(groups[documents.pop()])
            for form in case["answers"]:
                assert not any(without_space(form).casefold() in text for text in public), (case["id"], form)
