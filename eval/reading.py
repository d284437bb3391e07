"""Scores answers that a chat model wrote from passages: right, cited, refused.

An answer is right where it holds one of the right answers; `value` asks the same of its part before the citation, without the
quote that follows. Knows no model: whoever asks hands the answers in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eval.answers import share
from eval.metrics.text import holds_key_fact

_MARKER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Reading:
    """A question that was asked over passages, and what the model wrote.

    `answers` are the right ones, `place` the number of the passage that holds them; both are empty (0) where no passage does.
    `refused` is whether the model said that the passages do not tell.
    """

    language: str
    question: str
    answers: tuple[str, ...]
    place: int
    written: str
    refused: bool


def reading_figures(readings: Sequence[Reading]) -> dict[str, dict[str, Any]]:
    """Language → shares with n and a 95 % interval: `right`, `value`, `cited` and `refused` of what the passages answer, and
    `refused_unanswerable` of the rest."""
    figures: dict[str, dict[str, Any]] = {}
    for language in sorted({one.language for one in readings}):
        answerable = [one for one in readings if one.language == language and one.place]
        others = [one for one in readings if one.language == language and not one.place]
        shares = {
            "right": share(holds_key_fact(_MARKER.sub("", one.written), one.answers) for one in answerable),
            "value": share(holds_key_fact(_MARKER.split(one.written)[0], one.answers) for one in answerable),
            "cited": share(str(one.place) in _MARKER.findall(one.written) for one in answerable),
            "refused": share(one.refused for one in answerable),
            "refused_unanswerable": share(one.refused for one in others),
        }
        figures[language] = {name: value for name, value in shares.items() if value is not None}
    return figures
