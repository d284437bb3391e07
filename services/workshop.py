"""The half of the application object that makes training data and adapters from what the other half holds.

Invariants. Every read takes the caller's `Access`. Long work is a run (`services/runs.py`) and survives a kill. What was made
from a document ends with it: `forget` purges the samples, and marks the data sets and adapters.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog

from finetune.datasets import Datasets
from finetune.registry import AdapterRegistry
from finetune.review import ReviewQueue
from finetune.samples import SampleStore
from finetune.training_config import config_of
from finetune.types import DatasetVersion, Lineage, Sample
from ingest.catalog import Catalog
from ingest.errors import Conflict, InputRefused
from ingest.groups import Groups
from ingest.types import Access
from services.live_adapter import LiveAdapter
from services.runs import Run, Runs, Task
from services.training import Training

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Workshop:
    """Samples, data sets, adapters, and the work that makes them."""

    catalog: Catalog
    groups: Groups
    samples: SampleStore
    datasets: Datasets
    review: ReviewQueue
    registry: AdapterRegistry
    live: LiveAdapter
    training: Training
    runs: Runs
    protected: Callable[[], Sequence[str]]
    """The questions of evaluation cases, which no sample may repeat."""
    changing: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False, compare=False)
    """Held while samples are kept, and while a document is removed or given other groups, purging included: nothing is kept of it
    between the two."""

    def define_runs(self, synthesizing: Callable[[Task], dict[str, Any]]) -> None:
        """Before the workflows start: what each kind of run does."""
        self.runs.define("synthesize", synthesizing, queue="synthesis")
        self.runs.define("train", self.training, queue="training")
        self.runs.define("approve", self._approve, queue="adapters")
        self.runs.define("promote", self._promote, queue="adapters")
        self.runs.define("rollback", self._rollback, queue="adapters")

    # Data

    def synthesize(self, name: str, *, groups: Sequence[str] | None, seed: int, rules_only: bool, access: Access) -> Run:
        """The run that makes samples of what these groups may read, or of everything, and a data set of those accepted.

        Raises:
            InputRefused: a group does not exist, or there is nothing to read.
        """
        known = None if groups is None else list(self.groups.require(groups, access=access))
        if not self.catalog.documents(access=access if known is None else Access.of(*known)):
            raise InputRefused("there is no document to make samples from: add some first (graft add)")
        request = {"name": name, "groups": known, "seed": seed, "rules_only": rules_only}
        return self.runs.submit("synthesize", request)

    def build_dataset(self, name: str, *, access: Access, seed: int) -> DatasetVersion:
        """The data set of all accepted samples that this caller may read, as they stand now.

        Raises:
            InputRefused: there is no accepted sample.
        """
        records = self.catalog.documents(access=access)
        samples = self.samples.accepted(access=access, live={(one.document_id, one.version) for one in records})
        content_of = {one.document_id: one.sha256 for one in records}
        return self.datasets.build(name, samples, seed=seed, protected=self.protected(), content_of=content_of)

    def lineage(self, document_id: str, *, access: Access) -> Lineage:
        """What was made from this document.

        Raises:
            NotFound: no such document for this caller.
        """
        self.catalog.document(document_id, access=access)
        return self.samples.lineage(document_id)

    def readers(self, *, access: Access) -> dict[str, tuple[str, ...]]:
        """The groups of each document that the caller may read, by its id."""
        return {one.document_id: one.groups for one in self.catalog.documents(access=access)}

    def keep(self, samples: Iterable[Sample], *, readers: Mapping[str, Collection[str]]) -> bool:
        """Whether the samples are stored now: all of them, or none where a document was removed or restricted since.

        `readers` are the groups of every document whose text may stand in the samples, read before that text was.
        """
        with self.changing:
            if self._unreadable(readers):
                return False
            self.samples.add(samples)
            for told in self.purge_unreadable():  # another server process may have removed it just now
                log.warning(told)
            return True

    def reconcile(self) -> list[str]:
        """Ends what a kill left half done, before anything runs; what was found, in words."""
        return [*self.registry.reconcile(), *self.purge_unreadable()]

    def purge_unreadable(self) -> list[str]:
        """Purges the samples of each document that is gone, or that some of their readers may no longer read; in words."""
        found = []
        for document_id in self._unreadable(self.samples.readers()):
            self.forget(document_id)
            found.append(f"samples of document {document_id} were purged: it was removed or restricted")
        return found

    def _unreadable(self, readers: Mapping[str, Collection[str]]) -> list[str]:
        """Those documents that one of these groups cannot read. What is read here is newer than the argument, so that a document
        added between the two is not taken for one that is gone."""
        now = self.readers(access=Access.everything())
        return [document_id for document_id, groups in readers.items() if not set(groups) <= set(now.get(document_id, ()))]

    def forget(self, document_id: str) -> Lineage:
        """What was made from a document that is about to go: samples are purged, data sets and adapters say so.

        Hold `changing` until it is gone.
        """
        with self.changing:
            lineage = self.samples.purge(document_id)
        for adapter_id in lineage.adapters:
            self.registry.files.forget_texts(adapter_id)
        if lineage.datasets:
            self.training.forget(lineage.datasets)
        return lineage

    # Adapters

    def train(self, dataset: str, *, config: dict[str, Any], name: str, access: Access) -> Run:
        """The run that trains an adapter on a data set, named by its id, or by its name for the newest of that name.

        Raises:
            NotFound: there is no such data set for this caller. InputRefused: the configuration is wrong.
            Conflict: the data set is incomplete, because a document was removed.
        """
        version = self.datasets.get(dataset, access=access)
        if version.incomplete:
            raise Conflict(f"data set {version.id} cannot be trained on ({version.incomplete}): build a new one")
        values = config_of(config).values()
        return self.runs.submit("train", {"dataset": version.id, "config": values, "name": name})

    def approve(self, adapter_id: str, *, access: Access, force_reason: str = "") -> Run:
        """The run that compares training with serving and, where the gate lets it pass, approves the adapter.

        Raises:
            NotFound: there is no such adapter for this caller. Conflict: it is no candidate.
        """
        self.registry.get(adapter_id, access=access)
        self.registry.require_approvable(adapter_id)
        return self.runs.submit("approve", {"adapter": adapter_id, "force_reason": force_reason})

    def promote(self, adapter_id: str, *, access: Access, force: bool = False) -> Run:
        """The run that makes the adapter answer.

        Raises:
            NotFound: there is no such adapter for this caller. Conflict: its state or a removed document forbids it.
        """
        self.registry.get(adapter_id, access=access)
        self.registry.require_promotable(adapter_id, force=force)
        return self.runs.submit("promote", {"adapter": adapter_id, "force": force})

    def rollback(self, *, access: Access) -> Run:
        """The run that makes the adapter answer that was live before.

        Raises:
            Conflict: no adapter is live for this caller.
        """
        live = self.registry.live(access=access)
        if live is None:
            raise Conflict("no adapter is live, so there is nothing to roll back: promote one first (graft adapters promote)")
        return self.runs.submit("rollback", {"adapter": live.id})

    def _approve(self, task: Task) -> dict[str, Any]:
        request = task.request
        return asdict(self.live.approve(request["adapter"], force_reason=request["force_reason"], report=task.report))

    def _promote(self, task: Task) -> dict[str, Any]:
        request = task.request
        return asdict(self.live.promote(request["adapter"], force=request["force"], report=task.report))

    def _rollback(self, task: Task) -> dict[str, Any]:
        adapter = self.live.rollback(task.request["adapter"], report=task.report)
        return asdict(adapter) if adapter else {"id": None}
