"""What a check says of a sentence. Spans are Unicode code points of the sentence, end exclusive."""

from __future__ import annotations

from dataclasses import dataclass

from eval.types import Fault


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: where it stands, and why in the sentence's language. `check` is the name of who found it.

    `fault` is None where the sentence can only not be judged: a number in it is calculated, and nobody could do it again.
    """

    check: str
    fault: Fault | None
    reason: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A part of the sentence that the evidence holds in another spelling, or that follows from its numbers.

    `spelling` is a spelling that stands in the evidence; `note` shows the calculation, or is empty for the same value.
    """

    start: int
    end: int
    spelling: str
    note: str = ""
