"""Which samples a run learns from and is measured on, and in which order it sees them.

Invariants. Everything follows from the samples, the configuration and its seed; the whole order of all epochs is known before
the first step, so that a run that was interrupted sees the same samples as one that was not. Pure.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

from finetune.run_folder import Row
from finetune.training_config import TrainingConfig
from finetune.types import SampleKind

WITH_PASSAGES = frozenset({SampleKind.GROUNDED, SampleKind.REFUSAL})

# Samples of this many batches are sorted by length together: enough that a batch holds nearly equal lengths, few enough that
# the order stays random.
_BATCHES_SORTED_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Selection:
    """The samples of a run by what they are for."""

    train: tuple[Row, ...]
    validation: tuple[Row, ...]
    rephrased: tuple[Row, ...]
    test: tuple[Row, ...]


def select(
    train: Sequence[Row], validation: Sequence[Row], rephrased: Sequence[Row], test: Sequence[Row], *, config: TrainingConfig
) -> Selection:
    """The samples that the configuration's languages and limits leave.

    Facts that are also asked in words of their own come first, since only they can be measured; of the held-out questions,
    those about facts that are learned, and of the test those with passages, since nothing can teach the other documents' facts.
    """
    spoken = [row for row in train if _spoken(row, config)]
    asked_again = {row.fact for row in rephrased}
    plain = [row for row in spoken if row.kind == SampleKind.CLOSED_BOOK]
    facts = sorted({row.fact for row in plain}, key=lambda fact: (fact not in asked_again, _draw(fact, config.seed)))
    kept = set(facts[: config.max_facts])
    passages = _limited([row for row in spoken if row.kind in WITH_PASSAGES], config.max_grounded, config.seed)
    taken = {row.id for row in passages} | {row.id for row in plain if row.fact in kept}
    learned = tuple(row for row in spoken if row.id in taken or row.kind == SampleKind.CHAT)
    return Selection(
        train=learned,
        validation=_limited([row for row in validation if _spoken(row, config)], config.max_validation, config.seed),
        rephrased=_limited(
            [row for row in rephrased if _spoken(row, config) and row.fact in kept], config.max_rephrased, config.seed
        ),
        test=_limited([row for row in test if _spoken(row, config) and row.kind in WITH_PASSAGES], config.max_test, config.seed),
    )


def training_batches(
    packs: Sequence[tuple[int, ...]],
    lengths: Sequence[int],
    long: Sequence[bool],
    *,
    epochs: int,
    grounded_epochs: int,
    batch_size: int,
    accumulation: int,
    seed: int,
) -> list[tuple[int, ...]]:
    """Batches of sample indices in the order of all epochs together; `accumulation` of them make a step.

    A pack of several samples is a batch as it is, at a random place; the others share batches with samples of about their
    length. Samples marked `long` come in `grounded_epochs` of the epochs, spread evenly.
    """
    chooser = random.Random(seed)
    stream: list[tuple[int, ...]] = []
    for epoch in range(epochs):
        seen = [
            pack
            for number, pack in enumerate(packs)
            if not long[pack[0]] or (number + epoch) * grounded_epochs % epochs < grounded_epochs
        ]
        chooser.shuffle(seen)
        stream.extend(seen)
    alone = _near_lengths([pack[0] for pack in stream if len(pack) == 1], lengths, batch_size * accumulation, chooser)
    batches = [tuple(alone[at : at + batch_size]) for at in range(0, len(alone), batch_size)]
    together = [pack for pack in stream if len(pack) > 1]
    if not together:
        return batches
    places = set(chooser.sample(range(len(batches) + len(together)), len(together)))
    plain, shared = iter(batches), iter(together)
    return [next(shared if place in places else plain) for place in range(len(batches) + len(together))]


def _near_lengths(stream: Sequence[int], lengths: Sequence[int], step: int, chooser: random.Random) -> list[int]:
    """The samples reordered so that each run of `step` of them, one step's, holds nearly equal lengths."""
    order: list[int] = []
    window = step * _BATCHES_SORTED_TOGETHER
    for start in range(0, len(stream), window):
        near = sorted(stream[start : start + window], key=lambda index: lengths[index])
        whole = len(near) // step * step
        steps = [near[at : at + step] for at in range(0, whole, step)]
        chooser.shuffle(steps)
        order.extend(index for one in steps for index in one)
        order.extend(near[whole:])
    return order


def _spoken(row: Row, config: TrainingConfig) -> bool:
    return not config.languages or row.language in config.languages


def _limited(rows: Sequence[Row], limit: int | None, seed: int) -> tuple[Row, ...]:
    """At most `limit` of the rows, drawn by their ids, in their own order."""
    drawn = {row.id for row in sorted(rows, key=lambda row: _draw(row.id, seed))[:limit]}
    return tuple(row for row in rows if row.id in drawn)


def _draw(name: str, seed: int) -> str:
    """A number that is random over names and the same at every run."""
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()
