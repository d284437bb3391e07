"""Questions with hits that hold their answer and with hits that do not, for the evidence decision to learn from.

From open reading-comprehension sets and written questions (`finetune.written`), with passages found by BM25. Enough: the gold
passage is among the hits. Not enough: the gold passage is taken out, or all of its document's passages are, or the sentence that
holds the answer is cut out of it, so that the thing is still named and the attribute is not; and what nobody can answer from the
written documents. The same seed gives the same samples.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from finetune.corruptions import Asked, Passage
from finetune.quoting import ranking
from finetune.written import written_passages, written_questions
from ingest.sentences import sentence_spans
from ingest.types import Hit

HITS = 8
"""How many hits the decision looks at: as many as the answering path searches."""

CHUNK_CHARACTERS = {"en": 500, "zh": 200}
"""Passages are cut at sentence ends into chunks about as long as those of documents."""


@dataclass(frozen=True, slots=True)
class EvidenceSample:
    """A question with hits in `language`. `label` is 1 where they hold the answer; `kind` says how they were made. What is asked
    of one `document` is never split in fitting."""

    question: str
    hits: tuple[Hit, ...]
    label: int
    kind: str
    document: str
    language: str


def make_samples(passages: Sequence[Passage], *, questions: int, seed: int) -> list[EvidenceSample]:
    """For up to `questions` questions, each with the answer among its hits, and in three ways without it."""
    chunks = [chunk for passage in passages for chunk in cut_passage(passage)]
    first = ranking(chunks)
    all_asked = [(number, asked) for number, chunk in enumerate(chunks) for asked in chunk.asked]
    samples: list[EvidenceSample] = []
    for number, asked in random.Random(seed).sample(all_asked, k=min(questions, len(all_asked))):
        gold = chunks[number]
        order = first(asked.question, 10 * HITS)
        others = [chunks[i] for i in order if i != number]
        found: dict[str, list[Passage]] = {
            "gold": [chunks[i] for i in _with(order, number)],
            "passage": others,
            "document": [chunk for chunk in others if chunk.title != gold.title],
        }
        cut = _without_answer(gold, asked)
        if cut is not None:
            rank = min(order.index(number) if number in order else HITS, HITS - 1)
            found["sentence"] = [*others[:rank], cut, *others[rank:]]
        samples += (_sample(asked.question, gold, given, int(kind == "gold"), kind) for kind, given in found.items() if given)
    return samples


def cut_passage(passage: Passage) -> list[Passage]:
    """The passage as chunks of whole sentences, each with the questions whose answers it holds."""
    chunks: list[Passage] = []
    start = 0
    spans = sentence_spans(passage.text)
    for number, (_, end) in enumerate(spans):
        following = spans[number + 1][1] if number + 1 < len(spans) else None
        if following is None or following - start > CHUNK_CHARACTERS[passage.language]:
            asked = tuple(
                replace(a, start=a.start - start, end=a.end - start) for a in passage.asked if start <= a.start and a.end <= end
            )
            chunks.append(replace(passage, id=f"{passage.id}#{len(chunks)}", text=passage.text[start:end], asked=asked))
            start = spans[number + 1][0] if number + 1 < len(spans) else end
    return chunks


def _with(order: list[int], gold: int) -> list[int]:
    """The order with the gold passage among the first hits."""
    return order if gold in order[:HITS] else [*order[: HITS - 1], gold]


def _without_answer(passage: Passage, asked: Asked) -> Passage | None:
    """The passage without the sentences that hold the answer; None where too little would be left."""
    spans = sentence_spans(passage.text)
    kept = [(a, b) for a, b in spans if not (a < asked.end and asked.start < b) and asked.answer not in passage.text[a:b]]
    text = " ".join(passage.text[a:b] for a, b in kept)
    return replace(passage, text=text) if len(kept) >= 1 and len(text) > 40 else None


def _sample(question: str, gold: Passage, found: Sequence[Passage], label: int, kind: str) -> EvidenceSample:
    hits = tuple(
        Hit(p.title, p.title, 1, 1, p.id, 1.0 / (1 + rank), p.text, 0, (p.title,)) for rank, p in enumerate(found[:HITS])
    )
    return EvidenceSample(question, hits, label, kind, gold.title or gold.id, gold.language)


def make_written(lang: str, *, seed: int) -> list[EvidenceSample]:
    """The written plain questions of a language, in all four ways, and the unanswerable ones, which the search answers as it can.
    Those that share no word with their passage are left out: what is quoted for them is mostly wrong."""
    passages = written_chunks(lang)
    samples = make_samples(passages, questions=len(passages), seed=seed)
    chunks = [chunk for passage in passages for chunk in cut_passage(passage)]
    first, known = ranking(chunks), {passage.id: passage for passage in passages}
    for one in written_questions():
        if one.passage.language == lang and not one.answer_sentence:
            found = [chunks[i] for i in first(one.question, HITS)]
            samples.append(_sample(one.question, known[one.passage.id], found, 0, one.kind))
    return samples


def written_chunks(lang: str) -> list[Passage]:
    """The written passages of a language with the plain questions that they answer."""
    asked: dict[str, list[Asked]] = {}
    for one in written_questions():
        if one.kind == "plain":
            at = one.passage.text.index(one.answer_sentence)
            asked.setdefault(one.passage.id, []).append(
                Asked(one.question, one.answer_sentence, at, at + len(one.answer_sentence))
            )
    return [
        Passage(one.id, one.title, one.text, one.language, tuple(asked.get(one.id, ())))
        for one in written_passages()
        if one.language == lang
    ]
