"""`graft adapters …`: list and show adapters, approve them, make one answer, bring back the one before, take one elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.errors import InputRefused
from services.client import connect
from services.commands.following import Wait, begin
from services.commands.output import Json, out, print_json, print_table
from services.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Approve adapters, make one answer, roll back.")

Id = Annotated[str, typer.Argument(metavar="ADAPTER", help="As `graft adapters list` prints it.")]


@app.command("list")
def list_adapters(as_json: Json = False) -> None:
    """Show the adapters, the newest first."""
    with connect(load_settings()) as client:
        answer = client.call("GET", "/api/adapters")
    if as_json:
        return print_json(answer)
    rows = [
        [one["id"], one["name"], one["state"], _gains(one), one["dataset"], one["base_model"], "; ".join(one["flags"])]
        for one in answer["adapters"]
    ]
    return print_table(["adapter", "name", "state", "held-out gain", "data set", "base model", "removed since"], rows)


@app.command("show")
def show_adapter(adapter: Id, as_json: Json = False) -> None:
    """Show one adapter: what it was made of, what was measured of it, what the gate said."""
    with connect(load_settings()) as client:
        one = client.call("GET", f"/api/adapters/{adapter}")
    if as_json:
        return print_json(one)
    plain = ("id", "name", "state", "base_model", "dataset", "method", "licence", "created_at", "changed_at")
    rows: list[list[Any]] = [[key.replace("_", " "), one[key]] for key in plain]
    rows.append(["may be used with", "; ".join(" or ".join(groups) for groups in one["group_sets"])])
    rows += [["removed since", flag] for flag in one["flags"]]
    held_out = one["metrics"].get("held_out", {})
    rows += [[f"held out: {name}", f"base {g['base']:.3f}, tuned {g['tuned']:.3f}, {_gain(g)}"] for name, g in held_out.items()]
    approval = one["metrics"].get("approval", {})
    rows += [
        [one["name"], f"{'holds' if one['passed'] else 'does not hold'}: {one['seen']}"] for one in approval.get("conditions", [])
    ]
    if approval.get("force_reason"):
        rows.append(["approved all the same", approval["force_reason"]])
    return print_table(["", ""], rows)


@app.command("approve")
def approve(
    adapter: Id,
    force: Annotated[str, typer.Option(help="Approve it whatever the gate says, for this reason, which is kept.")] = "",
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Check a candidate: its held-out gain, and that the engine answers as its training did."""
    begin("POST", f"/api/adapters/{adapter}/approve", {"force_reason": force}, _approved, wait=wait, as_json=as_json)


@app.command("promote")
def promote(
    adapter: Id,
    force: Annotated[bool, typer.Option("--force", help="Also when documents that it learned from were removed.")] = False,
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Make an approved adapter the one that answers; the one before answers until then."""
    begin("POST", f"/api/adapters/{adapter}/promote", {"force": force}, _promoted, wait=wait, as_json=as_json)


@app.command("rollback")
def roll_back(wait: Wait = True, as_json: Json = False) -> None:
    """Bring back the adapter that was live before, or none where there was none."""
    begin("POST", "/api/adapters/rollback", {}, _rolled_back, wait=wait, as_json=as_json)


@app.command("export")
def export(
    adapter: Id,
    target: Annotated[Path | None, typer.Argument(help="File to write; default: ADAPTER.tar here.")] = None,
    as_json: Json = False,
) -> None:
    """Write an adapter's files, figures and card as a tar archive."""
    path = target or Path(f"{adapter}.tar")
    if path.exists():
        raise InputRefused(f"{path} is there already: name another file, or remove it first")
    with connect(load_settings()) as client:
        aside = path.with_name(f".{path.name}.part")
        try:
            aside.write_bytes(client.fetch(f"/api/adapters/{adapter}/export"))
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    return print_json({"adapter": adapter, "file": str(path)}) if as_json else out.print(f"{adapter} → {path}", markup=False)


def _gains(adapter: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_gain(one)}" for name, one in adapter["metrics"].get("held_out", {}).items())


def _gain(one: dict[str, Any]) -> str:
    low, high = one["interval"]
    return f"{one['gain']:+.3f} [{low:+.3f}, {high:+.3f}]"


def _approved(result: dict[str, Any]) -> None:
    for one in result["metrics"]["approval"]["conditions"]:
        out.print(f"{one['name']} {'holds' if one['passed'] else 'does not hold'}: {one['seen']}", markup=False)
    out.print(f"{result['id']} is {result['state']}; make it answer with: graft adapters promote {result['id']}", markup=False)


def _promoted(result: dict[str, Any]) -> None:
    out.print(f"{result['id']} is live: ask it with --arm tuned or tuned-rag", markup=False)


def _rolled_back(result: dict[str, Any]) -> None:
    live = result["id"]
    out.print(f"{live} is live again" if live else "no adapter is live: arms base and rag answer", markup=False)
