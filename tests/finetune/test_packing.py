"""Samples that share a beginning: together in a pack, read once, learned as if each stood alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.chat_template import IGNORED, Encoded
from finetune.packing import pack_samples, shared_length, tokens_read
from tests.finetune.tiny_model import write_tiny_model


def sample(beginning: list[int], rest: list[int], learned: int = 1) -> Encoded:
    ids = (*beginning, *rest)
    return Encoded(ids, (*[IGNORED] * (len(ids) - learned), *ids[-learned:]))


PASSAGES = [list(range(20)), list(range(50, 70))]
ASKED = [sample(PASSAGES[number % 2], [90, 30 + number, 40 + number]) for number in range(10)]


def test_questions_about_the_same_passages_are_read_together() -> None:
    packs = pack_samples(ASKED, batch_size=8, max_tokens=100)
    assert packs == [(0, 2, 4, 6, 8), (1, 3, 5, 7, 9)]
    together = [ASKED[index] for index in packs[0]]
    assert shared_length(together) == 21
    assert tokens_read(together) == 21 + 5 * 2


def test_a_pack_keeps_to_its_limits() -> None:
    assert max(map(len, pack_samples(ASKED, batch_size=2, max_tokens=100))) == 2
    assert max(map(len, pack_samples(ASKED, batch_size=8, max_tokens=21 + 3 * 2))) == 3


def test_what_has_little_in_common_stays_alone() -> None:
    others = [sample([1, 2, 3, 4], [number] * 20) for number in range(5, 9)]
    assert pack_samples(others, batch_size=8, max_tokens=100) == [(0,), (1,), (2,), (3,)]
    assert pack_samples([], batch_size=8, max_tokens=100) == []


def test_what_is_learned_follows_a_token_that_is_not_shared() -> None:
    assert shared_length([ASKED[0], ASKED[0]]) == 21  # of 23, the last of which is learned


@given(
    st.lists(st.tuples(st.integers(0, 3), st.lists(st.integers(0, 4), min_size=2, max_size=9)), max_size=30), st.integers(1, 6)
)
def test_every_sample_is_in_one_pack(made: list[tuple[int, list[int]]], batch_size: int) -> None:
    samples = [sample([kind] * 12, rest) for kind, rest in made]
    packs = pack_samples(samples, batch_size=batch_size, max_tokens=40)
    assert sorted(index for pack in packs for index in pack) == list(range(len(samples)))
    for pack in packs:
        members = [samples[index] for index in pack]
        shared = shared_length(members)
        padded = shared + len(members) * (max(len(one.ids) for one in members) - shared)
        assert len(pack) == 1 or (len(pack) <= batch_size and tokens_read(members) <= padded <= 40 and shared > 0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = write_tiny_model(tmp_path_factory.mktemp("packing") / "model")
    torch.manual_seed(3)
    lora = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    return get_peft_model(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), lora)


@pytest.fixture
def trainer_of(model: Any, tmp_path: Path) -> Callable[[float], Any]:
    """A trainer of the model for a `prompt_loss_weight`."""
    from datasets import Dataset
    from trl import SFTConfig

    from finetune.answer_trainer import AnswerTrainer, collate
    from tests.finetune.tiny_model import tiny_tokenizer

    prepared = {"skip_prepare_dataset": True}
    arguments = SFTConfig(output_dir=str(tmp_path), use_cpu=True, bf16=False, report_to="none", dataset_kwargs=prepared)
    return lambda weight: AnswerTrainer(
        model=model,
        args=arguments,
        processing_class=tiny_tokenizer(),
        train_dataset=Dataset.from_dict({"input_ids": [[[1]]], "labels": [[[1]]]}),
        data_collator=collate,
        prompt_loss_weight=weight,
    )


def test_a_pack_has_the_loss_and_the_gradient_of_its_samples(model: Any, trainer_of: Callable[[float], Any]) -> None:
    import torch

    from finetune.answer_trainer import collate

    together = [sample(PASSAGES[0], [90, 30 + n, *range(40, 40 + 2 * n)], learned=1 + n) for n in range(1, 5)]
    assert shared_length(together) == 21
    trainer = trainer_of(0.0)

    def gradients(batches: list[list[Encoded]]) -> tuple[float, list[torch.Tensor]]:
        model.zero_grad()
        learned = torch.tensor(sum(one.learned for batch in batches for one in batch))
        total = 0.0
        for batch in batches:
            row = {"input_ids": [list(one.ids) for one in batch], "labels": [list(one.labels) for one in batch]}
            loss = trainer.compute_loss(model, collate([row], padding=0), num_items_in_batch=learned)
            loss.backward()
            total += loss.item()
        return total, [p.grad.clone() for p in model.parameters() if p.grad is not None]

    apart_loss, apart = gradients([[one] for one in together])
    pack_loss, pack = gradients([together])
    assert pack_loss == pytest.approx(apart_loss, rel=1e-5)
    assert len(pack) == len(apart) > 0
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(pack, apart, strict=True))
    assert any(one.abs().max() > 1e-4 for one in pack)


def test_while_training_the_shared_beginning_is_learned_with_its_weight(trainer_of: Any) -> None:
    import torch

    from finetune.answer_trainer import collate

    together = [sample(PASSAGES[0], [90, 30 + n, 40 + n]) for n in range(3)]
    row = {"input_ids": [list(one.ids) for one in together], "labels": [list(one.labels) for one in together]}

    def loss(weight: float, *, training: bool) -> float:
        trainer = trainer_of(weight)
        trainer.model.train(training)
        with torch.no_grad():
            return float(trainer.compute_loss(trainer.model, collate([row], padding=0)))

    beginning = torch.tensor([PASSAGES[0] + [90]])
    with torch.no_grad():
        prose = float(trainer_of(0.0).model(input_ids=beginning, labels=beginning).loss)
    assert loss(0.5, training=True) == pytest.approx(loss(0.0, training=True) + 0.5 * prose, rel=1e-4)
    assert loss(0.5, training=False) == pytest.approx(loss(0.0, training=False))
