"""What an adapter is asked before it may answer, and what is kept of that; once with the real vLLM."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from finetune import parity
from finetune.adapter_files import AdapterFiles
from finetune.parity import Greedy
from finetune.types import Adapter, Message, Progress
from ingest.types import Access, Hit
from services import adapter_checks
from services.adapter_checks import PROBES, AdapterChecks
from services.adapter_serving import LoraServing
from services.engine import Endpoint, EngineProcess
from services.manifest import Role, load_manifest
from services.model_sources import sibling_engine_python
from services.models import ModelStore, default_models_dir
from services.prompts import ServingPrompts
from tests.adapters import candidate, registry_in

ENDPOINT = Endpoint("http://127.0.0.1:9/v1", "secret", "graft-tuned")
NUMBER_OF_PROBES = sum(map(len, PROBES.values()))


def greedy(token: int) -> Greedy:
    """A one-token answer that no other token comes near."""
    return Greedy((1, 2), (token,), (-0.1,), ({token: -0.1, 15 - token: -3.0},))


def unheard(_progress: Progress) -> None:
    pass


class OneHit:
    """Finds the same passage for every question."""

    def search(self, query: str, *, access: Access, limit: int) -> list[Hit]:
        return [Hit("handbook.pdf", "doc_1", 1, 1, "c1", 1.0, "You get 27 days.", 0)][:limit]


class Bench:
    """Checks whose training library and engine answer as a table says."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.registry = registry_in(folder / "home")
        self.adapter: Adapter = self.registry.register(candidate(folder))
        self.folder = self.registry.files.path(self.adapter.id)
        self.prompts: list[Sequence[Message]] = []
        self.base: list[Greedy] = [greedy(7)] * NUMBER_OF_PROBES
        self.served_answer = greedy(8)
        self.references = 0
        patch.setattr(adapter_checks, "run_apart", self._run_apart)
        patch.setattr(parity, "served", lambda *_, **__: [self.served_answer])
        self.checks = AdapterChecks(
            self.registry.files, base_model=lambda: folder / "base", prompts=ServingPrompts(), retriever=OneHit(), passages=3
        )

    def _run_apart(self, _function: Any, _base: Path, _adapter: Path, probes: Any, prompts: Any) -> Any:
        self.references += 1
        self.prompts = list(prompts)
        assert list(prompts)[: len(probes)] == probes
        return self.base, [greedy(8)] * len(prompts)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def predictions(bench: Bench, *lines: tuple[str, str]) -> None:
    rows = [{"kind": kind, "question": question, "language": "en", "model": "base"} for kind, question in lines]
    (bench.folder / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_it_is_compared_on_the_serving_prompts_of_the_questions_it_was_measured_with(bench: Bench) -> None:
    alone = [("closed-book", f"What of {number}?") for number in range(100)]
    with_passages = [("grounded", f"Where is {number}?") for number in range(100)]
    predictions(bench, *alone, *with_passages, *alone)
    parity = bench.checks.compare(bench.adapter)(ENDPOINT, unheard)
    measured = bench.prompts[NUMBER_OF_PROBES:]
    assert parity["prompts"] == len(measured) == 50
    texts = [" ".join(message.content for message in prompt) for prompt in measured]
    assert sum("You get 27 days." in text for text in texts) == 6
    assert len(set(texts)) == 50
    assert {message.role for prompt in measured for message in prompt} == {"system", "user"}


def test_it_passes_where_the_answers_agree_and_the_probe_says_that_it_is_itself(bench: Bench) -> None:
    predictions(bench)
    parity = bench.checks.compare(bench.adapter)(ENDPOINT, unheard)
    assert parity["passed"]
    assert "agreement 100.0% of 10 prompts" in parity["sentence"]
    assert "of 2 answers to the probe 100% are the adapter's and 0% its base's" in parity["sentence"]
    bench.served_answer = greedy(7)
    different = bench.checks.compare(bench.adapter)(ENDPOINT, unheard)
    assert (different["passed"], different["agreement"]) == (False, 0.0)


def test_the_answers_to_the_probe_are_made_once_and_kept(bench: Bench) -> None:
    assert bench.checks.probe(bench.adapter, ENDPOINT).passed
    assert bench.checks.probe(bench.adapter, ENDPOINT).passed
    assert bench.references == 1


def test_what_answers_as_the_base_or_as_neither_does_not_pass_the_probe(bench: Bench) -> None:
    for token in (7, 3):
        bench.served_answer = greedy(token)
        assert not bench.checks.probe(bench.adapter, ENDPOINT).passed


def test_nothing_of_a_document_is_kept_with_the_probe(bench: Bench) -> None:
    """The questions of the probe come first and are the only ones that base answers as well."""
    predictions(bench, ("closed-book", "What is the secret of the cellar?"))
    bench.base = [greedy(8)] * (NUMBER_OF_PROBES - 1) + [greedy(7)]
    bench.checks.compare(bench.adapter)(ENDPOINT, unheard)
    assert len(bench.prompts) == NUMBER_OF_PROBES + 1
    assert len(json.loads((bench.folder / "probe.json").read_text())) == 1


def test_an_adapter_that_changes_no_answer_does_not_pass_for_itself(bench: Bench) -> None:
    bench.base = [greedy(8)] * NUMBER_OF_PROBES
    probed = bench.checks.probe(bench.adapter, ENDPOINT)
    assert not probed.passed
    assert "alike" in probed.sentence


@pytest.mark.engine
@pytest.mark.slow
def test_the_real_vllm_answers_as_an_adapter_that_is_loaded_into_it_and_the_probe_tells_it_from_its_base(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    if not sibling_engine_python().is_file():
        pytest.skip("there is no engine environment here: `make test` makes it")
    (model,) = load_manifest().chosen("mini", Role.CHAT)
    base = ModelStore(default_models_dir()).path(model.name)
    registry = registry_in(tmp_path / "home")
    finished = candidate(tmp_path)
    random_adapter(base, finished.run / "adapter")
    adapter = registry.register(finished)
    engine = EngineProcess(base, home=tmp_path, context_tokens=model.context_tokens, lora=True)
    engine.start()
    try:
        checks = AdapterChecks(
            AdapterFiles(registry.files.folder),
            base_model=lambda: base,
            prompts=ServingPrompts(),
            retriever=OneHit(),
            passages=1,
        )
        served = LoraServing(registry.files, engine=engine).begin(adapter, report=unheard, cancelled=threading.Event())
        assert checks.probe(adapter, served.endpoint()).passed
        assert not checks.probe(adapter, engine.endpoint()).passed
        served.end()
    finally:
        engine.stop()


def random_adapter(base: Path, target: Path) -> None:
    """An adapter that changes its base's answers for certain, without any training."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(r=8, target_modules=["q_proj", "v_proj"]))
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.1)
    model.save_pretrained(target)
