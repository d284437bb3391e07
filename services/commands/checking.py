"""`graft check`: a file's answers to the product's judge, in parts, so that a file of any length takes little memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.errors import InputRefused
from services.client import connect
from services.commands.output import Json, counting, out, print_line
from services.settings import load_settings

if TYPE_CHECKING:
    from eval.hallucination import Line

# A part of a file: far under what a server takes at once, and many enough to make its answering cheap.
_LINES = 50
_CHARACTERS = 500_000


def check(
    file: Annotated[Path, typer.Argument(help="JSON lines with id, context, answer and maybe question.")],
    _as_json: Json = False,
) -> None:
    """Judge answers against their contexts: a JSON line each, with a score, the unsupported spans and each sentence's verdict."""
    from eval.hallucination import Line, count_lines, read_lines

    lines = (Line.of(row) for row in read_lines(file))
    # Progress and results on one terminal would write over each other.
    progress = contextlib.nullcontext() if out.is_terminal else counting()
    with connect(load_settings()) as client, progress as step:
        total = count_lines(file)
        if not total:
            raise InputRefused(f"{file} holds no line to check: each needs an id, a context and an answer")
        for part in parts(lines):
            for checked in client.call("POST", "/api/check", json=[asdict(line) for line in part]):
                print_line(checked)
                if step:
                    step("checked", total)


def parts(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines in lists that a server takes at once; a line that is too long for that stands alone, and is refused there."""
    part: list[Line] = []
    characters = 0
    try:
        for line in lines:
            if part and (len(part) == _LINES or characters + line.characters > _CHARACTERS):
                yield part
                part, characters = [], 0
            part.append(line)
            characters += line.characters
    except InputRefused:  # what stands before a line that cannot be checked is
        if part:
            yield part
        raise
    if part:
        yield part
