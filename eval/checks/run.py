"""All checks of one sentence: what they find, and what they confirm although its words or digits stand nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from eval.checks.arithmetic import check_change, check_equations, is_calculated, not_judged, redo
from eval.checks.claim import Claim
from eval.checks.comparison import check_bounds, check_direction
from eval.checks.dates import check_dates, confirmed_dates
from eval.checks.exchange import check_exchange
from eval.checks.finding import Confirmed, Finding
from eval.checks.modality import check_modality
from eval.checks.names import check_codes, check_people
from eval.checks.numbers import check_numbers, confirmations, missing_number, seek_numbers
from eval.checks.statements import Statements
from eval.checks.tables import check_tables
from eval.support import Evidence, Reading
from eval.types import Fault


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks say of one sentence; both may be empty."""

    findings: tuple[Finding, ...]
    confirmed: tuple[Confirmed, ...]

    @property
    def fault(self) -> Fault | None:
        """The gravest fault; None where there is none."""
        return self.findings[0].fault if self.findings else None

    @property
    def is_judged(self) -> bool:
        """False where all that is found is a calculated number that nobody could do again."""
        return not self.findings or self.fault is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """The calculations that were done again."""
        return tuple(one.note for one in self.confirmed if one.note)

    def in_evidence_spelling(self, sentence: str) -> str:
        """The sentence with what is confirmed written as the evidence writes it, so that its words can be compared."""
        for one in sorted(self.confirmed, key=lambda confirmed: -confirmed.start):
            sentence = sentence[: one.start] + one.spelling + sentence[one.end :]
        return sentence


def run_checks(sentence: str, evidence: Evidence, reading: Reading) -> Checked:
    """The findings on a sentence, gravest first, and what of it is confirmed; `reading` is that of the sentence."""
    claim = Claim.of(sentence, Statements(evidence))
    sought = seek_numbers(claim)
    confirmed = [*confirmations(sought), *confirmed_dates(claim)]
    findings: list[Finding | None] = [*check_numbers(claim, sought), *check_dates(claim)]
    wrong = check_equations(claim) or check_change(claim)
    findings.append(wrong)
    for one in sought:
        if one.is_missing and not one.opposed:
            again = redo(claim, one.quantity)
            if again:
                confirmed.append(again)
            elif not wrong:
                calculated = is_calculated(claim, one.quantity)
                findings.append(not_judged(claim, one.quantity) if calculated else missing_number(claim, one))
    findings += [
        check_tables(claim),
        *check_codes(claim),
        check_people(claim),
        check_modality(claim),
        check_bounds(claim, sought),
        check_direction(claim),
        check_exchange(claim, reading),
    ]
    known = [finding for finding in findings if finding]
    return Checked(tuple(sorted(known, key=lambda finding: _GRAVITY[finding.fault])), tuple(confirmed))


_GRAVITY = {Fault.CONTRADICTED: 0, Fault.NOT_IN_EVIDENCE: 1, None: 2}
