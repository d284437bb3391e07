"""How long a chunk may be, in tokens of the model that embeds it.

Knows no model: it is given the way of counting. Where a model has no tokens of its own (the house LSA counts words, a service
keeps its tokenizer to itself) they are estimated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

# Chinese, Japanese, Korean and their punctuation: what is written full width.
_WIDE = re.compile(
    r"[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003134f]"
)
# About what the vocabularies of multilingual encoders make of prose.
_WIDE_CHARACTERS_A_TOKEN = 1.52
_CHARACTERS_A_TOKEN = 4.3

DEFAULT_TOKENS = 210
"""Some 900 characters of English or 320 of Chinese: a paragraph or two."""


def estimated_tokens(text: str) -> int:
    """How many tokens the text has, by its script."""
    wide = len(_WIDE.findall(text))
    return math.ceil(wide / _WIDE_CHARACTERS_A_TOKEN + (len(text) - wide) / _CHARACTERS_A_TOKEN)


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """At most `tokens` as `count` counts them; `tokenizer` names that way of counting: with another one, chunks are others."""

    tokens: int = DEFAULT_TOKENS
    count: Callable[[str], int] = estimated_tokens
    tokenizer: str = "estimated"

    def holds(self, text: str) -> bool:
        """Whether the text is no longer than a chunk may be."""
        return self.count(text) <= self.tokens
