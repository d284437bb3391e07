"""Files of conversations: reading, checking and writing them, in the formats that trainers exchange.

Invariants. What is written is read back with the same content, character for character, in every format. A file is taken whole
or not at all. Which format a file has is seen from its first record that is an object.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

from finetune.formats import alpaca, messages
from finetune.formats.records import Conversation, Problem, Record, records
from ingest.errors import InputRefused
from ingest.files import fsync_folder, full_disk_said_plainly


class Format(StrEnum):
    """How conversations are written down."""

    MESSAGES = "messages"
    ALPACA = "alpaca"


_MODULES = {Format.MESSAGES: messages, Format.ALPACA: alpaca}


def validate(path: Path) -> list[Problem]:
    """Every broken rule of the file, in its order; none where it can be imported."""
    return [one for one in _checked(path) if isinstance(one, Problem)]


def read(path: Path) -> list[Conversation]:
    """The conversations of a file, in its order.

    Raises:
        InputRefused: the file breaks a rule; it is read whole or not at all.
    """
    checked = list(_checked(path))
    problems = [one for one in checked if isinstance(one, Problem)]
    if problems:
        more = f" ({len(problems) - 1} more; graft dataset validate FILE shows all)" if problems[1:] else ""
        raise InputRefused(f"the file cannot be taken: {problems[0]}{more}")
    return [one for one in checked if not isinstance(one, Problem)]


def _checked(path: Path) -> Iterator[Conversation | Problem]:
    found = list(records(path))
    values = [one.value for one in found if isinstance(one, Record)]
    module = _MODULES[_format_of(values)]
    for one in found:
        if isinstance(one, Problem):
            yield one
        elif broken := module.faults(one.value):
            yield from map(one.problem, broken)
        elif module is messages and one.index is not None:
            yield one.problem("a file of `messages` holds one object a line, and no array around them")
        else:
            yield module.conversation(one.value)


def _format_of(values: Iterable[object]) -> Format:
    objects = [value for value in values if isinstance(value, dict)]
    first = next((one for one in objects if one.keys() & {"messages", "instruction", "output"}), {})
    return Format.ALPACA if "messages" not in first and first else Format.MESSAGES


def lines(conversations: Iterable[Conversation], format: Format) -> Iterator[str]:  # noqa: A002 - its name in every interface
    """Each conversation as one line of JSON, with its line feed."""
    for one in conversations:
        yield json.dumps(_MODULES[format].record(one), ensure_ascii=False) + "\n"


def write(path: Path, written: Iterable[str]) -> int:
    """The number of lines that the file holds now; it has its old content or all of the new, whatever happens meanwhile.

    Raises:
        StorageFull: the disk is full; the file is as it was.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    count = 0
    try:
        with full_disk_said_plainly(path.parent), temporary.open("w", encoding="utf-8", newline="") as file:
            for line in written:
                file.write(line)
                count += 1
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        fsync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return count
