"""`graft dataset …`."""

from __future__ import annotations

import io
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from ingest.errors import InputRefused
from services.client import connect
from services.commands.output import GroupOption, Json, out, print_json, print_table
from services.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Data sets: build, import, check, show and export them.")

_Dataset = Annotated[str, typer.Argument(help="Its id, or its name for the newest of this name.", metavar="DATASET")]


# The same names as in `finetune`, whose types load LangChain: that would cost every command a quarter of a second.
class _Format(StrEnum):
    MESSAGES = "messages"
    ALPACA = "alpaca"


class _Split(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    REPHRASED = "rephrased"


@app.command("list")
def list_datasets(as_json: Json = False) -> None:
    """The data sets, the newest first."""
    with connect(load_settings()) as client:
        answer = client.call("GET", "/api/datasets")
    if as_json:
        return print_json(answer)
    rows = [
        [one["id"], one["name"], *(one["counts"].get(split, 0) for split in _Split), one["incomplete"] or "whole"]
        for one in answer["datasets"]
    ]
    return print_table(["data set", "name", *_Split, "state"], rows)


@app.command("show")
def show_dataset(dataset: _Dataset, as_json: Json = False) -> None:
    """One data set with its card: what it is made of, for whom, under which licence."""
    with connect(load_settings()) as client:
        found = client.call("GET", f"/api/datasets/{quote(dataset, safe='')}")
    if as_json:
        return print_json(found)
    print_table(["field", "value"], _facts_of(found))
    return print_table(["split", "samples", "documents", "kinds", "languages", "sources"], _splits_of(found["card"]))


def _facts_of(found: dict[str, Any]) -> list[list[str]]:
    card = found["card"]
    return [
        ["id", found["id"]],
        ["name", found["name"]],
        ["made", found["created_at"]],
        ["state", found["incomplete"] or "whole"],
        ["may be used by", " and ".join(" or ".join(groups) for groups in found["group_sets"])],
        ["licence", card["licence"]],
        ["seed", str(card["seed"])],
        ["dropped", _told(card["dropped"]) or "nothing"],
        ["models", _told(card["models"]) or "none"],
    ]


def _splits_of(card: dict[str, Any]) -> list[list[str]]:
    return [
        [
            split,
            str(one["samples"]),
            str(len(one["documents"])),
            *(_told(one[name]) for name in ("kinds", "languages", "sources")),
        ]
        for split, one in card["splits"].items()
    ]


def _told(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.items())


@app.command("build")
def build_dataset(
    name: Annotated[str, typer.Argument(help="The data set's name.")],
    group: GroupOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes other splits; the same seed the same.")] = 0,
    as_json: Json = False,
) -> None:
    """Build a data set from the accepted samples.

    With --group, only from what holders of these groups may read, so that they may all use it.
    """
    with connect(load_settings()) as client:
        made = client.call("POST", "/api/datasets", json={"name": name, "groups": group or None, "seed": seed})
    return print_json(made) if as_json else _print_made(made)


@app.command("import")
def import_dataset(
    file: Annotated[Path, typer.Argument(help="Conversations as TRL messages or Alpaca.", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option(help="The data set's name.")],
    group: GroupOption = None,
    licence: Annotated[str, typer.Option(help="The licence under which the conversations came.")] = "",
    as_json: Json = False,
) -> None:
    """Make a data set of a file of conversations; it is taken whole or refused."""
    with connect(load_settings()) as client, file.open("rb") as opened:
        data = {"name": name, "group": group or [], "licence": licence}
        made = client.call("POST", "/api/datasets/import", files={"file": (file.name, opened)}, data=data)
    return print_json(made) if as_json else _print_made(made)


def _print_made(made: dict[str, Any]) -> None:
    out.print(f"data set {made['id']} ({made['name']}): {_told(made['counts'])}", markup=False)
    if made["card"]["dropped"]:
        out.print(f"dropped: {_told(made['card']['dropped'])}", markup=False)


@app.command("export")
def export_dataset(
    dataset: _Dataset,
    format: Annotated[_Format, typer.Option(help="messages as TRL reads them, or alpaca.")] = _Format.MESSAGES,  # noqa: A002
    split: Annotated[_Split, typer.Option(help="Which part.")] = _Split.TRAIN,
    output: Annotated[Path | None, typer.Option(help="The file to write; default: standard output.", dir_okay=False)] = None,
    as_json: Json = False,
) -> None:
    """Write one split of a data set as JSON lines."""
    if as_json and output is None:
        raise typer.BadParameter("--json tells of the file that was written: give --output FILE as well")
    with connect(load_settings()) as client:
        data = client.fetch(f"/api/datasets/{quote(dataset, safe='')}/export?format={format}&split={split}")
    if output is None:
        return typer.echo(data, nl=False)
    from finetune import formats

    count = formats.write(output, io.StringIO(data.decode(), newline="\n"))
    told = {"file": str(output), "format": format, "split": split, "conversations": count}
    return print_json(told) if as_json else out.print(f"{output}: {count} conversations", markup=False)


@app.command("validate")
def validate_file(
    file: Annotated[Path, typer.Argument(help="TRL messages or Alpaca.", exists=True, dir_okay=False)], as_json: Json = False
) -> None:
    """Check a file of conversations and name every line that breaks a rule. Needs no server and no home."""
    from finetune import formats

    problems = formats.validate(file)
    if as_json:
        found = [{"line": one.line, "index": one.index, "rule": one.rule} for one in problems]
        print_json({"file": str(file), "valid": not problems, "problems": found})
    else:
        for problem in problems:
            typer.echo(str(problem))
    if problems:
        raise InputRefused(f"{file} cannot be imported; broken rules: {len(problems)}")
    if not as_json:
        out.print(f"{file}: every line is right", markup=False)
