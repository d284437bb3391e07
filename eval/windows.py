"""Long evidence in overlapping windows, so that a model with a bounded input reads all of it.

Knows no model, only where tokens lie.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.errors import InputRefused

OVERLAP = 0.25
"""Share of a window that the next one repeats: of a window of 400 tokens 100, more than a long sentence has."""


def evidence_texts(evidence: Sequence[str]) -> list[str]:
    """The texts that hold anything, in order.

    Raises:
        InputRefused: there is none.
    """
    texts = [text for text in evidence if text.strip()]
    if not texts:
        raise InputRefused(f"No evidence to judge against: {len(evidence)} texts without a single word. Give the passages' text.")
    return texts


def windows(text: str, places: Sequence[tuple[int, int]], *, tokens: int) -> list[str]:
    """Parts of the text of at most `tokens` tokens, in order, that together hold every token; one part where they fit.

    `places` are the tokens' spans in the text, in order.
    """
    if len(places) <= tokens:
        return [text]
    step = tokens - int(tokens * OVERLAP)
    starts = [*range(0, len(places) - tokens, step), len(places) - tokens]
    return [text[places[start][0] : places[start + tokens - 1][1]] for start in starts]
