"""Which judges join the house judge, and with what weight: decided on sentences that none of them has learned from.

A judge joins for a language only if the ensemble with it orders held-out sentences better than the one without: the 95 %
interval of the gain in AUROC, drawn over passages, lies above 0. Weights are fitted on other passages than the gain is measured
on, each bound to be no less than 0, for every set of judges that may be there. The same samples give the same rules.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from eval.calibration import log_odds
from eval.ensemble import HOUSE, Rules, Stack, Trial
from eval.judge import HouseJudge
from eval.metrics.classification import auroc
from eval.types import Judge
from eval.units import Background
from finetune.corruptions import CorruptionMaker, Passage, SupportSample
from finetune.detector import HELD_OUT, fit_platt, fit_signed, held_out, platt_of_answers
from ingest.errors import InputRefused

_STRENGTH = 1.0
"""The inverse of the penalty on weights: there are few of them, and thousands of sentences."""
_LEAST_SENTENCES = 20
"""Of each label, in the part fitted on and in the part measured on; fewer tell nothing."""
_ROUNDS = 1000
_SAMPLES_A_PASSAGE = 6

_Floats = NDArray[np.float64]


def decide(
    house: HouseJudge,
    others: Mapping[str, Judge],
    fitted_on: Sequence[SupportSample],
    measured_on: Sequence[SupportSample],
    *,
    seed: int = 0,
    progress: Callable[[str, int], None] = lambda _name, _total: None,
) -> Rules:
    """The rules of the ensemble for the languages of the samples, with the trial of every judge.

    `progress` is told after each sentence which judge has read it, and how many each reads.

    Raises:
        InputRefused: a language has too few samples. GraftError: a judge cannot be loaded or failed.
    """
    total = len(fitted_on) + len(measured_on)
    judges: dict[str, Judge] = {HOUSE: house, **others}

    def read(samples: Sequence[SupportSample]) -> _Read:
        return _Read.of(judges, samples, told=lambda name: progress(name, total))

    stacks: dict[str, tuple[Stack, ...]] = {}
    trials: list[Trial] = []
    for lang in sorted({sample.language for sample in [*fitted_on, *measured_on]}):
        fit, test = (read([one for one in part if one.language == lang]) for part in (fitted_on, measured_on))
        joined, seen = _join(list(others), lang, fit, test, seed=seed)
        trials += seen
        if len(joined) > 1:
            stacks[lang] = tuple(fit.stack(names, seed=seed) for names in _sets(joined))
    return Rules(house.version, stacks, tuple(trials))


def trial_samples(
    passages: Sequence[Passage], *, background: Background, most: int, seed: int
) -> tuple[list[SupportSample], list[SupportSample]]:
    """At most `most` samples a language to fit weights on, and as many of other documents to measure the gain on. All are of
    documents that our own trainings hold out."""
    parts: tuple[list[SupportSample], list[SupportSample]] = ([], [])
    kept = [passage for passage in passages if held_out(passage)]
    for lang in sorted({passage.language for passage in kept}):
        for half, samples in enumerate(parts):
            part = [
                one for one in kept if one.language == lang and zlib.crc32((one.title or one.id).encode()) // HELD_OUT % 2 == half
            ]
            made = CorruptionMaker(part, background=background, seed=seed + half).make(_SAMPLES_A_PASSAGE) if part else []
            samples += random.Random(seed).sample(made, k=min(most, len(made)))
    return parts


class _Read:
    """What every judge said of the sentences: `odds` (n, judges) are log odds of support, NaN for what it did not judge."""

    def __init__(self, names: Sequence[str], odds: _Floats, samples: Sequence[SupportSample]) -> None:
        self.names = list(names)
        self.odds = odds
        self.samples = list(samples)
        self.labels = np.array([sample.label for sample in samples], dtype=np.float64)
        self._stacks: dict[tuple[str, ...], Stack] = {}

    @classmethod
    def of(cls, judges: Mapping[str, Judge], samples: Sequence[SupportSample], *, told: Callable[[str], None]) -> _Read:
        labels = [sample.label for sample in samples]
        if min(labels.count(0), labels.count(1)) < _LEAST_SENTENCES:
            raise InputRefused(
                f"{labels.count(0)} supported and {labels.count(1)} unsupported sentences are too few to decide by: "
                f"{_LEAST_SENTENCES} of each are needed; give more passages."
            )
        columns: list[list[float]] = [[] for _ in judges]
        for column, (name, judge) in zip(columns, judges.items(), strict=True):
            for sample in samples:
                column.append(_odds(judge, sample))
                told(name)
        return cls(list(judges), np.array(columns, dtype=np.float64).T, samples)

    def columns(self, names: Sequence[str]) -> _Floats:
        return self.odds[:, [self.names.index(name) for name in names]]

    def stack(self, names: tuple[str, ...], *, seed: int) -> Stack:
        """The weights for these judges, from the sentences that all of them judge."""
        if names not in self._stacks:
            self._stacks[names] = self._fitted(names, seed=seed)
        return self._stacks[names]

    def _fitted(self, names: tuple[str, ...], *, seed: int) -> Stack:
        columns = self.columns(names)
        judged: NDArray[np.bool_] = np.logical_not(np.isnan(columns).any(axis=1))
        columns, labels = columns[judged], self.labels[judged]
        if not 0 < labels.sum() < len(labels):
            raise InputRefused(f"{' and '.join(names)} judge too few of the {len(judged)} sentences to weigh them: leave one out")
        model = fit_signed(-columns, labels, [1] * len(names), strength=_STRENGTH)
        mean, scale, weights = (np.array(model[key]) for key in ("mean", "scale", "weights"))
        logits = model["bias"] + (-columns - mean) / scale @ weights
        slope, offset = fit_platt(logits, labels)
        bias = -slope * (model["bias"] - float(mean / scale @ weights)) - offset
        per_judge = {name: round(float(slope * w), 5) for name, w in zip(names, weights / scale, strict=True)}
        unsupported = slope * logits + offset
        kept = [sample for sample, is_judged in zip(self.samples, judged, strict=True) if is_judged]
        first, second = platt_of_answers(kept, unsupported, seed=seed)
        return Stack(per_judge, round(float(bias), 5), (first, second))


def _odds(judge: Judge, sample: SupportSample) -> float:
    (verdict,) = judge.judge([sample.sentence], evidence=sample.evidence, question=sample.question)
    return log_odds(verdict.support) if verdict.judged else float("nan")


def _join(others: Sequence[str], lang: str, fit: _Read, test: _Read, *, seed: int) -> tuple[list[str], list[Trial]]:
    """The judges that join, the house judge first, and the last trial of each. The best joins, the rest are tried beside it."""
    joined, left, trials = [HOUSE], list(others), dict[str, Trial]()
    while left:
        before = _unsupported(joined, fit, test, seed=seed)
        round_ = [
            _trial(name, lang, before, _unsupported([*joined, name], fit, test, seed=seed), test, seed=seed) for name in left
        ]
        trials |= {trial.judge: trial for trial in round_}
        best = max((trial for trial in round_ if trial.joins), key=lambda trial: trial.gain, default=None)
        if best is None:
            break
        joined.append(best.judge)
        left.remove(best.judge)
    return joined, list(trials.values())


def _trial(name: str, lang: str, before: _Floats, after: _Floats, test: _Read, *, seed: int) -> Trial:
    """The gain, and its interval by drawing whole passages."""
    passages = np.unique([sample.passage for sample in test.samples], return_inverse=True)[1]
    members = [np.flatnonzero(passages == at) for at in range(int(passages.max()) + 1)]
    chooser = np.random.default_rng(seed)
    gains: list[float] = []
    while len(gains) < _ROUNDS:
        drawn = np.concatenate([members[at] for at in chooser.integers(len(members), size=len(members))])
        if 0 < test.labels[drawn].sum() < len(drawn):
            gains.append(auroc(test.labels[drawn], after[drawn]) - auroc(test.labels[drawn], before[drawn]))
    without, together = auroc(test.labels, before), auroc(test.labels, after)
    low, high = np.percentile(gains, [2.5, 97.5])
    without, together, gain, low, high = (round(float(one), 4) for one in (without, together, together - without, low, high))
    return Trial(name, lang, without, together, gain, low, high, len(test.samples))


def _unsupported(names: Sequence[str], fit: _Read, test: _Read, *, seed: int) -> _Floats:
    """(n,) for each sentence of `test` the log odds that it is unsupported, by those of the judges that judge it, as in use."""
    stacks = {subset: fit.stack(subset, seed=seed) for subset in _sets(names)}
    out = np.zeros(len(test.samples))
    columns = test.columns(names)
    for row, odds in enumerate(columns):
        judged = tuple(name for name, one in zip(names, odds, strict=True) if not np.isnan(one))
        if judged:
            stack = stacks[judged]
            out[row] = -(stack.bias + sum(stack.weights[name] * odds[names.index(name)] for name in judged))
    return out


def _sets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Every set of one or more of the names, in their order."""
    return [subset for size in range(1, len(names) + 1) for subset in combinations(names, size)]
