"""Common English verbs and their forms: enough grammar to turn a statement into a question.

A verb that is not listed makes no question; nothing is guessed. Forms that are also everyday nouns are told apart by what
follows them.
"""

from __future__ import annotations

from dataclasses import dataclass

AUXILIARIES = frozenset("is are was were may can must should shall will could would might has have had".split())

# Verbs of business and technical prose; `base` or `base past`.
_VERBS = """
accept adopt agree allow amount answer appear apply approve ask audit award begin/began belong build/built buy/bought carry
change charge check claim climb come/came comply conduct confirm consist contribute convert cost/cost cover deduct defer
deliver depend drop earn employ end exceed expect expire fall/fell finish follow get/got give/gave govern grant hold/held
include increase inspect involve join keep/kept lapse last leave/left lend/lent lie/lay lose/lost maintain measure need occur
offer open operate own pass pay/paid permit place produce protect provide reach receive recommend reduce refund regrease
reject remain replace reply report represent require respond return review rise/rose run/ran save sell/sold send/sent serve
share sign spend/spent stand/stood start stay stop store supply support take/took total train turn use vary visit wait weigh
withstand work write/wrote yield
"""


@dataclass(frozen=True, slots=True)
class Verb:
    """A finite verb as found. `auxiliary` is what a question begins with; `base` is empty for an auxiliary itself."""

    auxiliary: str
    base: str


def _s_form(base: str) -> str:
    if base.endswith(("s", "x", "z", "ch", "sh", "o")):
        return base + "es"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + "s"


def _past_form(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    return base + "ed"


def _forms() -> dict[str, Verb]:
    forms: dict[str, Verb] = {auxiliary: Verb(auxiliary, "") for auxiliary in AUXILIARIES}
    for entry in _VERBS.split():
        base, _, past = entry.partition("/")
        forms[past or _past_form(base)] = Verb("did", base)
        forms[_s_form(base)] = Verb("does", base)
        forms[base] = Verb("do", base)
    return forms


_FORMS = _forms()
_INSTRUCTIONS = frozenset(
    (
        "call carry check choose clean close decline fill give hand keep leave level lift list lock open record replace report "
        "set start take use write"
    ).split()
)


def finite_verb(word: str) -> Verb | None:
    """The verb that this form can be; None where it is none that is known."""
    return _FORMS.get(word)


def is_instruction(word: str) -> bool:
    """Whether a sentence that begins with this word tells somebody to do something."""
    return word in _INSTRUCTIONS
