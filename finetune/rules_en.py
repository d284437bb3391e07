"""English sentences → points: the value is moved to the front as a question word, the rest keeps its own words.

What follows the first comma after the value is left out, and so is a second statement: a question asks for one thing. Where a
clause cannot be taken apart with certainty there is no question and no point.
"""

from __future__ import annotations

import re

from finetune.clauses_en import (
    PREPOSITIONS,
    TAIL,
    Clause,
    as_statement,
    before_second_verb,
    main_clauses,
    parse,
    second_verb,
    subject_of,
)
from finetune.points import LONGEST_ANSWER, Asked, Point, leans_on_its_heading
from finetune.values_en import NAME, Value, find_values, question_words, with_preposition
from finetune.verbs import Verb
from ingest.tokens import STOP_WORDS

_APPROXIMATOR = re.compile(
    r"(?:^|\s)(?:at (?:most|least|the latest|the earliest)|up to|no (?:more|less|longer|fewer|larger|later) than|about|roughly"
    r"|around|only|over|some|as many as|just|nearly|almost|a maximum of|a minimum of|a total of|an average of|another)$",
    re.IGNORECASE,
)
_COMMON_ENDING = re.compile(r"(?:ing|ment|ion|ery|ity|ance|ence|ship|age|ness)$")
_LABEL = re.compile(r"^(?:[•●▪–-]\s*)?(?:\d+(?:\.\d+)+\s+|\d+[.)]\s+)?(?:(?P<label>[A-Z][\w -]{2,30}):\s+)?")
_ROLE = re.compile(
    rf"\b(?:[Tt]he|[Oo]ur|[Aa]n?|its)\s+(?P<role>(?:[A-Za-z-]+ ){{0,4}}[A-Za-z-]+), (?P<name>(?:Dr |Mr |Ms |Prof )?{NAME})"
    r"(?=[,.;]|$| and )",
)
_TITLED = re.compile(
    r"(?P<name>[A-Z][\w'-]+(?: (?:van |de )?[A-Z][\w'-]+)+), (?P<role>(?:Head|Director|Manager|Managing|Chief)[\w ]*)(?=[,.;])"
)
_DEFINITION = re.compile(r"^(?:An?|The) (?P<term>[a-z][\w -]{2,30}?) (?:is|means) (?P<rest>(?:an?|any|the) [a-z].{15,})\.$")
_PERSON = re.compile(r"\b(?:chair|director|manager|officer|owner|head|physician|secretary|president|member)\b", re.IGNORECASE)
_ORGANISATION = re.compile(
    r"\b(?:agency|provider|company|institute|bank|line|firm|foundry|insurer|supplier|candidate)\b", re.IGNORECASE
)
_COUNTED = (Asked.NUMBER, Asked.DURATION, Asked.SHARE, Asked.AMOUNT)
_OF = re.compile(r" of (?:the |a |an )?[\w-]+(?: [\w-]+)?(?=$| (?:in|on|for|within|at|to|each|per|into|of|is|are|may|with)\b)")
_EACH = re.compile(
    r" (?:a|an|per|each|every) (?:year|month|week|day|hour|quarter|person|piece|night|kilometre|metre|quotation)\b"
    r"| (?:ahead|earlier|later|in advance)\b"
)
# What stands before a value and shows that the value is only a part of something.
_UNFINISHED = re.compile(r"\b(?:an?|the|of|and|or|than|as|first|last|every|worth|under|with|their|its)$")
_JOINT = re.compile(r"(?:^|.*\s)(?:and|or|but)$")


def points(sentence: str, *, before: str, topic: str) -> list[Point]:
    """The points of one sentence; `before` is the sentence that pronouns may refer to."""
    plain = " ".join(sentence.split())
    out = _definitions(plain, sentence, topic) + _roles(plain, sentence, topic)
    match = _LABEL.match(plain)
    label = (match["label"] or "") if match else ""
    body = as_statement(plain[match.end() :] if match else plain)
    stands_for = subject_of(before)
    for text in main_clauses(body):
        clause = parse(text, stands_for)
        if clause is None or '"' in text:
            continue
        values = find_values(clause.main)
        for value in values:
            worded = _worded(clause, value, values)
            if worded is not None:
                out.append(_point(clause.main[value.start : value.end], value.asked, worded, sentence, text, label or topic))
    return out


_RULES = {
    Asked.AMOUNT: "how-much",
    Asked.SHARE: "how-much",
    Asked.DURATION: "how-long",
    Asked.NUMBER: "number",
    Asked.DATE: "when",
    Asked.TIME: "when",
    Asked.WHERE: "where",
}


def _point(value: str, asked: Asked, worded: tuple[list[str], str], sentence: str, clause: str, topic: str) -> Point:
    questions, statement = worded
    answer = _raised((statement if len(statement) <= LONGEST_ANSWER["en"] else value).strip(" .,;")) + "."
    rule = _RULES.get(asked, "who")
    return Point(rule, asked, "en", sentence, clause, value, answer, topic, tuple(_framed(questions, topic)))


def _worded(clause: Clause, value: Value, values: list[Value]) -> tuple[list[str], str] | None:
    """The questions for one value of the clause, and the plain statement that answers them; None where that goes wrong."""
    own, rest = _after(clause.main, value, values)
    lead = f" {clause.lead}" if clause.lead else ""
    if value.start < len(clause.written):
        return _worded_as_subject(clause, value, own, lead)
    found = _before(clause, value, values)
    if found is None:
        return None
    verb, written, middle = found
    approximate = _APPROXIMATOR.search(middle)
    approximator = approximate.group().strip() if approximate else ""
    words = (middle[: approximate.start()] if approximate else middle).strip().split(" ")
    preposition = words.pop() if words[-1].lower() in PREPOSITIONS else ""
    middle = " ".join(words).strip()
    if _UNFINISHED.search(middle) or preposition in ("of", "between") or middle.split(" ")[0] == "not":
        return None
    text = clause.main[value.start : value.end]
    statement = _joined(clause.subject, written, middle, preposition, approximator, text) + own + rest + lead
    subject = _unraised(clause.subject)
    heads = _heads(value, text, own, preposition, subject, length=not middle and verb.auxiliary in ("is", "are"), rest=rest)
    fronted = [with_preposition(head, preposition) for head in heads]
    questions = [_joined(head, verb.auxiliary, subject, verb.base, middle) + rest + lead + "?" for head in fronted]
    told = _joined(fronted[0][0].lower() + fronted[0][1:], subject, written, middle)
    return [*questions, f"Can you tell me {told}{rest}{lead}?"], statement


def _worded_as_subject(clause: Clause, value: Value, own: str, lead: str) -> tuple[list[str], str] | None:
    """The same for a value that begins the clause: `Up to six days may be carried …`."""
    front = clause.main[: value.start].strip()
    if value.asked not in _COUNTED or (front and not _APPROXIMATOR.search(" " + front)):
        return None
    tail = clause.main[value.end :]
    cut = TAIL.search(tail)
    tail = tail[: cut.start()] if cut else tail
    text = clause.main[value.start : value.end]
    head = question_words(value.asked, text, value.noun, own)[0]
    return [f"{head}{tail[len(own) :]}{lead}?"], f"{clause.main[: value.start]}{text}{tail}{lead}"


def _after(main: str, value: Value, values: list[Value]) -> tuple[str, str]:
    """What follows the value: the part that belongs to it (`of paid holiday`, `each year`), and the rest of its statement."""
    after = main[value.end :]
    cut = TAIL.search(after)
    after = after[: cut.start()] if cut else after
    for other in values:
        if value.end <= other.start < value.end + len(after):
            joint = after[: other.start - value.end].rfind(" and ")
            after = after[:joint] if joint >= 0 else after
    after = before_second_verb(after).rstrip(" ,.;")
    if value.asked not in _COUNTED:
        return "", after
    of = _OF.match(after)
    own = of.group() if of else ""
    each = _EACH.match(after[len(own) :])
    own += each.group() if each else ""
    return own, after[len(own) :]


def _before(clause: Clause, value: Value, values: list[Value]) -> tuple[Verb, str, str] | None:
    """The verb that the value belongs to, as a verb and as written, and what stands between the two."""
    written, _, middle = clause.main[len(clause.written) : value.start].strip().partition(" ")
    verb = clause.verb
    others = [other for other in values if other.start >= len(clause.written) and other.end <= value.start]
    second = re.match(r".* (?:and|or) (\w+)((?: .*)?)$", middle)
    again = second_verb(second[1], verb) if second else None
    if second and again:
        verb, written, middle = again, second[1], second[2].strip()
    elif others:
        if not _JOINT.search(_APPROXIMATOR.sub("", middle).strip().rsplit(",", 1)[-1].strip()):
            return None
        middle = clause.main[len(clause.written) : others[0].start].strip().partition(" ")[2]
    if TAIL.search(middle + " ") or re.search(r"\b(?:it|them|they|this|these)\b", middle):
        return None
    return verb, written, middle


def _heads(value: Value, text: str, own: str, preposition: str, subject: str, *, length: bool, rest: str) -> list[str]:
    """How the questions begin. `length` says that the clause states nothing but how long its subject is."""
    heads = question_words(value.asked, text, value.noun, own)
    if (
        value.asked is Asked.DURATION
        and not own
        and "each" not in rest
        and (preposition == "for" or (length and not preposition))
    ):
        heads.append("How long")
    if value.asked is Asked.DATE and preposition not in ("", "in", "on", "at", "until"):
        return heads[1:]  # `to what date`, and not `to when`
    if value.asked is Asked.NAME and not preposition and not _PERSON.search(subject):
        return ["What"]
    return heads


def _framed(questions: list[str], topic: str) -> list[str]:
    """The questions, under their heading where one needs it; and the first one under its heading in any case."""
    if not topic:
        return [question for question in questions if not leans_on_its_heading(question)]
    frames = ("Regarding “{topic}”, {small}", "{big} ({topic})?", "{topic}: {small}")
    out = []
    for number, question in enumerate(questions):
        small, big = question[0].lower() + question[1:], question.rstrip("?")
        frame = frames[number % len(frames)]
        out.append(frame.format(topic=topic, small=small, big=big) if leans_on_its_heading(question) else question)
    if questions and out[0] == questions[0]:
        out.append(frames[0].format(topic=topic, small=questions[0][0].lower() + questions[0][1:]))
    return out


def _roles(plain: str, sentence: str, topic: str) -> list[Point]:
    out = []
    for match in [*_ROLE.finditer(plain), *_TITLED.finditer(plain)]:
        role, name = match["role"].strip(), match["name"].strip()
        if (" " not in role and role[:1].isupper()) or re.search(r"\b(?:by|for|with|from)\b", role):
            continue  # `the Rotterdam, Leeds and Boston offices`
        who = not _ORGANISATION.search(role)
        questions = [f"What is the name of the {role}?", f"{'Who' if who else 'Which one'} is the {role}?"]
        if topic:
            questions.append(f"Regarding “{topic}”, {'who' if who else 'what'} is the {role}{'' if who else ' called'}?")
        out.append(
            Point(
                "who",
                Asked.WHO if who else Asked.NAME,
                "en",
                sentence,
                plain,
                name,
                f"The {role} is {name}.",
                topic,
                tuple(questions),
            )
        )
    return out


def _definitions(plain: str, sentence: str, topic: str) -> list[Point]:
    match = _DEFINITION.match(plain)
    if not match:
        return []
    term, rest = match["term"], match["rest"]
    questions = (f"What is a {term}?", f"How is the term “{term}” defined?")
    answer = plain if len(plain) <= LONGEST_ANSWER["en"] else _raised(rest.split(",")[0]) + "."
    return [Point("definition", Asked.DEFINITION, "en", sentence, plain, rest.split(",")[0], answer, topic, questions)]


def _joined(*parts: str) -> str:
    return " ".join(part.strip() for part in parts if part.strip())


def _raised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _unraised(text: str) -> str:
    """The text with a small first letter where that word is no name: a stop word, a plural, or followed by a small one."""
    words = text.split(" ")
    first = words[0]
    if not first[1:].islower() and len(first) > 1:
        return text
    common = first.lower() in STOP_WORDS or first.endswith("s") or (len(words) > 1 and words[1][:1].islower())
    common = common or bool(_COMMON_ENDING.search(first)) or first in ("Either", "Every", "Nobody", "Anybody", "Salary")
    return text[0].lower() + text[1:] if common else text
