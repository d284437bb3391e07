"""What was measured of reading as a report: goals, a row a figure, drawings, and the files that were not read or read worst.

Knows nothing of how it was measured; what it shows is what `eval.parsing.run` gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eval.parsing.figures import Figure
from eval.parsing.reading import Outcome
from eval.parsing.sets import SetKind
from eval.parsing.speed import OURS
from eval.plots import bars
from eval.report import Drawing, Goal, Report, Section, Table

_MOST_FILES = 40

_NAMES = {
    "ended": "read or refused without loss of a process",
    "read_of_openable": "openable files read",
    "pages_with_text": "pages with text",
    "pages_recognised": "pages recognised (OCR)",
    "character_error": "character error",
    "edit_distance": "edit distance",
    "block_error": "error of a paragraph, order aside",
    "adjacency_precision": "cell adjacency precision",
    "adjacency_recall": "cell adjacency recall",
    "adjacency_f1": "cell adjacency F1",
    "adjacency_f1_of_a_file": "cell adjacency F1, mean of the files",
    "character_error_without_tables": "character error, pages without tables",
    "text_layer_error": "error of the text layer as read",
    "text_layer_error_without_tables": "error of the text layer as read, pages without tables",
    "pages_per_cpu_s": "pages a second of processor time",
    "recognised_per_cpu_s": "pages recognised a second of processor time",
    "pages_per_wall_s": "pages a second",
    "ours_times_faster": "times faster than this",
}
# What a set is judged by: the measure, and whether more of it is better.
_MAIN = {
    SetKind.FILES: ("ended", True),
    SetKind.TABLES: ("adjacency_f1", True),
    SetKind.REFERENCES: ("edit_distance", False),
    SetKind.OMNIDOCBENCH: ("edit_distance", False),
}
# What the product holds itself to: by kind of set, the measure, the words, the bound, and whether more is better.
_WANTED = (
    (SetKind.FILES, "read_of_openable", "≥ .98", 0.98, True),
    (SetKind.TABLES, "adjacency_f1", "≥ .90", 0.90, True),
    (SetKind.REFERENCES, "edit_distance", "≤ .08", 0.08, False),
)
_RECOGNISED_WANTED = {"en": 0.01, "zh": 0.02}
_RECOGNISED_PER_CPU_S = 0.2
_DIGITAL_PER_CPU_S = 100.0
_EXPLAINED = (
    "Value (95 % interval, n). Shares: Wilson. Errors, F1 and speeds: bootstrap over files, because the pages of a file are "
    "alike; n counts files, pages, or for cell adjacency the relations.",
    "Every file was read by the product's own worker process, within its limits.",
)


def parsing_report(measured: Mapping[str, Any], *, circumstances: Mapping[str, str]) -> Report:
    """The report on what `evaluate_parsing` gave."""
    sections = [Section("Figures", _EXPLAINED, [main_table(measured)], list(_drawings(measured)))]
    sections += [section for one in measured["sets"] if (section := _files(one)) is not None]
    return Report(
        title="Graft: reading measured",
        circumstances=circumstances,
        goals=goals(measured),
        sections=sections,
        measured=measured,
    )


def main_table(measured: Mapping[str, Any]) -> Table:
    """Every figure of every set, of rendered pages and of speed."""
    rows = [(place, _NAMES.get(name, name.replace("_", " ")), text) for place, name, text in _rows(measured)]
    return Table(("", "figure", "value"), rows)


def goals(measured: Mapping[str, Any]) -> list[Goal]:
    """What was wanted of what was measured."""
    return [*_goals_of_sets(measured["sets"]), *_goals_of_pages(measured)]


def _goals_of_sets(sets: Sequence[Mapping[str, Any]]) -> Iterator[Goal]:
    for one in sets:
        figures, name = one["figures"], one["set"]
        if one["kind"] == SetKind.FILES:
            seen = f"{figures['crash']} of {figures['files']} files; {figures['died']} killed their reader process, "
            seen += f"{figures['timeout']} were stopped at its time limit"
            yield Goal(f"{name}: crashes", "none", seen, figures["crash"] == 0)
        for kind, measure, words, bound, more in _WANTED:
            if one["kind"] == kind and (figure := figures.get(measure)):
                yield Goal(f"{name}: {_NAMES[measure]}", words, figure_text(figure), _reaches(figure, bound, more=more))


def _goals_of_pages(measured: Mapping[str, Any]) -> Iterator[Goal]:
    rendered = measured.get("rendered", {"by_language": {}, "figures": {}})
    for language, bound in _RECOGNISED_WANTED.items():
        if figure := rendered["by_language"].get(language, {}).get("character_error"):
            name = f"rendered pages, {language}: character error"
            yield Goal(name, f"≤ {bound:.2f}", figure_text(figure), _reaches(figure, bound, more=False))
    if figure := rendered["figures"].get("recognised_per_cpu_s"):
        met = _reaches(figure, _RECOGNISED_PER_CPU_S, more=True)
        yield Goal("rendered pages a second of processor time", f"≥ {_RECOGNISED_PER_CPU_S}", figure_text(figure), met)
    groups = measured.get("speed", {"by_group": {}})["by_group"]
    if figure := groups.get("pages_without_tables", {}).get(OURS, {}).get("pages_per_cpu_s"):
        met = _reaches(figure, _DIGITAL_PER_CPU_S, more=True)
        yield Goal("pages without tables a second of processor time", f"≥ {_DIGITAL_PER_CPU_S:g}", figure_text(figure), met)


def _reaches(figure: Figure, bound: float, *, more: bool) -> bool:
    return figure["value"] >= bound if more else figure["value"] <= bound


def figure_text(figure: Figure) -> str:
    """A figure with its interval and n: shares and errors to four digits, speeds and how often to one."""
    digits = 4 if max(figure["value"], figure["high"]) <= 1 else 1
    value, low, high = (f"{figure[part]:.{digits}f}" for part in ("value", "low", "high"))
    return f"{value} ({low}-{high}, n={figure['n']})"


def _rows(measured: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for one in measured["sets"]:
        yield from _named(one["set"], one["figures"])
        for language, figures in one.get("by_language", {}).items():
            yield from _named(f"{one['set']}, {language}", figures)
    if "rendered" in measured:
        yield from _named("rendered pages", measured["rendered"]["figures"])
        for language, figures in measured["rendered"]["by_language"].items():
            yield from _named(f"rendered pages, {language}", figures)
    for group, figures in measured.get("speed", {}).get("by_group", {}).items():
        for name, values in figures.items():
            if isinstance(values, dict):
                yield from _named(f"{group.replace('_', ' ')}, {name}", values)


def _named(place: str, figures: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, value in figures.items():
        if value is not None:
            yield place, name, figure_text(value) if isinstance(value, dict) else f"{value:,}"


def _drawings(measured: Mapping[str, Any]) -> Iterator[Drawing]:
    right = dict(_mains(measured, more=True))
    if right:
        yield Drawing(bars(right, "main", title="Read rightly", label="share or F1"), "The higher the better.")
    wrong = dict(_mains(measured, more=False))
    if wrong:
        yield Drawing(bars(wrong, "main", title="Read wrongly", label="error", most=None), "The lower the better.")
    groups = {
        group.replace("_", " "): {name: values for name, values in figures.items() if isinstance(values, dict)}
        for group, figures in measured.get("speed", {}).get("by_group", {}).items()
        if figures["pages"]
    }
    if groups:
        drawn = bars(groups, "pages_per_cpu_s", title="Speed", label="pages a second of processor time", most=None)
        yield Drawing(drawn, "The same pages, read in the same run by all.")


def _mains(measured: Mapping[str, Any], *, more: bool) -> Iterator[tuple[str, dict[str, dict[str, Figure]]]]:
    """The one figure of each set, of those of which more, or less, is better."""
    for one in measured["sets"]:
        measure, is_more = _MAIN[SetKind(one["kind"])]
        if is_more is more and (figure := one["figures"].get(measure)):
            yield f"{one['set']}\n{_NAMES[measure]}", {OURS: {"main": figure}}
    if not more:
        for language, figures in measured.get("rendered", {"by_language": {}})["by_language"].items():
            if figure := figures["character_error"]:
                yield f"rendered, {language}\n{_NAMES['character_error']}", {OURS: {"main": figure}}


def _files(one: Mapping[str, Any]) -> Section | None:
    """The files of a set that were not read, then those read worst."""
    measure, more = _MAIN[SetKind(one["kind"])]
    measure = "character_error" if measure == "ended" else measure

    def badness(row: Mapping[str, Any]) -> float:
        if row["outcome"] != "read":
            return float("inf")
        value = row.get(measure)
        return float("-inf") if value is None else -value if more and measure != "character_error" else value

    rows = sorted(one["files"], key=badness, reverse=True)[:_MOST_FILES]
    if not rows:
        return None
    note = f"{len(rows)} of {len(one['files'])} files, the worst first."
    cells = [(row["file"], row["outcome"], _number(row.get(measure)), row["error"] or "") for row in rows]
    tables = [Table(("file", "outcome", _NAMES[measure], "what was said"), cells), *_by_tag(one)]
    return Section(one["set"], [note], tables)


def _by_tag(one: Mapping[str, Any]) -> Iterator[Table]:
    """How files of each tag ended."""
    if tags := one.get("by_tag"):
        names = ("files", *Outcome)
        yield Table(("tag", *names), [(tag, *(str(counts[name]) for name in names)) for tag, counts in tags.items()])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
