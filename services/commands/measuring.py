"""`graft check`, `graft eval …`. Each loads what it measures only when it runs: other commands start in half the time."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from eval.types import Arm, Style
from services.client import connect
from services.commands.output import Json, out, print_json
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
    from ingest.index.hybrid import HybridIndex
    from ingest.index.lexical import LexicalIndex
    from ingest.index.vector import MemoryVectorStore, VectorIndex

    with TemporaryDirectory() as home:
        numbers = itertools.count()

        def index() -> HybridIndex:
            place = Path(home) / str(next(numbers))
            return HybridIndex(LexicalIndex(place / "lexical"), VectorIndex(place, MemoryVectorStore()))

        _print(evaluate_retrieval(folder, index), as_json=as_json)


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


def _print(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        return print_json(report)
    return out.print(json.dumps(report, ensure_ascii=False, indent=1), markup=False)
