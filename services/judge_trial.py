"""Tries the judges of this installation beside the house judge: which of them join, kept for the next start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from eval.ensemble import Rules, write_rules
from eval.judge import HouseJudge
from eval.judge_model import WEIGHTS_FILE
from eval.units import shipped_background
from finetune.corruptions import read_passages
from finetune.stacking import decide, trial_samples
from ingest.errors import GraftError, InputRefused
from services.assembly import chat_at_address, model_store
from services.judging import other_judges, rules_file
from services.settings import Settings


def try_judges(
    settings: Settings,
    data: Sequence[Path],
    *,
    most: int,
    seed: int,
    progress: Callable[[str, int], None] = lambda _name, _total: None,
) -> tuple[Rules, Mapping[str, str]]:
    """The rules of the ensemble, which are kept for the next start, and the judges that could not be tried, with the reason.

    Raises:
        InputRefused: a folder holds no passages, or too few; or there is no judge beside the house judge to be tried.
    """
    found = other_judges(settings, model_store(settings), partial(chat_at_address, settings))
    there, absent = dict(found.there), dict(found.absent)
    for name, judge in found.there.items():
        try:
            judge.judge(["A trial."], evidence=["A trial."])
        except GraftError as error:
            absent[name] = str(error)
            del there[name]
    if not there:
        away = "".join(f" {name}: {reason}" for name, reason in absent.items())
        raise InputRefused(
            f"there is no judge to try beside the house judge; name one in judge.path, or pull the profile's.{away}"
        )
    passages = [passage for folder in data for passage in read_passages(folder)]
    fitted_on, measured_on = trial_samples(passages, background=shipped_background(), most=most, seed=seed)
    rules = decide(HouseJudge(settings.judge.house or WEIGHTS_FILE), there, fitted_on, measured_on, seed=seed, progress=progress)
    write_rules(rules_file(settings.home), rules)
    return rules, absent
