"""`graft eval …`. Each loads what it measures only when it runs: other commands start in half the time."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.grounded_set import Part
from eval.types import Arm, Style
from ingest.settings import ReadLimits
from ingest.types import EVERYONE
from services.client import connect
from services.commands.output import Json, counting, out, print_json, print_table
from services.commands.questions import answer_to
from services.settings import load_settings

if TYPE_CHECKING:
    from eval.report import Goal

app = typer.Typer(no_args_is_help=True, help="Measure the product on data of your own.")


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


@app.command("quoting")
def quoting(
    folder: Annotated[Path, typer.Argument(help="A data set in BEIR layout whose queries carry spans.")],
    questions: Annotated[int, typer.Option(min=1, help="How many of its questions at most, evenly spaced.")] = 1000,
    as_json: Json = False,
) -> None:
    """How often the sentence quoted first, and one of the first three, holds the answer."""
    from eval.quote_figures import evaluate_quoting
    from services.assembly import throw_away_index
    from services.translating import translator_of

    settings = load_settings()
    with TemporaryDirectory() as home:
        index, translator = throw_away_index(settings, Path(home)), translator_of(settings, Path(home))
        measured = evaluate_quoting(folder, index, questions=questions, translate=translator.groups)
    _print(measured, as_json=as_json)


@app.command("hallucination")
def hallucination(
    file: Annotated[
        Path | None,
        typer.Argument(help="JSON lines as for `graft check`, with label (1 = unsupported). Default: the shipped grounded set."),
    ] = None,
    part: Annotated[Part, typer.Option(help="Of the shipped set: what is only measured, or what may be looked at.")] = Part.TEST,
    report: Annotated[Path | None, typer.Option(help="HTML file of the report; JSON and Markdown are written beside it.")] = None,
    as_json: Json = False,
) -> None:
    """How well the judge tells supported answers from unsupported ones: on a file, or on the grounded set that is shipped."""
    from eval.grounded_set import LANGUAGES, grounded_lines, grounded_rows
    from eval.hallucination import count_lines, read_lines
    from eval.hallucination_figures import evaluate_hallucination
    from eval.hallucination_report import goals, hallucination_report, kind_tables, main_table
    from eval.report import write_report
    from services.assembly import answer_judge

    own = file is None
    if file is None:
        name, rows, total = (
            f"the shipped grounded set, {part}",
            grounded_lines(part),
            sum(len(grounded_rows(part, lang)) for lang in LANGUAGES),
        )
    else:
        name, rows, total = file.name, read_lines(file), count_lines(file)
    with counting() as step:
        measured = evaluate_hallucination(rows, judge=answer_judge(load_settings()), progress=lambda: step("judged", total))
    written: dict[str, str] = {}
    if report is not None:
        circumstances = {"answers": name, "machine": f"{platform.machine()}, {os.cpu_count()} cores"}
        whole = hallucination_report(measured, circumstances=circumstances, own=own)
        written["report"] = str(write_report(whole, report.parent, report.name.removesuffix(".html"))[-1])
    wanted = goals(measured) if own else []
    if as_json:
        return print_json({**measured, "goals": [asdict(goal) for goal in wanted], **written})
    out.print(f"{name}; {measured['judge']}, {measured['items_per_s']:.0f} answers a second", markup=False)
    for table in (main_table(measured), *kind_tables(measured)):
        out.print(f"\n{table.caption}" if table.caption else "", markup=False)
        print_table(table.headings, table.rows)
    _print_goals(wanted)
    return out.print(f"report: {written['report']}", markup=False) if written else None


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


@app.command("abstention")
def abstention(
    cases: Annotated[Path, typer.Argument(help="JSON lines as for `graft eval answers`; gold names the documents.")],
    as_json: Json = False,
) -> None:
    """Whether quoting abstains where it should: from unanswerable cases, and from the others with their document left out."""
    from eval.abstention import evaluate_abstention
    from eval.answers import read_cases

    with connect(load_settings()) as client:
        documents = client.call("GET", "/api/documents")["documents"]

        def abstains(question: str, groups: tuple[str, ...], without: frozenset[str]) -> bool | None:
            held = [*groups, EVERYONE]
            left = [one["document_id"] for one in documents if one["document"] not in without and set(held) & set(one["groups"])]
            narrowed = {"documents": left} if without else {}
            if without and not left:
                return None
            answer = answer_to(client, question, style=Style.QUOTES, groups=held, narrowed=narrowed)
            return bool(answer["abstained"])

        _print(evaluate_abstention(read_cases(cases), abstains), as_json=as_json)


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
    _print_goals(goals(measured))
    return out.print(f"report: {written['report']}", markup=False) if written else None


def _print_goals(goals: Sequence[Goal]) -> None:
    for goal in goals:
        out.print(f"{'met' if goal.met else 'missed':>6}  {goal.name}: {goal.seen}, wanted {goal.wanted}", markup=False)


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
