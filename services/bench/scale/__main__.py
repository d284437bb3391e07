"""`python -m services.bench.scale`: search at 10,000 to 1,000,000 chunks beside others; writes `bench-out/retrieval.*`.

Exit code 0 where every goal is met, 1 where one is missed (the quick course has no goals), 130 when interrupted. The sentences
are those of the news items in `DATA/retrieval/crud-news-bulk`, or of the sample corpus where no DATA is named.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from eval.report import write_report
from services.bench.clock import Deadline, Progress
from services.bench.scale.corpus import NEWS
from services.bench.scale.course import QUICK_S, WHOLE_S, Course
from services.bench.scale.reporting import make_report
from services.bench.summary import print_summary


def main(
    quick: Annotated[bool, typer.Option("--quick", help="10,000 chunks only, in two minutes.")] = False,
    data: Annotated[Path | None, typer.Option("--data", envvar="DATA", help="The folder of public data sets.")] = None,
    folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("bench-out"),
) -> None:
    """Measure search at scale, and write a report."""
    progress = Progress()
    source = f"news items ({NEWS})" if data else "the sample corpus, few and much repeated; DATA=FOLDER names the news items"
    progress.say(f"sentences: {source}")
    try:
        with TemporaryDirectory(prefix="graft-bench-", ignore_cleanup_errors=True) as temporary:
            course = Course(Path(temporary), data, progress, Deadline.after(QUICK_S if quick else WHOLE_S))
            course.run(quick=quick)
    except KeyboardInterrupt as interruption:
        raise SystemExit(130) from interruption
    report = make_report(course.measured, course.left_out, source=source, seconds=progress.seconds)
    written = write_report(report, folder, "retrieval")
    print_summary(report)
    print(f"\nThe whole report: {', '.join(map(str, written))}")
    raise SystemExit(0 if quick or report.all_met else 1)


if __name__ == "__main__":
    typer.run(main)
