"""Samples that begin alike → packs, whose common beginning a step reads once.

Questions about the same passages have prompts that differ in their last line only. Learned one by one, a prompt of 600 tokens
is read for every answer of 20; learned as a pack, the beginning is read once and each sample's rest goes on from it, as an
engine's prefix cache does. The gradient is the same, to rounding. Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence

from finetune.chat_template import IGNORED, Encoded

_WORTH_SHARING = 0.5
"""Of the shorter sample. What shares less is read as fast in a plain batch."""


def pack_samples(samples: Sequence[Encoded], *, batch_size: int, max_tokens: int) -> list[tuple[int, ...]]:
    """Indices of the samples, each once: packs of 2 to `batch_size` that share a beginning, and all others alone.

    A pack takes at most `max_tokens` tokens, the beginning counted once and the rests padded to the longest: its memory follows.
    """
    packs: list[tuple[int, ...]] = []
    open_pack: list[int] = []
    # In the order of their tokens, samples with a long common beginning are neighbours.
    for index in sorted(range(len(samples)), key=lambda index: samples[index].ids):
        if open_pack and _fits([samples[member] for member in open_pack], samples[index], batch_size, max_tokens):
            open_pack.append(index)
        else:
            packs.append(tuple(open_pack))
            open_pack = [index]
    packs.append(tuple(open_pack))
    return sorted(tuple(sorted(pack)) for pack in packs if pack)


def shared_length(members: Sequence[Encoded]) -> int:
    """How many tokens at the beginning all members share and nobody learns; the next token is a prompt's as well.

    0 where there is one member only, or where sharing is not worth it.
    """
    if len(members) < 2:
        return 0
    first, last = min(one.ids for one in members), max(one.ids for one in members)
    common = next(
        (at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), min(len(first), len(last))
    )
    shared = min(common, *(_first_learned(one) - 1 for one in members))
    return shared if shared >= _WORTH_SHARING * min(len(one.ids) for one in members) else 0


def tokens_read(members: Sequence[Encoded]) -> int:
    """How many tokens a step reads for these samples together; padding is not counted."""
    return sum(len(one.ids) for one in members) - (len(members) - 1) * shared_length(members)


def _fits(pack: Sequence[Encoded], other: Encoded, batch_size: int, max_tokens: int) -> bool:
    together = [*pack, other]
    shared = shared_length(together)
    padded = shared + len(together) * (max(len(one.ids) for one in together) - shared)
    return len(together) <= batch_size and shared > 0 and padded <= max_tokens


def _first_learned(sample: Encoded) -> int:
    return next(at for at, label in enumerate(sample.labels) if label != IGNORED)
