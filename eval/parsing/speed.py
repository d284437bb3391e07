"""Pages a second of the product's whole path (the isolated worker) and of other libraries, on the same pages in the same run.

Compared is processor time, which other work on the machine changes little; files are read by one after the other, so that what
it does change hits all alike. Loading the libraries does not count.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from eval.parsing.apart import Apart
from eval.parsing.clock import CpuClock
from eval.parsing.excerpts import GoodPage
from eval.parsing.figures import ratio
from eval.parsing.peers import PEERS, excerpt
from eval.parsing.reading import DocumentReader
from ingest.errors import GraftError, Unavailable

OURS = "graft"
_GROUPS = {"pages_without_tables": False, "pages_with_tables": True}
# The clock of child processes ticks in hundredths of a second: a file is read often enough to take many of them.
_LEAST_PAGES_READ = 24


def measure_speed(
    pages: Sequence[GoodPage], reader: DocumentReader, apart: Apart, folder: Path, *, progress: Callable[[int], None]
) -> dict[str, Any]:
    """By group of pages: pages a second of processor time and of wall time, and how many times faster than each peer.

    Raises:
        Unavailable: a peer is not installed.
    """
    readers: dict[str, Callable[[Path], object]] = {OURS: lambda path: reader.read(path, name=path.name)}
    readers |= {name: partial(apart.call, peer) for name, peer in PEERS.items()}
    files = _files(pages, apart, folder)
    if files:
        _warm_up(readers, files[0][0])
    rows: list[dict[str, Any]] = []
    for path, group, count in files:
        row: dict[str, Any] = {"file": path.stem, "group": group, "pages": count}
        for name, read in readers.items():
            row[name] = _timed(read, path, times=max(1, _LEAST_PAGES_READ // count) if name == OURS else 1)
        rows.append(row)
        progress(len(files))
    return {"by_group": {group: _figures([row for row in rows if row["group"] == group]) for group in _GROUPS}, "files": rows}


def _files(pages: Sequence[GoodPage], apart: Apart, folder: Path) -> list[tuple[Path, str, int]]:
    """For each file and group an excerpt of its pages, with their number."""
    members: defaultdict[tuple[str, str], list[GoodPage]] = defaultdict(list)
    for page in pages:
        group = next(name for name, has_table in _GROUPS.items() if has_table is page.has_table)
        members[page.file, group].append(page)
    made = []
    for (file, group), some in members.items():
        target = folder / f"{Path(file).stem} {group}.pdf"
        apart.call(excerpt, some[0].excerpt, target, [page.number for page in some])
        made.append((target, group, len(some)))
    return made


def _warm_up(readers: Mapping[str, Callable[[Path], object]], path: Path) -> None:
    for name, read in readers.items():
        try:
            read(path)
        except GraftError as error:
            if "ModuleNotFoundError" in str(error):
                raise Unavailable(f"{name} is not installed: it is only there for comparison (pip install graft[dev])") from error


def _timed(read: Callable[[Path], object], path: Path, *, times: int) -> dict[str, float] | None:
    """Seconds of one reading; None where it failed."""
    clock, began = CpuClock(), time.monotonic()
    try:
        for _ in range(times):
            read(path)
    except GraftError:
        return None
    wall_s = time.monotonic() - began
    return {"cpu_s": round(clock.elapsed_s() / times, 4), "wall_s": round(wall_s / times, 4)}


def _figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    figures: dict[str, Any] = {"files": len(rows), "pages": sum(row["pages"] for row in rows)}
    for name in (OURS, *PEERS):
        done = [row for row in rows if row[name]]
        pages = [float(row["pages"]) for row in done]
        figures[name] = {
            f"pages_per_{clock}": ratio(pages, [row[name][clock] for row in done], n=int(sum(pages)), digits=2)
            for clock in ("cpu_s", "wall_s")
        }
        if name != OURS:
            both = [row for row in done if row[OURS]]
            figures[name]["ours_times_faster"] = ratio(
                [row[name]["cpu_s"] for row in both],
                [row[OURS]["cpu_s"] for row in both],
                n=sum(row["pages"] for row in both),
                digits=2,
            )
    return figures
