"""When the judge's calibration is made again, and what holds until then."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from eval.judge import HouseJudge
from eval.judge_model import Calibration, JudgeModel, read_judge_model
from ingest.types import IndexRow
from services.judge_calibration import FILE, JudgeCalibration

FOUND = {"en": Calibration((1.5, -0.25), (1.25, -0.5))}


class Corpus:
    """An index of which the test says what it holds and which build is live."""

    def __init__(self) -> None:
        self.live: str | None = "vector-1"
        self.held: list[IndexRow] = []
        self.model = read_judge_model()

    def rows(self, count: int) -> list[IndexRow]:
        first = len(self.held)
        self.held += [IndexRow(f"c{i}", "", f"Passage {i}.", frozenset()) for i in range(first, first + count)]
        return self.held[first:]


@pytest.fixture
def corpus() -> Corpus:
    return Corpus()


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many passages were read by each fit."""
    read: list[int] = []

    def calibrate(passages: list[object], *, model: JudgeModel) -> dict[str, Calibration]:
        read.append(len(passages))
        return FOUND

    monkeypatch.setattr("services.judge_calibration.calibrate_on", calibrate)
    return read


def opened(folder: Path, corpus: Corpus) -> JudgeCalibration:
    return JudgeCalibration(folder, build=lambda: corpus.live, rows=lambda: corpus.held, model=lambda: corpus.model)


def test_until_the_first_build_the_calibration_that_ships_holds(tmp_path: Path, corpus: Corpus) -> None:
    assert opened(tmp_path, corpus)() == {}


def test_it_is_made_with_the_first_rows_and_read_again_by_the_next_process(
    tmp_path: Path, corpus: Corpus, fits: list[int]
) -> None:
    calibration = opened(tmp_path, corpus)
    calibration.follow(corpus.rows(9))
    assert calibration() == FOUND
    assert opened(tmp_path, corpus)() == FOUND
    assert fits == [9]


def test_it_is_made_again_with_a_new_index_build_and_when_the_corpus_has_grown_by_a_third(
    tmp_path: Path, corpus: Corpus, fits: list[int]
) -> None:
    calibration = opened(tmp_path, corpus)
    calibration.follow(corpus.rows(90))
    calibration.follow(corpus.rows(20))
    assert fits == [90]
    calibration.follow(corpus.rows(10))
    assert fits == [90, 120]
    corpus.live = "vector-2"
    calibration.follow(corpus.rows(1))
    assert fits == [90, 120, 121]


def test_one_made_for_other_weights_does_not_count(tmp_path: Path, corpus: Corpus, fits: list[int]) -> None:
    opened(tmp_path, corpus).follow(corpus.rows(9))
    corpus.model = replace(corpus.model, version="judge-of-tomorrow")
    calibration = opened(tmp_path, corpus)
    assert calibration() == {}
    calibration.follow(corpus.rows(1))
    assert calibration() == FOUND
    assert fits == [9, 10]


def test_a_damaged_file_is_as_none(tmp_path: Path, corpus: Corpus) -> None:
    (tmp_path / FILE).write_text(json.dumps({"format": 1, "languages": {"en": {"sentence": [1.0]}}}))
    assert opened(tmp_path, corpus)() == {}


def test_a_fit_that_fails_keeps_the_one_before_and_no_document_from_being_added(
    tmp_path: Path, corpus: Corpus, fits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    calibration = opened(tmp_path, corpus)
    calibration.follow(corpus.rows(9))

    def fail(*_: object, **__: object) -> dict[str, Calibration]:
        raise ValueError("no curve")

    monkeypatch.setattr("services.judge_calibration.calibrate_on", fail)
    corpus.live = "vector-2"
    calibration.follow(corpus.rows(9))
    assert calibration() == FOUND
    assert fits == [9]


def test_the_judge_asks_for_it_with_every_sentence() -> None:
    found: dict[str, Calibration] = {}
    judge = HouseJudge(calibrations=lambda: found)
    evidence = ["The harbour of Leeds was opened in 1903 by the engineer Edith Garrow."]
    sentence = "The harbour was opened by an engineer."
    shipped = judge.judge([sentence], evidence=evidence)[0]
    found["en"] = Calibration((1.0, 9.0), (1.0, 9.0))
    strict = judge.judge([sentence], evidence=evidence)[0]
    assert strict.support < 0.1 < shipped.support
    assert judge.judge_answer(sentence, evidence=evidence).score > 0.9
