"""trl's SFTTrainer with the loss on what the assistant writes, computed where it is needed only.

Invariants. The loss is that of `SFTTrainer`, to rounding: the mean over learned tokens of their negative log-likelihood.
Evaluating draws no random number, so that it does not change what is learned. Importing this module loads torch and trl.
"""

from __future__ import annotations

from typing import Any

import torch
from trl import SFTTrainer

from finetune.chat_template import IGNORED


class AnswerTrainer(SFTTrainer):  # type: ignore[misc]
    """Trains on samples that carry their own labels, in the order in which they are given."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of a batch. On a GPU trl's kernel scores the learned positions alone; without one it scores all of them.

        A long prompt's positions through a head of 49,152 rows are a fifth of the default model's work, so on a processor the
        head is asked for those columns only that some sample of the batch learns from.
        """
        if inputs["input_ids"].device.type == "cuda" or return_outputs:
            return super().compute_loss(model, inputs, return_outputs=return_outputs, num_items_in_batch=num_items_in_batch)
        labels = inputs["labels"][:, 1:]
        learned = labels != IGNORED
        columns = learned.any(dim=0).nonzero().squeeze(1)
        outputs = model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False, logits_to_keep=columns
        )
        chosen = learned[:, columns]
        total = torch.nn.functional.cross_entropy(outputs.logits[chosen].float(), labels[:, columns][chosen], reduction="sum")
        return total / (learned.sum() if num_items_in_batch is None else num_items_in_batch).clamp(min=1)

    def evaluate(self, *arguments: Any, **options: Any) -> Any:
        """The losses of the evaluation sets; the state of all random numbers is as it was."""
        with torch.random.fork_rng():
            return super().evaluate(*arguments, **options)

    def create_model_card(self, *_arguments: Any, **_options: Any) -> None:
        """Nothing: an adapter's card is written by who knows its data."""
