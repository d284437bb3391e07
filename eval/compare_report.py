"""The comparison of arms as a report: main table, differences, languages and kinds, drawings, and cases that tell arms apart.

Knows nothing of how the cases were asked; what it shows was measured by `eval.compare`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eval.compare import Answers, Figure, has_key_fact, sentences_of
from eval.plots import bars, scatter, times
from eval.report import Drawing, Prose, Report, Section, Table, Words, share_text
from eval.types import Arm, Case

MOST_EXAMPLES = 40

MEASURES = {
    "key_fact": "key fact in the answer",
    "exact_match": "exact match",
    "f1": "token F1",
    "supported_sentences": "sentences supported",
    "hallucinated_answers": "answers with an unsupported sentence",
    "hallucinated_sentences": "sentences unsupported",
    "abstention_recall": "abstains where nothing answers",
    "abstention_precision": "abstentions that are right",
    "wrong_refusals": "abstains though there is an answer",
    "total_ms_p50": "time, median, s",
    "total_ms_p95": "time, 95 %, s",
    "first_token_ms_p50": "first token, median, s",
    "first_token_ms_p95": "first token, 95 %, s",
    "prompt_tokens": "tokens read",
    "completion_tokens": "tokens written",
}
_NOT_COMPARED = ("total_ms_p50", "total_ms_p95", "first_token_ms_p50", "first_token_ms_p95")
_IN_SHORT = ("key_fact", "f1", "hallucinated_answers", "abstention_recall", "wrong_refusals")

_EXPLAINED = (
    "Every arm wrote its answer itself (style generated). The arms base and tuned saw the question alone; rag and tuned-rag saw "
    "the same passages. One judge judged all sentences against those passages, also the sentences of arms that did not see them; "
    "an underlined sentence is one that the judge does not find borne out there. Where the search missed the right passage, a "
    "right answer counts as unsupported too.",
    "Value (95 % interval, n). Shares of cases: Wilson. Means, shares of sentences, times and differences: bootstrap over cases. "
    "A difference whose interval holds 0 may be chance; one of no width means that no case told the two arms apart.",
    "Times are those of arms asked at once, several cases at a time: they compare arms; one answer alone is faster. "
    "Tokens are known of answers that the model ended itself; one that repeated itself was stopped.",
)


def comparison_report(
    figures: Mapping[str, Any], cases: Sequence[Case], answers: Mapping[str, Answers], *, circumstances: Mapping[str, str]
) -> Report:
    """The report; `figures` are those that `compare_answers` gave for these cases and answers."""
    arms = [Arm(arm) for arm in figures["arms"]]
    overall = figures["overall"]
    asked = [case for case in cases if case.id in answers]
    notes = [*_EXPLAINED, *_failures(overall["arms"])]
    sections = [
        Section("Arms", notes, [main_table(figures)], _drawings(figures)),
        Section("Differences", tables=_difference_tables(figures)),
        Section("Languages", tables=_group_tables(figures["by_language"])),
        Section("Kinds of questions", tables=_group_tables(figures["by_kind"])),
    ]
    if "by_learned" in figures:
        note = "Whether the answer stands in a document that the adapter learned from, or in one that it never saw."
        sections.append(Section("Learned documents", [note], _group_tables(figures["by_learned"])))
    sections.append(_examples(asked, answers, arms))
    return Report(
        title="Graft: arms compared",
        circumstances=circumstances,
        goals=(),
        sections=sections,
        measured={"figures": figures, "cases": [_row(case, answers[case.id]) for case in asked]},
    )


def main_table(figures: Mapping[str, Any]) -> Table:
    """Every measure of every arm over all cases."""
    overall = figures["overall"]
    rows = [
        (title, *(figure_text(overall["arms"][arm].get(name), name) for arm in figures["arms"]))
        for name, title in MEASURES.items()
    ]
    return Table(("", *figures["arms"]), rows, f"All {overall['cases']} cases")


def figure_text(figure: Figure | None, measure: str) -> str:
    """A figure with its interval and n, times in seconds; a dash where it does not apply."""
    if figure is None:
        return "-"
    if not measure.endswith("_tokens") and "_ms_" not in measure:
        return share_text(figure)
    factor, digits = (0.001, 2) if "_ms_" in measure else (1, 0)
    value, low, high = (f"{figure[part] * factor:.{digits}f}" for part in ("value", "low", "high"))
    return f"{value} ({low}-{high}, n={figure['n']})"


def difference_text(figure: Figure | None, measure: str) -> str:
    """A difference with its sign, interval and n; a dash where it does not apply."""
    if figure is None:
        return "-"
    digits = 0 if measure.endswith("_tokens") else 3
    value, low, high = (f"{figure[part]:+.{digits}f}" for part in ("value", "low", "high"))
    return f"{value} ({low} to {high}, n={figure['n']})"


def _failures(arms: Mapping[str, Mapping[str, Any]]) -> list[str]:
    failed = [f"{arm}: {figures['failed']}" for arm, figures in arms.items() if figures["failed"]]
    return [f"Cases that an arm failed on, left out of its figures: {', '.join(failed)}."] if failed else []


def _difference_tables(figures: Mapping[str, Any]) -> list[Table]:
    parts = {"All cases": figures["overall"]}
    for name in ("by_language", "by_learned"):
        parts |= {f"{name.removeprefix('by_')}: {group}": part for group, part in figures.get(name, {}).items()}
    return [_difference_table(part, f"{title} ({part['cases']} cases)") for title, part in parts.items() if part["differences"]]


def _difference_table(part: Mapping[str, Any], caption: str) -> Table:
    pairs = part["differences"]
    rows = [
        (title, *(difference_text(pair.get(name), name) for pair in pairs.values()))
        for name, title in MEASURES.items()
        if name not in _NOT_COMPARED
    ]
    return Table(("", *(pair.replace(" minus ", " − ") for pair in pairs)), rows, caption)


def _group_tables(groups: Mapping[str, Any]) -> list[Table]:
    return [
        Table(
            ("", *(MEASURES[name] for name in _IN_SHORT)),
            [
                (arm, *(figure_text(figures.get(name), name) for name in _IN_SHORT))
                for arm, figures in part["arms"].items()
            ],
            f"{group} ({part['cases']} cases)",
        )
        for group, part in groups.items()
    ]  # fmt: skip


def _drawings(figures: Mapping[str, Any]) -> list[Drawing]:
    groups = {"all": figures["overall"]["arms"], **{name: part["arms"] for name, part in figures["by_language"].items()}}
    arms = figures["overall"]["arms"]
    key_fact, unsupported = MEASURES["key_fact"], MEASURES["hallucinated_answers"]
    percentiles = [("total_ms_p50", "median"), ("total_ms_p95", "95 %")]
    return [
        Drawing(bars(groups, "key_fact", title=key_fact, label="share of cases"), "Key fact in the answer, by arm and language"),
        Drawing(
            scatter(arms, "hallucinated_answers", "key_fact", title="Right and borne out", labels=(unsupported, key_fact)),
            "Up is better: the answer is right. Left is better: the passages bear out all that it says.",
        ),
        Drawing(times(arms, percentiles, title="Time of an answer", label="seconds"), "Time of a whole answer, by arm"),
    ]


def _examples(cases: Iterable[Case], answers: Mapping[str, Answers], arms: Sequence[Arm]) -> Section:
    """Cases in which one arm is right and another is not, or one answers and another does not."""
    differing = [case for case in cases if _differs(case, answers[case.id], arms)]
    rows = [
        ((Words(f"{case.id}: {case.question}"),), (Words(_wanted(case)),), *(_prose(case, answers[case.id][arm]) for arm in arms))
        for case in _spread(differing, MOST_EXAMPLES)
    ]
    note = (
        f"{len(differing)} cases in which the arms differ in being right, or in answering at all; {len(rows)} of them are shown."
    )
    return Section("Where the arms differ", [note], [Table(("question", "right answer", *arms), rows)] if rows else [])


def _spread(cases: Sequence[Case], most: int) -> list[Case]:
    """At most so many of the cases, evenly from first to last, so that all kinds are among them."""
    kept = min(most, len(cases))
    return [cases[index * len(cases) // kept] for index in range(kept)]


def _differs(case: Case, answers: Answers, arms: Sequence[Arm]) -> bool:
    given = [answers[arm] for arm in arms if "error" not in answers[arm]]
    return len({(has_key_fact(case, answer), answer["abstained"] and not case.answerable) for answer in given}) > 1


def _wanted(case: Case) -> str:
    return " / ".join(case.answers) if case.answerable else "(nothing in the documents)"


def _prose(case: Case, answer: Mapping[str, Any]) -> Prose:
    if "error" in answer:
        return (Words(f"(failed: {answer['error']['detail']})"),)
    right = has_key_fact(case, answer)
    sign = {True: "✓", False: "✗", None: ""}[right]
    if answer["abstained"]:
        return (Words(f"{sign} (abstains)".strip()),)
    return (Words(sign), *(Words(sentence["text"], not sentence["supported"]) for sentence in sentences_of(answer)))


def _row(case: Case, answers: Answers) -> dict[str, Any]:
    return {
        "id": case.id,
        "lang": case.lang,
        "kind": case.kind,
        "question": case.question,
        "answers": list(case.answers),
        "arms": {arm: _told(case, answer) for arm, answer in answers.items()},
    }


def _told(case: Case, answer: Mapping[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        return {"error": answer["error"]["detail"]}
    return {
        "answer": answer["answer"],
        "abstained": answer["abstained"],
        "key_fact": has_key_fact(case, answer),
        "sentences": [
            {"text": sentence["text"], "supported": sentence["supported"], "support": sentence["support"]}
            for sentence in sentences_of(answer)
        ],
        "usage": answer["usage"],
        "timings_ms": answer["timings_ms"],
    }
