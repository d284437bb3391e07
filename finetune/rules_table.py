"""Table rows → points: row head and column head together ask for the cell. Both languages.

A table whose columns are the things (`KX-200 | KX-350`) and whose rows are the quantities is read the other way round than
one whose rows are the things. What a cell with no content states is not asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from finetune.points import Asked, Point, without_numbering
from finetune.verbs import finite_verb
from ingest.tokens import language

# A head cell that names no property of the rows below it, so that the rows are the properties.
_GENERIC_HEAD = re.compile(r"^(?:quantity|item|property|parameter|indicator|bolt|项目|指标|部位|参数|名称)$", re.IGNORECASE)
_CODE = re.compile(r"^[A-Za-z]{1,6}[-\s]?\d[\w./-]*$|^\d{4}年?.{0,4}$")
_EMPTY = re.compile(r"^(?:[-–—/]*|无|n/?a)$", re.IGNORECASE)
_NUMBERED = re.compile(r"^(?:[A-Z]{0,2}\d+-\d+|no\.?|编号|序号)$", re.IGNORECASE)
_AMOUNT = re.compile(r"^(?:[A-Z]{3}|[€$£¥])\s?\d|元$")
_NUMBER = re.compile(r"^[-±]?\d|^[零一二三四五六七八九十两半]+[个年月周天日倍小]")
_DATE = re.compile(
    r"^(?:\d{1,2} )?(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
    r"|月.*日$|^每?周[一二三四五六日]$"
)
_DURATION = re.compile(r"(?:years?|months?|weeks?|days?|hours?|minutes?|年|个月|周|天|小时|分钟|秒)$")
_WHO_HEAD = re.compile(r"^(?:who|responsible|owner|contact|责任人|联系人|负责人)$", re.IGNORECASE)
_DUE_HEAD = re.compile(r"^(?:due|deadline)$", re.IGNORECASE)
_PART_HEAD = re.compile(r"^(?:bolt|part|部位|部件)$", re.IGNORECASE)
_PERSONS = re.compile(r"\b(?:persons?|contacts?)\b", re.IGNORECASE)
_PERSON = re.compile(r"^[A-Z][\w-]+(?: [A-Z][\w-]+)+$")
_TO_DO = re.compile(r"^(where|how|when) to (\w+)$", re.IGNORECASE)
_COUNTED = re.compile(r"^(?:days|hours|weeks|months|years|pieces|nights)$", re.IGNORECASE)
_CAPTION = re.compile(r"^(?:table\b|表)|^[\w ,/-]{3,60}$", re.IGNORECASE)
_REMARKS = re.compile(r"^(?:remarks?|notes?|comments?|说明|备注|main changes|description|举例)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table's caption (empty where it has none), its head row and its rows, each with its line, word for word."""

    caption: str
    head_line: str
    head: list[str]
    rows: list[tuple[str, list[str]]]


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one cell states: the quantity of a thing. `named` says more of a thing that is only a number."""

    thing: str
    quantity: str
    cell: str
    asked: Asked
    title: str
    named: str

    @property
    def full(self) -> str:
        return self.thing if not self.named else f"{self.thing} ({_lowered(self.named)})"


def points(text: str, *, topic: str) -> list[Point]:
    """The points of all tables in the text, row by row."""
    out: list[Point] = []
    for table in _tables(text):
        for line, cells in table.rows:
            for column, cell in zip(table.head[1:], cells[1:], strict=True):
                if not _EMPTY.match(cell) and not _REMARKS.match(column):
                    out.append(_point(_cell(table, cells, column, cell, topic), line, table, topic))
    return out


def _cell(table: _Table, cells: list[str], column: str, cell: str, topic: str) -> _Cell:
    """Which of row and column is the thing and which the quantity."""
    title = table.caption or topic
    things_in_columns = bool(_GENERIC_HEAD.match(table.head[0])) and all(_CODE.match(name) for name in table.head[1:])
    named = cells[1] if _NUMBERED.match(cells[0]) and column != table.head[1] else ""
    thing, quantity = (column, cells[0]) if things_in_columns else (cells[0], column)
    if things_in_columns and _PART_HEAD.match(table.head[0]) and title:
        quantity = (
            f"{cells[0]}的{title}" if language(cells[0]) == "zh" else f"{title.removesuffix('s')} of the {_lowered(cells[0])}"
        )
    amounts = sum(bool(_AMOUNT.search(one)) for one in cells[1:])
    if amounts > 1 and not things_in_columns and title and _AMOUNT.search(cell) and language(title) == "zh":
        thing, quantity = thing + column, title  # the columns are groups of people, and the caption says what they get
    return _Cell(thing, quantity, cell, _asked(quantity, cell), title, named)


def _tables(text: str) -> list[_Table]:
    """The tables in order; rows of another width than the head's are left out."""
    out: list[_Table] = []
    width, before = 0, ""
    for line in text.split("\n"):
        cells = [cell.strip() for cell in line.strip().split(" | ")]
        if len(cells) < 2:
            width = 0
            before = line.strip() or before
        elif not width:
            width = len(cells)
            out.append(_Table(without_numbering(before) if _CAPTION.match(before) else "", line.strip(), cells, []))
        elif len(cells) == width and cells[0]:
            out[-1].rows.append((line.strip(), cells))
    return out


def _point(cell: _Cell, line: str, table: _Table, topic: str) -> Point:
    lang = language(cell.thing + cell.quantity + topic)
    questions, answer = _chinese(cell) if lang == "zh" else _english(cell)
    clause = f"{table.head_line}\n{line}"
    return Point("table", cell.asked, lang, line, clause, cell.cell, answer, topic, tuple(questions))


def _asked(quantity: str, cell: str) -> Asked:
    if _WHO_HEAD.match(quantity):
        return Asked.WHO
    if _DATE.search(cell):
        return Asked.DATE
    if _AMOUNT.search(cell):
        return Asked.AMOUNT
    if _NUMBER.search(cell):
        return Asked.DURATION if _DURATION.search(cell) else Asked.NUMBER
    return Asked.TEXT


def _english(cell: _Cell) -> tuple[list[str], str]:
    quantity = cell.quantity[0].lower() + cell.quantity[1:] if cell.quantity[1:2].islower() else cell.quantity
    thing, full, value = _lowered(cell.thing), _lowered(cell.full), cell.cell
    at = f" in the table “{cell.title}”" if cell.title else ""
    if cell.asked is Asked.WHO:
        what = f"action {full}" if cell.named else full
        third = f"{_raised(thing)}: who has to {_lowered(cell.named)}?" if cell.named else f"Which person is in charge of {what}?"
        return [f"Who is responsible for {what}?", third, f"Whose task is {what}{at}?"], f"{value} is responsible for {full}."
    if _PERSONS.search(cell.title) and _PERSON.match(value):
        questions = [f"Who is in charge of {full} for the {quantity}?", f"Which person of the {quantity} looks after {full}?"]
        return [
            *questions,
            f"{_raised(full)}: who is the {quantity}'s person in charge?",
        ], f"{value} is in charge of {full} for the {quantity}."
    if _DUE_HEAD.match(quantity):
        questions = [f"When is action {full} due?", f"By what date must action {full} be done, when is it due?"]
        on = "on " if value[0].isdigit() else ""
        return [*questions, f"What is the due date of action {thing}{at}?"], f"Action {thing} is due {on}{value}."
    to_do = _TO_DO.match(quantity)
    if to_do:
        word, verb = _raised(to_do[1]), to_do[2]
        return [
            f"{word} do you {verb} for {full}?",
            f"{word} should somebody {verb} for {full}?",
        ], f"For {full}, {verb} here: {value}."
    if _COUNTED.match(quantity):
        questions = [f"How many {quantity} are given for {full}?", f"How many {quantity} does somebody get for {full}?"]
        return [*questions, f"{_raised(full)}: how many {quantity}{at}?"], f"{_raised(full)}: {value}."
    be = "are" if _plural(quantity.split(" of ")[0]) else "is"
    code = bool(_CODE.match(cell.thing))
    link = "of" if code else "for"
    if len(thing.split(" ")) > 2 and not cell.named and (cell.thing[0].islower() or finite_verb(_first_word(cell.thing))):
        full = thing = f"“{cell.thing}”"  # a task or a description, not a name
    second = (
        f"Which {quantity} does {full} have?" if code else f"Which {quantity} {'apply' if be == 'are' else 'applies'} to {full}?"
    )
    questions = [f"What {be} the {quantity} {link} {full}?", second, f"{_raised(full)}: what {be} the {quantity}{at}?"]
    return questions, f"The {quantity} {link} {thing} {be} {value}."


def _chinese(cell: _Cell) -> tuple[list[str], str]:
    full = f"{cell.thing}（{cell.named}）" if cell.named else cell.thing
    word = {
        Asked.WHO: "是谁",
        Asked.DATE: "是什么时候",
        Asked.AMOUNT: "是多少",
        Asked.DURATION: "是多久",
        Asked.NUMBER: "是多少",
    }.get(cell.asked, "是什么")
    within = f"“{cell.title}”中，" if cell.title and cell.title != cell.quantity else "请问"
    return [
        f"{full}的{cell.quantity}{word}？",
        f"{within}{full}的{cell.quantity}{word}？",
    ], f"{cell.thing}的{cell.quantity}是{cell.cell}。"


def _plural(noun: str) -> bool:
    return noun.endswith("s") and not noun.endswith(("ss", "us", "is"))


def _lowered(text: str) -> str:
    """The text with a small first letter where the second word shows that the first one is no name."""
    words = text.split(" ")
    common = len(words) > 1 and words[0][1:].islower() and words[0].isalpha() and words[1][:1].islower()
    return text[0].lower() + text[1:] if common else text


def _first_word(text: str) -> str:
    return text.split(" ")[0].lower()


def _raised(text: str) -> str:
    return text[:1].upper() + text[1:]
