"""A report's tables and goals, printed."""

from __future__ import annotations

import sys

import rich.table
from rich.console import Console
from rich.markup import escape

from eval.report import Report, Table, plain

# Of a file or pipe, which has no width of its own.
_WIDTH = 150


def print_summary(report: Report) -> None:
    """Prints every table, then the goals."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    for section in report.sections:
        for table in section.tables:
            console.print(f"\n[bold]{escape(section.title)}[/bold]" + (f": {escape(table.caption)}" if table.caption else ""))
            console.print(_drawn(table))
    goals = [(goal.name, goal.wanted, goal.seen, "met" if goal.met else "MISSED") for goal in report.goals]
    console.print("\n[bold]Goals[/bold]")
    console.print(_drawn(Table(("goal", "wanted", "seen", ""), goals)))


def _drawn(table: Table) -> rich.table.Table:
    drawn = rich.table.Table(*map(escape, table.headings), box=None, pad_edge=False, header_style="dim")
    for row in table.rows:
        drawn.add_row(*(escape(plain(cell)) for cell in row))
    return drawn
