"""`graft add`: files and folders, sent one after another and followed until they can be searched; `--sync` also removes."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ingest.errors import GraftError, InputRefused, Unavailable, UsageError
from services.client import Client, connect
from services.commands.output import GroupOption, Json, err, out, print_json
from services.folder_sync import FolderSync, Known
from services.folders import Given, given_files
from services.job_states import UNFINISHED
from services.settings import load_settings

PasswordOption = Annotated[
    str,
    typer.Option(
        "--password",
        help="Opens encrypted files; kept only until they are read. `-` asks for it, so that nobody sees it on the command line.",
    ),
]

_POLL_S = 0.1


def add(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders that are searched for files that can be read.")],
    group: GroupOption = None,
    password: PasswordOption = "",
    sync: Annotated[
        bool,
        typer.Option("--sync", help="Also remove the documents that were added from these folders and whose files are gone."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --sync: remove without asking.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all can be searched, or print the jobs.")] = True,
    as_json: Json = False,
) -> None:
    """Add documents; those that are there already in this form are left alone."""
    if sync:
        if not wait:
            raise UsageError("--sync waits, because what is gone is removed last: leave --no-wait out")
        return _sync(paths, group or [], password=asked_for(password), yes=yes, as_json=as_json)
    if yes:
        raise UsageError("--yes goes with --sync, which alone removes something")
    found = given_files(paths)
    password = asked_for(password)
    with connect(load_settings()) as client:
        if not wait and not client.remote:
            raise Unavailable("--no-wait needs a running server that does the work: start one with `graft serve --detach`")
        with AddingBars(len(found)) as bars:
            submitted = [bars.sent(submit(client, one, group or [], password=password)) for one in found]
            ended = bars.follow(client, submitted) if wait else []
        if not wait:
            return print_json({"jobs": submitted}) if as_json else out.print("\n".join(job["job_id"] for job in submitted))
    show(ended, as_json=as_json)
    return require_all_taken(ended)


def _sync(folders: Sequence[Path], groups: Sequence[str], *, password: str, yes: bool, as_json: bool) -> None:
    """Brings the documents of the folders to what their files are. What is removed is said before."""
    if files := [path for path in folders if not path.is_dir()]:
        raise UsageError(f"--sync needs folders, and {files[0]} is none")
    ended: list[dict[str, Any]] = []
    removed: list[Known] = []
    unchanged = 0
    with connect(load_settings()) as client:
        for folder in folders:
            one = FolderSync(client, folder, groups=groups)
            found = one.look()
            with AddingBars(len(found.new)) as bars:
                sent = [bars.sent(submit(client, *one.file(*new), password=password)) for new in found.new]
                ended += bars.follow(client, sent)
            if found.gone and _may_remove(found.gone, folder, yes=yes):
                for known in found.gone:
                    one.remove(known)
                removed += found.gone
            unchanged += found.unchanged
    if as_json:
        gone = [known.document for known in removed]
        print_json({"documents": [outcome(job) for job in ended], "unchanged": unchanged, "removed": gone})
    else:
        show(ended, as_json=False)
        out.print(f"{unchanged} unchanged, {len(removed)} removed")
    require_all_taken(ended)


def _may_remove(gone: Sequence[Known], folder: Path, *, yes: bool) -> bool:
    """Says which documents would be removed, and whether they may be.

    Raises:
        UsageError: nobody is there to ask.
    """
    err.print(f"No longer in {folder}, to be removed with all their versions and everything made from them:", markup=False)
    for known in gone:
        err.print(f"  {known.document} ({', '.join(sorted(known.groups))})", markup=False)
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"nobody can be asked whether {len(gone)} documents shall be removed: say so with --yes")
    return typer.confirm("Remove them?", err=True)


def asked_for(password: str) -> str:
    """The password, read from the terminal or from standard input where it was given as `-`."""
    if password != "-":  # noqa: S105 - stands for "ask"
        return password
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def submit(client: Client, given: Given, groups: Sequence[str], *, password: str = "") -> dict[str, Any]:
    """The job that adds this file."""
    data = {"group": list(groups), "password": password, "source": given.source}
    with given.path.open("rb") as file:
        answer = client.call("POST", "/api/documents", files={"files": (given.name, file)}, data=data)
    job: dict[str, Any] = answer["jobs"][0]
    return job


class AddingBars:
    """Bars on a terminal while documents are sent and worked on: one for all, one for the pages of the present one."""

    def __init__(self, total: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[unit]}"))
        self._progress = Progress(*columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal)
        self._total = total
        self._sent = self._progress.add_task("sending", total=total, unit="documents")
        self._ended: TaskID | None = None
        self._pages: TaskID | None = None

    def __enter__(self) -> AddingBars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def sent(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job, counted."""
        self._progress.update(self._sent, advance=1, description=f"sending {job['document']}")
        return job

    def follow(self, client: Client, jobs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The jobs when all have ended."""
        self._progress.update(self._sent, visible=False)
        self._ended = self._progress.add_task("adding", total=len(jobs), unit="documents")
        self._pages = self._progress.add_task("", total=None, unit="pages", visible=False)
        ended = []
        for job in jobs:
            state = job
            while state["status"] in UNFINISHED:
                time.sleep(_POLL_S)
                state = client.call("GET", f"/api/jobs/{job['job_id']}")
                self._show(state)
            ended.append(state)
            self._progress.advance(self._ended)
        return ended

    def _show(self, state: dict[str, Any]) -> None:
        if self._pages is not None:
            self._progress.update(
                self._pages,
                description=f"{state['document']}: {state['stage'] or state['status']}",
                completed=state["pages_done"],
                total=state["pages_total"],
                visible=True,
            )


def show(ended: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """Prints what became of each."""
    documents = [outcome(job) for job in ended]
    if as_json:
        return print_json({"documents": documents})
    for one in documents:
        notes = "; ".join(filter(None, [one["error"], *one["warnings"]]))
        out.print(f"{one['status']:>9}  {one['document']}" + (f"  ({notes})" if notes else ""), markup=False)
    return None


def outcome(job: dict[str, Any]) -> dict[str, Any]:
    """A job that ended, as `graft add --json` shows it."""
    return {
        "document": job["document"],
        "document_id": job["document_id"],
        "version": job["version"],
        "status": job["outcome"] or "refused",
        "pages": job["pages_total"],
        "warnings": job["warnings"],
        "error": job["error"],
        "code": job["code"],
        "job_id": job["job_id"],
    }


def require_all_taken(ended: Sequence[dict[str, Any]]) -> None:
    """Lets the command end well where every document was taken.

    Raises:
        GraftError, InputRefused: one was not.
    """
    if any(job["status"] in ("failed", "stopped") for job in ended):
        raise GraftError("not every document could be added; the others are there")
    if any(job["outcome"] == "refused" for job in ended):
        raise InputRefused("not every document could be taken; the others are there")
