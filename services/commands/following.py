"""Long work as commands show it: a progress bar on a terminal until it has ended; and `graft jobs …`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ingest.errors import GraftError, Unavailable
from services.client import Client, connect
from services.commands.adding import AddingBars, PasswordOption, asked_for, require_all_taken, show
from services.commands.output import Json, err, out, print_json, print_table
from services.job_states import UNFINISHED
from services.settings import load_settings

app = typer.Typer(
    no_args_is_help=True,
    help="List, show, stop and retry long work: adding documents, synthesising, training, promoting.",
)

Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the end, or print the job.")]

_POLL_S = 0.5


def follow(client: Client, run: dict[str, Any]) -> dict[str, Any]:
    """The run when it has ended well; shows how far it is on a terminal.

    Raises:
        GraftError: it failed or was stopped.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bar:
        task = bar.add_task(run["kind"], total=None, told="")
        while run["status"] in UNFINISHED:
            time.sleep(_POLL_S)
            run = client.call("GET", f"/api/jobs/{run['job_id']}")
            told = ", ".join(f"{name} {_short(value)}" for name, value in run["detail"].items() if value is not None)
            description = f"{run['kind']}: {run['stage']}"
            bar.update(task, description=description, completed=run["done"], total=run["total"] or None, told=told)
    if run["status"] != "done":
        raise GraftError(f"{run['kind']} {run['status']}: {run['error']}")
    return run


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def begin(
    method: str, path: str, body: dict[str, Any], show: Callable[[dict[str, Any]], None], *, wait: bool, as_json: bool
) -> None:
    """Begins long work and, unless told not to, waits for its end and shows its result.

    Raises:
        Unavailable: nobody is there to go on with the work when this process ends.
    """
    with connect(load_settings(), with_engine=True, own_engine=True) as client:
        if not wait and not client.remote:
            raise Unavailable("--no-wait needs a running server that does the work: start one with `graft serve --detach`")
        run = client.call(method, path, json=body)
        if wait:
            run = follow(client, run)
    if as_json:
        print_json(run["result"] if wait else run)
    elif wait:
        show(run["result"])
    else:
        out.print(run["job_id"])


@app.command("list")
def list_jobs(
    only_open: Annotated[bool, typer.Option("--open", help="Only what goes on, or somebody should look after.")] = False,
    limit: Annotated[int, typer.Option(help="At most this many.", min=1, max=1000)] = 100,
    as_json: Json = False,
) -> None:
    """Show long work, the newest first."""
    with connect(load_settings()) as client:
        jobs = client.call("GET", f"/api/jobs?open={str(only_open).lower()}&limit={limit}")["jobs"]
    if as_json:
        return print_json({"jobs": jobs})
    rows = [(job["job_id"], job["kind"], job.get("document", ""), _state(job), job["stage"] or "", _done(job)) for job in jobs]
    return print_table(("job", "kind", "document", "status", "stage", "done"), rows)


def print_open(jobs: Sequence[dict[str, Any]]) -> None:
    """Prints the documents that are being added or could not be, if there are any."""
    if jobs:
        rows = [(job["document"], _state(job), _done(job), job["error"] or "", job["job_id"]) for job in jobs]
        out.print()
        print_table(("not there (yet)", "status", "pages", "reason", "job"), rows)


def _state(job: dict[str, Any]) -> str:
    """How a job stands, in a word or two."""
    if job.get("code") and job["status"] == "done":
        return str(job["code"]).replace("_", " ")
    return str(job.get("outcome") or job["status"])


def _done(job: dict[str, Any]) -> str:
    done, total = (job["pages_done"], job["pages_total"]) if "document" in job else (job["done"], job["total"])
    return f"{done}/{total}" if total else ""


@app.command("show")
def show_job(job_id: Annotated[str, typer.Argument(help="As `graft jobs list` prints it.")], _as_json: Json = False) -> None:
    """Show how far one piece of work has come."""
    with connect(load_settings()) as client:
        print_json(client.call("GET", f"/api/jobs/{job_id}"))


@app.command("stop")
def stop_job(job_id: Annotated[str, typer.Argument(help="As `graft jobs list` prints it.")], as_json: Json = False) -> None:
    """Stop work. Training asked for again goes on from where it was; a document's file is kept for `graft jobs retry`."""
    with connect(load_settings()) as client:
        job = client.call("POST", f"/api/jobs/{job_id}/stop")
    return print_json(job) if as_json else out.print(f"{job_id}: stopping")


@app.command("retry")
def retry_job(
    job_id: Annotated[str, typer.Argument(help="As `graft jobs list` prints it.")],
    password: PasswordOption = "",
    as_json: Json = False,
) -> None:
    """Try a document again whose adding ended badly: with a password, with wider limits, out of quarantine."""
    password = asked_for(password)
    with connect(load_settings()) as client, AddingBars(1) as bars:
        job = client.call("POST", f"/api/jobs/{job_id}/retry", data={"password": password})
        ended = bars.follow(client, [bars.sent(job)])
    show(ended, as_json=as_json)
    require_all_taken(ended)


@app.command("dismiss")
def dismiss_job(job_id: Annotated[str, typer.Argument(help="As `graft jobs list` prints it.")], as_json: Json = False) -> None:
    """Forget a document's job that ended badly, and the file that was kept for another try."""
    with connect(load_settings()) as client:
        client.call("DELETE", f"/api/jobs/{job_id}")
    return print_json({"dismissed": job_id}) if as_json else out.print(f"{job_id}: dismissed")
