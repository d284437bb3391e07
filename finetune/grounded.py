"""Accepted questions → samples in the serving prompt: the right passage among distractors, or left out and refused.

The answer's form is short enough for a small model to learn, and one sentence for `services.answering`: the value, the
passage's number, then the sentence that bears it out, word for word. Distractors are what the live index found for this very
question and does not hold the answer. Places and choices follow from the seed, the chunk and the question.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from eval.metrics.text import holds_key_fact
from finetune.curation import Draft, Judged
from finetune.types import PromptBuilder
from ingest.types import Hit

REFUSAL_SHARE = 0.05
"""Of the grounded samples. Teaching refusal costs right answers: at 6 % a small model refused 8 % of what it could answer,
at 20 % 38 %."""
# A longer quote is cut to the clause that states the value.
_LONGEST_QUOTE = {"en": 170, "zh": 70}
_QUOTED = {"en": "{value} [{number}]: “{quote}”", "zh": "{value} [{number}]：“{quote}”"}


def grounded(judged: Judged, *, prompts: PromptBuilder, passages: int, seed: int) -> tuple[list[BaseMessage], str] | None:
    """The prompt with the right passage at a random place, and the answer; None where the index found too few distractors."""
    draft = judged.draft
    others = distractors(judged)[: passages - 1]
    if len(others) < passages - 1:
        return None
    place = _chance(draft, seed, "place").randrange(passages)
    hits = [*others[:place], draft.hit, *others[place:]]
    return prompts.grounded(draft.question, hits, language=draft.point.language), cited_answer(draft, place + 1)


def refused(judged: Judged, *, prompts: PromptBuilder, passages: int) -> tuple[list[BaseMessage], str] | None:
    """The prompt without the right passage, and the words of refusal; None where the index found too few distractors."""
    language = judged.draft.point.language
    others = distractors(judged)[:passages]
    if len(others) < passages:
        return None
    return prompts.grounded(judged.draft.question, others, language=language), prompts.refusal(language)


def is_for_refusal(draft: Draft, *, seed: int) -> bool:
    """Whether this question is one of the few that are asked without their passage."""
    return _chance(draft, seed, "refusal").random() < REFUSAL_SHARE


def distractors(judged: Judged) -> list[Hit]:
    """The hits for the question, best first, that are not its passage and do not hold its answer."""
    draft = judged.draft
    return [hit for hit in judged.found if hit.chunk != draft.hit.chunk and not holds_key_fact(hit.text, [draft.point.value])]


def cited_answer(draft: Draft, number: int) -> str:
    """The value, the number of its passage, and the sentence, row or clause that states it, word for word."""
    point = draft.point
    quote = point.evidence if len(point.evidence) <= _LONGEST_QUOTE[point.language] else point.clause
    return quoted_answer(point.value, number, quote, language=point.language)


def quoted_answer(value: str, number: int, quote: str, *, language: str) -> str:
    """The form of every answer from passages."""
    return _QUOTED[language].format(value=value[:1].upper() + value[1:], number=number, quote=" ".join(quote.split()))


def chosen(accepted: Sequence[Judged], *, limit: int, seed: int) -> list[Judged]:
    """At most `limit` of a chunk's accepted questions, each of another fact: the model's, or one by rule where it has none."""

    def order(judged: Judged) -> tuple[bool, float]:
        return judged.draft.source != "model", _chance(judged.draft, seed, "order").random()

    out: list[Judged] = []
    values: set[tuple[str, str]] = set()
    for judged in sorted(accepted, key=order):
        fact = (judged.draft.point.evidence, judged.draft.point.value)
        if len(out) < limit and fact not in values and (judged.draft.source == "model" or not out):
            values.add(fact)
            out.append(judged)
    return out


def _chance(draft: Draft, seed: int, purpose: str) -> random.Random:
    key = f"{seed}/{purpose}/{draft.hit.chunk}/{draft.question}"
    return random.Random(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]))
