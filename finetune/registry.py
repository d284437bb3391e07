"""The adapters: what each was made of, how far it has come, and which one answers.

    candidate → approved → live → retired → live …

Invariants. One adapter is live at most; states and the history of what was live change together, in one transaction. A row is
written after its folder is whole, so that what is listed can be served. Who may use an adapter holds a group of each of its
group sets; to everybody else it is not there. Knows nothing of engines: it says which adapter shall answer, not how.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from finetune.adapter_files import WEIGHTS, AdapterFiles, files_of_run, sha256_of
from finetune.gate import Decision
from finetune.run_folder import RunFolder
from finetune.schema import adapters
from finetune.types import Adapter, AdapterState, DatasetVersion
from ingest.errors import Conflict, NotFound
from ingest.schema import now, pointers
from ingest.types import Access

_HISTORY = "live-adapters"
"""The pointer that holds the ids of what was live, as a JSON list; the last one is live now."""

_NEXT: dict[AdapterState, tuple[AdapterState, str]] = {
    AdapterState.CANDIDATE: (AdapterState.APPROVED, "graft adapters approve"),
    AdapterState.APPROVED: (AdapterState.LIVE, "graft adapters promote"),
    AdapterState.LIVE: (AdapterState.RETIRED, "graft adapters rollback, or promote another"),
    AdapterState.RETIRED: (AdapterState.LIVE, "graft adapters promote"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finished training: its run's folder, and what that does not know."""

    run: Path
    name: str
    base_model: str
    dataset: DatasetVersion
    licence: str


class AdapterRegistry:
    """Reads and writes the table of adapters, and their folders."""

    def __init__(self, engine: Engine, files: AdapterFiles) -> None:
        self._engine = engine
        self.files = files

    def register(self, candidate: Candidate) -> Adapter:
        """The adapter of this training, a candidate; the same weights of the same data set are the same adapter, as it stands.

        Raises:
            InputRefused: the training has not ended, or left no safetensors. StorageFull: there is no room for them.
        """
        run = RunFolder(candidate.run)
        files = files_of_run(run)
        adapter_id = adapter_id_of(sha256_of(files[WEIGHTS]), candidate.dataset.id)
        known = self._find(adapter_id)
        if known is not None and self.files.is_there(adapter_id):
            return known
        config = run.request().config
        hashes = self.files.take(adapter_id, files, base_model=candidate.base_model)
        row = {
            "name": candidate.name,
            "base_model": candidate.base_model,
            "dataset": candidate.dataset.id,
            "method": config.method,
            "config": config.values(),
            "metrics": {**json.loads(run.result.read_text(encoding="utf-8")), "files": hashes},
            "parity": {},
            "licence": candidate.licence,
            "group_sets": [list(groups) for groups in candidate.dataset.group_sets],
            "state": AdapterState.CANDIDATE,
            "flags": [candidate.dataset.incomplete] if candidate.dataset.incomplete else [],
            "created_at": now(),
            "changed_at": now(),
        }
        with self._engine.begin() as connection:
            connection.execute(delete(adapters).where(adapters.c.id == adapter_id))  # a row whose folder was lost
            connection.execute(insert(adapters).values(id=adapter_id, **row))
        return self._with_card(adapter_id)

    def list(self, *, access: Access) -> list[Adapter]:
        """The adapters that the caller may use, the newest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(adapters).order_by(adapters.c.created_at.desc(), adapters.c.id)).all()
        return [adapter for adapter in map(_adapter, rows) if _may_use(adapter, access)]

    def get(self, adapter_id: str, *, access: Access) -> Adapter:
        """One adapter.

        Raises:
            NotFound: there is none of this id that the caller may use.
        """
        adapter = self._find(adapter_id)
        if adapter is None or not _may_use(adapter, access):
            raise NotFound(f"there is no adapter {adapter_id!r}; `graft adapters list` shows all")
        return adapter

    def live(self, *, access: Access) -> Adapter | None:
        """The adapter that shall answer, or None where there is none that the caller may use."""
        with self._engine.connect() as connection:
            row = connection.execute(select(adapters).where(adapters.c.state == AdapterState.LIVE)).one_or_none()
        adapter = _adapter(row) if row is not None else None
        return adapter if adapter is not None and _may_use(adapter, access) else None

    def before(self) -> Adapter | None:
        """The adapter that answers after a rollback, None for none; one whose documents were removed is passed over.

        Raises:
            Conflict: no adapter is live, so nothing can be rolled back.
        """
        history = self._history()
        if not history:
            raise Conflict("no adapter is live, so there is nothing to roll back: promote one first (graft adapters promote)")
        earlier = [adapter for adapter in map(self._find, history[:-1]) if adapter is not None]
        usable = [adapter for adapter in earlier if not adapter.flags and self.files.is_there(adapter.id)]
        return usable[-1] if usable else None

    def require_promotable(self, adapter_id: str, *, force: bool = False) -> Adapter:
        """The adapter, which may become live; one that is live already may, too.

        Raises:
            NotFound: there is none. Conflict: its state or a removed document forbids it.
        """
        adapter = self.get(adapter_id, access=Access.everything())
        if adapter.state is not AdapterState.LIVE:
            _require(adapter, AdapterState.LIVE)
        if adapter.flags and not force:
            raise Conflict(
                f"adapter {adapter_id} has learned from what was removed since ({'; '.join(adapter.flags)}): train one anew, "
                f"or, as administrator, promote it all the same (graft adapters promote {adapter_id} --force)"
            )
        return adapter

    def require_approvable(self, adapter_id: str) -> Adapter:
        """The adapter, which may be approved; one that is approved already may, too.

        Raises:
            NotFound: there is none. Conflict: its state forbids it.
        """
        adapter = self.get(adapter_id, access=Access.everything())
        if adapter.state is not AdapterState.APPROVED:
            _require(adapter, AdapterState.APPROVED)
        return adapter

    def judge(self, adapter_id: str, decision: Decision, parity: Mapping[str, Any]) -> Adapter:
        """The candidate after the gate: approved where the decision says so; decision and comparison are kept either way.

        Raises:
            NotFound: there is none. Conflict: it is no candidate.
        """
        adapter = self.get(adapter_id, access=Access.everything())
        _require(adapter, AdapterState.APPROVED)
        values = {
            "parity": dict(parity),
            "metrics": {**adapter.metrics, "approval": {**decision.record(), "at": now()}},
            "state": AdapterState.APPROVED if decision.approved else AdapterState.CANDIDATE,
        }
        with self._engine.begin() as connection:
            _write(connection, adapter_id, **values)
        return self._with_card(adapter_id)

    def promote(self, adapter_id: str, *, force: bool = False) -> Adapter:
        """The adapter, live from now on; the one that was live is retired.

        Raises:
            NotFound, Conflict: as `require_promotable`.
        """
        self.require_promotable(adapter_id, force=force)
        self._make_live([one for one in self._history() if one != adapter_id] + [adapter_id])
        return self.get(adapter_id, access=Access.everything())

    def roll_back(self) -> Adapter | None:
        """The adapter that is live from now on: the one that was before, or None.

        Raises:
            Conflict: no adapter is live.
        """
        earlier, history = self.before(), self._history()
        self._make_live(history[: history.index(earlier.id) + 1] if earlier else [])
        return earlier

    def forget_texts(self, adapter_ids: Collection[str]) -> None:
        """Deletes what these adapters keep of their documents' text: the answers that they were measured with."""
        for adapter in filter(None, map(self._find, adapter_ids)):
            self.files.forget_texts(adapter.id)
            self._with_card(adapter.id)

    def reconcile(self) -> Sequence[str]:
        """Makes rows and folders agree after a crash, before anything is registered or served; what was done, in words."""
        known = {adapter.id: adapter for adapter in self.list(access=Access.everything())}
        self.files.keep_only(known)  # a folder without a row is registered again by the work that was making it
        self.forget_texts([adapter.id for adapter in known.values() if adapter.flags])
        lost = [adapter for adapter in known.values() if not self.files.is_there(adapter.id)]
        history = self._history()
        if lost and {adapter.id for adapter in lost} & set(history):
            kept = [one for one in history if self.files.is_there(one)]
            # An adapter that was live before does not take over by itself: somebody has to say so.
            self._make_live(kept if history[-1] in kept else [])
        return [f"adapter {adapter.id} ({adapter.name}) has lost its files and cannot be served" for adapter in lost]

    def _make_live(self, history: Sequence[str]) -> None:
        """Writes the history; its last adapter is live, the one that was is retired."""
        live = list(history[-1:])
        with self._engine.begin() as connection:
            before = list(connection.scalars(select(adapters.c.id).where(adapters.c.state == AdapterState.LIVE)))
            if before != live:
                for adapter_id in before:
                    _write(connection, adapter_id, state=AdapterState.RETIRED)
                for adapter_id in live:
                    _write(connection, adapter_id, state=AdapterState.LIVE)
            connection.execute(delete(pointers).where(pointers.c.name == _HISTORY))
            connection.execute(insert(pointers).values(name=_HISTORY, value=json.dumps(history)))

    def _history(self) -> Sequence[str]:
        with self._engine.connect() as connection:
            value = connection.scalar(select(pointers.c.value).where(pointers.c.name == _HISTORY))
        return [str(one) for one in json.loads(value)] if value else []

    def _find(self, adapter_id: str) -> Adapter | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(adapters).where(adapters.c.id == adapter_id)).one_or_none()
        return _adapter(row) if row is not None else None

    def _with_card(self, adapter_id: str) -> Adapter:
        adapter = self.get(adapter_id, access=Access.everything())
        if self.files.is_there(adapter_id):
            self.files.write_card(adapter)
        return adapter


def adapter_id_of(weights_sha256: str, dataset_id: str) -> str:
    """`ad_` and 12 hex digits, from the weights and what they were learned from."""
    return "ad_" + hashlib.sha256(f"{weights_sha256}\n{dataset_id}".encode()).hexdigest()[:12]


def _may_use(adapter: Adapter, access: Access) -> bool:
    return all(access.permits(groups) for groups in adapter.group_sets)


def _require(adapter: Adapter, wanted: AdapterState) -> None:
    allowed, how = _NEXT[adapter.state]
    if wanted is not allowed:
        raise Conflict(f"adapter {adapter.id} is {adapter.state}: from there it can only become {allowed} ({how})")


def _write(connection: Connection, adapter_id: str, **values: Any) -> None:
    connection.execute(update(adapters).where(adapters.c.id == adapter_id).values(changed_at=now(), **values))


def _adapter(row: Any) -> Adapter:
    return Adapter(
        id=row.id,
        name=row.name,
        base_model=row.base_model,
        dataset=row.dataset,
        method=row.method,
        config=row.config,
        metrics=row.metrics,
        parity=row.parity,
        licence=row.licence,
        group_sets=tuple(tuple(groups) for groups in row.group_sets),
        state=AdapterState(row.state),
        flags=tuple(row.flags),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
