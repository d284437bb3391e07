"""Whether an adapter may be approved: what it must show, what it showed, and the decision in words.

Conditions: it answers held-out questions better than its base model, and worse in none of the sets that were measured; and the
engine that will serve it answers as the training library does. Pure: measures nothing, knows no adapter's files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

GAIN_WANTED = "at least one held-out set whose gain's 95 % interval lies above 0, and none whose interval lies below 0"
PARITY_WANTED = "the serving engine gives the training library's answers (finetune/parity.py says how near)"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that approval needs: what was wanted, what was seen, and whether that is enough."""

    name: str
    passed: bool
    seen: str
    wanted: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's answer. `force_reason` is why a person lets it pass all the same; empty where nobody does."""

    conditions: tuple[Condition, ...]
    force_reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether every condition holds."""
        return all(condition.passed for condition in self.conditions)

    @property
    def approved(self) -> bool:
        """Whether the adapter may be approved: every condition holds, or a person gave a reason."""
        return self.passed or bool(self.force_reason)

    @property
    def sentence(self) -> str:
        """The decision with every condition, for people."""
        parts = [
            f"{one.name} {'holds' if one.passed else 'does not hold'}: seen {one.seen}; wanted {one.wanted}"
            for one in self.conditions
        ]
        forced = f". Forced: {self.force_reason}" if self.force_reason and not self.passed else ""
        return ". ".join(parts) + forced

    def record(self) -> dict[str, Any]:
        """The decision as it is kept with the adapter."""
        conditions = [asdict(condition) for condition in self.conditions]
        return {"passed": self.passed, "force_reason": "" if self.passed else self.force_reason, "conditions": conditions}


def decide(metrics: Mapping[str, Any], parity: Mapping[str, Any], *, force_reason: str = "") -> Decision:
    """The decision from the trainer's result and the train/serve comparison; what was not measured does not hold.

    `metrics["held_out"]` is set → {"n", "base", "tuned", "gain", "interval": [low, high]}, the gain being tuned less base with
    its 95 % interval (finetune/held_out.py); `parity` holds "passed", "agreement" and "sentence" (finetune/parity.py).
    """
    return Decision((_gain(metrics.get("held_out") or {}), _parity(parity)), force_reason.strip())


def _gain(held_out: Mapping[str, Any]) -> Condition:
    if not held_out:
        return Condition("held-out gain", False, "no held-out figures", GAIN_WANTED)
    seen = ", ".join(f"{name} {figures(one)}" for name, one in held_out.items())
    lows, highs = zip(*(one["interval"] for one in held_out.values()), strict=True)
    return Condition("held-out gain", max(lows) > 0 and min(highs) >= 0, seen, GAIN_WANTED)


def figures(gain: Mapping[str, Any]) -> str:
    """One set's gain in words: the gain, its interval, the number of questions."""
    low, high = gain["interval"]
    return f"{gain['gain']:+.3f} [{low:+.3f}, {high:+.3f}] of {gain['n']} questions"


def _parity(parity: Mapping[str, Any]) -> Condition:
    if not parity:
        return Condition("train/serve parity", False, "no comparison", PARITY_WANTED)
    seen = f"agreement {parity['agreement']:.1%}" if "agreement" in parity else "no agreement"
    if sentence := parity.get("sentence"):
        seen = str(sentence).rstrip(".")
    return Condition("train/serve parity", bool(parity.get("passed")), seen, PARITY_WANTED)
