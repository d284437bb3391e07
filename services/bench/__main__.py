"""`python -m services.bench`: measures, writes `bench-out/bench.json`, `.md` and `.html`, prints a summary.

Exit code 0 where every goal is met, 1 where one is missed, 130 when interrupted, else that of the error. Public data sets are
read from `$GRAFT_BENCH_DATA`, or from `../shared/data` beside the project.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Annotated

import rich.table
import typer
from rich.console import Console
from rich.markup import escape

from eval.report import Report, Table, plain, write_report
from ingest.errors import GraftError
from services.bench.clock import Progress
from services.bench.course import Course
from services.bench.reporting import make_report

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Of a file or pipe, which has no width of its own.
_WIDTH = 150


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the generated style and the public data sets.")] = False,
    folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("bench-out"),
) -> None:
    """Measure the product on its sample corpus and on public data sets, and write a report."""
    for name in _SIGNALS:
        if signal.getsignal(name) is not signal.SIG_IGN:  # as under nohup
            signal.signal(name, _interrupt)
    progress = Progress()
    try:
        with TemporaryDirectory(prefix="graft-bench-", ignore_cleanup_errors=True) as temporary:
            course = Course(Path(temporary), _data(), quick, progress)
            course.run()
        report = make_report(course.measured, course.left_out, seconds=progress.seconds, quick=quick)
        written = write_report(report, folder, "bench")
    except GraftError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from error
    except KeyboardInterrupt as interruption:
        progress.say("interrupted; everything that was started has ended")
        raise SystemExit(130) from interruption
    _print_summary(report)
    print(f"\nThe whole report: {', '.join(map(str, written))}")
    raise SystemExit(0 if report.all_met else 1)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Ends the course once; a second signal must not cut the cleaning up short."""
    for name in _SIGNALS:
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt


def _data() -> Path | None:
    named = os.environ.get("GRAFT_BENCH_DATA")
    folder = Path(named) if named else Path(__file__).parents[2].parent / "shared" / "data"
    return folder if folder.is_dir() else None


def _print_summary(report: Report) -> None:
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


if __name__ == "__main__":
    typer.run(main)
