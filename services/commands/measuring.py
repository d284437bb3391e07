"""`graft check`, `graft eval …`. Each loads what it measures only when it runs: other commands start in half the time."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from eval.types import Arm, Style
from ingest.settings import ReadLimits
from services.client import connect
from services.commands.output import Json, counting, out, print_json, print_table
from services.commands.questions import answer_to
from services.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Measure the product on data of your own.")


def check(
    file: Annotated[Path, typer.Argument(help="JSON lines with id, context, answer and maybe question.")],
    _as_json: Json = False,
) -> None:
    """Judge answers against their contexts: a JSON line each, with a score and the unsupported spans."""
    from eval.hallucination import check_line, read_lines
    from eval.judge import HouseJudge

    judge = HouseJudge()
    for line in read_lines(file):
        typer.echo(json.dumps(check_line(line, judge=judge), ensure_ascii=False))


@app.command("retrieval")
def retrieval(
    folder: Annotated[Path, typer.Argument(help="A data set in BEIR layout.")],
    as_json: Json = False,
) -> None:
    """Recall, MRR, nDCG and MAP of the product's search on a data set."""
    from eval.retrieval import evaluate_retrieval
    from services.assembly import throw_away_index

    with TemporaryDirectory() as home:
        _print(evaluate_retrieval(folder, throw_away_index(load_settings(), Path(home))), as_json=as_json)


@app.command("hallucination")
def hallucination(
    file: Annotated[Path, typer.Argument(help="JSON lines as for `graft check`, with label (1 = unsupported).")],
    as_json: Json = False,
) -> None:
    """How well the judge tells supported answers from unsupported ones."""
    from eval.hallucination import evaluate_hallucination
    from eval.judge import HouseJudge

    _print(evaluate_hallucination(file, judge=HouseJudge()), as_json=as_json)


@app.command("answers")
def answers(
    cases: Annotated[Path, typer.Argument(help="JSON lines with id, question, answerable, answers, gold …")],
    arm: Annotated[Arm, typer.Option(help="The way of answering.")] = Arm.RAG,
    style: Annotated[Style, typer.Option(help="Written by the model, quoted, or what suits.")] = Style.AUTO,
    as_json: Json = False,
) -> None:
    """Ask every case and compare with its answers: by language, kind and style, with intervals."""
    from eval.answers import evaluate_answers, read_cases

    with connect(load_settings(), with_engine=True) as client:

        def ask(question: str, groups: tuple[str, ...]) -> dict[str, Any]:
            return answer_to(client, question, arm=arm, style=style, groups=list(groups) or ["everyone"])

        _print(evaluate_answers(read_cases(cases), ask), as_json=as_json)


@app.command("parsing")
def parsing(
    folder: Annotated[Path, typer.Argument(help="A set of files, or a folder of such sets.")],
    render: Annotated[int, typer.Option(min=0, help="Also recognise so many pages of each language, rendered at 150 dpi.")] = 0,
    speed: Annotated[bool, typer.Option("--speed", help="Also time the reading against pymupdf4llm and pdfplumber.")] = False,
    report: Annotated[Path | None, typer.Option(help="HTML file of the report; JSON and Markdown are written beside it.")] = None,
    as_json: Json = False,
) -> None:
    """How well files are read: outcomes, text, tables, recognised pages, speed. What is measured goes by the folder's layout."""
    from eval.parsing.report import goals, main_table, parsing_report
    from eval.parsing.run import evaluate_parsing
    from eval.report import write_report
    from ingest.isolation import FileWorker

    ingest = load_settings().ingest
    with FileWorker(ingest.limits, ingest.ocr) as worker, counting() as progress:
        measured = evaluate_parsing(folder, worker, render=render, speed=speed, progress=progress)
    written: dict[str, str] = {}
    if report is not None:
        whole = parsing_report(measured, circumstances=_circumstances(folder, ingest.limits))
        written["report"] = str(write_report(whole, report.parent, report.name.removesuffix(".html"))[-1])
    if as_json:
        return print_json({**measured, "goals": [asdict(goal) for goal in goals(measured)], **written})
    table = main_table(measured)
    print_table(table.headings, table.rows)
    for goal in goals(measured):
        out.print(f"{'met' if goal.met else 'missed':>6}  {goal.name}: {goal.seen}, wanted {goal.wanted}", markup=False)
    return out.print(f"report: {written['report']}", markup=False) if written else None


def _circumstances(folder: Path, limits: ReadLimits) -> dict[str, str]:
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return {
        "folder": folder.name,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {load} at the end",
        "limits": ", ".join(f"{name} {value:,}" for name, value in asdict(limits).items()),
        "PDF library": f"PyMuPDF {version('pymupdf')}",
    }


def _print(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        return print_json(report)
    return out.print(json.dumps(report, ensure_ascii=False, indent=1), markup=False)
