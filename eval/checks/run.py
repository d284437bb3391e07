"""All checks of one sentence: what they find, and what they confirm although its words or digits stand nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from eval.checks.additions import check_additions
from eval.checks.aligned import check_aligned_numbers, check_substituted_word
from eval.checks.arithmetic import calculated_wrongly, check_change, check_equations, is_calculated, not_judged, redo
from eval.checks.bindings import check_bindings
from eval.checks.claim import Claim
from eval.checks.comparison import check_bounds, check_direction
from eval.checks.dates import check_dates, confirmed_dates
from eval.checks.exchange import check_exchange
from eval.checks.finding import Confirmed, Finding
from eval.checks.labels import check_labels
from eval.checks.listed import check_listed
from eval.checks.modality import check_modality
from eval.checks.names import check_codes, check_people
from eval.checks.numbers import Sought, check_numbers, confirmations, missing_number, seek_numbers
from eval.checks.opposites import check_opposites
from eval.checks.scope import check_scope
from eval.checks.tables import check_tables
from eval.support import Reading
from eval.types import Fault

_GRAVITY = {Fault.CONTRADICTED: 0, Fault.NOT_IN_EVIDENCE: 1, None: 2}


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


def run_checks(claim: Claim, reading: Reading) -> Checked:
    """The findings on a sentence, gravest first, and what of it is confirmed; `reading` is that of the claim's sentence."""
    sought = seek_numbers(claim)
    confirmed = [*confirmations(claim, sought), *confirmed_dates(claim)]
    wrong = check_equations(claim) or check_change(claim)
    numeric = [finding for finding in [*check_numbers(claim, sought), check_tables(claim)] if finding]
    for one in sought:
        at = (one.quantity.start, one.quantity.end)
        against = [finding for finding in numeric if any(a < at[1] and at[0] < b for a, b in finding.spans)]
        if not (one.is_missing or against) or wrong:
            continue
        again = redo(claim, one.quantity)
        if again:
            confirmed.append(again)
            numeric = [finding for finding in numeric if finding not in against]
        elif not against:
            numeric += [finding for finding in [_missing(claim, one)] if finding]
    others = [
        wrong,
        *check_dates(claim),
        *check_codes(claim),
        check_people(claim),
        check_modality(claim),
        check_bounds(claim, sought),
        check_direction(claim),
        check_opposites(claim),
        check_scope(claim),
        check_bindings(claim),
        check_labels(claim),
        check_listed(claim),
        check_aligned_numbers(claim),
        check_substituted_word(claim),
        check_additions(claim),
    ]
    known = [*numeric, *(finding for finding in others if finding)]
    # The rule without a kind says least of what is wrong, and takes another spelling for an exchange.
    if not known and not confirmed:
        known = [finding for finding in [check_exchange(claim, reading)] if finding]
    return Checked(tuple(sorted(known, key=lambda finding: _GRAVITY[finding.fault])), tuple(confirmed))


def _missing(claim: Claim, sought: Sought) -> Finding | None:
    """What a number means that the evidence holds nowhere and that does not follow from it."""
    quantity = sought.quantity
    return (
        calculated_wrongly(claim, quantity)
        or (not_judged(claim, quantity) if is_calculated(claim, quantity) else None)
        or missing_number(claim, sought)
    )
