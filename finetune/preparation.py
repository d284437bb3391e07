"""The samples of a run as tokens, in the order in which they are learned. Knows the tokenizer, no model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from finetune.chat_template import Encoded, encode
from finetune.packing import pack_samples, tokens_read
from finetune.run_folder import Row, RunFolder
from finetune.selection import WITH_PASSAGES, Selection, select, training_batches
from finetune.training_config import TrainingConfig
from ingest.errors import InputRefused

Batch = tuple[Encoded, ...]
"""Samples that one pass of the model reads together."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is learned and measured: `batches` of all epochs together, one sample for each of `rows` in each epoch it is seen in.

    `accumulation` batches make a step; `left_out` is reason → sample ids.
    """

    selection: Selection
    rows: tuple[Row, ...]
    batches: tuple[Batch, ...]
    accumulation: int
    evaluations: dict[str, tuple[Batch, ...]]
    left_out: dict[str, list[str]]

    @property
    def steps(self) -> int:
        """Of all epochs."""
        return ceil(len(self.batches) / self.accumulation)

    def batches_until(self, step: int) -> tuple[Batch, ...]:
        """What this many steps learn from."""
        return self.batches[: step * self.accumulation]

    def tokens_until(self, step: int) -> int:
        """How many tokens this many steps read; padding is not counted, and a shared beginning once."""
        return sum(map(tokens_read, self.batches_until(step)))


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
    samples = [sample for _, sample in kept]
    batches = training_batches(
        pack_samples(samples, batch_size=config.batch_size, max_tokens=config.max_tokens),
        [len(sample.ids) for sample in samples],
        [row.kind in WITH_PASSAGES for row, _ in kept],
        epochs=config.epochs,
        grounded_epochs=config.grounded_epochs,
        batch_size=config.batch_size,
        accumulation=config.accumulation,
        seed=config.seed,
    )
    evaluations = {}
    for name, rows in (("validation", selection.validation), ("rephrased", selection.rephrased)):
        measured = [sample for _, sample in _encoded(rows, tokenizer, config.max_tokens, {})]
        if measured:
            evaluations[name] = _evaluation_batches(measured, config)
    return Prepared(
        selection=selection,
        rows=tuple(row for row, _ in kept),
        batches=tuple(tuple(samples[index] for index in batch) for batch in batches),
        accumulation=config.accumulation,
        evaluations=evaluations,
        left_out=left_out,
    )


def _evaluation_batches(samples: Sequence[Encoded], config: TrainingConfig) -> tuple[Batch, ...]:
    """Every sample once, the short ones first."""
    packs = pack_samples(samples, batch_size=config.batch_size, max_tokens=config.max_tokens)
    alone = sorted((samples[pack[0]] for pack in packs if len(pack) == 1), key=lambda sample: len(sample.ids))
    plain = [tuple(alone[at : at + config.batch_size]) for at in range(0, len(alone), config.batch_size)]
    return (*plain, *(tuple(samples[index] for index in pack) for pack in packs if len(pack) > 1))


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
