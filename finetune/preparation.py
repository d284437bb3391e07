"""The samples of a run as tokens, in the order in which they are learned. Knows the tokenizer, no model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from finetune.chat_template import Encoded, encode
from finetune.run_folder import Row, RunFolder
from finetune.selection import WITH_PASSAGES, Selection, select, training_order
from finetune.training_config import TrainingConfig
from ingest.errors import InputRefused


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is learned and measured. `order` indexes `samples` for all epochs together; `left_out` is reason → sample ids."""

    selection: Selection
    rows: tuple[Row, ...]
    samples: tuple[Encoded, ...]
    order: tuple[int, ...]
    evaluations: dict[str, tuple[Encoded, ...]]
    left_out: dict[str, list[str]]

    def tokens_after(self, step: int, *, batch_size: int) -> int:
        """How many tokens were seen after this many steps of `batch_size` samples each; padding is not counted."""
        return sum(len(self.samples[index].ids) for index in self.order[: step * batch_size])


def prepare(folder: RunFolder, config: TrainingConfig, tokenizer: Any) -> Prepared:
    """The samples of the run as tokens. Those over `max_tokens` are left out and named, never cut.

    Raises:
        InputRefused: there is nothing to train on.
    """
    selection = select(
        folder.rows("train"), folder.rows("validation"), folder.rows("rephrased"), folder.rows("test"), config=config
    )
    left_out: dict[str, list[str]] = {}
    kept = list(_encoded(selection.train, tokenizer, config.max_tokens, left_out))
    if not kept:
        reasons = "; ".join(f"{len(ids)}: {reason}" for reason, ids in left_out.items()) or "there are none"
        languages = f" in {', '.join(config.languages)}" if config.languages else ""
        raise InputRefused(f"there is nothing to train on: no sample of train.jsonl{languages} can be used ({reasons})")
    order = training_order(
        [len(sample.ids) for _, sample in kept],
        [row.kind in WITH_PASSAGES for row, _ in kept],
        epochs=config.epochs,
        grounded_epochs=config.grounded_epochs,
        batch_size=config.batch_size * config.accumulation,
        seed=config.seed,
    )
    evaluations = {}
    for name, rows in (("validation", selection.validation), ("rephrased", selection.rephrased)):
        encoded = [sample for _, sample in _encoded(rows, tokenizer, config.max_tokens, {})]
        if encoded:
            evaluations[name] = tuple(sorted(encoded, key=lambda sample: len(sample.ids)))
    return Prepared(
        selection, tuple(row for row, _ in kept), tuple(sample for _, sample in kept), tuple(order), evaluations, left_out
    )


def _encoded(
    rows: Sequence[Row], tokenizer: Any, max_tokens: int, left_out: dict[str, list[str]]
) -> Iterator[tuple[Row, Encoded]]:
    """The rows that can be learned as they are; the ids of the others go to `left_out`."""
    for row in rows:
        try:
            sample = encode(tokenizer, row.messages)
        except InputRefused as error:
            left_out.setdefault(str(error), []).append(row.id)
            continue
        if len(sample.ids) > max_tokens:
            left_out.setdefault(f"longer than max_tokens = {max_tokens}", []).append(row.id)
            continue
        yield row, sample
