"""The sentence that is checked, beside what the evidence says of the same: what every check is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from eval.checks.quantities import Quantity
from eval.checks.statements import Statement, Statements, read_statement, terms_of

# From this share of its words' rarity on, a statement of the evidence speaks of the same thing (docs/decisions/0020).
SAME_THING = 0.7
# A statement that covers this much less than the best one speaks of something else.
CLEARLY_LESS = 0.25


@dataclass(frozen=True)
class Claim:
    """A sentence with its statement; `evidence` is what it is checked against."""

    statement: Statement
    evidence: Statements

    @staticmethod
    def of(sentence: str, evidence: Statements) -> Claim:
        """The claim of a sentence."""
        return Claim(read_statement(sentence), evidence)

    @property
    def language(self) -> str:
        """The language that reasons are given in: `zh`, else `en`."""
        return "zh" if self.statement.language == "zh" else "en"

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The numbers of the sentence that are no dates or codes."""
        return self.statement.quantities

    @cached_property
    def terms(self) -> frozenset[str]:
        """The content words of the sentence, numbers with their units and dates left out."""
        values = [(quantity.start, quantity.end) for quantity in self.statement.quantities]
        values += [(date.start, date.end) for date in self.statement.dates]
        return frozenset(terms_of(self.statement.words, values))

    @cached_property
    def coverage(self) -> dict[str, float]:
        """Text of a statement of the evidence → the idf share of the sentence's words that it holds."""
        return self.evidence.coverage(self.terms)

    @cached_property
    def nearest(self) -> tuple[Statement, ...]:
        """Statements that speak of the same thing, best first, at most three; empty where none does."""
        return _best(self.coverage)

    def near_enough(self, share: float) -> list[Statement]:
        """Statements that hold at least so much of the sentence's words, best first."""
        best = sorted(self.coverage.items(), key=lambda item: (-item[1], item[0]))
        return [read_statement(text) for text, held in best[:3] if held >= share]

    def nearest_without(self, spans: Sequence[tuple[int, int]]) -> tuple[Statement, ...]:
        """The same, whatever stands at the spans: a name that is looked at."""
        terms = self.terms.intersection(terms_of(self.statement.words, spans))
        return _best(self.evidence.coverage(terms)) if terms else ()


def _best(coverage: Mapping[str, float]) -> tuple[Statement, ...]:
    best = sorted(coverage.items(), key=lambda item: (-item[1], item[0]))[:3]
    return tuple(read_statement(text) for text, share in best if share >= SAME_THING and share > best[0][1] - CLEARLY_LESS)
