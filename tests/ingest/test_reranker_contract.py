"""What every `Reranker` promises: a score in [0, 1] for each candidate, in order, the same each time, whatever the texts are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ingest.cross_encoder import CrossEncoderReranker
from ingest.rerank import Candidate, Reranker, WindowReranker, unit_numbers
from tests.ingest.tiny_encoders import write_tiny_cross_encoder

Make = Callable[[Sequence[str]], tuple[Reranker, list[Candidate]]]

ODD = ["", " ", "\0", "\ud800 half a character", "pump " * 4000, "年休假须提前两周申请。", "🙂", "the of 的"]
PLAIN = ["the pump pressure", "travel", "员工年休假", "pressure of the pump", "query"]


class Reading:
    """A cross-encoder that is loaded once, over texts that each test gives it."""

    def __init__(self, folder: Path, *, budget_ms: float) -> None:
        self.texts: dict[str, str] = {}
        self.reranker = CrossEncoderReranker(str(folder), self._of, budget_ms=budget_ms, device="cpu")

    def _of(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        return {one: self.texts[one] for one in chunk_ids}


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reading]:
    folder = write_tiny_cross_encoder(tmp_path_factory.mktemp("cross-encoders") / "tiny")
    return {"cross-encoder": Reading(folder, budget_ms=1e9), "cross-encoder in a hurry": Reading(folder, budget_ms=1e-3)}


@pytest.fixture(params=["window", "cross-encoder", "cross-encoder in a hurry"])
def make(request: pytest.FixtureRequest, readings: dict[str, Reading]) -> Make:
    """Texts → a reranker and the candidates, whose first scores fall a little from one to the next."""

    def made(texts: Sequence[str]) -> tuple[Reranker, list[Candidate]]:
        candidates = [
            Candidate(f"c{i}", 1 - 0.01 * i, unit_numbers(text.encode("utf-8", "replace").decode()))
            for i, text in enumerate(texts)
        ]
        if request.param == "window":
            return WindowReranker(lambda _: 1.0), candidates
        reading = readings[request.param]
        reading.texts = {candidate.chunk_id: text for candidate, text in zip(candidates, texts, strict=True)}
        return reading.reranker, candidates

    return made


@pytest.mark.parametrize("query", ["pump pressure", "年休假", "the of what", "的", "", "\0", "\ud800", "pump " * 4000])
@pytest.mark.parametrize("texts", [PLAIN, ODD, PLAIN[:1], ["same"] * 12], ids=["plain", "odd", "one", "same"])
def test_every_candidate_has_a_score_between_0_and_1(make: Make, query: str, texts: list[str]) -> None:
    reranker, candidates = make(texts)
    scores = reranker.scores(query, candidates)
    assert len(scores) == len(candidates)
    assert all(isinstance(score, float) and 0.0 <= score <= 1.0 for score in scores)


def test_the_same_question_has_the_same_scores(make: Make) -> None:
    reranker, candidates = make(PLAIN)
    assert reranker.scores("pump pressure", candidates) == reranker.scores("pump pressure", candidates)


def test_scores_are_in_the_order_of_the_candidates(make: Make) -> None:
    reranker, candidates = make(PLAIN)
    scores = reranker.scores("pump pressure", candidates)
    turned = reranker.scores("pump pressure", candidates[::-1])
    assert turned[::-1] == pytest.approx(scores, abs=1e-6)


def test_no_candidates_have_no_scores(make: Make) -> None:
    reranker, _ = make(PLAIN)
    assert reranker.scores("pump", []) == []
