"""What the adapter can do that its base could not: held-out questions, answered by both, with an interval of the gain.

Invariants. Both models answer the same prompts greedily and are judged by the same rule, so the difference is paired. Every
answer is saved before the next batch begins; a run that was killed goes on after the last whole batch. Knows no trainer.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.metrics.text import holds_key_fact
from finetune.chat_template import prompt_ids
from finetune.generation import greedy_answers
from finetune.run_folder import Row
from finetune.types import SampleKind
from ingest.tokens import normalise, units

_RESAMPLES = 2000
_MARKER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Prediction:
    """One model's answer to one held-out question. `cited` is None where nothing was to be cited."""

    id: str
    split: str
    kind: str
    language: str
    model: str
    question: str
    expected: str
    answer: str
    right: bool
    cited: bool | None


@dataclass(frozen=True, slots=True)
class Gain:
    """Shares of right answers in [0, 1] over the same `n` questions; the interval holds the gain with 95 % confidence."""

    n: int
    base: float
    tuned: float
    gain: float
    interval: tuple[float, float]
    base_cited: float | None = None
    tuned_cited: float | None = None


def judge_answer(row: Row, answer: str) -> tuple[bool, bool | None]:
    """Whether the answer is right, and whether it cites a right passage (None where none is to be cited).

    A refusal is right where it says the words of refusal; everything else where it holds the sample's value. Where that is not
    known, it must hold what is written before the first citation, or everything in it that the question does not say.
    """
    if row.kind == SampleKind.REFUSAL:
        return normalise(row.written).rstrip(".。 ") in normalise(answer), None
    said, wanted = _MARKER.sub("", answer), set(_MARKER.findall(row.written))
    cited = bool(wanted & set(_MARKER.findall(answer))) if wanted else None
    if row.value:
        return holds_key_fact(said, [row.value]), cited
    expected = (row.written.partition("[")[0] if wanted else row.answer).strip().rstrip(".。:：")
    return holds_key_fact(said, [expected]) or _says_what_is_new(said, expected, row.question), cited


def _says_what_is_new(said: str, expected: str, question: str) -> bool:
    """Whether every stem and Han character of the expected answer that the question does not hold stands in what was said."""
    new = set(units(expected)) - set(units(question))
    return bool(new) and new <= set(units(said))


def paired_gain(base: Sequence[bool], tuned: Sequence[bool], *, seed: int) -> tuple[float, tuple[float, float]]:
    """The mean difference in [-1, 1] and its 95 % interval by resampling the questions (paired bootstrap)."""
    difference = np.array(tuned, dtype=np.float64) - np.array(base, dtype=np.float64)
    chooser = np.random.default_rng(seed)
    means = difference[chooser.integers(0, len(difference), (_RESAMPLES, len(difference)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(difference.mean()), (round(float(low), 4), round(float(high), 4))


def compare_models(predictions: Sequence[Prediction], *, seed: int) -> dict[str, Gain]:
    """Base against tuned: under `rephrased` the questions of that split, under `test:<kind>` those of the test."""
    groups: dict[str, dict[str, dict[str, Prediction]]] = {}
    for one in predictions:
        name = one.split if one.split == "rephrased" else f"{one.split}:{one.kind}"
        groups.setdefault(name, {"base": {}, "tuned": {}})[one.model][one.id] = one
    gains = {}
    for name, models in sorted(groups.items()):
        shared = [id_ for id_ in models["base"] if id_ in models["tuned"]]
        if not shared:
            continue
        base, tuned = ([models[model][id_] for id_ in shared] for model in ("base", "tuned"))
        gain, interval = paired_gain([one.right for one in base], [one.right for one in tuned], seed=seed)
        gains[name] = Gain(
            n=len(shared),
            base=_share([one.right for one in base]) or 0.0,
            tuned=_share([one.right for one in tuned]) or 0.0,
            gain=round(gain, 4),
            interval=interval,
            base_cited=_share([one.cited for one in base if one.cited is not None]),
            tuned_cited=_share([one.cited for one in tuned if one.cited is not None]),
        )
    return gains


def answer_held_out(
    model: Any,
    tokenizer: Any,
    splits: dict[str, Sequence[Row]],
    *,
    file: Path,
    batch: int,
    max_new_tokens: int,
    tell: Callable[[int, int], None],
) -> list[Prediction]:
    """Every held-out question answered by base and by tuned; `file` gets a line per answer, batch by batch.

    `model` is a peft model; its base answers while the adapter is off. `tell` is told how many of how many answers are there.
    Continues a file that an earlier run began.
    """
    found = _read(file)
    total = 2 * sum(map(len, splits.values()))
    with file.open("w", encoding="utf-8") as out:
        _write(out, found)
        known = {(one.split, one.model, one.id) for one in found}
        tell(len(found), total)
        for split, rows in splits.items():
            asked = sorted(
                ((row, prompt_ids(tokenizer, row.prompt)) for row in rows), key=lambda pair: (len(pair[1]), pair[0].id)
            )
            for name, off in (("base", model.disable_adapter), ("tuned", nullcontext)):
                context: AbstractContextManager[Any] = off()
                with context:
                    for made in _answers(model, tokenizer, asked, known, split, name, batch, max_new_tokens):
                        _write(out, made)
                        found.extend(made)
                        tell(len(found), total)
    return found


def _answers(
    model: Any,
    tokenizer: Any,
    asked: Sequence[tuple[Row, list[int]]],
    known: set[tuple[str, str, str]],
    split: str,
    name: str,
    batch: int,
    max_new_tokens: int,
) -> Iterator[list[Prediction]]:
    """The predictions of one model that are not known yet, batch by batch."""
    batches = [[row for row, _ in asked[start : start + batch]] for start in range(0, len(asked), batch)]

    def done(number: int) -> bool:
        return all((split, name, row.id) in known for row in batches[number])

    answers = greedy_answers(model, tokenizer, [ids for _, ids in asked], batch=batch, max_new_tokens=max_new_tokens, done=done)
    for rows, texts in zip(batches, answers, strict=True):
        if texts:
            made = [_predict(row, text, split=split, model=name) for row, text in zip(rows, texts, strict=True)]
            yield [one for one in made if (split, name, one.id) not in known]


def _predict(row: Row, text: str, *, split: str, model: str) -> Prediction:
    right, cited = judge_answer(row, text)
    return Prediction(row.id, split, row.kind, row.language, model, row.question, row.answer, text, right, cited)


def _read(file: Path) -> list[Prediction]:
    """The predictions that are whole; a line that a killed process cut short ends them."""
    found: list[Prediction] = []
    if file.is_file():
        for line in filter(None, file.read_text(encoding="utf-8").split("\n")):
            try:
                found.append(Prediction(**json.loads(line)))
            except (ValueError, TypeError):
                break
    return found


def _write(out: Any, predictions: Sequence[Prediction]) -> None:
    out.writelines(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in predictions)
    out.flush()
    os.fsync(out.fileno())


def _share(values: Sequence[bool | None]) -> float | None:
    return round(sum(map(bool, values)) / len(values), 4) if values else None
