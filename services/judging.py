"""The judges of this installation: the house judge, and beside it those that the profile or the settings name.

Which class reads a folder is told by the checkpoint itself: its weights, its architecture, its labels. A judge that is not there
keeps nobody from judging. One takes part only where the rules in `$GRAFT_HOME/judges/ensemble.json` say that it helps
(`graft train ensemble`); until then the house judge is alone, as it always is in the profile `mini`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from langchain_core.language_models import BaseChatModel

from eval.ensemble import EnsembleJudge, read_rules
from eval.hhem_judge import WEIGHTS_PREFIX, HhemJudge
from eval.judge import HouseJudge
from eval.judge_model import WEIGHTS_FILE, Calibration
from eval.llm_judge import ChatJudge
from eval.nli_judge import NliJudge
from eval.token_judge import TokenJudge
from eval.types import Judge
from ingest.checkpoint import classifier_config
from ingest.errors import GraftError, InputRefused
from services.manifest import Role
from services.model_sources import check_folder
from services.models import ModelStore
from services.settings import Settings

CHAT = "chat"
"""The name of the chat model among the judges."""

_KINDS: Mapping[str, Callable[..., Judge]] = {"nli": NliJudge, "token": TokenJudge, "hhem": HhemJudge}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OtherJudges:
    """The judges beside the house judge: those that can be asked, and of those that cannot the reason."""

    there: Mapping[str, Judge]
    absent: Mapping[str, str]


def rules_file(home: Path) -> Path:
    """Where the rules of the ensemble are kept."""
    return home / "judges" / "ensemble.json"


def judge_of(
    settings: Settings,
    store: ModelStore,
    chat: Callable[[], BaseChatModel],
    *,
    calibrations: Callable[[], Mapping[str, Calibration]] = dict,
) -> HouseJudge | EnsembleJudge:
    """The judge of every answer; `calibrations` are the workspace's own of the house judge, which
    count while it judges alone.

    Raises:
        InputRefused: the rules of the ensemble cannot be read, or the folder that the settings name holds no judge.
    """
    weights = settings.judge.house or WEIGHTS_FILE
    house = HouseJudge(weights, calibrations=calibrations)
    others = other_judges(settings, store, chat)
    rules = read_rules(rules_file(settings.home))
    if rules is None or not (others.there or others.absent):
        for name in others.there:
            _log.info("judge does not take part: `graft train ensemble` has not tried it", judge=name)
        return house
    if rules.house != house.version:
        _log.warning("the ensemble was tried with another house judge: `graft train ensemble` makes its rules again")
        return house
    joined = frozenset().union(*(rules.members(lang) for lang in rules.stacks))
    if not joined:
        return house
    absent = {name: reason for name, reason in others.absent.items() if name in joined}
    for name, reason in absent.items():
        _log.warning("judge is away", judge=name, reason=reason)
    there = {name: judge for name, judge in others.there.items() if name in joined}
    # The weights of the ensemble were fitted on what the house judge says by its own calibration.
    return EnsembleJudge(HouseJudge(weights), there, rules, absent=absent)


def other_judges(settings: Settings, store: ModelStore, chat: Callable[[], BaseChatModel]) -> OtherJudges:
    """The judges that the settings name, else the profile's. A folder of the settings' own must hold one.

    Raises:
        InputRefused: the folder that the settings name holds no judge that may be loaded. Unavailable: it is not there.
    """
    there: dict[str, Judge] = {}
    absent: dict[str, str] = {}
    chosen = settings.judge
    if chosen.path:
        there[chosen.path.name] = open_judge(chosen.path, kind=chosen.kind, alone=False)
    else:
        for model in store.manifest.chosen(settings.profile, Role.JUDGE):
            if model.sources[0].kind == "house":
                continue
            try:
                there[model.name] = open_judge(store.path(model.name), alone=False)
            except GraftError as error:
                absent[model.name] = str(error)
    if chosen.chat:
        judge = ChatJudge(chat, name=CHAT, alone=False)
        there[judge.version] = judge  # tried with other prompts, it was another judge
    return OtherJudges(there, absent)


def open_judge(folder: Path, *, kind: str = "auto", alone: bool = True) -> Judge:
    """The judge over the checkpoint in a folder; its weights are loaded by the first sentence.

    Raises:
        Unavailable: the folder is not there. InputRefused: it holds no judge that may be loaded.
    """
    check_folder(folder)
    return _KINDS[judge_kind(folder) if kind == "auto" else kind](str(folder), alone=alone)


def judge_kind(folder: Path) -> str:
    """`hhem`, `token` or `nli`: what the checkpoint in the folder is.

    Raises:
        InputRefused: it is none of them.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(next(iter(sorted(folder.glob("*.safetensors")))), framework="numpy") as file:
            if all(name.startswith(WEIGHTS_PREFIX) for name in file.keys()):  # noqa: SIM118  the file is no mapping
                return "hhem"
    except (SafetensorError, OSError) as error:
        raise InputRefused(f"the weights in {folder} cannot be read ({error}): copy the model again") from error
    said = (classifier_config(str(folder)).get("architectures") or ["none"])[0]
    if said.endswith("ForTokenClassification"):
        return "token"
    if said.endswith("ForSequenceClassification"):
        return "nli"
    raise InputRefused(
        f"the model in {folder} is no judge: its architecture is {said}; give a token classifier, an entailment model, or the "
        "weights of HHEM beside the configuration of flan-t5-base"
    )
