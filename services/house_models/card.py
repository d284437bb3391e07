"""The reader's card: what it is, what it was made of, what it can do and what it is not for. English, for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.training_config import config_of
from services.prompts import ServingPrompts

_TEMPLATE = Path(__file__).with_name("reader_card.md")


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """An open reading-comprehension set: its folder in BEIR layout, and what its licence asks to be named."""

    folder: str
    name: str
    authors: str
    licence: str
    url: str


SETS = (
    QuestionSet(
        "squad-v1.1-dev",
        "SQuAD 1.1, development set",
        "Rajpurkar, Zhang, Lopyrev and Liang 2016; passages from the English Wikipedia",
        "CC BY-SA 4.0",
        "https://github.com/rajpurkar/SQuAD-explorer",
    ),
    QuestionSet(
        "cmrc2018-trial",
        "CMRC 2018, trial set",
        "Cui and others 2019 (HFL); passages from the Chinese Wikipedia",
        "CC BY-SA 4.0",
        "https://github.com/ymcui/cmrc2018",
    ),
    QuestionSet(
        "drcd-dev",
        "DRCD, development set",
        "Shao and others 2018 (Delta Research Center); passages from the Chinese Wikipedia, in traditional characters",
        "CC BY-SA 3.0",
        "https://github.com/DRCKnowledgeTeam/DRCD",
    ),
)

_MEASURES = {
    "right": "holds a right answer",
    "value": "holds one before its citation, the quote left aside",
    "cited": "cites the right passage",
    "refused": "refuses what the passages answer",
    "refused_unanswerable": "refuses what they do not answer",
}


def write_card(target: Path, *, figures: dict[str, Any], training: Sequence[dict[str, Any]], hashes: dict[str, str]) -> None:
    """Writes `figures.json` and `README.md` beside the adapter.

    `training` holds what each run's `result.json` says, in their order; `hashes` is set folder/file → SHA-256.
    """
    known = {"figures": figures, "training": list(training), "data": hashes, "prompts": ServingPrompts().version}
    (target / "figures.json").write_text(json.dumps(known, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (target / "README.md").write_text(_card(figures, training, hashes), encoding="utf-8")


def _card(figures: dict[str, Any], training: Sequence[dict[str, Any]], hashes: dict[str, str]) -> str:
    config, parity = config_of(training[0]["config"]), figures["parity"]
    kinds = Counter[str]()
    for run in training:
        kinds.update(run["samples"]["train_by_kind"])
    return _TEMPLATE.read_text(encoding="utf-8").format(
        name=training[0]["adapter_name"],
        sets="\n".join(_set(one, hashes) for one in SETS),
        folders=", ".join(one.folder for one in SETS),
        refusals=f"{kinds['refusal'] / (kinds['refusal'] + kinds['grounded']):.1%}",
        chats=training[0]["samples"]["train_by_kind"]["chat"],
        prompts=ServingPrompts().version,
        rank=config.rank,
        alpha=config.alpha,
        threads=config.threads,
        versions=", ".join(f"{name} {version}" for name, version in training[-1]["versions"].items()),
        count=len(training),
        runs="\n".join(map(_run, training)),
        table=_reading_table(figures),
        perplexity=f"{figures['perplexity']['reader']:.2f}",
        raw_perplexity=f"{figures['perplexity']['raw']:.2f}",
        ratio=f"{figures['perplexity']['ratio']:.3f}",
        chat=_share(figures["chat"]["reader"]),
        raw_chat=_share(figures["chat"]["raw"]),
        parity_prompts=parity["prompts"],
        agreement=parity["agreement"],
        gap=parity["mean_logprob_gap"],
    )


def _run(training: dict[str, Any]) -> str:
    config = config_of(training["config"])
    passages = f", the passages learned as well with weight {config.prompt_loss_weight:g}" if config.prompt_loss_weight else ""
    note = "".join(f" {note}" for note in training.get("notes", ()))
    return (
        f"- Seed {config.seed}, learning rate {config.learning_rate:g} with warm-up and {config.schedule} decay{passages}: "
        f"{training['steps']} of {training['planned_steps']} planned steps, {training['samples_seen']:,} of "
        f"{training['samples']['train']:,} samples; {training['tokens_seen']:,} tokens read, "
        f"{training['tokens_learned']:,} learned, in {training['seconds'] / 60:.0f} minutes; "
        f"validation loss {training['eval_loss']:.3f}.{note}"
    )


def _set(one: QuestionSet, hashes: dict[str, str]) -> str:
    files = [f"  `{name}` SHA-256 {digest}" for name, digest in hashes.items() if name.startswith(f"{one.folder}/")]
    return "\n".join([f"- **{one.name}**: {one.authors}. {one.licence}. {one.url}", *files])


def _reading_table(figures: dict[str, Any]) -> str:
    models = (("reader", figures["reading"]), ("raw model", figures["raw"]), ("two quotes", figures["quotes"]))
    columns = [(f"{name}, {language}", found[language]) for language in figures["reading"] for name, found in models]
    lines = ["| | " + " | ".join(title for title, _ in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for measure, words in _MEASURES.items():
        lines.append(f"| {words} | " + " | ".join(_share(found.get(measure)) for _, found in columns) + " |")
    return "\n".join(lines)


def _share(one: dict[str, Any] | None) -> str:
    return f"{one['value']:.3f} ({one['low']:.2f}–{one['high']:.2f}, n={one['n']})" if one else "–"
