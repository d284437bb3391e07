"""The figures of all parts → goals, tables and the drawing of growth."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from eval.plots import growth
from eval.report import Drawing, Goal, Report, Section, Table
from services.bench.scale.course import LARGE
from services.bench.scale.timing import DEPTH

WHOLE_CPU_MS = 8.0
TIMES_RANK_BM25 = 300.0
RSS_MB = 600.0
_ORACLES = {
    "plain BM25": "rank-bm25",
    "bm25s": "rank-bm25",
    "exact scan": "FAISS flat",
    "Chroma": "FAISS flat",
    "FAISS HNSW": "FAISS flat",
}
_TIE = 1e-3
_LEAST_DRAWN = 0.01
_NOT_MEASURED = "not measured"

Parts = Sequence[Mapping[str, Any]]


def make_report(parts: Parts, left_out: Mapping[str, str], *, source: str, seconds: float) -> Report:
    """The whole report."""
    parts = [{**part, "agreement": agreement(part, parts)} for part in sorted(parts, key=lambda part: part["size"])]
    failed = [Section("Left out", tables=[Table(("part", "why"), list(left_out.items()))])] if left_out else []
    return Report(
        title="Graft: search at scale",
        circumstances=_circumstances(source, seconds),
        goals=goals(parts),
        sections=[
            Section(
                "Search, by number of chunks",
                (
                    "One process a part, one thread each; processor time and resident memory of that process, beyond what it had "
                    "before. Right@: the chunk that the question was taken from is first, or among the first ten. Agreement: the "
                    "share of the hits that the exact library ranks among its ten, ties among them.",
                ),
                [_searches(parts), *_building(parts)],
                _drawings(parts),
            ),
            *failed,
        ],
        measured={"parts": [_without_hits(part) for part in parts], "left_out": dict(left_out)},
    )


def _without_hits(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != "hits"}


def goals(parts: Parts) -> list[Goal]:
    """What is promised at 100,000 chunks; what was not measured is missed."""
    whole, plain, slow = (_figures(parts, name, LARGE) for name in ("whole search", "plain BM25", "rank-bm25"))
    at = f"at {LARGE:,} chunks"
    median = whole["cpu_ms"]["p50"] if whole else None
    times = slow["cpu_ms"]["p50"] / plain["cpu_ms"]["p50"] if slow and plain else None
    memory = whole["rss_mb"] if whole else None
    return [
        _goal(f"whole search {at}, CPU-ms at the median", f"at most {WHOLE_CPU_MS:g}", median, met=_most(median, WHOLE_CPU_MS)),
        _goal(
            f"plain BM25 {at}, times as fast as rank-bm25",
            f"at least {TIMES_RANK_BM25:g}",
            times,
            met=times is not None and times >= TIMES_RANK_BM25,
        ),
        _goal(f"whole search {at}, MB resident", f"at most {RSS_MB:g}", memory, met=_most(memory, RSS_MB)),
    ]


def _most(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit


def _goal(name: str, wanted: str, value: float | None, *, met: bool) -> Goal:
    return Goal(name, wanted, _NOT_MEASURED if value is None else f"{value:.3g}", met)


def agreement(part: Mapping[str, Any], parts: Parts) -> float | None:
    """The share of the part's hits that its exact library ranks at least as high as its own tenth; None where there is none.

    A hit with the score of the tenth is as good as it, whichever of them a library takes.
    """
    oracle = _figures(parts, _ORACLES.get(part["part"], ""), part["size"])
    if oracle is None or "hits" not in part:
        return None
    agreed = asked = 0
    for found, exact in zip(part["hits"], oracle["hits"], strict=False):
        least = exact[:DEPTH][-1][1] * (1 - _TIE)
        good = {chunk_id for chunk_id, score in exact if score >= least}
        # Of fewer exact hits than ten, all of them; a tie that reaches beyond what the oracle told is told by its score.
        ties = {chunk_id for chunk_id, score in found if part["part"] not in ("plain BM25", "bm25s") and score >= least}
        agreed += sum(chunk_id in good | ties for chunk_id, _ in found[:DEPTH])
        asked += min(DEPTH, len(exact))
    return round(agreed / asked, 4) if asked else None


def _figures(parts: Parts, name: str, size: int) -> Mapping[str, Any] | None:
    return next((part for part in parts if part["part"] == name and part["size"] == size), None)


def _searches(parts: Parts) -> Table:
    rows = []
    for part in parts:
        if "cpu_ms" not in part:
            continue
        peer = _figures(parts, _ORACLES.get(part["part"], ""), part["size"])
        rows.append(
            [
                f"{part['size']:,}",
                part["part"],
                f"{part['cpu_ms']['p50']:.2f} / {part['cpu_ms']['p99']:.2f}",
                f"{peer['cpu_ms']['p50'] / part['cpu_ms']['p50']:.3g}x {peer['part']}" if peer else "-",
                f"{part['rss_mb']:.0f}",
                f"{part['right@1']:.3f} / {part['right@10']:.3f}",
                "-" if part["agreement"] is None else f"{part['agreement']:.3f}",
                str(part["searches"]),
            ]
        )
    headings = ("chunks", "part", "CPU-ms p50 / p99", "as fast as", "RSS MB", "right@1 / @10", "agreement", "n")
    return Table(headings, rows, "Searching")


def _building(parts: Parts) -> list[Table]:
    rows = [
        [
            f"{part['size']:,}",
            part["part"],
            f"{part['build_cpu_s']:.1f}" if "build_cpu_s" in part else "-",
            f"{part['open_cpu_s']:.1f}" if "open_cpu_s" in part else "-",
            f"{part['peak_mb']:.0f}" if "peak_mb" in part else "-",
            str(part.get("fits", "-")),
        ]
        for part in parts
    ]
    return [Table(("chunks", "part", "build, CPU-s", "open, CPU-s", "most MB while building", "fits"), rows, "Building")]


def _drawings(parts: Parts) -> list[Drawing]:
    searched = [part for part in parts if "cpu_ms" in part]
    drawings = []
    for label, value in (
        ("CPU-ms a search (median)", _median_ms),
        ("resident memory, MB", _resident_mb),
    ):
        lines: dict[str, list[tuple[float, float]]] = {}
        for part in searched:
            lines.setdefault(part["part"], []).append((part["size"], max(value(part), _LEAST_DRAWN)))
        if lines:
            svg = growth(lines, title=label, labels=("chunks", label))
            drawings.append(Drawing(svg, f"{label} by the number of chunks; both scales are logarithmic."))
    return drawings


def _median_ms(part: Mapping[str, Any]) -> float:
    return float(part["cpu_ms"]["p50"])


def _resident_mb(part: Mapping[str, Any]) -> float:
    return float(part["rss_mb"])


def _circumstances(source: str, seconds: float) -> dict[str, str]:
    def of(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "not installed"

    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "sentences": source,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load at the end (1, 5, 15 min)": ", ".join(f"{load:.1f}" for load in os.getloadavg()),
        "python": platform.python_version(),
        **{package: of(package) for package in ("graft", "tantivy", "chromadb", "rank-bm25", "bm25s", "faiss-cpu", "numpy")},
        "duration": f"{seconds:.0f} s",
    }
