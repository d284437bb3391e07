"""`graft groups …`, `graft keys …`, `graft models …`, `graft config show`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer
from pydantic import BaseModel

from ingest.errors import GraftError
from services.client import connect
from services.commands.output import GroupOption, Json, err, out, print_json, print_table
from services.settings import Settings, load_settings

if TYPE_CHECKING:
    from services.models import ModelStore

groups_app = typer.Typer(no_args_is_help=True, help="The groups that documents and keys carry.")
keys_app = typer.Typer(no_args_is_help=True, help="API keys; from the first one on, every caller over HTTP needs one.")
models_app = typer.Typer(no_args_is_help=True, help="The models of this machine.")
config_app = typer.Typer(no_args_is_help=True, help="The settings.")


@groups_app.command("list")
def list_groups(as_json: Json = False) -> None:
    """All groups."""
    with connect(load_settings()) as client:
        answer = client.call("GET", "/api/groups")
    return print_json(answer) if as_json else out.print("\n".join(answer["groups"]), markup=False)


@groups_app.command("create")
def create_group(name: str, as_json: Json = False) -> None:
    """Make a group."""
    with connect(load_settings()) as client:
        answer = client.call("POST", "/api/groups", json={"name": name})
    return print_json(answer) if as_json else out.print(f"created {name}", markup=False)


@groups_app.command("remove")
def remove_group(name: str, as_json: Json = False) -> None:
    """Remove a group that no document carries."""
    with connect(load_settings()) as client:
        client.call("DELETE", f"/api/groups/{quote(name, safe='')}")
    return print_json({"removed": name}) if as_json else out.print(f"removed {name}", markup=False)


@keys_app.command("create")
def create_key(
    group: GroupOption = None,
    name: Annotated[str, typer.Option(help="Whose key it is.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="May read everything and change documents, groups and keys.")] = False,
    as_json: Json = False,
) -> None:
    """Make a key and print its secret, this once."""
    with connect(load_settings()) as client:
        answer = client.call("POST", "/api/keys", json={"name": name, "groups": group or [], "administrator": admin})
    return print_json(answer) if as_json else out.print(answer["secret"], markup=False)


@keys_app.command("list")
def list_keys(as_json: Json = False) -> None:
    """All keys, without their secrets."""
    with connect(load_settings()) as client:
        answer = client.call("GET", "/api/keys")
    if as_json:
        return print_json(answer)
    rows = [
        [k["key_id"], k["name"], "administrator" if k["administrator"] else ", ".join(k["groups"]), k["revoked_at"] or ""]
        for k in answer["keys"]
    ]
    return print_table(["id", "name", "groups", "revoked"], rows)


@keys_app.command("revoke")
def revoke_key(key_id: str, as_json: Json = False) -> None:
    """Make a key worthless at once."""
    with connect(load_settings()) as client:
        answer = client.call("DELETE", f"/api/keys/{quote(key_id, safe='')}")
    return print_json(answer) if as_json else out.print(f"revoked {key_id}", markup=False)


def _model_store(settings: Settings) -> ModelStore:
    from services.assembly import model_store  # loads the whole product, which no other command here needs

    return model_store(settings)


@models_app.command("list")
def list_models(as_json: Json = False) -> None:
    """Every model of the manifest, and how it stands on this machine."""
    settings = load_settings()
    store = _model_store(settings)
    used = {model.name for model in store.manifest.named(settings.profile)}
    found = store.list()
    if as_json:
        return print_json(
            {
                "profile": settings.profile,
                "models": [
                    {**asdict(one.model), "state": one.state, "path": one.path and str(one.path), "used": one.model.name in used}
                    for one in found
                ],
            }
        )
    rows = [
        [
            "*" if one.model.name in used else "",
            one.model.name,
            one.model.role,
            one.state,
            f"{one.model.bytes / 1e6:,.0f} MB",
            one.model.licence,
            " ".join(one.model.writes or one.model.reads),
        ]
        for one in found
    ]
    print_table([f"{settings.profile}", "model", "role", "state", "size", "licence", "languages"], rows)
    return None


@models_app.command("pull")
def pull_models(
    name: Annotated[str | None, typer.Argument(help="A model or a profile; default: the profile in the settings.")] = None,
    as_json: Json = False,
) -> None:
    """Fetch models that are not there, and check their hashes."""
    settings = load_settings()
    pulled = _model_store(settings).pull(name or settings.profile, progress=lambda line: err.print(line, markup=False))
    if as_json:
        return print_json({"models": [{"name": one.model.name, "state": one.state} for one in pulled]})
    for one in pulled:
        out.print(f"{one.state:>9}  {one.model.name}", markup=False)
    return None


@models_app.command("verify")
def verify_models(
    name: Annotated[str | None, typer.Argument(help="A model or a profile; default: the profile in the settings.")] = None,
    as_json: Json = False,
) -> None:
    """Check every byte of the models against their recorded hashes."""
    settings = load_settings()
    checked = _model_store(settings).verify(name or settings.profile)
    if as_json:
        rows = [{"name": one.model.name, "state": one.state, "problems": list(one.problems)} for one in checked]
        print_json({"models": rows})
    else:
        for one in checked:
            out.print(f"{one.model.name}: {'; '.join(one.problems) or one.state}", markup=False)
    if any(one.problems for one in checked):
        raise GraftError("a model is not as recorded: pull it again (graft models pull)")


@config_app.command("show")
def show_config(as_json: Json = False) -> None:
    """Every setting, its value, and what it means; secrets are not shown."""
    settings = load_settings()
    if as_json:
        return print_json(settings.model_dump(mode="json"))
    return print_table(["setting", "value", "meaning"], _rows(settings, settings.model_dump(mode="json"), ""))


def _rows(model: BaseModel, values: dict[str, Any], prefix: str) -> list[list[str]]:
    rows = []
    for name, field in type(model).model_fields.items():
        inner = getattr(model, name)
        if isinstance(inner, BaseModel) and not isinstance(inner, Settings):
            rows += _rows(inner, values[name], f"{prefix}{name}.")
        else:
            rows.append([f"{prefix}{name}", str(values[name]), field.description or ""])
    return rows
