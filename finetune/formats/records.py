"""A file of training data → its JSON records, each with the place where it stands; and what is wrong with a record.

Invariants. Reading goes on after what is wrong, so that all of it is found in one pass; only an array that is broken between
two items ends there. Lines end at line feeds alone: JSON strings may hold the other characters that Unicode breaks lines at.
Knows no format: what a record must hold is said by the format's own module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.types import Message

Conversation = tuple[Message, ...]
"""A system message or none, then user and assistant in turn."""

_WHITE = re.compile(r"[ \t\r\n]*")
# Halves of surrogate pairs cannot be written as UTF-8, and databases take no NUL.
_NO_TEXT = re.compile("[\ud800-\udfff\x00]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule. Lines count from 1; `index` counts an array's items from 0, and is None in files of lines."""

    line: int
    rule: str
    index: int | None = None

    @property
    def place(self) -> str:
        """`line 3`, or `line 3 (item 2)` within an array."""
        return f"line {self.line}" if self.index is None else f"line {self.line} (item {self.index})"

    def __str__(self) -> str:
        return f"{self.place}: {self.rule}"


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value of a file and its place, as in `Problem`."""

    line: int
    value: Any
    index: int | None = None

    def problem(self, rule: str) -> Problem:
        """That this record breaks the rule."""
        return Problem(self.line, rule, self.index)


def records(path: Path) -> Iterator[Record | Problem]:
    """The records of a JSON array or of JSON lines, and a problem in place of each that cannot be read."""
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if data.lstrip(b" \t\r\n")[:1] == b"[":
        yield from _items(data)
    else:
        yield from _lines(data)


def _lines(data: bytes) -> Iterator[Record | Problem]:
    lines = data.rstrip(b" \t\r\n").split(b"\n")
    if lines == [b""]:
        yield Problem(1, "the file is empty: it must hold at least one record")
        return
    for number, line in enumerate(lines, 1):
        if not line.strip():
            yield Problem(number, "the line is empty: each line must hold one JSON object")
            continue
        try:
            yield Record(number, json.loads(line.decode()))
        except UnicodeDecodeError as error:
            yield Problem(number, f"byte {error.start + 1} of the line is not UTF-8")
        except (ValueError, RecursionError) as error:
            yield Problem(number, f"the line is not JSON: {_said(error)}")


def _items(data: bytes) -> Iterator[Record | Problem]:
    """The items one by one, so that each has its line and what stands before a break in the file is still read."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        yield Problem(data.count(b"\n", 0, error.start) + 1, f"byte {error.start + 1} of the file is not UTF-8")
        return
    decoder, at, index, line, counted = json.JSONDecoder(), _after_white(text, text.index("[") + 1), 0, 1, 0
    if text[at : at + 1] == "]":
        yield Problem(1, "the array is empty: it must hold at least one record")
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            broken_at = error.lineno if isinstance(error, json.JSONDecodeError) else line
            yield Problem(broken_at, f"the item is not JSON: {_said(error)}; nothing after it was read", index)
            return
        yield Record(line, value, index)
        at, index = _after_white(text, at), index + 1
        if text[at : at + 1] == ",":
            at = _after_white(text, at + 1)
        elif text[at : at + 1] != "]":
            yield Problem(line, "the array is not closed: after an item comes `,` or `]`; nothing after it was read", index - 1)
            return
    if _after_white(text, at + 1) != len(text):
        yield Problem(text.count("\n") + 1, "something stands after the array's end: a file holds one array or JSON lines")


def _after_white(text: str, at: int) -> int:
    match = _WHITE.match(text, at)
    return match.end() if match else at


def _said(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.colno}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def text_fault(value: object, name: str, *, may_be_blank: bool = False) -> str | None:
    """The rule that this value breaks as a text; None where it breaks none."""
    if not isinstance(value, str):
        return f"{name} must be a string, not {_kind(value)}"
    if not value.strip() and not may_be_blank:
        return f"{name} is empty: it must hold text"
    if _NO_TEXT.search(value):
        return f"{name} holds a character that is no text (NUL or half of a surrogate pair)"
    return None


def _kind(value: object) -> str:
    kinds: dict[type, str] = {dict: "an object", list: "an array", bool: "a boolean", int: "a number", float: "a number"}
    return "null" if value is None else kinds.get(type(value), "a string")


def not_an_object(value: object) -> str | None:
    """The rule that is broken where the value is no object."""
    return None if isinstance(value, dict) else f"a record must be a JSON object, not {_kind(value)}"
