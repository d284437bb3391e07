"""The choice of a backend: the fastest that finds the same neighbours, made once for a model on a machine."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.bilingual_sample import sample_passages, sample_questions
from ingest.embedding import unit_rows
from ingest.encoder import EncoderEmbeddings
from ingest.encoder_backends import (
    LEAST_AGREEMENT,
    LEAST_SPEEDUP,
    NEIGHBOURS,
    Backend,
    BackendChoices,
    Trial,
    agreement,
    fastest,
    neighbours,
    tried,
)
from ingest.tokens import language
from tests.ingest.tiny_encoders import write_tiny_encoder


def trials(*rows: tuple[Backend, float, float]) -> list[Trial]:
    return [Trial(Backend.FP32, 1.0, 10.0), *(Trial(*row) for row in rows)]


def test_the_fastest_that_agrees_wins() -> None:
    assert fastest(trials((Backend.BF16, 1.0, 20), (Backend.INT8, LEAST_AGREEMENT, 30))) is Backend.INT8
    assert fastest(trials((Backend.BF16, 1.0, 30), (Backend.INT8, 1.0, 20))) is Backend.BF16


def test_one_that_does_not_agree_never_wins() -> None:
    assert fastest(trials((Backend.BF16, 1.0, 20), (Backend.INT8, LEAST_AGREEMENT - 0.001, 1000))) is Backend.BF16
    assert fastest(trials((Backend.INT8, 0.5, 1000))) is Backend.FP32


def test_a_small_gain_does_not_change_the_numbers() -> None:
    assert fastest(trials((Backend.BF16, 1.0, 10 * LEAST_SPEEDUP - 0.1))) is Backend.FP32
    assert fastest(trials()) is Backend.FP32


def test_neighbours_are_those_of_trying_every_pair() -> None:
    vectors = unit_rows(np.random.default_rng(1).normal(size=(40, 8)))
    for row, found in enumerate(neighbours(vectors)):
        by_cosine = sorted((i for i in range(40) if i != row), key=lambda i: -float(vectors[i] @ vectors[row]))
        assert found == frozenset(by_cosine[:NEIGHBOURS])


def test_fewer_texts_than_neighbours_are_all_neighbours() -> None:
    assert neighbours(unit_rows(np.eye(3))) == [frozenset({1, 2}), frozenset({0, 2}), frozenset({0, 1})]
    assert agreement(neighbours(unit_rows(np.eye(1))), neighbours(unit_rows(np.eye(1)))) == 1.0


@given(st.lists(st.frozensets(st.integers(0, 30), min_size=10, max_size=10), min_size=1, max_size=8))
def test_agreement_is_a_share_and_1_with_oneself(lists: list[frozenset[int]]) -> None:
    assert agreement(lists, lists) == 1.0
    assert 0.0 <= agreement(lists, list(reversed(lists))) <= 1.0


def test_the_sample_is_in_both_languages_and_holds_nothing_twice() -> None:
    passages, questions = sample_passages(), sample_questions()
    assert (len(set(passages)), len(set(questions))) == (96, 48)
    for texts in (passages, questions):
        assert sum(language(text) == "zh" for text in texts) == len(texts) / 2


class Noisy:
    """Vectors of the texts' own, and noise on top."""

    def __init__(self, noise: float) -> None:
        self.noise = noise

    def _vector(self, text: str) -> list[float]:
        exact, noise = random.Random(text), random.Random(text[::-1])
        return [exact.gauss(0, 1) + self.noise * noise.gauss(0, 1) for _ in range(16)]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self._vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self._vector(text)


def ticking(*durations_s: float) -> Callable[[], float]:
    """A clock that is read before and after each backend, which then took so long."""
    ends = itertools.chain.from_iterable((0.0, duration_s) for duration_s in durations_s)
    return lambda: next(ends)


def test_a_trial_says_agreement_and_speed() -> None:
    encoders = {Backend.FP32: lambda: Noisy(0), Backend.BF16: lambda: Noisy(1e-9), Backend.INT8: lambda: Noisy(3)}
    plain, same, other = tried(encoders, clock=ticking(144, 72, 36))
    assert plain == Trial(Backend.FP32, 1.0, 1.0)
    assert same == Trial(Backend.BF16, 1.0, 2.0)
    assert other.agreement < 0.5
    assert other.texts_per_cpu_s == 4.0


def test_a_backend_that_cannot_run_has_no_trial_and_fp32_must() -> None:
    def fails() -> Noisy:
        raise RuntimeError("no such operation")

    found = tried({Backend.FP32: lambda: Noisy(0), Backend.BF16: fails, Backend.INT8: lambda: Noisy(0)})
    assert [trial.backend for trial in found] == [Backend.FP32, Backend.INT8]
    with pytest.raises(RuntimeError, match="no such operation"):
        tried({Backend.FP32: fails})


def test_a_choice_is_made_once(tmp_path: Path) -> None:
    made: list[Backend] = []

    def make(backend: Backend) -> Noisy:
        made.append(backend)
        return Noisy(0)

    encoders = {backend: (lambda backend=backend: make(backend)) for backend in Backend}
    first = BackendChoices(tmp_path / "home" / "encoders").best("encoder-1", encoders, device="cpu")
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert made == list(Backend)
    assert BackendChoices(tmp_path / "home" / "encoders").best("encoder-1", encoders, device="cpu") is first
    assert made == list(Backend)
    BackendChoices(tmp_path / "home" / "encoders").best("encoder-2", encoders, device="cpu")
    assert made == [*Backend, *Backend]


@pytest.mark.parametrize(
    "kept", ["", "[]", "{", '{"machine": "another", "backend": "int8"}', '{"machine": "%s", "backend": "int4"}']
)
def test_a_choice_of_another_machine_or_a_damaged_one_is_made_anew(tmp_path: Path, kept: str) -> None:
    choices = BackendChoices(tmp_path)
    encoders = {Backend.FP32: lambda: Noisy(0)}
    choices.best("encoder-1", encoders, device="cpu")
    file = tmp_path / "encoder-1.json"
    said = json.loads(file.read_text())
    file.write_text(kept.replace("%s", said["machine"]))
    assert choices.best("encoder-1", encoders, device="cpu") is Backend.FP32
    assert json.loads(file.read_text())["machine"] == said["machine"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("encoders") / "plain")


@pytest.mark.parametrize("backend", [Backend.BF16, Backend.INT8])
def test_every_backend_computes_nearly_the_same_and_leaves_the_model_as_it_was(folder: Path, backend: Backend) -> None:
    texts = ["pump pressure", "travel", "年休假"]
    plain = EncoderEmbeddings(str(folder), device="cpu")
    before = plain.embed_documents(texts)
    other = EncoderEmbeddings(str(folder), device="cpu", backend=backend)
    cosines = (np.array(before) * np.array(other.embed_documents(texts))).sum(axis=1)
    assert cosines.min() > 0.98
    assert other.embed_documents(texts) != before
    assert plain.embed_documents(texts) == before


def test_an_encoder_takes_the_chosen_backend_and_says_so(folder: Path, tmp_path: Path) -> None:
    chosen = EncoderEmbeddings(str(folder), device="cpu", backend=BackendChoices(tmp_path))
    plain = EncoderEmbeddings(str(folder), device="cpu")
    (file,) = tmp_path.glob("*.json")
    said = json.loads(file.read_text())
    assert file.stem == plain.fingerprint
    assert {trial["backend"] for trial in said["trials"]} == set(Backend)
    named = EncoderEmbeddings(str(folder), device="cpu", backend=Backend(said["backend"]))
    assert chosen.fingerprint == named.fingerprint
    assert chosen.embed_query("pump") == named.embed_query("pump")
