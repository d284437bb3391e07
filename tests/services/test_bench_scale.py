"""The benchmark of search at scale: chunks and questions that are always the same, figures that mean what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest.errors import InputRefused
from services.bench.clock import Deadline, Progress
from services.bench.scale.corpus import Corpus, split_sentences
from services.bench.scale.course import LARGE, Course
from services.bench.scale.part import sentences
from services.bench.scale.reporting import agreement, goals, make_report

SENTENCES = [f"第{i}号公司在{i * 7}年度报告中说明了收入，并且列出了第{i}项新的支出计划和安排。" for i in range(400)]


def test_the_same_sentences_give_the_same_chunks_and_questions() -> None:
    first, again = Corpus.of(SENTENCES, 60), Corpus.of(SENTENCES, 60)
    assert list(first.rows()) == list(again.rows())
    assert first.questions() == again.questions()
    assert all(len(one.text) >= 320 for one in first.rows())


def test_a_question_stands_in_its_chunk_and_in_no_other() -> None:
    corpus = Corpus.of(SENTENCES, 60)
    texts = {one.chunk_id: one.text for one in corpus.rows()}
    assert corpus.questions()
    for question in corpus.questions():
        assert [chunk_id for chunk_id, text in texts.items() if question.text in text] == [question.chunk_id]


def test_too_few_sentences_are_refused_in_words() -> None:
    with pytest.raises(InputRefused, match="at least 50"):
        Corpus.of(SENTENCES[:20], 10)


def test_without_a_data_set_the_sentences_are_the_sample_corpus() -> None:
    assert len(sentences(None)) > 200
    assert split_sentences(["太短。"]) == []


def test_a_part_that_fails_is_told_in_words_and_the_next_one_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = Course(tmp_path, tmp_path / "no data here", Progress(), Deadline.after(600))
    monkeypatch.setattr("services.bench.scale.course.PARTS", ["plain BM25", "rank-bm25"])
    course.run(quick=True)
    assert course.measured == []
    assert [why for why in course.left_out.values() if "holds no text file" in why] == list(course.left_out.values())
    assert len(course.left_out) == 2


def part(name: str, *, ms: float = 1.0, hits: list[Any] | None = None, rss_mb: float = 1.0) -> dict[str, Any]:
    figures = {"cpu_ms": {"p50": ms, "p99": ms}, "rss_mb": rss_mb, "searches": 1, "right@1": 1.0, "right@10": 1.0}
    return {"part": name, "size": LARGE, "hits": hits or [], **figures}


def test_hits_agree_where_the_exact_library_ranks_them_as_high_ties_among_them() -> None:
    exact = part("rank-bm25", hits=[[[f"c{i}", 9.0 if i < 9 else 5.0] for i in range(12)]])
    tied = part("plain BM25", hits=[[[f"c{i}", 9.0] for i in (*range(9), 11)]])
    assert agreement(tied, [exact, tied]) == 1.0
    other = part("plain BM25", hits=[[[f"c{i}", 9.0] for i in (*range(9), 99)]])
    assert agreement(other, [exact, other]) == 0.9
    assert agreement(other, [other]) is None


def test_goals_are_met_by_what_was_measured_and_missed_by_what_was_not() -> None:
    measured = [part("whole search", ms=7.9, rss_mb=599), part("plain BM25", ms=1), part("rank-bm25", ms=301)]
    assert [goal.met for goal in goals(measured)] == [True, True, True]
    assert [goal.met for goal in goals([part("whole search", ms=8.1, rss_mb=601)])] == [False, False, False]
    report = make_report(measured, {"Chroma, 100,000 chunks": "no room"}, source="news", seconds=1)
    assert report.all_met
    assert "hits" not in report.measured["parts"][0]
