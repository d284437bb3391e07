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

import typer

from eval.report import write_report
from ingest.errors import GraftError
from services.bench.clock import Progress
from services.bench.course import Course
from services.bench.reporting import make_report
from services.bench.summary import print_summary

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
    print_summary(report)
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


if __name__ == "__main__":
    typer.run(main)
