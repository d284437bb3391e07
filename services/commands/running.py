"""`graft serve`, `graft stop`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services import background
from services.commands.output import Json, out, print_json
from services.settings import load_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; other machines reach it only with API keys.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Run in the background; returns when it answers.")] = False,
    engine: Annotated[bool, typer.Option("--engine/--no-engine", help="Whether to start the chat model.")] = True,
    as_json: Json = False,
) -> None:
    """Serve the page, the HTTP interface and the chat model."""
    given: dict[str, Any] = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    settings = load_settings(**given)
    if not engine:
        settings = settings.model_copy(update={"chat": settings.chat.model_copy(update={"start_engine": False})})
    if not detach:
        from services import server  # loads the whole product, which no other command needs

        return server.serve(settings)
    running = background.serve_detached(settings)
    if as_json:
        return print_json({"address": running.address, "pid": running.pid, "home": str(settings.home)})
    return out.print(f"serving {running.address} (process {running.pid}, home {settings.home}); stop it with: graft stop")


def stop(as_json: Json = False) -> None:
    """Stop the server of this home; unfinished work goes on at the next start."""
    stopped = background.stop(load_settings())
    return print_json({"stopped": stopped}) if as_json else out.print("stopped" if stopped else "nothing was running")
