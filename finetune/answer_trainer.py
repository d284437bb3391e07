"""trl's SFTTrainer with the loss on what the assistant writes, computed where it is needed only.

Invariants. The loss is that of `SFTTrainer`, to rounding: the mean over learned tokens of their negative log-likelihood; this
holds for samples that share a beginning as well, though it is read once. Evaluating draws no random number, so that it does
not change what is learned. Importing this module loads torch and trl.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from trl import SFTTrainer

from finetune.chat_template import IGNORED, Encoded
from finetune.packing import shared_length


def collate(rows: Sequence[dict[str, Any]], *, padding: int) -> dict[str, torch.Tensor]:
    """The tensors of one batch, the only row: `input_ids`, `labels` and `attention_mask` (samples, longest), padded at the end.

    Where the samples share a beginning it stands apart as `beginning` (1, shared), and the others hold what comes after it.
    """
    (row,) = rows
    samples = [Encoded(tuple(ids), tuple(labels)) for ids, labels in zip(row["input_ids"], row["labels"], strict=True)]
    shared = shared_length(samples)
    lengths = [len(sample.ids) - shared for sample in samples]
    width = max(lengths)

    def padded(tokens: Sequence[int], filling: int) -> list[int]:
        return [*tokens[shared:], *[filling] * (width - len(tokens) + shared)]

    tensors = {
        "input_ids": torch.tensor([padded(sample.ids, padding) for sample in samples]),
        "labels": torch.tensor([padded(sample.labels, IGNORED) for sample in samples]),
        "attention_mask": (torch.arange(width) < torch.tensor(lengths)[:, None]).long(),
    }
    if shared:
        tensors["beginning"] = torch.tensor([samples[0].ids[:shared]])
    return tensors


class AnswerTrainer(SFTTrainer):  # type: ignore[misc]
    """Trains on samples that carry their own labels, in the batches in which they are given.

    The learning rate is that of a training of `planned_steps`, also where `args` ends it before. While it trains, the mean
    loss of a batch's common beginning counts with `prompt_loss_weight`.
    """

    def __init__(self, *arguments: Any, planned_steps: int = 0, prompt_loss_weight: float = 0.0, **options: Any) -> None:
        self._planned_steps = planned_steps
        self._prompt_loss_weight = prompt_loss_weight
        super().__init__(*arguments, **options)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """The schedule of all planned steps."""
        return super().create_scheduler(self._planned_steps or num_training_steps, optimizer)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of a batch. On a GPU trl's kernel scores the learned positions alone; without one it scores all of them.

        A long prompt's positions through a head of 49,152 rows are a fifth of the default model's work, so on a processor the
        head is asked for those columns only that some sample of the batch learns from.
        """
        inputs = dict(inputs)
        beginning = inputs.pop("beginning", None)
        if beginning is None and inputs["input_ids"].device.type == "cuda":
            return super().compute_loss(model, inputs, return_outputs=return_outputs, num_items_in_batch=num_items_in_batch)
        _choose_attention(model, "sdpa" if beginning is None else "eager")
        labels = inputs["labels"][:, 1:]
        learned = labels != IGNORED
        columns = learned.any(dim=0).nonzero().squeeze(1)
        reads_prose = beginning is not None and model.training and self._prompt_loss_weight > 0
        given = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"], "use_cache": False}
        if beginning is not None:
            begun = model(input_ids=beginning, use_cache=True, logits_to_keep=0 if reads_prose else 1)
            given |= _after(begun.past_key_values, inputs["attention_mask"])
        outputs = model(**given, logits_to_keep=columns)
        chosen = learned[:, columns]
        total = cross_entropy(outputs.logits[chosen].float(), labels[:, columns][chosen], reduction="sum")
        loss = total / (learned.sum() if num_items_in_batch is None else num_items_in_batch).clamp(min=1)
        if reads_prose:
            prose = cross_entropy(begun.logits[0, :-1].float(), beginning[0, 1:])
            loss = loss + self._prompt_loss_weight * prose / self.args.gradient_accumulation_steps
        return (loss, outputs) if return_outputs else loss

    def evaluate(self, *arguments: Any, **options: Any) -> Any:
        """The losses of the evaluation sets; the state of all random numbers is as it was."""
        with torch.random.fork_rng():
            return super().evaluate(*arguments, **options)

    def create_model_card(self, *_arguments: Any, **_options: Any) -> None:
        """Nothing: an adapter's card is written by who knows its data."""


def _choose_attention(model: Any, kind: str) -> None:
    """Has attention computed by torch's fused kernel (`sdpa`) or by plain matrix products (`eager`), on a processor.

    The backward pass of that kernel is slow there: packs of 800 tokens train 1.3 times as fast without it. What it saves is
    memory, which grows with the square of a sample's length times the samples: for 12 of 700 tokens 20 GB.
    """
    if model.device.type == "cpu" and model.config._attn_implementation != kind:
        model.set_attn_implementation(kind)


def _after(beginning: Any, mask: Any) -> dict[str, Any]:
    """What the model is given to go on from a beginning that it has read once, for each of the samples."""
    samples, length = len(mask), beginning.get_seq_length()
    beginning.batch_repeat_interleave(samples)
    read = torch.ones(samples, length, dtype=mask.dtype, device=mask.device)
    return {"past_key_values": beginning, "attention_mask": torch.cat([read, mask], dim=1)}
