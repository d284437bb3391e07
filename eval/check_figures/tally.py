"""What was tried of each kind, and how much of it came out: the rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from eval.answers import share
from eval.checks.claim import Claim
from eval.checks.run import Checked, run_checks
from eval.checks.statements import Statements

Kind = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """Kind → how many were tried, and of how many something is true."""

    tried: Counter[Kind] = field(default_factory=Counter)
    true: Counter[Kind] = field(default_factory=Counter)

    def add(self, kind: Kind, is_true: bool) -> None:
        """Counts one more of the kind."""
        self.tried[kind] += 1
        self.true[kind] += is_true

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row a kind, in order, with the share and its 95 % Wilson interval."""
        for kind in sorted(self.tried):
            n, true = self.tried[kind], self.true[kind]
            found = share([True] * true + [False] * (n - true)) or {}
            yield {"kind": " / ".join(kind), "n": n, "found": true, "share": [found["value"], found["low"], found["high"]]}


def checked(sentence: str, evidence: Statements) -> Checked:
    """What the checks say of a sentence that is read against the evidence."""
    return run_checks(Claim.of(sentence, evidence), evidence.evidence.read(sentence))
