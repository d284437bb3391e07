"""A conversation and its last question → the question as it is searched for, which needs nothing of what went before.

A question that leans on an earlier one, by a pronoun (`it`, `他们`), an ellipsis (`And for managers?`, `那经理呢？`) or a
comparison that names one side only, is given the words that it leans on; one that stands by itself is left as it is, so that a
new topic drags nothing along. Words alone decide: the module knows no model, no index and no document.

Invariants. The question itself is never changed, only preceded by words of earlier turns in their own spelling and order.
What it gains and where it errs: `docs/decisions/0017-asking-in-context.md`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ingest.tokens import HAN, STOP_WORDS, is_han, stem, without_question_words

TURNS = 3
"""Questions that are looked back at: what is further away was left behind, or was carried on by those after it."""
INNER_WORDS = 3
"""After so many content words of its own question, `it` or `they` means one of these."""
WHOLE_WORDS = 3
"""A phrase of so many content words stands by itself, without a verb too."""
ANSWER_NAMES = 3
"""Names of an answer that are carried on, of its first sentence: less than the questions' words, which a person chose."""

_TOKEN = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+(?:[-_/.'&][^\W_{HAN}]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|[。！？\n]+")


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation. `role`: `user` or `assistant`."""

    role: str
    content: str


class Lean(Enum):
    """How a question leans on what went before: it names its subject by a pronoun, or leaves out what is asked of it."""

    NOT = "not"
    PRONOUN = "pronoun"
    ELLIPSIS = "ellipsis"


def condensed(question: str, history: Sequence[Turn]) -> str:
    """The question; where it leans on earlier turns, a line of their words before it."""
    return _condensed(question, history, TURNS)


def _condensed(question: str, history: Sequence[Turn], turns: int) -> str:
    asked = [place for place, turn in enumerate(history) if turn.role == "user"]
    lean = leaning(question) if asked and turns else Lean.NOT
    if lean is Lean.NOT:
        return question
    before = _condensed(history[asked[-1]].content, history[: asked[-1]], turns - 1)
    answer = " ".join(turn.content for turn in history[asked[-1] + 1 :])
    carried = _carried(before, answer, question, lean)
    return f"{' '.join(carried)}\n{question}" if carried else question


# Does it lean?

_POINTS = frozenset("it its it's they them their theirs these those he him his she her hers".split())
_PERSONS = frozenset("he him his she her hers".split())
_SIDES = frozenset("same latter former other others another one ones else instead".split())
_COMPARED = frozenset(
    """longer shorter higher lower cheaper dearer bigger larger smaller faster slower earlier later better worse older newer
    heavier lighter stricter greater fewer more less""".split()
)
# "How long does it take to …", "Is it allowed to …": nothing is pointed at.
_EXPLETIVE = re.compile(r"\bit\s+(?:takes?|took|costs?)\b.*\bto\b|\b(?:is|was)\s+it\s+\w+\s+(?:to|that|for)\b")
_OPENING = re.compile(r"^\W*(?:and|or|but|so|also|then|what about|how about|what if)\b")
_OPENS_FULLY = re.compile(r"^\W*(?:what|how) about\b")
_VERBS = frozenset(
    "is are was were be do does did has have had can could will would should may might must shall am need needs".split()
)
# Words of asking that name nothing to look for, beside the stop words.
_FRAME = frozenset(
    """much many long often soon far about please tell give say mean means get gets take takes happen happens exactly more less
    also then so or up out per any some most least only just ok okay thanks yes well need needs same other too""".split()
)
# What belongs to something: a question for nothing but this leaves out of what.
_RELATIONAL = frozenset(
    stem(word)
    for word in """limit price cost deadline amount maximum minimum duration period time date day rate reason condition exception
    exceptions number size weight details example threshold fee start end""".split()
)

_HAN_POINTS = re.compile(
    r"它|(?<!其)他(?!人)|她|(?<![尤极何])其(?![他它中余实次])|这|那(?!么)|(?<!应)该|上述|前者|后者|(?<![因彼如从])此(?![外后前次])"
    r"|两者|二者|同一|同样|相同|一样|刚才|上面"
)
_HAN_COMPARED = re.compile(r"更(?![换改新衣正替])|还要?(?=[高低长短多少贵快慢])")
_HAN_COMPARES_WITH = re.compile(r"[比较]")
_HAN_ASKS = re.compile(r"什么|怎|如何|多少|多久|多长|几|谁|哪|何|吗|是否|是不是|有没有|多[大高远重]")
_HAN_FRAME = re.compile(
    r"是不是|有没有|可不可以|能不能|多久|多长|多[大高远重]|可以|需要|应该|的话|[那呢吧啊吗么得地了着过是有在要会能也都就还又再被把给跟和与及或为以对]"
)
_HAN_RELATIONAL = re.compile(
    r"时候|时间|期限|价格|价钱|费用|金额|上限|下限|标准|地点|地方|电话|号码|比例|条件|原因|例外|要求|流程|数量|最[高低多少长短]|一次|具体"
)


def leaning(question: str) -> Lean:
    """How the question leans on what went before, as far as its words tell."""
    folded = unicodedata.normalize("NFKC", question).replace("’", "'").strip()
    tokens = _TOKEN.findall(folded)
    if any(is_han(token[0]) for token in tokens):
        return _leaning_chinese(folded, tokens)
    return _leaning_english(folded.lower(), tokens)


def _leaning_english(folded: str, tokens: Sequence[str]) -> Lean:
    lower = [token.lower() for token in tokens]
    content = [token for token in lower if _is_content(token)]
    if _OPENS_FULLY.search(folded):
        return Lean.ELLIPSIS
    points = not _EXPLETIVE.search(folded) and any(_points_back(place, tokens) for place in range(len(tokens)))
    compares = "than" not in lower and not _COMPARED.isdisjoint(lower) and len(content) <= WHOLE_WORDS + 1
    if points or compares or (not _SIDES.isdisjoint(lower) and len(content) <= WHOLE_WORDS):
        return Lean.PRONOUN
    if not content or all(stem(token) in _RELATIONAL for token in content):
        return Lean.ELLIPSIS
    has_verb = not _VERBS.isdisjoint(lower)
    if _OPENING.search(folded):
        return Lean.NOT if has_verb and len(content) > WHOLE_WORDS else Lean.ELLIPSIS
    if has_verb or len(content) >= WHOLE_WORDS or (len(content) > 1 and any(_is_code(token) for token in content)):
        return Lean.NOT
    return Lean.ELLIPSIS


def _points_back(place: int, tokens: Sequence[str]) -> bool:
    """Whether the word here is a pronoun that means nothing in its own question."""
    word = tokens[place].lower()
    earlier = [token for token in tokens[:place] if _is_content(token.lower())]
    if word in ("this", "that"):
        following = tokens[place + 1].lower() if place + 1 < len(tokens) else ""
        joins = word == "that" and place > 0 and tokens[place - 1] in earlier  # "gifts that must be reported"
        return not joins and following not in ("year", "month", "week", "quarter")
    if word in _PERSONS:
        return not any(_is_name(earlier_place, tokens) for earlier_place in range(1, place))
    return word in _POINTS and len(earlier) < INNER_WORDS


def _leaning_chinese(folded: str, tokens: Sequence[str]) -> Lean:
    named = [token for token in tokens if not is_han(token[0]) and _is_content(token.lower())]
    rest = _HAN_RELATIONAL.sub("", _HAN_FRAME.sub("", without_question_words(_HAN_POINTS.sub("", folded))))
    rest_length = sum(map(is_han, rest))
    ends_open = folded.rstrip("？?。！! ").endswith("呢") and not _HAN_ASKS.search(folded)
    if ends_open or (folded.startswith("那") and not _HAN_ASKS.search(folded)):
        return Lean.ELLIPSIS
    if _HAN_POINTS.search(folded) or (_HAN_COMPARED.search(folded) and not _HAN_COMPARES_WITH.search(folded)):
        return Lean.PRONOUN
    return Lean.ELLIPSIS if not named and rest_length < 2 else Lean.NOT


def _is_content(word: str) -> bool:
    return word not in STOP_WORDS and word not in _FRAME


def _is_code(word: str) -> bool:
    return any(c.isdigit() for c in word)


def _is_name(place: int, tokens: Sequence[str]) -> bool:
    """Whether the word is a code, a number or written with a capital inside a sentence."""
    word = tokens[place]
    if not _is_content(word.lower()):  # "I"
        return False
    return _is_code(word) or (place > 0 and word[0].isupper()) or (len(word) > 1 and word.isupper())


# What is carried on

_HAN_EDGES = re.compile(r"^[是有在]+|[是有了着吗呢吧]+$")
_HAN_AMOUNT = re.compile(r"[一二三四五六七八九十百千万两半零]")
_SHORTEST_NAME = 3
_YEAR = re.compile(r"(?:19|20)\d\d年?")


def _carried(before: str, answer: str, question: str, lean: Lean) -> list[str]:
    """The words of the question before, and for a pronoun the names of its answer, that the question does not hold itself."""
    words = _words(before)
    if lean is Lean.PRONOUN:
        words += [name for name in _names_of_answer(answer) if name not in words]
    else:
        words = _without_replaced(words, _words(question))
    held = {word.lower() for word in _words(question)}
    return [word for word in dict.fromkeys(words) if word.lower() not in held]


def _words(text: str) -> list[str]:
    """The content words, numbers and Han runs of a question, in order and as they are written."""
    folded = unicodedata.normalize("NFKC", without_question_words(text)).replace("’", "'")
    out: list[str] = []
    for token in _TOKEN.findall(folded):
        word = _HAN_EDGES.sub("", token) if is_han(token[0]) else token
        if word and (is_han(word[0]) or _is_content(word.lower())):
            out.append(word)
    return out


def _without_replaced(words: list[str], new: Sequence[str]) -> list[str]:
    """The words without those whose place the new question's take: a code for a code, a year for a year, a name for a name."""
    kinds = {kind for word in new if (kind := _kind(word))}
    return [word for word in words if _kind(word) not in kinds]


def _kind(word: str) -> str:
    if _YEAR.fullmatch(word):
        return "year"
    if _is_code(word):
        return "code" if any(c.isalpha() for c in word) else ""
    return "name" if word[0].isupper() else ""


def _names_of_answer(answer: str) -> list[str]:
    """The names in an answer's first sentence, or the whole of one that is nothing else."""
    sentence = next((part for part in _SENTENCE_END.split(answer) if part.strip()), "")
    tokens = _TOKEN.findall(unicodedata.normalize("NFKC", sentence))
    if len(tokens) == 1 and is_han(tokens[0][0]):
        return [] if _HAN_AMOUNT.match(tokens[0]) else tokens
    return [token for place, token in enumerate(tokens) if _is_name_of_answer(place, tokens)][:ANSWER_NAMES]


def _is_name_of_answer(place: int, tokens: Sequence[str]) -> bool:
    """Whether it is a name, and no unit such as `Nm` or `m3`; a sentence's first word only where it is all, or a name goes on."""
    word = tokens[place]
    if len(word) < _SHORTEST_NAME or not word[0].isupper() or not _is_content(word.lower()):
        return False
    return place > 0 or len(tokens) == 1 or _is_code(word) or tokens[1][0].isupper()
