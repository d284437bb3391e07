"""What was measured → goals that are met or missed, and sections for people."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from eval.report import Goal, Report, Section, Table, share_text

RECALL_WANTED = 0.95
KEY_FACT_WANTED = 0.80
_LANGUAGES = {"en": "English", "zh": "Chinese"}
_NOT_MEASURED = "not measured"
_ANSWER_MEASURES = {
    "key_fact": "key fact",
    "recall@5": "recall@5",
    "cited_gold_page": "gold page cited",
    "wrongly_abstained": "wrongly abstained",
}


def make_report(measured: Mapping[str, Any], left_out: Mapping[str, str], *, seconds: float, quick: bool) -> Report:
    """The whole report."""
    return Report(
        title="Graft: benchmark",
        circumstances=_circumstances(measured, seconds=seconds, quick=quick),
        goals=goals(measured),
        sections=[*(section for section in _sections(measured) if section.tables), *_left_out(left_out)],
        measured={**measured, "left_out": dict(left_out)},
    )


def goals(measured: Mapping[str, Any]) -> list[Goal]:
    """What the product promises of its sample corpus; what was not measured is missed."""
    found = []
    plain = {code: _get(measured, "answers", "auto", "by_kind_and_language", f"plain {code}") for code in _LANGUAGES}
    for measure, name, wanted in (
        ("recall@5", "recall@5", RECALL_WANTED),
        ("key_fact", "key fact in auto answers", KEY_FACT_WANTED),
    ):
        for code, language in _LANGUAGES.items():
            share = _get(plain[code], measure)
            met = share is not None and share["value"] >= wanted
            found.append(Goal(f"plain questions, {language}: {name}", f"at least {wanted}", _seen(share), met))
    leaks = _get(measured, "rights")
    seen = f"{leaks['leaks']} in {leaks['looks']} looks, {len(leaks['failed'])} failed" if leaks else _NOT_MEASURED
    if leaks and not leaks["complete"]:
        seen += ", not all in time"
    clean = leaks is not None and leaks["leaks"] == 0 and not leaks["failed"] and leaks["complete"]
    found.append(Goal("wrong-rights leaks", "0", seen, clean))
    asks = _get(measured, "concurrency")
    seen = f"{asks['errors']} in {asks['asks']} asks" if asks else _NOT_MEASURED
    found.append(Goal("errors of 8 concurrent asks", "0", seen, bool(asks and asks["rounds"] and asks["errors"] == 0)))
    return found


def _get(tree: Any, *path: str) -> Any:
    """What lies at the path, or None."""
    for name in path:
        tree = tree.get(name) if tree else None
    return tree


def _seen(share: Mapping[str, Any] | None) -> str:
    return share_text(share) if share else _NOT_MEASURED


def _circumstances(measured: Mapping[str, Any], *, seconds: float, quick: bool) -> dict[str, str]:
    engine = _get(measured, "engine") or {}
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "graft": version("graft"),
        "engine": f"{engine.get('model') or 'none'}: {engine.get('detail', _NOT_MEASURED)}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {memory_bytes / 2**30:.0f} GiB",
        "load at the end (1, 5, 15 min)": ", ".join(f"{load:.1f}" for load in os.getloadavg()),
        "python": platform.python_version(),
        "duration": f"{seconds:.0f} s" + (", quick run" if quick else ""),
    }


def _sections(measured: Mapping[str, Any]) -> Iterator[Section]:
    yield Section(
        "Answers to the sample corpus",
        (
            "Shares with 95 % Wilson intervals and n. Key fact: one of the right answers stands in the shown sentences; an "
            "abstention counts as without. Recall@5: a gold page is among the five best passages. The questions were written "
            "with the documents: use the figures to compare, not to promise a rate.",
        ),
        list(_answer_tables(_get(measured, "answers") or {})),
    )
    yield Section("Rights", tables=list(_rights_tables(_get(measured, "rights"))))
    yield Section(
        "Eight concurrent asks over /v1, streaming, with OpenAI's client",
        tables=list(_concurrency(_get(measured, "concurrency"))),
    )
    yield Section(
        "Time to first token",
        (
            "The product's first token event against the bare engine with the same prompt, in pairs on a server of its own. "
            "The engine's prefix cache holds the prompt for both; with new questions the ratio is smaller. "
            "Cold: the product's first ask of a question.",
        ),
        list(_first_token(_get(measured, "first_token"))),
    )
    yield Section(
        "From a sentence's last token to its release",
        (
            "How long /v1 holds a finished sentence back: until the next token shows that it has ended, and until it is judged. "
            "Repaired: what waited for the model, or a quote, to take its place.",
        ),
        list(_release(_get(measured, "release"))),
    )
    yield Section(
        "The judge",
        (
            "AUROC of an unsupported answer, sentence or keyword, with its 95 % bootstrap interval, beside that of the share of "
            "words that the evidence does not hold. CPU time of a sentence with its part of preparing the evidence.",
        ),
        list(_judge(_get(measured, "judge"))),
    )
    yield Section(
        "Speed",
        ("The peer of adding opens the same files with PyMuPDF in the same run and only takes their text out.",),
        list(_speed(measured)),
    )
    yield Section("Public data sets", tables=list(_public(measured)))


def _answer_tables(answers: Mapping[str, Any]) -> Iterator[Table]:
    rows = [
        [style, name, *(share_text(summary.get(measure)) for measure in _ANSWER_MEASURES)]
        for style, report in answers.items()
        for name, summary in report["by_kind_and_language"].items()
        if "key_fact" in summary
    ]
    if rows:
        yield Table(("style asked", "kind", *_ANSWER_MEASURES.values()), rows, "Answerable questions, by kind and language")
    rows = [
        [
            style,
            name,
            # Without an unanswerable question there is no right abstention.
            share_text(summary.get("abstention_precision") if "abstention_recall" in summary else None),
            share_text(summary.get("abstention_recall")),
            _number(summary.get("sentences_written_by_the_model")),
            _number(summary.get("supported_sentences")),
            str(summary["sentences"]),
        ]
        for style, report in answers.items()
        for name, summary in [("all", report["overall"]), *report["by_language"].items()]
    ]
    headings = (
        "style asked",
        "language",
        "abstention precision",
        "abstention recall",
        "written by the model",
        "supported",
        "sentences",
    )
    if rows:
        yield Table(headings, rows, "All questions: abstention, and the share of shown sentences that the model wrote")
    rows = [
        [style, str(report["answered"]), str(report["planned"]), str(len(report["errors"]))] for style, report in answers.items()
    ]
    if rows:
        yield Table(("style asked", "answered", "planned", "errors"), rows, "How many were asked")


def _rights_tables(rights: Mapping[str, Any] | None) -> Iterator[Table]:
    if not rights:
        return
    yield Table(("place", "looks"), [[place, str(looks)] for place, looks in sorted(rights["looks_by_place"].items())])
    if seen := [*rights["found"], *rights["failed"]]:
        yield Table(("leaks and failures",), [[one] for one in seen])


def _concurrency(asks: Mapping[str, Any] | None) -> Iterator[Table]:
    if not asks:
        return
    names = {"median_first_s": "first words, median s", "median_whole_s": "whole answer, median s", "longest_s": "longest, s"}
    rows = [
        [name, *(_number(asks[key].get(measure)) for measure in names)]
        for name, key in (("alone", "alone"), ("8 at once", "together"))
    ]
    caption = f"{asks['asks']} asks, {asks['errors']} errors; together {asks['slower_than_alone']} times as long as alone, "
    yield Table(("", *names.values()), rows, caption + f"{asks['asks_per_s']} asks a second")
    if asks["messages"]:
        yield Table(("errors",), [[message] for message in asks["messages"]])


def _first_token(times: Mapping[str, Any] | None) -> Iterator[Table]:
    if not times or not times["pairs"]:
        return
    rows = [
        [name, *(_number(times[key].get(part)) for part in ("p50", "p90"))]
        for name, key in (("product", "product_ms"), ("bare engine", "engine_ms"), ("product, cold", "cold_ms"))
    ]
    ratio, overhead = times["ratio"], times["overhead_ms"]
    caption = (
        f"{times['pairs']} pairs: median ratio {ratio['value']} ({ratio['low']}-{ratio['high']}), median overhead "
        f"{overhead['value']} ms ({overhead['low']}-{overhead['high']}), 95 % bootstrap intervals"
    )
    yield Table(("", "median, ms", "p90, ms"), rows, caption)


def _release(held: Mapping[str, Any] | None) -> Iterator[Table]:
    if not held:
        return
    rows = [
        [name, *(_number(held[key].get(part)) for part in ("p50", "p99")), str(held[key]["sentences"])]
        for name, key in (("shown as written", "as_written"), ("repaired", "repaired"))
        if held[key]["sentences"]
    ]
    if rows:
        yield Table(("", "p50, ms", "p99, ms", "sentences"), rows, f"{held['asks']} answers in style generated")


def _judge(judged: Mapping[str, Any] | None) -> Iterator[Table]:
    if judged and judged["sets"]:
        rows = [
            [
                one["set"],
                f"{one['n']} ({one['unsupported']})",
                f"{one['auroc']:.3f} ({one['auroc_interval'][0]:.2f}-{one['auroc_interval'][1]:.2f})",
                f"{one['overlap_auroc']:.3f}",
                _number(one["cpu_ms_a_sentence"]),
            ]
            for one in judged["sets"]
        ]
        yield Table(("set", "n (unsupported)", "AUROC", "of overlap", "CPU, ms a sentence"), rows, judged["sets"][0]["judge"])


def _speed(measured: Mapping[str, Any]) -> Iterator[Table]:
    adding = {"sample corpus": _get(measured, "adding"), "FinanceBench filings": _get(measured, "filings", "adding")}
    rows = [
        [
            name,
            *(
                str(one[key])
                for key in ("documents", "pages", "documents_per_s", "pages_per_s", "peer_pages_per_s", "share_of_peer")
            ),
        ]
        for name, one in adding.items()
        if one
    ]
    if rows:
        headings = ("adding", "documents", "pages", "documents a second", "pages a second", "peer's pages a second", "ratio")
        yield Table(headings, rows)
    if search := _get(measured, "search"):
        rows = [[name, *(str(search[key][part]) for part in ("p50", "p99"))] for name, key in _SEARCH_TIMES.items()]
        yield Table(("search", "p50, ms", "p99, ms"), rows, f"{search['n']} questions, one after the other")


_SEARCH_TIMES = {"over HTTP": "over_http_ms", "inside the server": "inside_ms"}


def _public(measured: Mapping[str, Any]) -> Iterator[Table]:
    measures = ("recall@1", "recall@5", "recall@10", "ndcg@10")
    rows = []
    for name in sorted(measured.keys() & {"squad-v1.1-dev", "drcd-dev"}):
        one = measured[name]
        latency = f"{one['latency_ms']['p50']} / {one['latency_ms']['p99']}"
        rows.append([name, *(_number(one[measure]) for measure in measures), str(one["queries"]), latency])
    if filings := _get(measured, "filings"):
        for name, key in (("FinanceBench pages", "pages"), ("FinanceBench pages, BM25 on page text", "pages_of_bm25")):
            rows.append([name, *(_number(filings[key][measure]) for measure in measures), str(filings["questions"]), ""])
    if rows:
        yield Table(
            ("search", *measures, "queries", "p50 / p99, ms"), rows, "Recall: mean share of a query's relevant pages or passages"
        )
    if filings:
        rows = [
            [f"any gold page among the first {depth}", share_text(filings["any_page"][f"found@{depth}"])] for depth in (5, 10)
        ]
        rows.append(["key facts in quoted answers", share_text(filings["key_facts"])])
        yield Table(
            ("FinanceBench filings", ""),
            rows,
            "Key facts: all figures of the answer, or its short phrase; many are not printed, but computed",
        )


def _left_out(left_out: Mapping[str, str]) -> Sequence[Section]:
    rows = [list(pair) for pair in left_out.items()]
    return [Section("Left out", tables=[Table(("part", "why"), rows)])] if rows else []


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
