"""Train/serve parity: what counts as the same answer, and telling the tuned model from its base. The engine is a stand-in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from finetune.parity import Greedy, compare, reference, served
from finetune.types import Message
from ingest.errors import Unavailable
from tests.finetune.tiny_model import write_tiny_adapter, write_tiny_model

PROMPTS = [(Message("user", f"What is the value of thing {number}?"),) for number in range(3)]


def greedy(*ids: int, second: int = 99, gap: float = 1.0, prompt: tuple[int, ...] = (1, 2)) -> Greedy:
    """An answer whose every token is likelier than `second` by `gap` nats."""
    return Greedy(prompt, ids, tuple(-0.5 for _ in ids), tuple({one: -0.5, second: -0.5 - gap} for one in ids))


def test_equal_tokens_are_the_same_answer() -> None:
    parity = compare([greedy(5, 6)] * 3, [greedy(5, 6)] * 3)
    assert (parity.same, parity.near_tie, parity.different, parity.passed) == (3, 0, 0, True)
    assert (parity.max_gap_nats, parity.mean_logprob_gap) == (0.0, 0.0)


@pytest.mark.parametrize(("gap", "near"), [(0.149, 1), (0.151, 0)])
def test_a_first_difference_between_two_candidates_closer_than_the_limit_is_a_near_tie(gap: float, near: int) -> None:
    parity = compare([greedy(5, 6, gap=gap)], [greedy(5, 99, 7)])
    assert (parity.near_tie, parity.different, parity.max_gap_nats) == (near, 1 - near, gap)


def test_an_answer_that_only_ends_earlier_is_different() -> None:
    assert compare([greedy(5, 6)], [greedy(5)]).different == 1
    assert compare([greedy(5)], [greedy(5, 6)]).different == 1


def test_another_prompt_is_different_whatever_was_answered() -> None:
    assert compare([greedy(5)], [greedy(5, prompt=(1, 3))]).different == 1


def test_98_of_100_alike_pass_and_97_do_not() -> None:
    good, bad = greedy(5, 6), greedy(5, 8)
    assert compare([good] * 100, [good] * 98 + [bad] * 2).passed
    assert not compare([good] * 100, [good] * 97 + [bad] * 3).passed
    assert not compare([], []).passed


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Greedy], list[Greedy]]:
    """The answers of a base model and of its adapter."""
    folder: Path = tmp_path_factory.mktemp("models")
    base = write_tiny_model(folder / "base")
    adapter = write_tiny_adapter(base, folder / "adapter")
    return reference(base, None, PROMPTS, max_new_tokens=6), reference(base, adapter, PROMPTS, max_new_tokens=6)


@pytest.fixture
def engine(models: tuple[list[Greedy], list[Greedy]]) -> Iterator[str]:
    """An endpoint in vLLM's words that answers as the tuned model does."""
    tuned = models[1]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.headers["Authorization"] == "Bearer key"
            assert body["temperature"] == 0.0
            assert self.path == "/v1/chat/completions"
            answer = chat(body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    def chat(body: dict[str, Any]) -> dict[str, Any]:
        one = tuned[[prompt[0].content for prompt in PROMPTS].index(body["messages"][0]["content"])]
        steps = [
            {"logprob": logprob, "top_logprobs": [{"token": f"token_id:{t}", "logprob": p} for t, p in likeliest.items()]}
            for logprob, likeliest in zip(one.logprobs, one.likeliest, strict=True)
        ]
        return {"prompt_token_ids": one.prompt_ids, "choices": [{"token_ids": one.ids, "logprobs": {"content": steps}}]}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_an_engine_that_serves_the_adapter_agrees_with_its_reference_and_not_with_its_base(
    models: tuple[list[Greedy], list[Greedy]], engine: str
) -> None:
    base, tuned = models
    found = served(engine, "key", "tuned", PROMPTS, max_new_tokens=6)
    assert compare(tuned, found).same == 3
    assert not compare(base, found).passed


def test_an_engine_that_is_away_is_said_so() -> None:
    with pytest.raises(Unavailable, match="does not answer as it should"):
        served("http://127.0.0.1:9/v1", "key", "tuned", PROMPTS)


def test_the_logprobs_of_a_reference_are_those_of_its_likeliest_tokens(models: tuple[list[Greedy], list[Greedy]]) -> None:
    for one in models[1]:
        assert one.logprobs == tuple(max(step.values()) for step in one.likeliest)
        assert one.ids == tuple(max(step, key=lambda token: step[token]) for step in one.likeliest)
