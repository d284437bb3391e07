"""Answers of anybody's making, checked against texts that come with them; nothing of the catalog is read.

Knows limits and the product's judge. How a line is judged is `eval.hallucination`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eval.hallucination import AnswerJudge, Line, check_line
from ingest.errors import InputRefused

MOST_LINES = 200
MOST_CHARACTERS = 2_000_000
"""Of one request: some three seconds of a processor core at 1.5 ms a thousand characters (docs/decisions/0004)."""


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks answers with the product's judge."""

    judge: AnswerJudge

    def check(self, lines: Sequence[Line]) -> list[dict[str, Any]]:
        """What `check_line` says of each line, in order.

        Raises:
            InputRefused: there are too many lines, or too much text in them.
        """
        if len(lines) > MOST_LINES:
            raise InputRefused(f"{len(lines)} lines were sent; at most {MOST_LINES} are checked at once: send them in parts")
        characters = sum(line.characters for line in lines)
        if characters > MOST_CHARACTERS:
            raise InputRefused(
                f"the lines hold {characters:,} characters; at most {MOST_CHARACTERS:,} are checked at once: "
                "send fewer lines, or a shorter context"
            )
        return [check_line(line, judge=self.judge) for line in lines]
