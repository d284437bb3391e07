"""`graft synthesize`, `graft train …`: from documents to training data, from that to an adapter; a judge."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from services.commands import detectors
from services.commands.following import Wait, begin
from services.commands.output import GroupOption, Json, counting, out, print_json, print_table
from services.settings import load_settings

train_app = typer.Typer(no_args_is_help=True, help="Train models of your own.")
train_app.command("detector")(detectors.detector)


def synthesize(
    name: Annotated[str, typer.Option(help="Name of the data set that is made.")] = "documents",
    group: GroupOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes other choices; the same seed the same.")] = 0,
    rules_only: Annotated[bool, typer.Option("--rules-only", help="Do not ask the chat model.")] = False,
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Make training samples from the documents, and a data set of the accepted ones.

    With --group, only from what holders of these groups may read, so that they may all use what is trained from it.
    """
    body = {"name": name, "groups": group or None, "seed": seed, "rules_only": rules_only}
    begin("POST", "/api/synthesize", body, _print_samples, wait=wait, as_json=as_json)


def _print_samples(result: dict[str, Any]) -> None:
    print_table(("accepted, worded by", "samples"), sorted(result["accepted"].items()))
    print_table(("rejected because of", "samples"), sorted(result["rejected"].items()))
    if result["note"]:
        out.print(result["note"], style="dim", markup=False)
    out.print(f"data set {result['dataset']}: " + ", ".join(f"{split} {n}" for split, n in result["counts"].items()))


@train_app.command("adapter")
def adapter(
    dataset: Annotated[str, typer.Option(help="A data set, as `graft dataset list` prints it; or its name for the newest.")],
    config: Annotated[str, typer.Option(help="smoke, mini, standard, or a TOML file.")] = "mini",
    name: Annotated[str, typer.Option(help="Name of the adapter.")] = "",
    method: Annotated[str, typer.Option(help="The way of training.")] = "lora",
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Train an adapter of the chat model on a data set; it becomes a candidate."""
    from finetune.training_config import load_config

    values = load_config(config).values() | {"method": method}
    body = {"dataset": dataset, "config": values, "name": name or Path(config).stem}
    begin("POST", "/api/train", body, _print_adapter, wait=wait, as_json=as_json)


def _print_adapter(result: dict[str, Any]) -> None:
    out.print(f"adapter {result['adapter']}; approve it with: graft adapters approve {result['adapter']}")
    held_out = result["metrics"]["held_out"]
    rows = [(name, f"{one['base']:.3f}", f"{one['tuned']:.3f}", one["n"]) for name, one in held_out.items()]
    print_table(("held out", "base", "tuned", "questions"), rows)


@train_app.command("ensemble")
def ensemble(
    data: Annotated[list[Path], typer.Option(help="A folder of passages in BEIR layout, with spans; repeat it.")],
    samples: Annotated[int, typer.Option(min=50, help="Sentences of a language to fit on, and as many to measure on.")] = 400,
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes other sentences.")] = 0,
    as_json: Json = False,
) -> None:
    """Find out which judges help the house judge, on corrupted sentences held out; those take part from the next start."""
    from services.judge_trial import try_judges

    with counting() as step:
        rules, absent = try_judges(load_settings(), data, most=samples, seed=seed, progress=step)
    if as_json:
        return print_json({"trials": [asdict(trial) | {"joins": trial.joins} for trial in rules.trials], "absent": absent})
    rows = [
        (
            one.judge,
            one.language,
            f"{one.without:.3f}",
            f"{one.together:.3f}",
            f"{one.low:+.3f} to {one.high:+.3f}",
            one.n,
            "joins" if one.joins else "no",
        )
        for one in rules.trials
    ]
    print_table(("judge", "language", "without", "with", "gain", "sentences", "joins"), rows)
    for name, reason in absent.items():
        out.print(f"{name} was not tried: {reason}", style="dim", markup=False)
    return None
