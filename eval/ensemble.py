"""The house judge together with others that have shown that they help: their verdicts → one calibrated probability.

Invariants. The house judge always judges, and its exact checks are not overruled: what it finds contradicted stays so, and what
it cannot judge is judged by others only where it is the language of the evidence that keeps it from judging. A judge takes part
in the languages for which it has joined (`finetune.stacking` decides, on sentences held out). For every set of judges that may
be there the rules hold weights of their own, so that when one is away the rest judge, calibrated, and each verdict says so.
Judges are asked one after the other. Knows no checkpoint.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from eval.answer_parts import answer_spans
from eval.calibration import THRESHOLD, log_odds
from eval.judge import HouseJudge, JudgedAnswer
from eval.judge_model import sigmoid
from eval.types import Fault, Judge, Verdict
from ingest.errors import GraftError, InputRefused
from ingest.tokens import language

HOUSE = "house"
"""The name of the house judge among the others."""

_NONE_SURE = {"en": "no judge is sure enough of it", "zh": "各项核查都不够确定"}
_ABSENT = {"en": "judged without {names}", "zh": "未经{names}核查"}


@dataclass(frozen=True, slots=True)
class Stack:
    """How the verdicts of one set of judges are added up: weights over the log odds of their supports, none below 0.

    `answer` are slope and offset that make a probability of a whole answer's log-sum-exp, as in `eval.judge_model`.
    """

    weights: Mapping[str, float]
    bias: float
    answer: tuple[float, float]

    def log_odds(self, supports: Mapping[str, float]) -> float:
        """The log odds that the sentence is supported."""
        return self.bias + sum(weight * log_odds(supports[name]) for name, weight in self.weights.items())


@dataclass(frozen=True, slots=True)
class Trial:
    """What a judge did for `n` sentences held out: the AUROC without and with it, the gain and its 95 % interval."""

    judge: str
    language: str
    without: float
    together: float
    gain: float
    low: float
    high: float
    n: int

    @property
    def joins(self) -> bool:
        """Whether the gain is one that chance does not give."""
        return self.low > 0


@dataclass(frozen=True, slots=True)
class Rules:
    """Who judges which language, and how verdicts are added up; `house` is the version of the house judge that this holds for."""

    house: str
    stacks: Mapping[str, tuple[Stack, ...]]
    trials: tuple[Trial, ...] = ()

    def members(self, lang: str) -> frozenset[str]:
        """The judges that have joined for a language, the house judge among them if any has."""
        return frozenset(name for stack in self.stacks.get(lang, ()) for name in stack.weights)

    def stack(self, lang: str, judges: frozenset[str]) -> Stack | None:
        """The weights for exactly these judges."""
        return next((stack for stack in self.stacks.get(lang, ()) if frozenset(stack.weights) == judges), None)


class EnsembleJudge:
    """A `Judge` over the house judge and those that have joined it."""

    def __init__(
        self, house: HouseJudge, others: Mapping[str, Judge], rules: Rules, *, absent: Mapping[str, str] | None = None
    ) -> None:
        """`absent` are judges that are not there, with the reason; those that fail while judging are added for that call.

        Raises:
            InputRefused: the rules were made with another version of the house judge.
        """
        if rules.house != house.version:
            raise InputRefused(
                f"The rules of the ensemble were made with the house judge {rules.house}, and this is {house.version}: make them "
                "again with `graft train ensemble`."
            )
        self.house = house
        self.threshold = THRESHOLD
        self.version = "+".join([house.version, *sorted(others)])
        self.absent = dict(absent or {})
        self._others = dict(others)
        self._rules = rules

    def judge(self, sentences: Sequence[str], *, evidence: Sequence[str], question: str = "") -> list[Verdict]:
        """See `Judge`.

        Raises:
            InputRefused: there is no evidence text at all.
        """
        languages = [language(sentence) for sentence in sentences]
        found = {HOUSE: dict(enumerate(self.house.judge(sentences, evidence=evidence, question=question)))}
        absent = set(self.absent)
        for name, judge in self._others.items():
            places = [at for at, lang in enumerate(languages) if name in self._rules.members(lang)]
            try:
                verdicts = judge.judge([sentences[at] for at in places], evidence=evidence, question=question) if places else []
            except (GraftError, RuntimeError, OSError):  # also where the device is out of memory
                absent.add(name)
                continue
            found[name] = dict(zip(places, verdicts, strict=True))
        spoken = {language(text) for text in evidence if text.strip()}
        return [
            self._joint(sentence, {name: of[at] for name, of in found.items() if at in of}, absent, crosses=lang not in spoken)
            for at, (sentence, lang) in enumerate(zip(sentences, languages, strict=True))
        ]

    def judge_answer(self, answer: str, *, evidence: Sequence[str], question: str = "") -> JudgedAnswer:
        """The whole answer's calibrated score, its bad spans and its sentences, as the house judge gives them.

        Raises:
            InputRefused: there is no evidence text at all.
        """
        spans = answer_spans(answer)
        verdicts = self.judge([answer[start:end] for start, end in spans], evidence=evidence, question=question)
        members = self._rules.members(language(answer)) - self.absent.keys()
        stack = self._rules.stack(language(answer), members)
        logits = [-log_odds(verdict.support) for verdict in verdicts if verdict.judged]
        if stack is None or not logits:
            return self.house.judge_answer(answer, evidence=evidence, question=question)
        top, (slope, offset) = max(logits), stack.answer
        score = sigmoid(slope * (top + math.log(sum(math.exp(logit - top) for logit in logits))) + offset)
        # What an exact check speaks against keeps the whole answer from being called fine.
        score = max([score, *(1 - one.support for one in verdicts if one.fault is Fault.CONTRADICTED)])
        bad = tuple(
            (start + a, start + b, round(1 - verdict.support, 4))
            for (start, _), verdict in zip(spans, verdicts, strict=True)
            for a, b in verdict.unsupported_spans
        )
        sentences = tuple((start, end, verdict) for (start, end), verdict in zip(spans, verdicts, strict=True))
        return JudgedAnswer(score, score >= self.threshold, bad, sentences)

    def _joint(self, sentence: str, verdicts: Mapping[str, Verdict], absent: set[str], *, crosses: bool) -> Verdict:
        """What the judges say together of one sentence."""
        lang = language(sentence)
        house = verdicts[HOUSE]
        missing = sorted(absent & self._rules.members(lang))
        judged = {name: verdict for name, verdict in verdicts.items() if verdict.judged}
        stack = self._rules.stack(lang, frozenset(judged))
        if stack is None or house.fault is Fault.CONTRADICTED or (not house.judged and not crosses):
            return _noted(house, missing, lang)
        odds = stack.log_odds({name: verdict.support for name, verdict in judged.items()})
        support = sigmoid(odds)
        if support >= THRESHOLD:
            return _noted(Verdict(support, True), missing, lang)
        against = [name for name, verdict in judged.items() if not verdict.supported]
        if not against:
            return _noted(Verdict(support, False, ((0, len(sentence)),), _NONE_SURE[lang], Fault.NOT_IN_EVIDENCE), missing, lang)
        # The judge that speaks most against it says why.
        most = min(against, key=lambda name: stack.weights[name] * log_odds(judged[name].support))
        return _noted(replace(judged[most], support=support), missing, lang)


def _noted(verdict: Verdict, missing: Sequence[str], lang: str) -> Verdict:
    if not missing:
        return verdict
    note = _ABSENT[lang].format(names=("、" if lang == "zh" else ", ").join(missing))
    return replace(verdict, reason=("；" if lang == "zh" else "; ").join(filter(None, [verdict.reason, note])))


def read_rules(file: Path) -> Rules | None:
    """The rules of an ensemble; None where none were made.

    Raises:
        InputRefused: the file is there and cannot be read.
    """
    if not file.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        stacks = {
            lang: tuple(Stack(one["weights"], float(one["bias"]), (one["answer"][0], one["answer"][1])) for one in stacks)
            for lang, stacks in content["stacks"].items()
        }
        return Rules(content["house"], stacks, tuple(Trial(**trial) for trial in content["trials"]))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InputRefused(
            f"{file} holds no rules of an ensemble ({error!r}): make them again with `graft train ensemble`"
        ) from error


def write_rules(file: Path, rules: Rules) -> None:
    """Replaces the file by these rules."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({"format": 1, **asdict(rules)}, indent=1) + "\n", encoding="utf-8")
    beside.replace(file)
