"""All checks of one sentence: what they find, and what they confirm although its words or digits stand nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from eval.checks.arithmetic import check_change, check_equations, is_calculated, not_judged, redo
from eval.checks.claim import Claim
from eval.checks.comparison import check_bounds, check_direction
from eval.checks.dates import check_dates, confirmed_dates
from eval.checks.finding import Confirmed, Finding
from eval.checks.modality import check_modality
from eval.checks.names import check_codes, check_people
from eval.checks.numbers import check_numbers, confirmations, missing_number, seek_numbers
from eval.checks.statements import Statements
from eval.checks.tables import check_tables
from eval.support import Evidence
from eval.types import Fault


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks say of one sentence; both may be empty."""

    findings: tuple[Finding, ...]
    confirmed: tuple[Confirmed, ...]

    @property
    def is_judged(self) -> bool:
        """Whether all findings are faults: a calculated number that nobody could do again leaves the sentence unjudged."""
        return all(finding.fault for finding in self.findings) or any(finding.fault for finding in self.findings)


def run_checks(sentence: str, evidence: Evidence) -> Checked:
    """The findings on a sentence, gravest first, and what of it is confirmed; spans are those of `sentence`."""
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
    ]
    known = [finding for finding in findings if finding]
    return Checked(tuple(sorted(known, key=lambda finding: _GRAVITY[finding.fault])), tuple(confirmed))


_GRAVITY = {Fault.CONTRADICTED: 0, Fault.NOT_IN_EVIDENCE: 1, None: 2}
