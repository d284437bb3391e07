"""A report that people and programs can read: one JSON, one Markdown and one HTML file with the same figures.

Invariants. The HTML is one file: no script, no font, nothing fetched; drawings stand in it as SVG. Every text is escaped, so
that a question or a file name cannot become markup. Knows nothing of what was measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from ingest.errors import GraftError

_MARKS = {True: "met", False: "missed"}
_MARKDOWN_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\|*_`<>[]"} | {"\n": " "})
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0 1rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-style: italic; padding-bottom: .25rem; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8885; vertical-align: top; }
td.met { color: #17803d; } td.missed { color: #c62828; font-weight: bold; }
td p { margin: 0 0 .3rem; } td.prose { min-width: 8rem; max-width: 24rem; overflow-wrap: anywhere; }
mark { background: none; color: inherit; text-decoration: underline wavy #b26a00; text-underline-offset: .25em; }
figure { margin: 1rem 0; } figcaption { font-style: italic; } svg { max-width: 100%; height: auto; }
"""


@dataclass(frozen=True, slots=True)
class Words:
    """A part of a running text; `marked` where it must not be believed."""

    text: str
    marked: bool = False


Prose = tuple[Words, ...]
"""A cell's running text."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings, with a sentence that says what is shown."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str | Prose]]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture as SVG that is safe to stand in the page, with a sentence that says what it shows."""

    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class Goal:
    """What was asked for, what was seen, and whether that is enough."""

    name: str
    wanted: str
    seen: str
    met: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One subject: sentences, then tables, then drawings."""

    title: str
    notes: Sequence[str] = ()
    tables: Sequence[Table] = ()
    drawings: Sequence[Drawing] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is written. `measured` is what the JSON file holds beside goals and circumstances."""

    title: str
    circumstances: Mapping[str, str]
    goals: Sequence[Goal]
    sections: Sequence[Section]
    measured: Mapping[str, Any] = field(default_factory=dict)

    @property
    def all_met(self) -> bool:
        """Whether no goal was missed."""
        return all(goal.met for goal in self.goals)


def plain(cell: str | Prose) -> str:
    """A cell's text without its marks."""
    return cell if isinstance(cell, str) else "".join(words.text for words in cell)


def share_text(share: Mapping[str, float | int] | None) -> str:
    """A share with its interval and n, as `.931 (.87-.96, n=116)`; a dash where it does not apply."""
    if share is None:
        return "-"
    return f"{_short(share['value'], 3)} ({_short(share['low'], 2)}-{_short(share['high'], 2)}, n={share['n']})"


def _short(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".removeprefix("0") if value < 1 else f"{value:.{digits}f}"


def to_json(report: Report) -> str:
    """Goals, circumstances and what was measured."""
    content = {
        "title": report.title,
        "circumstances": dict(report.circumstances),
        "all_met": report.all_met,
        "goals": [asdict(goal) for goal in report.goals],
        "measured": report.measured,
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def to_markdown(report: Report) -> str:
    """The report for a terminal, an editor or a repository."""
    lines = [f"# {report.title.translate(_MARKDOWN_SIGNS)}", ""]
    for section in _sections(report):
        lines += [f"## {section.title.translate(_MARKDOWN_SIGNS)}", ""]
        for note in section.notes:
            lines += [note.translate(_MARKDOWN_SIGNS), ""]
        for table in section.tables:
            lines += [*([table.caption.translate(_MARKDOWN_SIGNS), ""] if table.caption else []), *_markdown_rows(table), ""]
        for drawing in section.drawings:
            lines += [f"(drawn in the HTML report: {drawing.caption.translate(_MARKDOWN_SIGNS)})", ""]
    return "\n".join(lines)


def _markdown_rows(table: Table) -> Iterator[str]:
    def row(cells: Sequence[str | Prose]) -> str:
        return f"| {' | '.join(map(_markdown_cell, cells))} |"

    yield row(table.headings)
    yield "|" + "---|" * len(table.headings)
    yield from map(row, table.rows)


def _markdown_cell(cell: str | Prose) -> str:
    words = (Words(cell),) if isinstance(cell, str) else cell
    texts = [(one.text.translate(_MARKDOWN_SIGNS), one.marked) for one in words]
    return " ".join(f"**{text}** (not supported)" if marked else text for text, marked in texts)


def to_html(report: Report) -> str:
    """The report as one page that stands alone."""
    parts = [
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(report.title)}</title>',
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>',
        f"<h1>{escape(report.title)}</h1>",
    ]
    for section in _sections(report):
        parts.append(f"<h2>{escape(section.title)}</h2>")
        parts += [f"<p>{escape(note)}</p>" for note in section.notes]
        parts += [_html_table(table) for table in section.tables]
        for drawing in section.drawings:
            parts.append(f"<figure>{drawing.svg}<figcaption>{escape(drawing.caption)}</figcaption></figure>")
    return "\n".join([*parts, "</body></html>\n"])


def _html_table(table: Table) -> str:
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in table.headings)
    body = "\n".join(f"<tr>{''.join(map(_html_cell, row))}</tr>" for row in table.rows)
    return f'<div class="wide"><table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def _html_cell(cell: str | Prose) -> str:
    if isinstance(cell, str):
        mark = f' class="{cell}"' if cell in _MARKS.values() else ""
        return f"<td{mark}>{escape(cell)}</td>"
    words = " ".join(f"<mark>{escape(one.text)}</mark>" if one.marked else escape(one.text) for one in cell)
    return f'<td class="prose">{words}</td>'


def _sections(report: Report) -> Iterator[Section]:
    """The goals and the circumstances, then what the report brings."""
    if report.goals:
        rows = [(goal.name, goal.wanted, goal.seen, _MARKS[goal.met]) for goal in report.goals]
        yield Section("Goals", tables=(Table(("goal", "wanted", "seen", ""), rows),))
    yield from report.sections
    if report.circumstances:
        yield Section("Circumstances", tables=(Table(("", ""), [*report.circumstances.items()]),))


def write_report(report: Report, folder: Path, name: str) -> list[Path]:
    """The files `name`.json, .md and .html in `folder`, which is made where it is missing.

    Raises:
        GraftError: they cannot be written there.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, text in ((".json", to_json(report)), (".md", to_markdown(report)), (".html", to_html(report))):
            path = folder / f"{name}{suffix}"
            path.write_text(text, encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise GraftError(f"the report cannot be written to {folder}: {error.strerror}; choose another folder") from error
    return written
