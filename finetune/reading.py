"""Questions about open passages → samples that teach a chat model to answer from passages in the serving prompt, and to cite.

Each prompt holds one passage with its questions among real distractors, at a random place, and is asked what its passages
answer, one question a sample; `finetune.packing` reads what these samples share once. Documents are split by a hash of their
titles: what is measured on is never learned from, as a passage, a question or a distractor. The same passages, seed and
settings give the same rows.
"""

from __future__ import annotations

import hashlib
import random
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from eval.metrics.text import holds_key_fact
from finetune.corruptions import Asked, Passage
from finetune.grounded import quoted_answer
from finetune.run_folder import Row
from finetune.synthesis import message_of
from finetune.types import Message, PromptBuilder, SampleKind, Split
from ingest.sentences import sentence_spans
from ingest.tokens import normalise
from ingest.types import Hit

HELD_OUT = 10
"""One document in so many is for validation and one for the test: those that the house judge was not fitted on either."""
WITHHELD = 8
"""One question in so many is also asked without the passage that answers it."""
_CANDIDATES = 12

Search = Callable[[str, int], Sequence[int]]
"""A question and a number → the indices of that many passages, best first."""


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """What the samples of one language look like.

    Passages are cut at sentences into windows of at most `characters`. `passages` is number of windows in a prompt → share of
    the prompts; `questions` are asked of a prompt at most, each a sample. `refusals` is the share of questions that are asked
    without their window. Each window is the middle of one prompt a view, of at most `prompts` in all. An answer is `quoted`
    with the sentence that bears it out, or short.
    """

    language: str
    characters: int = 900
    passages: tuple[tuple[int, float], ...] = ((2, 0.2), (3, 0.6), (4, 0.2))
    questions: int = 12
    refusals: float = 0.05
    quoted: bool = True
    views: int = 1
    prompts: int | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class HeldOutQuestion:
    """What a model is measured with: `prompt` shows `hits`. `place` is the number of the one that holds one of `answers`; 0 where
    none does."""

    language: str
    question: str
    answers: tuple[str, ...]
    place: int
    hits: tuple[Hit, ...]
    prompt: tuple[Message, ...]


def split_of(passage: Passage) -> Split:
    """The split of the passage's document."""
    number = zlib.crc32((passage.title or passage.id).encode()) % HELD_OUT
    return {HELD_OUT // 2: Split.TEST, 0: Split.VALIDATION}.get(number, Split.TRAIN)


def windows(passage: Passage, characters: int) -> list[Passage]:
    """The passage cut before the sentence that would take it past so many characters, each part with the questions it answers.

    A question whose answer two parts share is left out.
    """
    parts: list[tuple[int, int]] = []
    for start, end in sentence_spans(passage.text):
        if parts and end - parts[-1][0] <= characters:
            parts[-1] = (parts[-1][0], end)
        else:
            parts.append((start, end))
    return [
        replace(
            passage,
            id=f"{passage.id}#{number}",
            text=passage.text[start:end],
            asked=tuple(
                replace(asked, start=asked.start - start, end=asked.end - start)
                for asked in passage.asked
                if start <= asked.start and asked.end <= end
            ),
        )
        for number, (start, end) in enumerate(parts)
    ]


def training_rows(passages: Sequence[Passage], *, search: Search, prompts: PromptBuilder, plan: ReadingPlan) -> Iterator[Row]:
    """Samples out of windows that lie in one split; `search` finds among them."""
    asked = [index for index, passage in enumerate(passages) if passage.asked]
    turns = [(view, anchor) for view in range(plan.views) for anchor in asked]
    _chance(plan.seed, "turns", plan.language).shuffle(turns)
    for view, anchor in turns[: plan.prompts]:
        yield from _view(passages, anchor, search, prompts, plan, f"{plan.characters}.{view}")


def held_out_questions(
    passages: Sequence[Passage], *, search: Search, prompts: PromptBuilder, seed: int = 5
) -> Iterator[HeldOutQuestion]:
    """Every question about the windows, its window at a random place between two real distractors; one in `WITHHELD` also
    without its window."""
    for anchor, passage in enumerate(passages):
        if not passage.asked:
            continue
        chance = _chance(seed, "held out", passage.id)
        near = [index for index in search(passage.asked[0].question, _CANDIDATES) if index != anchor]
        others = [index for index in near if not any(_holds(passages[index], asked) for asked in passage.asked)][:3]
        if len(others) < 3:
            continue
        without = [passages[index] for index in others]
        shown = without[:2]
        shown.insert(chance.randrange(3), passage)
        for asked in passage.asked:
            yield _held_out(shown, passage, asked, prompts)
            if chance.randrange(WITHHELD) == 0:
                yield _held_out(without, passage, asked, prompts)


def _held_out(texts: Sequence[Passage], passage: Passage, asked: Asked, prompts: PromptBuilder) -> HeldOutQuestion:
    place = texts.index(passage) + 1 if passage in texts else 0
    answers = (asked.answers or (asked.answer,)) if place else ()
    hits = tuple(map(_hit, texts))
    return HeldOutQuestion(passage.language, asked.question, answers, place, hits, _prompt(texts, asked, prompts))


def _view(
    passages: Sequence[Passage], anchor: int, search: Search, prompts: PromptBuilder, plan: ReadingPlan, view: str
) -> Iterator[Row]:
    """The samples of one prompt."""
    chance = _chance(plan.seed, view, passages[anchor].id)
    near = [index for index in search(chance.choice(passages[anchor].asked).question, 8) if index != anchor]
    counts, shares = zip(*plan.passages, strict=True)
    (count,) = chance.choices(counts, shares)
    if len(near) < count:
        return
    shown = [anchor, *chance.sample(near, count - 1)]
    chance.shuffle(shown)
    texts = [passages[index] for index in shown]
    answerable = [
        (passage, asked)
        for passage in texts
        for asked in passage.asked
        if not any(other is not passage and _holds(other, asked) for other in texts)
    ]
    for passage, asked in chance.sample(answerable, min(plan.questions, len(answerable))):
        if chance.random() >= plan.refusals:
            yield _row(texts, passage, asked, prompts, plan, name=view)
            continue
        strangers = [(passages[index], asked) for index in near if index not in shown for asked in passages[index].asked]
        strangers = [(passage, asked) for passage, asked in strangers if not any(_holds(text, asked) for text in texts)]
        if strangers:
            yield _row(texts, *chance.choice(strangers), prompts, plan, name=view)


def _row(
    texts: Sequence[Passage], passage: Passage, asked: Asked, prompts: PromptBuilder, plan: ReadingPlan, *, name: str
) -> Row:
    """The sample; a refusal where the passage is not among the texts."""
    language = passage.language
    messages = _prompt(texts, asked, prompts)
    if passage in texts:
        kind, value = SampleKind.GROUNDED, asked.answer
        answer = _answer(passage, asked, texts.index(passage) + 1, plan)
    else:
        kind, value, answer = SampleKind.REFUSAL, "", prompts.refusal(language)
    fact = f"{passage.id}/{asked.question}"
    shown = hashlib.sha256(repr([(m.role, m.content) for m in messages]).encode()).hexdigest()[:12]
    learned = (*messages, Message("assistant", answer))
    return Row(f"{name}/{shown}/{fact}", kind, language, asked.question, answer, learned, fact, value)


def _prompt(texts: Sequence[Passage], asked: Asked, prompts: PromptBuilder) -> tuple[Message, ...]:
    hits = [_hit(text) for text in texts]
    return tuple(message_of(one) for one in prompts.grounded(asked.question, hits, language=texts[0].language))


def _answer(passage: Passage, asked: Asked, number: int, plan: ReadingPlan) -> str:
    if not plan.quoted:
        return f"{asked.answer[:1].upper()}{asked.answer[1:]} [{number}]"
    start, end = max(span for span in sentence_spans(passage.text) if span[0] <= asked.start)
    quote = bearing_clause(passage.text[start : max(end, asked.end)], asked.start - start, asked.end - start, passage.language)
    return quoted_answer(asked.answer, number, quote, language=passage.language)


_CLAUSE_END = {"en": re.compile(r"[,;:]\s|\s[–—-]\s"), "zh": re.compile(r"[，；：、]")}
LONGEST_QUOTE = {"en": 170, "zh": 60}


def bearing_clause(sentence: str, start: int, end: int, language: str) -> str:
    """The sentence, or where it is too long the clauses around the answer that fit."""
    longest = LONGEST_QUOTE[language]
    if len(sentence) <= longest:
        return sentence
    cuts = [0, *(match.end() for match in _CLAUSE_END[language].finditer(sentence)), len(sentence)]
    first = max(index for index, cut in enumerate(cuts) if cut <= start)
    last = min(index for index, cut in enumerate(cuts) if cut >= end)
    while True:  # grows by the nearer clause, to the left first
        if first > 0 and cuts[last] - cuts[first - 1] <= longest:
            first -= 1
        elif last < len(cuts) - 1 and cuts[last + 1] - cuts[first] <= longest:
            last += 1
        else:
            return sentence[cuts[first] : cuts[last]].strip().rstrip(",;:，；：、")


def _holds(passage: Passage, asked: Asked) -> bool:
    text, answers = _squeezed(passage.text), asked.answers or (asked.answer,)
    return any(_squeezed(answer) in text for answer in answers) and holds_key_fact(passage.text, answers)


@lru_cache(maxsize=100_000)
def _squeezed(text: str) -> str:
    """Without case and white space: looking here first is fifty times as fast."""
    return "".join(normalise(text).split())


def _hit(passage: Passage) -> Hit:
    return Hit(passage.title, passage.id, 1, 1, passage.id, 0.0, passage.text, 0, (passage.title,) if passage.title else ())


def _chance(seed: int, *names: str) -> random.Random:
    return random.Random(int.from_bytes(hashlib.sha256("/".join([str(seed), *names]).encode()).digest()[:8]))
