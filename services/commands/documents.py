"""`graft documents …`, `graft reindex`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ingest.errors import InputRefused, NotFound
from services.client import Client, connect
from services.commands.adding import AddingBars, outcome, require_all_taken
from services.commands.following import print_open
from services.commands.output import Json, out, print_json, print_table
from services.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="List, show, remove documents, and set who may read them.")

# Of each kind of personal data; `--json` has more.
_SAMPLES = 3


@app.command("list")
def list_documents(as_json: Json = False) -> None:
    """The documents that are there, and those that are being added or could not be, with the reason."""
    with connect(load_settings()) as client:
        documents = client.call("GET", "/api/documents")["documents"]
        jobs = [job for job in client.call("GET", "/api/jobs?open=true&limit=1000")["jobs"] if "document" in job]
    if as_json:
        return print_json({"documents": documents, "jobs": jobs})
    rows = [[d["document"], d["pages"], d["version"], ", ".join(d["groups"]), d["document_id"]] for d in documents]
    print_table(["document", "pages", "version", "groups", "id"], rows)
    return print_open(jobs)


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


@app.command("versions")
def list_versions(document: Annotated[str, typer.Argument(help="Its id or name.")], as_json: Json = False) -> None:
    """The versions of a document, the newest first, which alone is searched; `graft search --version` looks into an older one."""
    with connect(load_settings()) as client:
        answer = client.call("GET", f"/api/documents/{resolve(client, document)['document_id']}/versions")
    if as_json:
        return print_json(answer)
    rows = [[one["version"], "yes" if one["live"] else "", one["pages"], one["added_at"]] for one in answer["versions"]]
    return print_table(["version", "searched", "pages", "added"], rows)


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


@app.command("reprocess")
def reprocess(document: Annotated[str, typer.Argument(help="Its id or name.")], as_json: Json = False) -> None:
    """Read a document's file anew, as after an update; where that fails, all stays as it is."""
    with connect(load_settings()) as client, AddingBars(1) as bars:
        job = client.call("POST", f"/api/documents/{resolve(client, document)['document_id']}/reprocess")
        (ended,) = bars.follow(client, [bars.sent(job)])
    if as_json:
        print_json(outcome(ended))
    else:
        out.print(f"{ended['outcome'] or ended['status']} {ended['document']}", markup=False)
    require_all_taken([ended])


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
