"""`graft add`, `graft documents …`, `graft reindex`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ingest.errors import GraftError, InputRefused, NotFound, Unavailable
from ingest.readers.detect import ALLOWED, SUFFIXES
from services.client import Client, connect
from services.commands.output import GroupOption, Json, err, out, print_json, print_table
from services.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="List, show, remove documents, and set who may read them.")

_POLL_S = 0.1
# Of each kind of personal data; `--json` has more.
_SAMPLES = 3


def add(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders that are searched for files that can be read.")],
    group: GroupOption = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all can be searched, or print the jobs.")] = True,
    as_json: Json = False,
) -> None:
    """Add documents; those that are there already in this form are left alone."""
    found = dict(_named(paths))
    with connect(load_settings()) as client:
        if not wait and not client.remote:
            raise Unavailable("--no-wait needs a running server that does the work: start one with `graft serve --detach`")
        submitted = [submit(client, name, path, group or []) for name, path in found.items()]
        if not wait:
            return print_json({"jobs": submitted}) if as_json else out.print("\n".join(job["job_id"] for job in submitted))
        ended = finish(client, submitted)
    documents = [_outcome(job) for job in ended]
    if as_json:
        print_json({"documents": documents})
    else:
        for one in documents:
            notes = "; ".join(filter(None, [one["error"], *one["warnings"]]))
            out.print(f"{one['status']:>9}  {one['document']}" + (f"  ({notes})" if notes else ""), markup=False)
    if any(job["status"] == "failed" for job in ended):
        raise GraftError("not every document could be added; the others are there")
    if any(one["status"] == "refused" for one in documents):
        raise InputRefused("not every document could be taken; the others are there")
    return None


def submit(client: Client, name: str, path: Path, groups: list[str]) -> dict[str, Any]:
    """The job that adds this file."""
    with path.open("rb") as file:
        answer = client.call("POST", "/api/documents", files={"files": (name, file)}, data={"group": groups})
    job: dict[str, Any] = answer["jobs"][0]
    return job


def finish(client: Client, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The jobs when all have ended; shows how far they are on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pages]}"))
    ended = []
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("adding", total=len(jobs), pages="")
        for job in jobs:
            state = job
            while state["status"] in ("queued", "running"):
                time.sleep(_POLL_S)
                state = client.call("GET", f"/api/jobs/{job['job_id']}")
                pages = f"{state['pages_done']}/{state['pages_total']} pages" if state["pages_total"] else ""
                bar.update(task, description=f"{state['document']}: {state['stage'] or state['status']}", pages=pages)
            ended.append(state)
            bar.advance(task)
    return ended


def _outcome(job: dict[str, Any]) -> dict[str, Any]:
    return {
        "document": job["document"],
        "document_id": job["document_id"],
        "version": job["version"],
        "status": job["outcome"] or "refused",
        "pages": job["pages_total"],
        "warnings": job["warnings"],
        "error": job["error"],
    }


def _named(paths: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Every file with the name that its document gets.

    Raises:
        InputRefused: a path is missing, or two files would be one document, of which only the second would be seen.
    """
    taken: dict[str, Path] = {}
    for given in paths:
        for name, path in _files(given):
            if taken.setdefault(name, path) != path:
                raise InputRefused(f"{taken[name]} and {path} would both be called {name!r}: add the folder that holds both")
            yield name, path


def _files(given: Path) -> Iterator[tuple[str, Path]]:
    """The files that a path means, with the names that their documents get."""
    if given.is_dir():
        found = sorted(path for path in given.rglob("*") if path.is_file() and path.suffix.lower() in SUFFIXES)
        if not found:
            raise InputRefused(f"folder {given} holds no file that can be read. {ALLOWED}")
        yield from ((_printable(str(path.relative_to(given))), path) for path in found)
    elif given.is_file():
        yield _printable(given.name), given
    else:
        raise InputRefused(f"there is no file or folder {given}")


def _printable(name: str) -> str:
    """The name with a mark for each byte that is no text."""
    return name.encode("utf-8", "replace").decode()


@app.command("list")
def list_documents(as_json: Json = False) -> None:
    """The documents that are there."""
    with connect(load_settings()) as client:
        answer = client.call("GET", "/api/documents")
    if as_json:
        return print_json(answer)
    rows = [[d["document"], d["pages"], d["version"], ", ".join(d["groups"]), d["document_id"]] for d in answer["documents"]]
    return print_table(["document", "pages", "version", "groups", "id"], rows)


@app.command("show")
def show_document(document: Annotated[str, typer.Argument(help="Its id or name.")], as_json: Json = False) -> None:
    """One document: its text's languages, near duplicates and personal data, and what was made from it."""
    with connect(load_settings()) as client:
        record = resolve(client, document)
        report = client.call("GET", f"/api/documents/{record['document_id']}/report")
        lineage = client.call("GET", f"/api/documents/{record['document_id']}/lineage")
    if as_json:
        return print_json({**record, "report": report, "lineage": lineage})
    print_table(["field", "value"], [[key, value] for key, value in record.items()])
    _print_report(report)
    return _print_lineage(lineage, "made from it", "holds some of them", "has learned from some of them")


@app.command("remove")
def remove_document(document: Annotated[str, typer.Argument(help="Its id or name.")], as_json: Json = False) -> None:
    """Delete a document and everything made from it."""
    with connect(load_settings()) as client:
        record = resolve(client, document)
        lineage = client.call("DELETE", f"/api/documents/{record['document_id']}")
    if as_json:
        return print_json({"removed": record["document_id"], **lineage})
    out.print(f"removed {record['document']}", markup=False)
    return _print_lineage(lineage, "purged", "is incomplete now", "is flagged: it has learned from it")


@app.command("set-groups")
def set_groups(
    document: Annotated[str, typer.Argument(help="Its id or name.")],
    groups: Annotated[list[str], typer.Argument(help="The groups that may read it from now on.")],
    as_json: Json = False,
) -> None:
    """Give a document other groups."""
    with connect(load_settings()) as client:
        record = resolve(client, document)
        changed = client.call("PUT", f"/api/documents/{record['document_id']}/groups", json={"groups": groups})
    return print_json(changed) if as_json else out.print(f"{changed['document']}: {', '.join(changed['groups'])}", markup=False)


def _print_report(report: dict[str, Any]) -> None:
    languages = ", ".join(f"{count} {language}" for language, count in report["languages"].items())
    out.print(f"{report['passages']} passages" + (f" ({languages})" if languages else ""))
    if report["repeated_passages"]:
        out.print(f"{report['repeated_passages']} of them repeat others and are indexed once")
    for one in report["near_duplicates"]:
        shared = f"shares {one['passages']} passages with {one['document']} ({one['document_id']})"
        out.print(f"{shared}, {one['likeness']:.0%} alike as a whole", markup=False)
    for kind, count in report["personal_data"].items():
        samples = [f"page {one['page']}: {one['sample']}" for one in report["samples"] if one["kind"] == kind]
        out.print(f"personal data: {count} {kind} ({'; '.join(samples[:_SAMPLES])})", markup=False)


def _print_lineage(lineage: dict[str, Any], samples: str, dataset: str, adapter: str) -> None:
    if lineage["samples"]:
        out.print(f"{lineage['samples']} training samples {samples}")
    for one in lineage["datasets"]:
        out.print(f"data set {one} {dataset}")
    for one in lineage["adapters"]:
        out.print(f"adapter {one} {adapter}")


def resolve(client: Client, named: str) -> dict[str, Any]:
    """The one document of this id or name.

    Raises:
        NotFound: there is none. InputRefused: several have this name.
    """
    records = client.call("GET", "/api/documents")["documents"]
    found = [one for one in records if named in (one["document_id"], one["document"])]
    if not found:
        raise NotFound(f"there is no document {named!r}; `graft documents list` shows all")
    if len(found) > 1:
        ids = ", ".join(one["document_id"] for one in found)
        raise InputRefused(f"{len(found)} documents are called {named!r}: give the id of one ({ids})")
    record: dict[str, Any] = found[0]
    return record


def reindex(as_json: Json = False) -> None:
    """Make the search indexes anew from the catalog, without reading any file again."""
    with connect(load_settings()) as client:
        answer = client.call("POST", "/api/reindex")
    return print_json(answer) if as_json else out.print(f"{answer['chunks']} passages indexed")
