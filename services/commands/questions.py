"""`graft search`, `graft ask`, `graft demo`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any

import typer

from eval import sample_corpus
from eval.types import Arm, Style
from ingest.errors import GraftError, UsageError
from services.client import Client, connect
from services.commands.adding import AddingBars, submit
from services.commands.comparing import answers_to, print_side_by_side
from services.commands.documents import resolve
from services.commands.output import GroupOption, Json, out, print_json
from services.folders import Given
from services.settings import load_settings

_NOTE_CHARACTERS = 100
DEMO_QUESTION = "How many days of paid holiday do full-time employees get each year?"

DocumentOption = Annotated[
    list[str] | None, typer.Option("--document", help="Look in this document alone: its id or name; may be given several times.")
]
SinceOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Added on this day or later, in UTC.")]
UntilOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Added on this day or earlier, in UTC.")]
TypeOption = Annotated[
    list[str] | None, typer.Option("--type", help="The ending of the document's name, such as pdf; may be given several times.")
]
InGroupOption = Annotated[
    list[str] | None, typer.Option("--in-group", help="A group that the document carries; may be given several times.")
]


def search(
    query: Annotated[str, typer.Argument(help="A question or some words.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many passages.")] = 10,
    group: GroupOption = None,
    document: DocumentOption = None,
    version: Annotated[int | None, typer.Option(min=1, help="With one --document: this version of it, an older one too.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    file_type: TypeOption = None,
    in_group: InGroupOption = None,
    like: Annotated[str | None, typer.Option(help="In place of words: a passage's id, to find others like it.")] = None,
    widen: Annotated[bool, typer.Option("--widen", help="Show the whole section around each passage.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show what each score is made of, and the words found.")] = False,
    as_json: Json = False,
) -> None:
    """Find passages, best first. With --group, only what holders of these groups may read."""
    if version is not None and len(document or ()) != 1:
        raise UsageError("--version says which form of one document is meant: name that one with --document")
    asked: dict[str, Any] = {"query": query, "limit": limit, "groups": group or None, "widen": widen, "explain": explain}
    asked |= _narrowed(document, since, until, file_type, in_group) | ({"like": like} if like else {})
    with connect(load_settings()) as client:
        if version is not None:
            (named,) = asked.pop("documents")
            asked |= {"document_id": resolve(client, named)["document_id"], "version": version}
        answer = client.call("POST", "/api/search", json=asked)
    if as_json:
        return print_json(answer)
    for one in answer["corrections"]:
        out.print(f"Nothing holds {one['seen']}; searched for {one['used']} too.", style="dim", markup=False)
    for hit in answer["hits"]:
        out.print(f"{hit['score']:.2f}  {hit['document']}, page {hit['page']}", style="bold", markup=False)
        out.print(hit["section"]["text"] if widen else hit["text"], markup=False)
        if explain:
            out.print(_explanation(hit), style="dim", markup=False)
        if others := [f"{place['document']}, page {place['page']}" for place in hit["also_in"]]:
            out.print(f"(also in {'; '.join(others)})", style="dim", markup=False)
    return None


def _explanation(hit: Mapping[str, Any]) -> str:
    """What a hit's score is made of, and where its words stand, on two lines."""
    why = hit["explanation"]
    parts = ", ".join(f"{name.replace('_', ' ')} {value:+.2f}" for name, value in why["parts"].items())
    terms = [
        f"{one['term']} ({', '.join([*one['fields'], *one['like']])})" for one in why["terms"] if one["fields"] or one["like"]
    ]
    terms += [f"{one['word']} = {one['found']}" for one in why["other_names"]]
    closest = hit["text"][slice(*why["window"])] if why["window"] else "nowhere"
    return f"{parts}; found: {'; '.join(terms) or 'no word'}\nclosest together: {' '.join(closest.split())}"


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know, in Chinese or English.")],
    arm: Annotated[Arm, typer.Option(help="The way of answering.")] = Arm.RAG,
    style: Annotated[Style, typer.Option(help="Written by the model, quoted, or what suits.")] = Style.AUTO,
    compare: Annotated[bool, typer.Option("--compare", help="All arms side by side, each written by its model.")] = False,
    group: GroupOption = None,
    document: DocumentOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    file_type: TypeOption = None,
    in_group: InGroupOption = None,
    as_json: Json = False,
) -> None:
    """Answer a question from the documents, with citations."""
    narrowed = _narrowed(document, since, until, file_type, in_group)
    with connect(load_settings(), with_engine=True) as client:
        if compare:
            return print_side_by_side(answers_to(client, question, groups=group, narrowed=narrowed), as_json=as_json)
        answer = answer_to(client, question, arm=arm, style=style, groups=group, narrowed=narrowed)
    return print_json(answer) if as_json else _print_answer(answer)


def _narrowed(
    documents: list[str] | None,
    since: datetime | None,
    until: datetime | None,
    types: list[str] | None,
    in_groups: list[str] | None,
) -> dict[str, Any]:
    """The filters that were given, as fields of a request."""
    days = {name: day.date().isoformat() for name, day in (("since", since), ("until", until)) if day is not None}
    lists = {"documents": documents, "types": types, "in_groups": in_groups}
    return days | {name: given for name, given in lists.items() if given}


def answer_to(
    client: Client,
    question: str,
    *,
    arm: Arm = Arm.RAG,
    style: Style = Style.AUTO,
    groups: list[str] | None = None,
    narrowed: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """The whole answer as JSON; `narrowed` are the filters among the fields of the request."""
    request = {"question": question, "arm": arm, "style": style, "groups": groups or None, "stream": False, **narrowed}
    answer: dict[str, Any] = client.call("POST", "/api/ask", json=request)
    return answer


def demo(as_json: Json = False) -> None:
    """Add the sample PDFs, answer one question, and say where in them the answer stands."""
    settings = load_settings()
    with connect(settings, with_engine=True) as client:
        groups = sample_corpus.document_groups()
        known = set(client.call("GET", "/api/groups")["groups"])
        for name in sorted({name for names in groups.values() for name in names} - known):
            client.call("POST", "/api/groups", json={"name": name})
        paths = sorted(sample_corpus.PDF_DIR.glob("*.pdf"))
        with AddingBars(len(paths)) as bars:
            sent = [bars.sent(submit(client, Given(path.name, path), groups.get(path.name, ()))) for path in paths]
            jobs = bars.follow(client, sent)
        failed = [f"{job['document']}: {job['error']}" for job in jobs if job["error"]]
        if failed:
            raise GraftError(f"the sample corpus could not be added: {failed[0]}")
        answer = answer_to(client, DEMO_QUESTION)
    if as_json:
        return print_json({"question": DEMO_QUESTION, **answer})
    out.print(DEMO_QUESTION, style="bold", markup=False)
    _print_answer(answer)
    return None


def _print_answer(answer: dict[str, Any]) -> None:
    out.print(answer["answer"], markup=False)
    if answer["reason"] and not answer["abstained"]:
        out.print(f"({answer['reason']})", style="dim", markup=False)
    for note in _notes(answer):
        out.print(note, style="dim", markup=False)
    for citation in answer["citations"]:
        place = f"[{citation['marker']}] {citation['document']}, page {citation['page']}"
        out.print(place, style="cyan", markup=False)


def _notes(answer: Mapping[str, Any]) -> Iterator[str]:
    """Why sentences are marked where the answer does not say it, and what became of those that the model wrote otherwise, a line
    each."""
    for sentence in answer["sentences"]:
        if sentence["reason"] and sentence["reason"] not in answer["answer"]:
            yield f"“{_short(sentence['text'])}”: {sentence['reason']}"
        if replaced := sentence["replaces"]:
            yield f"{replaced['action']} in place of “{_short(replaced['text'])}”: {replaced['reason']}"
    for removed in answer["removed"]:
        yield f"left out: “{_short(removed['text'])}”: {removed['reason']}"


def _short(text: str) -> str:
    return textwrap.shorten(text, _NOTE_CHARACTERS, placeholder=" …")
