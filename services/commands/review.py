"""`graft review …`."""

from __future__ import annotations

import getpass
from typing import Annotated, Any
from urllib.parse import quote

import typer

from services.client import connect
from services.commands.output import Json, err, out, print_json, print_table
from services.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Training samples that wait for a person: accept, edit or reject them.")

_SampleId = Annotated[str, typer.Argument(help="As `graft review list` prints it.", metavar="SAMPLE")]
_Reviewer = Annotated[str, typer.Option(help="Who decides; default: the user of this machine.")]


@app.command("list")
def list_samples(limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20, as_json: Json = False) -> None:
    """The samples that nobody has decided yet, the most doubtful first."""
    with connect(load_settings()) as client:
        answer = client.call("GET", "/api/review", params={"limit": limit})
    if as_json:
        return print_json(answer)
    rows = [[one["id"], one["source"], one["kind"], one["question"], one["answer"], _place(one)] for one in answer["samples"]]
    return print_table(["sample", "source", "kind", "question", "answer", "from"], rows)


def _place(sample: dict[str, Any]) -> str:
    origin = sample["origin"]
    if origin is None or not origin["document_id"]:
        return origin["document"] if origin else ""
    return f"{origin['document']}, page {origin['page']}: {origin['evidence']}"


@app.command("accept")
def accept(sample: _SampleId, reviewer: _Reviewer = "", as_json: Json = False) -> None:
    """Say that a sample is right."""
    _decide(sample, {"decision": "accept"}, reviewer, as_json=as_json)


@app.command("edit")
def edit(
    sample: _SampleId,
    question: Annotated[str | None, typer.Option(help="The question in better words.")] = None,
    answer: Annotated[str | None, typer.Option(help="The right answer.")] = None,
    reviewer: _Reviewer = "",
    as_json: Json = False,
) -> None:
    """Word a sample anew; it is warned of an answer that the evidence does not bear out."""
    words = {name: text for name, text in {"question": question, "answer": answer}.items() if text is not None}
    _decide(sample, {"decision": "edit", **words}, reviewer, as_json=as_json)


@app.command("reject")
def reject(
    sample: _SampleId,
    reason: Annotated[str, typer.Option(help="What is wrong with it.")],
    reviewer: _Reviewer = "",
    as_json: Json = False,
) -> None:
    """Keep a sample out of all data sets that are built from now on."""
    _decide(sample, {"decision": "reject", "reason": reason}, reviewer, as_json=as_json)


def _decide(sample: str, decision: dict[str, str], reviewer: str, *, as_json: bool) -> None:
    body = decision | {"reviewer": reviewer or _user()}
    with connect(load_settings()) as client:
        made = client.call("POST", f"/api/review/{quote(sample, safe='')}", json=body)
    if as_json:
        return print_json(made)
    if made["warning"]:
        err.print(f"Warning: {made['warning']}", markup=False)
    now_called = f", now {made['sample']['id']}" if made["edited_from"] else ""
    return out.print(f"{sample}: {decision['decision']}ed{now_called}", markup=False)


def _user() -> str:
    """Who is at this machine, as far as it says."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "administrator"
