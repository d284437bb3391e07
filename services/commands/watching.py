"""`graft watch`: a folder whose documents follow its files, until somebody ends the command."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.errors import GraftError, InputRefused, Unavailable
from services.client import Client, connect
from services.commands.adding import outcome, submit
from services.commands.output import GroupOption, Json, err, out, print_line
from services.folder_sync import Difference, FolderSync
from services.home import Home
from services.job_states import UNFINISHED
from services.settings import Settings, load_settings

# Notices of changes do not reach us from every network disk, and some are lost when very many come: so often the folder is
# looked through without one.
_LOOK_ANYWAY_S = 60.0
# Looking through 10,000 files that did not change takes 0.65 s (median of 5): while they come, no more than a tenth of the time
# is spent on that.
_PAUSE_PER_LOOK = 9.0
_STEP_S = 0.5
_SERVER_POLL_S = 2.0


def watch(
    folder: Annotated[Path, typer.Argument(help="The folder; files in the folders in it count too.")],
    group: GroupOption = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep documents whose files are gone.")] = False,
    quiet_s: Annotated[float, typer.Option("--quiet-s", min=0, help="Seconds that a file must have been the same.")] = 2.0,
    as_json: Json = False,
) -> None:
    """Keep the documents of a folder in step with its files: new, changed and removed ones follow, until Ctrl-C."""
    if not folder.is_dir():
        raise InputRefused(f"there is no folder {folder}")
    settings = load_settings()
    while True:
        with connect(settings) as client:
            sync = FolderSync(client, folder, groups=group or [], quiet_s=quiet_s)
            follower = Follower(client, sync, keep=keep, tell=_json_line if as_json else _words)
            try:
                for _ in follower.follow(_ticks(folder)):
                    pass
            except Unavailable:
                if not client.remote:
                    raise
            except KeyboardInterrupt:
                return
        _await_server(settings)


@dataclass(slots=True)
class Follower:
    """Does what the folder asks for, and tells what became of it."""

    client: Client
    sync: FolderSync
    keep: bool
    tell: Callable[[dict[str, Any]], None]
    _jobs: dict[str, str] = field(default_factory=dict)
    _complaint: str = ""

    def follow(self, ticks: Iterator[bool]) -> Iterator[Difference]:
        """What was found to do, each time that the folder was looked through; `ticks` say whether something changed there."""
        dirty = True
        looked = took = 0.0
        for changed in ticks:
            self._tell_ended()
            dirty = dirty or changed
            began = time.monotonic()
            if began - looked > (_PAUSE_PER_LOOK * took if dirty else _LOOK_ANYWAY_S):
                found = self._step()
                looked = time.monotonic()
                took = looked - began
                dirty = found.unquiet > 0
                yield found

    def _step(self) -> Difference:
        try:
            found = self.sync.look()
        except InputRefused as error:  # the disk may be away for a while: nothing is removed, and one word is enough
            self._complain(str(error))
            return Difference()
        self._complain("")
        for name, groups in found.new:
            try:
                given, names = self.sync.file(name, groups)
                job = submit(self.client, given, names)
                self._jobs[job["job_id"]] = name
            except OSError:  # gone, or not readable: the next look tells
                continue
            except Unavailable:
                raise
            except GraftError as error:
                self.tell({"event": "refused", "document": name, "error": str(error)})
        for known in () if self.keep else found.gone:
            self.sync.remove(known)
            if known.job_id is None:
                self.tell({"event": "removed", "document": known.document, "document_id": known.document_id})
        return found

    def _tell_ended(self) -> None:
        for job_id in list(self._jobs):
            job = self.client.call("GET", f"/api/jobs/{job_id}")
            if job["status"] in UNFINISHED:
                return  # they end in their order
            del self._jobs[job_id]
            self.tell({"event": job["outcome"] or job["status"], **outcome(job)})

    def _complain(self, words: str) -> None:
        if words and words != self._complaint:
            self.tell({"event": "waiting", "document": "", "error": words})
        self._complaint = words


def _ticks(folder: Path) -> Iterator[bool]:
    """Whether something changed in the folder, at least every half second."""
    from watchfiles import watch as watch_files

    step_ms = int(_STEP_S * 1000)
    yield True
    changes = watch_files(
        folder,
        watch_filter=None,
        debounce=step_ms,
        rust_timeout=step_ms,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    for change in changes:
        yield bool(change)


def _await_server(settings: Settings) -> None:
    """Waits until a server owns the home again: this process must not take it from the one that is starting."""
    err.print("the server no longer answers: waiting for it to come back")
    while Home(settings.home).running_server() is None:
        time.sleep(_SERVER_POLL_S)


def _words(told: dict[str, Any]) -> None:
    notes = "; ".join(filter(None, [told.get("error"), *told.get("warnings", ())]))
    out.print(f"{told['event']:>9}  {told['document']}" + (f"  ({notes})" if notes else ""), markup=False)


def _json_line(told: dict[str, Any]) -> None:
    print_line(told)
