"""What commands print: JSON on standard output where it is asked for, else text for people; progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else there.")]
GroupOption = Annotated[list[str] | None, typer.Option("--group", help="A group; may be given several times.")]

# Columns of a table that goes to a file or another program: no line is broken there.
_WIDTH_OF_A_FILE = 1000

out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(data: Any) -> None:
    """The data as indented JSON, Chinese characters as they are."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=1))


def print_line(data: Any) -> None:
    """The data as one line of JSON, at once."""
    print(json.dumps(data, ensure_ascii=False), flush=True)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows of plain text under headings."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")  # names and ids are copied from here: none is shortened
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    out.print(table)


@contextmanager
def counting() -> Iterator[Callable[[str, int], None]]:
    """A progress bar for each thing that is done; call it after each step with the thing's name and its number of steps."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:

        def step(name: str, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.advance(tasks[name])

        yield step
