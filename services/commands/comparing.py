"""`graft compare`: all arms over a file of cases; and several arms' answers to one question side by side."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from eval.types import Arm, Case
from ingest.errors import GraftError, InputRefused, Unavailable
from ingest.types import EVERYONE
from services.client import Client, connect
from services.commands.output import Json, err, out, print_json, print_table
from services.settings import load_settings

if TYPE_CHECKING:
    from eval.runner import RowFile

_ROWS = "answers.jsonl"
_NAME = "comparison"
_POLL_S = 1.0


def compare(
    cases: Annotated[Path, typer.Argument(help="JSON lines with id, question, answerable, answers, gold …")],
    arms: Annotated[list[Arm] | None, typer.Option("--arms", help="An arm; may be given several times. Default: all.")] = None,
    report: Annotated[Path | None, typer.Option(help="HTML file of the report; JSON and Markdown are written beside it.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder that keeps the answers, so that a run can go on.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many cases, evenly from the whole file.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Cases at once.")] = 4,
    as_json: Json = False,
) -> None:
    """Ask every case of all arms and report how they differ, with intervals. A run that was stopped goes on where it was."""
    from eval.answers import read_cases
    from eval.compare import compare_answers
    from eval.compare_report import comparison_report, main_table
    from eval.report import write_report
    from eval.runner import RowFile, fingerprint

    settings = load_settings()
    chosen = _evenly(read_cases(cases), limit)
    folder = output or settings.home / "comparisons" / cases.stem
    page = report or folder / f"{_NAME}.html"
    with connect(settings, with_engine=True, own_engine=True) as client:
        _wait_for_engine(client)
        there = client.call("GET", "/api/compare")
        compared = _arms(arms, there["arms"])
        kept = RowFile(folder / _ROWS, fingerprint(cases.read_bytes(), compared, there["state"]))
        if not kept.rows and kept.others:
            err.print("The cases, the arms or the product are not those of the last run: this one begins anew.", markup=False)
        answers = _run(client, chosen, compared, kept, concurrency=concurrency)
        if client.call("GET", "/api/compare")["state"] != there["state"]:
            raise GraftError(
                f"the product changed during the run, so its answers are mixed: remove {kept.path} and compare again"
            )
    figures = compare_answers(chosen, answers, arms=compared, learned=there["learned"])
    circumstances = {
        "cases": f"{len(chosen)} of {cases.name}",
        "cases at once": str(concurrency),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        **there["state"],
    }
    written = write_report(
        comparison_report(figures, chosen, answers, circumstances=circumstances), page.parent, page.name.removesuffix(".html")
    )
    if as_json:
        return print_json({**figures, "report": str(written[-1])})
    table = main_table(figures)
    print_table(table.headings, table.rows)
    return out.print(f"report: {written[-1]}", markup=False)


def answers_to(
    client: Client,
    question: str,
    *,
    arms: Sequence[Arm] | None = None,
    groups: list[str] | None = None,
    narrowed: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Each arm's answer as JSON; all arms that are there where none is named. `narrowed`: filters, as fields of the request."""
    request = {"question": question, "arms": arms, "groups": groups or None, "stream": False, **narrowed}
    answers: dict[str, Any] = client.call("POST", "/api/compare", json=request)
    return answers


def print_side_by_side(compared: dict[str, Any], *, as_json: bool) -> None:
    """The arms in columns; what the judge does not find borne out is underlined."""
    if as_json:
        return print_json(compared)
    table = Table(show_lines=True, header_style="bold")
    for arm in compared["answers"]:
        table.add_column(arm, overflow="fold", ratio=1)
    answers = compared["answers"].values()
    table.add_row(*map(_shown, answers))
    table.add_row(*map(_foot, answers))
    out.print(table, soft_wrap=False)
    cited = {(c["document"], c["page"]): None for answer in answers for c in answer.get("citations", ())}
    for document, page in cited:
        out.print(f"{document}, page {page}", style="cyan", markup=False)
    return None


def _shown(answer: dict[str, Any]) -> Text:
    if "error" in answer:
        return Text(answer["error"]["detail"], style="red")
    if answer["abstained"]:
        return Text(answer["answer"], style="dim")
    return Text(" ").join(
        Text(sentence["text"], style="" if sentence["supported"] else "underline yellow") for sentence in answer["sentences"]
    )


def _foot(answer: dict[str, Any]) -> Text:
    if "error" in answer:
        return Text("-")
    sentences = [] if answer["abstained"] else answer["sentences"]
    supported = sum(sentence["supported"] for sentence in sentences)
    parts = [f"{supported} of {len(sentences)} sentences supported"] if sentences else ["abstains"]
    parts.append(f"{answer['timings_ms']['total'] / 1000:.1f} s")
    if usage := answer["usage"]:
        parts.append(f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens")
    return Text(", ".join(parts), style="dim")


def _wait_for_engine(client: Client) -> None:
    """Returns when engine and adapter are ready or cannot be; what they are then, the first question tells."""
    while "starting" in (
        (status := client.call("GET", "/api/status"))["engine"]["state"],
        status["adapter"]["state"],
    ):
        time.sleep(_POLL_S)


def _evenly(cases: Sequence[Case], limit: int | None) -> list[Case]:
    kept = min(limit or len(cases), len(cases))
    return [cases[index * len(cases) // kept] for index in range(kept)]


def _arms(asked: Sequence[Arm] | None, missing: dict[str, str]) -> list[Arm]:
    """The arms in their usual order; all that are there where none is asked for.

    Raises:
        InputRefused: one that was asked for is not there.
    """
    for arm in asked or ():
        if missing[arm]:
            raise InputRefused(missing[arm])
    return [arm for arm in Arm if (arm in asked if asked else not missing[arm])]


def _run(client: Client, cases: Sequence[Case], arms: Sequence[Arm], kept: RowFile, *, concurrency: int) -> dict[str, Any]:
    """Case id → arm → answer."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from eval.runner import run_cases

    def ask(case: Case) -> dict[str, Any]:
        compared = answers_to(client, case.question, arms=arms, groups=list(case.groups) or [EVERYONE])["answers"]
        problems = [answer["error"] for answer in compared.values() if "error" in answer]
        if len(problems) == len(arms):  # nothing answers: a run that went on would only collect failures
            raise Unavailable(problems[0]["detail"])
        # The passages are not needed any more, and would be most of the file.
        return {arm: {**answer, "nearest": []} if "error" not in answer else answer for arm, answer in compared.items()}

    finished = sum(case.id in kept.rows for case in cases)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=err, transient=True) as bar:
            task = bar.add_task("comparing", total=len(cases), completed=finished)
            return run_cases(
                cases,
                ask,
                kept,
                concurrency=concurrency,
                progress=lambda _case: bar.advance(task),
                stopping=lambda: bar.update(task, description="finishing what is under way"),
            )
    except (KeyboardInterrupt, Unavailable) as error:
        done = sum(case.id in kept.rows for case in cases)
        err.print(f"{done} of {len(cases)} cases are kept in {kept.path}: the same command goes on from there.", markup=False)
        if isinstance(error, KeyboardInterrupt):
            raise typer.Exit(1) from None
        raise
