"""English sentences taken apart: clauses with lead, subject, finite verb and rest. Without certainty there is no clause."""

from __future__ import annotations

import re
from dataclasses import dataclass

from finetune.values_en import ONES, find_values
from finetune.verbs import AUXILIARIES, Verb, finite_verb, is_instruction

PREPOSITIONS = frozenset(
    "for to in on at by of within after before from with above below under until since into over between".split()
)
_LEADS = frozenset(
    (
        "after before within on in until from for at above by under since when if as during while once with unless where every"
    ).split()
)
_PRONOUNS = frozenset("it they he she this these that those who whoever which such one some many most others both".split())
TAIL = re.compile(
    r"[,;:(]|\s[–—-]\s|\s(?:whether|unless|because|since|although|though|whichever|which|who|that|where|but)\s", re.IGNORECASE
)
_CLAUSES = re.compile(r";\s+|:\s+|,\s+(?:and|but|or)\s+|\s+and\s+(?=(?:you|we|they|it)\s)")
_AFTER_PAST = re.compile(rf"(?:the|an?|at|in|on|to|for|from|by|[A-Z]{{3}}$|\d|up|about|{ONES})")
_SUBJECT_WORDS = 12


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause taken apart. `lead` (`when …`) goes to the end of a question; `main` is the clause without it and begins with
    `written`, its subject; `subject` is that, or what a pronoun there stands for."""

    lead: str
    main: str
    subject: str
    written: str
    verb: Verb


def as_statement(body: str) -> str:
    """An instruction as a statement: `Call …` → `You should call …`; anything else as it is."""
    body = body.removeprefix("Please ")
    if body.startswith("Do not "):
        return "You should not " + body.removeprefix("Do not ")
    first = body.split(" ")[0].strip(",")
    return (
        f"You should {body[0].lower()}{body[1:]}" if is_instruction(first.lower()) and first not in ("Work", "Service") else body
    )


def main_clauses(body: str) -> list[str]:
    """The main clauses of a sentence; a coordinated part without subject and verb stays with the one before it."""
    out: list[str] = []
    at = 0
    for mark in _CLAUSES.finditer(body):
        if parse(body[mark.end() :], "") and (parse(body[at : mark.start()], "") or mark.group().strip() in (";", ":")):
            out.append(body[at : mark.start()])
            at = mark.end()
    out.append(body[at:])
    return [part.strip(" .;,") for part in out if part.strip(" .;,")]


def parse(text: str, stands_for: str) -> Clause | None:
    """The clause's parts; None where subject or verb cannot be told."""
    lead, main = split_lead(text.strip(" ."))
    words = main.split(" ")
    for i, word in enumerate(words[:_SUBJECT_WORDS]):
        verb = finite_verb(word)
        if i == 0 or verb is None or not _is_finite(words, i, verb):
            continue
        subject = " ".join(words[:i])
        first = words[0].lower()
        if first in _PRONOUNS:
            if not stands_for or i > 1 or first not in ("it", "they") or _number(stands_for) != first:
                return None
            subject = stands_for
        if first in _LEADS or first in ("and", "but", "or", "not", "to") or re.search(r"[,:;]|\b(?:who|which|that)\b", subject):
            return None
        return Clause(lead, main, subject, " ".join(words[:i]), verb)
    return None


def second_verb(word: str, first: Verb) -> Verb | None:
    """The verb of `lasts a week and starts …`: of the same number and tense as the first one."""
    verb = finite_verb(word)
    return verb if verb and (verb.auxiliary == first.auxiliary or not verb.base) else None


def before_second_verb(after: str) -> str:
    """What follows the value, up to a second statement: `and takes effect …`, `and by the industry fund`."""
    for joint in re.finditer(r" (?:and|or) (\w+)", after):
        goes_on = finite_verb(joint[1]) or joint[1] in PREPOSITIONS or parse(after[joint.start(1) :], "")
        if goes_on or joint[1] in ("you", "none"):
            return after[: joint.start()]
    return after


def _is_finite(words: list[str], i: int, verb: Verb) -> bool:
    if not verb.base:
        return True
    last = words[i - 1].lower()
    following = words[i + 1].lower() if i + 1 < len(words) else ""
    if last in ("a", "an", "the", "of", "for", "to", "in", "on", "by", "with", "our", "your", "its", "and", "or"):
        return False
    plural = (
        last in ("you", "we", "they") or (last.endswith("s") and not last.endswith("ss")) or last in ("staff", "people", "women")
    )
    if verb.auxiliary == "do":
        return plural and bool(following)
    if verb.auxiliary == "did":
        return bool(following) and bool(_AFTER_PAST.match(words[i + 1]))
    return not plural and following not in AUXILIARIES


def split_lead(text: str) -> tuple[str, str]:
    """What stands before the subject, and the rest: `When …,`, `On Fridays`, `After probation`."""
    first = text.split(" ")[0].lower()
    if first not in _LEADS:
        return "", text
    comma = re.match(r"([^,]{4,90}), (.+)", text)
    if comma:
        return comma[1][0].lower() + comma[1][1:], comma[2]
    bare = re.match(r"(\w+(?: [\w'’-]+){1,4}) ((?:the|an?|we|you|our|your) .+)", text)
    return (bare[1][0].lower() + bare[1][1:], bare[2]) if bare else ("", text)


def subject_of(sentence: str) -> str:
    """What a pronoun at the beginning of the next sentence stands for; empty where that is not clear."""
    clause = parse(" ".join(sentence.split()), "")
    if clause is None or clause.lead or find_values(clause.written):
        return ""
    return clause.subject if clause.subject.lower() not in ("you", "we", "there", "nobody", "everybody") else ""


def _number(subject: str) -> str:
    head = re.split(r" (?:of|for|in|on|with|from|between) ", subject)[0].split(" ")[-1]
    return "they" if " and " in subject or (head.endswith("s") and not head.endswith("ss")) else "it"
