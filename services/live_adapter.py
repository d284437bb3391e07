"""The one adapter that answers for the arms tuned and tuned-rag: approving, promoting, rolling back, and where it is now.

    live.start()                    serves what the registry says is live; returns at once
    live.endpoint(access=...)       where it answers; NotFound where there is none for this caller, Unavailable while it starts
    live.approve(...), live.promote(...), live.rollback(...)       long: they return when it is done

Invariants. A new adapter answers, and has shown that it is itself and not the base, before the one before it is let go: there
is no moment without an answer, and what fails changes nothing. The registry's row and the address change together. A process
that is killed in the middle serves, when it comes back, whichever of the two the registry names.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from finetune.gate import Decision, decide
from finetune.registry import AdapterRegistry
from finetune.types import Adapter, AdapterState, Progress
from ingest.errors import Conflict, GraftError, NotFound, Unavailable
from ingest.types import Access
from services.adapter_serving import Report, Served, Serving
from services.engine import Endpoint

log = structlog.get_logger()

NO_ADAPTER = "no adapter is live, so there are no arms tuned and tuned-rag: use base or rag"
_RETRY_S = 5.0
_RETRY_LIMIT_S = 300.0


Comparison = Callable[[Endpoint, Report], dict[str, Any]]
"""Ends a train/serve comparison that was begun: the endpoint that serves the adapter → `finetune.parity.Parity` as a dict."""


@dataclass(frozen=True, slots=True)
class Probed:
    """Whether what answers is the adapter, and a sentence that says from what."""

    passed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class _Current:
    adapter: Adapter
    served: Served


class LiveAdapter:
    """Keeps the registry's live adapter answering."""

    def __init__(
        self,
        registry: AdapterRegistry,
        serving: Serving,
        *,
        probe: Callable[[Adapter, Endpoint], Probed],
        compare: Callable[[Adapter], Comparison],
        base_model: Callable[[], str],
    ) -> None:
        """`probe` asks the endpoint whether it is the adapter; `compare` begins the train/serve comparison of one; `base_model`
        is the name of the chat model that answers now."""
        self.registry = registry
        self._serving = serving
        self._probe = probe
        self._compare = compare
        self._base_model = base_model
        self._switching = threading.RLock()  # held by the start while it decides whom to serve
        self._pointing = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._current: _Current | None = None
        self._sentence = "The adapted model is off; arms base and rag answer."

    def start(self) -> None:
        """Begins to serve the live adapter, if there is one; returns at once."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._serve_live, name="live-adapter", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends what answers, and what is being started; returns when it is gone. The registry stays as it is."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._switching:
            current, self._current = self._current, None
            if current is not None:
                current.served.end()

    def is_live(self, *, access: Access) -> bool:
        """Whether there is an adapter that answers this caller, be it still starting."""
        return self.registry.live(access=access) is not None

    def standing(self, *, access: Access) -> dict[str, str]:
        """For this caller: the live adapter's id (empty: none), and its state (`off`, `starting`, `ready`) with a sentence."""
        adapter, current = self.registry.live(access=access), self._current
        if adapter is None:
            return {"id": "", "state": "off", "detail": NO_ADAPTER}
        if current is not None and current.adapter.id == adapter.id:
            return {"id": adapter.id, "state": "ready", "detail": "The adapted model is ready."}
        starting = self._thread is not None and self._thread.is_alive()
        return {"id": adapter.id, "state": "starting" if starting else "off", "detail": self._sentence}

    def endpoint(self, *, access: Access) -> Endpoint:
        """Where the live adapter answers.

        Raises:
            NotFound: no adapter is live, or none that the caller may use. Unavailable: it is still starting, or failed; why.
        """
        with self._pointing:
            adapter, current = self.registry.live(access=access), self._current
        if adapter is None:
            raise NotFound(NO_ADAPTER)
        if current is None or current.adapter.id != adapter.id:
            raise Unavailable(self._sentence)
        return current.served.endpoint()

    def approve(self, adapter_id: str, *, force_reason: str = "", report: Report) -> Adapter:
        """The adapter, approved; the gate's decision and the comparison are kept with it. One that is approved stays as it is.

        Raises:
            NotFound: there is none. Conflict: it is no candidate, or the gate does not let it pass; the message says why.
            Unavailable: it cannot be served for the comparison.
        """
        adapter = self.registry.require_approvable(adapter_id)
        if adapter.state is AdapterState.APPROVED:
            return adapter
        parity = self.measure_parity(adapter, report=report)
        decision = decide(adapter.metrics, parity, force_reason=force_reason)
        judged = self.registry.judge(adapter_id, decision, parity)
        if not decision.approved:
            raise Conflict(_refusal(adapter_id, decision))
        return judged

    def measure_parity(self, adapter: Adapter, *, report: Report) -> dict[str, Any]:
        """How near the serving engine is to the training library, from serving the adapter for as long as that takes.

        Raises:
            Conflict: the adapter's files are not what was registered, or it was trained on another chat model.
            Unavailable: it cannot be served.
        """
        with self._switching:
            self._require_base(adapter)
            finish = self._compare(adapter)
            served = self._serving.begin(adapter, report=report, cancelled=self._stopping)
            try:
                return finish(served.endpoint(), self._while_wanted(report))
            finally:
                served.end()

    def promote(self, adapter_id: str, *, force: bool = False, report: Report) -> Adapter:
        """The adapter, live and answering. Promoting the live one again makes sure that it answers.

        Raises:
            NotFound: there is none. Conflict: its state, a removed document or its files forbid it, or what was started does not
                answer as the adapter. Unavailable: it cannot be started. In each case the one before still answers.
        """
        adapter = self.registry.require_promotable(adapter_id, force=force)
        self._switch(adapter, lambda: self.registry.promote(adapter_id, force=force), report)
        return self.registry.get(adapter_id, access=Access.everything())

    def rollback(self, adapter_id: str, *, report: Report) -> Adapter | None:
        """The adapter that was live before this one, answering again, or None where there was none.

        `adapter_id` is the one that shall no longer answer: asked twice, as after a kill, it is rolled back once.

        Raises:
            Conflict, Unavailable: as `promote`, of the one before; the live one still answers.
        """
        live = self.registry.live(access=Access.everything())
        if live is None or live.id != adapter_id:
            self._switch(live, lambda: None, report)
            return live
        earlier = self.registry.before()
        self._switch(earlier, self.registry.roll_back, report)
        return earlier

    def _switch(self, adapter: Adapter | None, commit: Callable[[], object], report: Report) -> None:
        """Makes the adapter answer (None: nobody), commits, and only then lets the one before go."""
        with self._switching:
            old, new = self._current, None
            if adapter is not None and (old is None or old.adapter.id != adapter.id):
                self._require_base(adapter)
                new = _Current(adapter, self._serving.begin(adapter, report=report, cancelled=self._stopping))
            elif adapter is not None:
                new = old
            try:
                if new is not None:
                    report(Progress("probe", 2, 3, "step"))
                    self._require_itself(new)
                with self._pointing:
                    commit()
                    self._current = new
            except BaseException:
                if new is not None and new is not old:
                    new.served.end()
                raise
            if old is not None and old is not new:
                old.served.finish()
                old.served.end()
            self.registry.files.keep_merged(self._worth_keeping())
            report(Progress("done", 3, 3, "step"))

    def _while_wanted(self, report: Report) -> Report:
        """The report, which raises Unavailable once the server is stopping: a comparison is too long to wait for."""

        def tell(progress: Progress) -> None:
            if self._stopping.is_set():
                raise Unavailable("the server is stopping: start it again (graft serve) and ask again")
            report(progress)

        return tell

    def _require_base(self, adapter: Adapter) -> None:
        """Weights of the same shapes fit on another base model too, and mean nothing there."""
        if adapter.base_model != (present := self._base_model()):
            raise Conflict(
                f"adapter {adapter.id} was trained on {adapter.base_model}, and the chat model is {present}: train one on that "
                f"(graft train adapter), or let {adapter.base_model} answer again (setting chat.path)"
            )

    def _require_itself(self, current: _Current) -> None:
        probed = self._probe(current.adapter, current.served.endpoint())
        if not probed.passed:
            raise Conflict(
                f"what was started does not answer as adapter {current.adapter.id} ({probed.sentence}): nothing was changed. "
                "Approve it anew, or train another"
            )

    def _worth_keeping(self) -> set[str]:
        """The adapters whose merged models are needed again: all but the retired, and the one that a rollback brings back."""
        adapters = self.registry.list(access=Access.everything())
        kept = {adapter.id for adapter in adapters if adapter.state is not AdapterState.RETIRED}
        earlier = self.registry.before() if any(adapter.state is AdapterState.LIVE for adapter in adapters) else None
        return kept | {earlier.id} if earlier else kept

    def _serve_live(self) -> None:
        """Serves the registry's live adapter, and tries again where the engine fails."""
        wait_s = _RETRY_S
        while not self._try_to_serve():
            if self._stopping.wait(wait_s):
                return
            wait_s = min(wait_s * 2, _RETRY_LIMIT_S)

    def _try_to_serve(self) -> bool:
        """Whether there is nothing left to try."""
        with self._switching:
            adapter = self.registry.live(access=Access.everything())
            if adapter is None or self._stopping.is_set():
                return True
            self._sentence = f"The adapted model ({adapter.id}) is starting; arms base and rag answer."
            try:
                self._switch(adapter, lambda: None, _unheard)
            except Unavailable as error:
                self._sentence = f"The adapted model ({adapter.id}) is not running and is tried again: {error}"
                log.warning("live adapter not served", adapter=adapter.id, error=str(error))
                return False
            except GraftError as error:  # a file or a probe that is wrong stays wrong
                self._sentence = f"The adapted model ({adapter.id}) is not served: {error}"
                log.warning("live adapter not served", adapter=adapter.id, error=str(error))
            return True


def _refusal(adapter_id: str, decision: Decision) -> str:
    return (
        f"adapter {adapter_id} is not approved. {decision.sentence}. Train a better one, or, as administrator, give a reason to "
        f"approve it all the same (graft adapters approve {adapter_id} --force REASON)"
    )


def _unheard(_progress: Progress) -> None:
    """Nobody watches how a server's own start goes; its sentence tells."""
