"""How well a judge did as a report: figures by language and kind, confusion, ROC curve, reliability diagram, the worst mistakes.

Knows nothing of how it was measured; what it shows is what `eval.hallucination_figures` gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.hallucination_figures import WANTED_PRECISION, WANTED_RECALL
from eval.plots import reliability, roc
from eval.report import Drawing, Goal, Prose, Report, Section, Table, Words, share_text

_MEASURES = {
    "auroc": "AUROC",
    "recall": "recall",
    "precision": "precision",
    "f1": "F1",
    "balanced_accuracy": "balanced accuracy",
    "brier": "Brier score",
}
_EXPLAINED = (
    "What is looked for are unsupported answers. Recall: the share of them that is called hallucinated. Precision: the share of "
    "unsupported ones among what is called so. Value (95 % interval, n): bootstrap, drawing contexts where there are 20 or more, "
    "else answers; shares of a kind: Wilson.",
    "“Recall at precision .8” is what the best threshold for these very answers would reach. Nobody knows it before the labels: "
    "it says what the ranking allows, not what the product does.",
    "Calibration error: over ten bins, the mean distance of the probability that the judge says and the unsupported share.",
)
_LONGEST_CONTEXT = 1500


def hallucination_report(measured: Mapping[str, Any], *, circumstances: Mapping[str, str], own: bool) -> Report:
    """The report on what `evaluate_hallucination` gave; `own`: on the product's own grounded set, for which there are goals."""
    parts = _parts(measured)
    curves = {name: points for name, points in measured["roc"].items() if name == "all" or len(measured["by_language"]) > 1}
    bins = {name: part["reliability"] for name, part in parts.items()}
    drawings = [
        Drawing(roc(curves, title="ROC curve", labels=("supported answers flagged", "unsupported answers found")), "ROC curve"),
        Drawing(
            reliability(bins, title="Reliability", labels=("probability that the judge says", "share that is unsupported")),
            "Reliability diagram: larger points stand for more answers",
        ),
    ]
    return Report(
        title="Graft: hallucinations found",
        circumstances={"judge": measured["judge"], "threshold": f"{measured['threshold']:g}", **circumstances},
        goals=goals(measured) if own else (),
        sections=[
            Section("Figures", _EXPLAINED, [main_table(measured), *map(_confusion, parts.items())], drawings),
            Section("Kinds", tables=[*kind_tables(measured), _fault_table(measured["faults"])]),
            Section("Worst mistakes", [_MISTAKES], _mistake_tables(measured["mistakes"])),
        ],
        measured=measured,
    )


def goals(measured: Mapping[str, Any]) -> list[Goal]:
    """What the product holds its judge to, a language at a time."""
    return [
        Goal(
            f"unsupported answers found, {lang}",
            f"recall ≥ {WANTED_RECALL:g} at precision ≥ {WANTED_PRECISION:g}",
            f"recall {_figure(part, 'recall')} at precision {_figure(part, 'precision')}",
            (part["recall"] or 0) >= WANTED_RECALL and (part["precision"] or 0) >= WANTED_PRECISION,
        )
        for lang, part in measured["by_language"].items()
    ]


def main_table(measured: Mapping[str, Any]) -> Table:
    """Every figure, over all answers and by language."""
    parts = _parts(measured)
    rows = [("answers, of them unsupported", *(f"{part['n']:,}, {part['unsupported']:,}" for part in parts.values()))]
    rows += [(title, *(_figure(part, name) for part in parts.values())) for name, title in _MEASURES.items()]
    rows += [("recall at precision .8", *(f"{part['recall_at_precision_.8']:.3f}" for part in parts.values()))]
    rows += [("calibration error", *(f"{part['calibration_error']:.3f}" for part in parts.values()))]
    return Table(("", *parts), rows)


def kind_tables(measured: Mapping[str, Any]) -> list[Table]:
    """By language: which kinds of unsupported answers are found, and which supported ones are flagged."""
    tables = []
    for label, caption in ((1, "Unsupported answers: share found"), (0, "Supported answers: share flagged")):
        rows = [row for row in measured["by_kind"] if row["label"] == label]
        languages = sorted({row["lang"] for row in rows})
        flagged = {(row["kind"], row["lang"]): row["flagged"] for row in rows}
        kinds = sorted({row["kind"] for row in rows})
        cells = [(kind or "-", *(share_text(flagged.get((kind, lang))) for lang in languages)) for kind in kinds]
        tables.append(Table(("kind", *languages), cells, caption))
    return tables


def _parts(measured: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """All answers, and each language where there are several."""
    languages = measured["by_language"] if len(measured["by_language"]) > 1 else {}
    return {"all": measured, **languages}


def _figure(part: Mapping[str, Any], name: str) -> str:
    if part[name] is None:
        return "-"
    low, high = part[f"{name}_interval"]
    n = part["unsupported"] if name == "recall" else part["n"]
    if name == "precision":
        n = part["confusion"]["unsupported_flagged"] + part["confusion"]["supported_flagged"]
    return share_text({"value": part[name], "low": low, "high": high, "n": n})


def _confusion(named: tuple[str, Mapping[str, Any]]) -> Table:
    name, part = named
    counts = part["confusion"]
    rows = [
        (label, f"{counts[f'{label}_flagged']:,}", f"{counts[f'{label}_passed']:,}") for label in ("unsupported", "supported")
    ]
    return Table(("", "called hallucinated", "called fine"), rows, f"Confusion matrix, {name}")


def _fault_table(faults: Mapping[str, Mapping[str, int]]) -> Table:
    names = sorted({name for counts in faults.values() for name in counts})
    rows = [(name, *(f"{counts.get(name, 0):,}" for counts in faults.values())) for name in names]
    return Table(
        ("the judge's word for it", *faults), rows, "What the judge says is wrong, in unsupported and in supported answers"
    )


_MISTAKES = "The answers on which the judge was surest and wrong; underlined: what the labels say is not borne out."


def _mistake_tables(mistakes: Sequence[Mapping[str, Any]]) -> list[Table]:
    tables = []
    for label, caption in ((1, "Unsupported, called fine"), (0, "Supported, called hallucinated")):
        rows = [
            (
                one["id"],
                one["kind"],
                f"{one['score']:.3f}",
                _context(one),
                _asked(one),
                _marked(one),
                (Words("; ".join(one["reasons"])),),
            )
            for one in mistakes
            if one["label"] == label
        ]
        if rows:
            tables.append(Table(("id", "kind", "score", "context", "question", "answer", "the judge's reason"), rows, caption))
    return tables


def _context(one: Mapping[str, Any]) -> Prose:
    text = one["context"]
    return (Words(text if len(text) <= _LONGEST_CONTEXT else text[:_LONGEST_CONTEXT] + " …"),)


def _asked(one: Mapping[str, Any]) -> Prose:
    return (Words(one["question"] or "-"),)


def _marked(one: Mapping[str, Any]) -> Prose:
    """The answer with its bad parts marked."""
    answer, at, words = one["answer"], 0, []
    for span in sorted(one["spans"], key=lambda span: span["start"]):
        start, end = max(at, span["start"]), max(at, span["end"])  # spans of other people's data may overlap
        words += [Words(answer[at:start]), Words(answer[start:end], marked=True)]
        at = end
    return tuple(part for part in (*words, Words(answer[at:])) if part.text.strip())
