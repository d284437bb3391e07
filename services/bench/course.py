"""The benchmark from beginning to end: which parts run, in which order and in how much time.

Invariants. A part that fails is reported in words, and the others go on. A part ends at its own deadline or at that of the
whole, whichever is earlier, and tells how much of it was done. Nothing that was started is left behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from eval import sample_corpus
from eval.answers import read_cases
from eval.types import Case, Style
from ingest.errors import GraftError
from services.bench import adding, answers, concurrency, first_token, judging, public_sets, release, rights
from services.bench.clock import Deadline, Progress
from services.bench.serving import Served, bare_engine, bench_settings, served, wait_for_engine, with_engine, without_engine
from services.settings import Settings

# Seconds. On two cores that did nothing else the whole took about half of this.
WHOLE_S = 1320.0
_ADDING_S = 240.0
_QUOTES_S = 150.0
_WRITTEN_S = 420.0
_RIGHTS_S = 300.0
_CONCURRENCY_S = 150.0
_FIRST_TOKEN_S = 180.0
_RELEASE_S = 60.0
_JUDGE_S = 150.0
_FILINGS_S = 240.0
_PASSAGES_S = 150.0

_FIRST_TOKEN_CASES = 24
# The answer's length does not change when it begins.
_FIRST_TOKEN_ANSWER_TOKENS = 4


@dataclass(slots=True)
class Course:
    """What is measured, and what became of it: figures by part, and the parts that failed or were left out, with the reason."""

    folder: Path
    data: Path | None
    """A folder of public data sets, or None where there is none."""
    quick: bool
    progress: Progress
    measured: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Runs every part.

        Raises:
            GraftError: the server did not start, or the sample corpus could not be added.
        """
        whole = Deadline.after(WHOLE_S)
        settings = bench_settings(self.folder / "home")
        cases = read_cases(sample_corpus.CASES)
        engine = self._main_server(settings, cases, whole)
        if engine["state"] == "ready":
            self._part("first_token", whole.within(_FIRST_TOKEN_S), lambda deadline: self._first_token(settings, cases, deadline))
        else:
            self._leave_out("first_token", f"there is no engine: {engine['detail']}")
        sets = [*judging.own_sets(), *(judging.public_sets(self.data / "hallu") if self.data and not self.quick else ())]
        self._part("judge", whole.within(_JUDGE_S), lambda deadline: judging.measure_judge(sets, deadline))
        self._public_sets(whole)

    def _main_server(self, settings: Settings, cases: list[Case], whole: Deadline) -> dict[str, str]:
        self.progress.say("starting the server and the engine")
        with served(settings) as server:
            engine = self.measured["engine"] = wait_for_engine(server.client, whole)
            self.progress.say(f"the engine: {engine['detail']}")
            added = self.measured["adding"] = adding.add_sample_corpus(server.client, whole.within(_ADDING_S))
            self.progress.say(f"added the sample corpus: {added['pages']} pages in {added['seconds']} s")
            self._answers(server, cases, whole, written=engine["state"] == "ready")
            self._part("concurrency", whole.within(_CONCURRENCY_S), lambda deadline: self._at_once(server, cases, deadline))
            self._release(server, cases, whole, written=engine["state"] == "ready")
            self._part("rights", whole.within(_RIGHTS_S), lambda deadline: self._rights(server, cases, deadline))
        return engine

    def _answers(self, server: Served, cases: list[Case], whole: Deadline, *, written: bool) -> None:
        self.progress.say(f"searching {len(cases)} questions")
        hits, self.measured["search"] = answers.search_all(server.client, cases)
        self.progress.say("asking for quotes")
        quotes = [(case, Style.QUOTES) for case in answers.spread(cases)]
        asked = answers.ask_all(server.client, quotes, whole.within(_QUOTES_S), self.progress)
        self.progress.say("asking in auto" if self.quick or not written else "asking in auto and generated")
        plan = answers.plan_written(cases, generated=written and not self.quick)
        asked |= answers.ask_all(server.client, plan, whole.within(_WRITTEN_S), self.progress)
        self.measured["answers"] = {str(style): answers.evaluated(cases, one, hits) for style, one in asked.items()}
        if Style.GENERATED not in asked:
            self._leave_out("answers.generated", "not in a quick run" if self.quick else "there is no engine")

    def _release(self, server: Served, cases: list[Case], whole: Deadline, *, written: bool) -> None:
        if not written:
            return self._leave_out("release", "there is no engine")
        plain = [case for case in cases if case.kind == "plain" and case.lang == "en"]
        measure = lambda deadline: release.measure_release(server, plain, deadline)  # noqa: E731
        return self._part("release", whole.within(_RELEASE_S), measure)

    def _at_once(self, server: Served, cases: list[Case], deadline: Deadline) -> dict[str, Any]:
        english, chinese = (iter([case for case in cases if (case.kind, case.lang) == ("plain", lang)]) for lang in ("en", "zh"))
        # The model writes for three of four: the asks in even places are `generated`, the English ones between them `auto`.
        mixed = [next(chinese if number % 4 == 3 else english) for number in range(concurrency.ASKS)]
        generated = self.measured["engine"]["state"] == "ready"
        return concurrency.ask_at_once(server, mixed, generated=generated, deadline=deadline)

    def _rights(self, server: Served, cases: list[Case], deadline: Deadline) -> dict[str, Any]:
        written = [Style.AUTO, Style.GENERATED] if self.measured["engine"]["state"] == "ready" else [Style.AUTO]
        return rights.look_for_leaks(
            server,
            cases,
            carried=sample_corpus.document_groups(),
            jobs=self.measured["adding"]["jobs"],
            styles=[Style.QUOTES, *written],
            deadline=deadline,
            progress=self.progress,
        )

    def _first_token(self, settings: Settings, cases: list[Case], deadline: Deadline) -> dict[str, Any]:
        plain = [case for case in cases if case.kind == "plain" and case.lang == "en"][:_FIRST_TOKEN_CASES]
        short = settings.model_copy(
            update={"answer": settings.answer.model_copy(update={"answer_tokens": _FIRST_TOKEN_ANSWER_TOKENS})}
        )
        with bare_engine(settings, deadline) as endpoint, served(with_engine(short, endpoint)) as server:
            wait_for_engine(server.client, deadline)
            return first_token.compare_first_token(
                server,
                endpoint,
                plain,
                passages=settings.answer.passages,
                answer_tokens=_FIRST_TOKEN_ANSWER_TOKENS,
                deadline=deadline,
            )

    def _public_sets(self, whole: Deadline) -> None:
        if self.quick or self.data is None:
            return self._leave_out("public", "not in a quick run" if self.quick else "no folder of public data sets is there")
        filings = self.data / public_sets.FINANCEBENCH
        if filings.is_dir():
            self._part("filings", whole.within(_FILINGS_S), lambda deadline: self._filings(filings, deadline))
        for name in public_sets.PASSAGE_SETS:
            if (folder := self.data / "retrieval" / name).is_dir():
                evaluate = lambda deadline, folder=folder: public_sets.evaluate_passages(folder, deadline)  # noqa: E731
                self._part(name, whole.within(_PASSAGES_S), evaluate)
        return None

    def _filings(self, folder: Path, deadline: Deadline) -> dict[str, Any]:
        with served(without_engine(bench_settings(self.folder / "filings"))) as server:
            return public_sets.evaluate_filings(server.client, folder, deadline)

    def _part(self, name: str, deadline: Deadline, measure: Callable[[Deadline], dict[str, Any]]) -> None:
        if deadline.passed:
            return self._leave_out(name, "no time was left for it")
        self.progress.say(f"measuring {name}")
        try:
            self.measured[name] = measure(deadline)
        except (GraftError, httpx.HTTPError) as error:
            self._leave_out(name, str(error) or type(error).__name__)
        return None

    def _leave_out(self, name: str, reason: str) -> None:
        self.progress.say(f"{name} was left out: {reason}")
        self.left_out[name] = reason
