"""Is what answers the adapter, and does it answer as in training? The questions that are asked for that, and what is kept of it.

Invariants. The probe's questions come from nobody's documents, so that they may be kept; with them are kept the answers of base
and adapter, made by the training library. Knows nothing of states and of how an adapter is served.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import asdict
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage

from eval.types import Retriever
from finetune.adapter_files import PREDICTIONS, AdapterFiles
from finetune.parity import Greedy, Parity, all_served, compare, reference
from finetune.run_folder import write_file
from finetune.types import Adapter, Message, Progress, PromptBuilder, SampleKind
from ingest.types import Access
from services.adapter_serving import Report
from services.apart import run_apart
from services.engine import Endpoint
from services.live_adapter import Comparison, Probed

Prompt = tuple[Message, ...]
_Asked = tuple[str, str]

PROBES = {
    "en": (
        "How many days of annual leave do employees get?",
        "Who approves a business trip?",
        "What is the limit for hotel costs per night?",
        "When must an expense report be handed in?",
        "Which documents does a new supplier have to provide?",
        "How long are invoices kept?",
    ),
    "zh": (
        "员工每年有多少天年假？",
        "出差由谁批准？",
        "报销单应在什么时候提交？",
        "发票要保存多长时间？",
    ),
}
"""What a company's people ask, worded without any company's documents."""

# The agreement that is wanted, 98 %, allows one difference among them.
_PROMPTS_MEASURED = 50
# Prompts with passages have 500 to 1,500 tokens, which cost a processor 1 to 4 s each on both sides.
_PROMPTS_WITH_PASSAGES = 6
_ANSWER_TOKENS = 16
# Eight streams at once are six times as fast as one (docs/decisions/0002).
_AT_ONCE = 8
_POLL_S = 0.5
_PROBE_FILE = "probe.json"
# One alone tells base from adapter where they clearly differ. Four cost 7 CPU-seconds through an adapter loaded into the engine.
_PROBES_KEPT = 2
_PROBE_AGREEMENT = 0.5
_ROLES = {"system": "system", "human": "user"}


class AdapterChecks:
    """Compares and probes what serves an adapter."""

    def __init__(
        self,
        files: AdapterFiles,
        *,
        base_model: Callable[[], Path],
        prompts: PromptBuilder,
        retriever: Retriever,
        passages: int,
    ) -> None:
        """`base_model` gives the folder of the model that adapters are made for, or says that it is not there."""
        self._files = files
        self._base_model = base_model
        self._builder = prompts
        self._retriever = retriever
        self._passages = passages

    def compare(self, adapter: Adapter) -> Comparison:
        """Begins the train/serve comparison over up to 50 held-out prompts; passed only where the probe passes, too.

        The training library answers in a process of its own, while the engine that shall be compared may still be starting.
        What is returned raises Unavailable where the endpoint gives no scores, or the base model is not there. It reports often,
        so that a report that raises ends it soon.
        """
        # What the adapter was trained for. A small model rambles about anything else, and there one step of bfloat16 decides.
        prompts = self._prompts(adapter) or self._probes()
        expected = _begun(lambda: self._references(adapter, prompts))

        def finish(endpoint: Endpoint, report: Report) -> dict[str, Any]:
            report(Progress("compare", 0, len(prompts), "prompts"))
            found: list[Greedy] = []
            for answer in _all_served(endpoint, prompts):
                found.append(answer)
                report(Progress("compare", len(found), len(prompts), "prompts"))
            while not expected.done():
                report(Progress("reference", 0, len(prompts), "prompts"))
                wait([expected], timeout=_POLL_S)
            parity, probed = compare(expected.result(), found), self.probe(adapter, endpoint)
            sentence = f"{_words(parity)}; {probed.sentence}"
            return {**asdict(parity), "passed": parity.passed and probed.passed, "sentence": sentence}

        return finish

    def probe(self, adapter: Adapter, endpoint: Endpoint) -> Probed:
        """Whether the endpoint is the adapter and not its base, from whose answers it gives.

        It is not asked to score answers that it did not write: with an adapter loaded into it, vLLM 0.32 ends with an error when
        such a request (`prompt_logprobs`) meets another one.

        Raises:
            Unavailable: the endpoint gives no log-probabilities, or the base model is not there.
        """
        kept = self._files.path(adapter.id) / _PROBE_FILE
        if not kept.is_file():
            self._references(adapter, ())
        pairs = json.loads(kept.read_text(encoding="utf-8"))
        if not pairs:
            return Probed(False, f"base and adapter answer all {len(self._probes())} questions of the probe alike")
        found = [*_all_served(endpoint, [self._probes()[one["probe"]] for one in pairs])]
        base, tuned = (compare([_greedy(one[side]) for one in pairs], found) for side in ("base", "tuned"))
        nearer = (tuned.agreement, -tuned.mean_logprob_gap) > (base.agreement, -base.mean_logprob_gap)
        return Probed(
            nearer and tuned.agreement >= _PROBE_AGREEMENT,
            f"of {len(pairs)} answers to the probe {tuned.agreement:.0%} are the adapter's and {base.agreement:.0%} its base's "
            f"(log-probabilities {tuned.mean_logprob_gap:.3f} and {base.mean_logprob_gap:.3f} nats apart)",
        )

    def _references(self, adapter: Adapter, prompts: Sequence[Prompt]) -> list[Greedy]:
        """The adapter's answers by the training library; those of base and adapter to the probes are kept."""
        folder, probes = self._files.path(adapter.id), self._probes()
        base, tuned = run_apart(_answers, self._base_model(), folder, probes, [*probes, *prompts])
        differing = [(number, b, t) for number, (b, t) in enumerate(zip(base, tuned, strict=False)) if b.ids != t.ids]
        clearest = sorted(differing, key=lambda one: -compare([one[1]], [one[2]]).different)[:_PROBES_KEPT]
        pairs = [{"probe": number, "base": asdict(b), "tuned": asdict(t)} for number, b, t in clearest]
        write_file(folder / _PROBE_FILE, json.dumps(pairs))
        return tuned[len(probes) :]

    def _probes(self) -> list[Prompt]:
        return [self._closed_book(question, language) for language, questions in PROBES.items() for question in questions]

    def _prompts(self, adapter: Adapter) -> list[Prompt]:
        """The prompts that serving makes of the questions that the adapter was measured with, evenly from all of them."""
        file = self._files.path(adapter.id) / PREDICTIONS
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        asked = dict.fromkeys((one["kind"], one["question"], one["language"]) for one in map(json.loads, lines))
        alone = [(question, language) for kind, question, language in asked if kind == SampleKind.CLOSED_BOOK]
        with_passages = [(question, language) for kind, question, language in asked if kind != SampleKind.CLOSED_BOOK]
        grounded = [self._grounded(*one) for one in _evenly(with_passages, _PROMPTS_WITH_PASSAGES)]
        return [*(self._closed_book(*one) for one in _evenly(alone, _PROMPTS_MEASURED - len(grounded))), *grounded]

    def _closed_book(self, question: str, language: str) -> Prompt:
        return _prompt(self._builder.closed_book(question, language=language))

    def _grounded(self, question: str, language: str) -> Prompt:
        hits = self._retriever.search(question, access=Access.everything(), limit=self._passages)
        return _prompt(self._builder.grounded(question, hits, language=language))


def _all_served(endpoint: Endpoint, prompts: Sequence[Prompt]) -> Iterator[Greedy]:
    address = (endpoint.base_url, endpoint.api_key, endpoint.model)
    return all_served(*address, prompts, max_new_tokens=_ANSWER_TOKENS, at_once=_AT_ONCE)


def _begun(work: Callable[[], list[Greedy]]) -> Future[list[Greedy]]:
    """What the work will return. Its thread is a daemon: a process that ends does not wait for it."""
    future: Future[list[Greedy]] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)

    threading.Thread(target=run, name="reference", daemon=True).start()
    return future


def _answers(
    base_model: Path, adapter: Path, probes: Sequence[Prompt], prompts: Sequence[Prompt]
) -> tuple[list[Greedy], list[Greedy]]:
    """The base's answers to the probes and the adapter's to all prompts."""
    base = reference(base_model, None, probes, max_new_tokens=_ANSWER_TOKENS)
    return base, reference(base_model, adapter, prompts, max_new_tokens=_ANSWER_TOKENS)


def _prompt(messages: Sequence[BaseMessage]) -> Prompt:
    return tuple(Message(_ROLES[one.type], str(one.content)) for one in messages)


def _evenly(questions: Sequence[_Asked], most: int) -> list[_Asked]:
    step = max(1.0, len(questions) / most)
    return [questions[int(number * step)] for number in range(min(most, len(questions)))]


def _greedy(one: dict[str, Any]) -> Greedy:
    likeliest = tuple({int(token): value for token, value in step.items()} for step in one["likeliest"])
    return Greedy(tuple(one["prompt_ids"]), tuple(one["ids"]), tuple(one["logprobs"]), likeliest)


def _words(parity: Parity) -> str:
    return (
        f"agreement {parity.agreement:.1%} of {parity.prompts} prompts ({parity.same} the same, {parity.near_tie} near ties, "
        f"{parity.different} different; log-probabilities {parity.mean_logprob_gap:.4f} nats apart)"
    )
