"""The run that trains an adapter: a data set is written out, the trainer works on it in a process of its own, and what it made
is registered as a candidate.

Invariants. The same data set, configuration and base model have the same folder, so that a killed or stopped training goes on
in it. The trainer ends with this process. Once the adapter is registered the folder, which holds texts of documents, is gone.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from finetune.datasets import Datasets
from finetune.registry import AdapterRegistry, Candidate
from finetune.run_folder import write_file
from finetune.training_config import config_of
from finetune.types import Adapter, Progress, Sample, Split
from ingest.errors import GraftError
from ingest.types import Access
from services import leash
from services.runs import Task

_POLL_S = 0.5
# The trainer writes a checkpoint before it ends.
_STOP_TIMEOUT_S = 20.0
_ERROR_LINES = 3


@dataclass(frozen=True, slots=True)
class BaseModel:
    """The chat model that adapters are trained for."""

    name: str
    folder: Path
    licence: str


class Training:
    """Trains adapters of one base model."""

    def __init__(
        self, folder: Path, *, datasets: Datasets, registry: AdapterRegistry, base_model: Callable[[], BaseModel]
    ) -> None:
        """`base_model` gives the chat model, or says that it is not there."""
        self._folder = folder
        self._datasets = datasets
        self._registry = registry
        self._base_model = base_model

    def __call__(self, task: Task) -> dict[str, Any]:
        """The adapter's id and its held-out figures."""
        request = task.request
        base = self._base_model()
        if (known := self._trained(request, base)) is not None:
            return _shown(known)
        folder = self._folder / f"{request['dataset']}-{_key(request['config'], base.name)}"
        if not (folder / "request.json").exists():
            task.report(Progress("data", 0, 0, "steps"))
            self._write(folder, request, base)
        self._train(folder, task)
        adapter_id = task.step("register", self._register, folder, request, base)
        shutil.rmtree(folder, ignore_errors=True)
        return _shown(self._registry.get(adapter_id, access=Access.everything()))

    def forget(self, datasets: Iterable[str]) -> None:
        """Deletes what unfinished trainings have written out of these data sets; they fail, because those are incomplete now."""
        for dataset in datasets:
            for folder in self._folder.glob(f"{dataset}-*"):
                shutil.rmtree(folder, ignore_errors=True)

    def _trained(self, request: dict[str, Any], base: BaseModel) -> Adapter | None:
        """The adapter that this very training has made before: it would make the same again."""
        wanted = (request["dataset"], config_of(request["config"]), base.name)
        for adapter in self._registry.list(access=Access.everything()):
            whole = self._registry.files.is_there(adapter.id)
            if whole and (adapter.dataset, config_of(adapter.config), adapter.base_model) == wanted:
                return adapter
        return None

    def _write(self, folder: Path, request: dict[str, Any], base: BaseModel) -> None:
        """Writes the data set; `request.json` comes last, so that a folder with it is whole."""
        folder.mkdir(parents=True, exist_ok=True)
        for split in Split:
            samples = self._datasets.rows(request["dataset"], split, access=Access.everything())
            with (folder / f"{split}.jsonl").open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(_line(sample)) + "\n" for sample in samples)
        asked = {"base_model": str(base.folder), "config": request["config"], "adapter_name": request["name"]}
        write_file(folder / "request.json", json.dumps(asked))

    def _train(self, folder: Path, task: Task) -> None:
        """Returns when the trainer has ended well.

        Raises:
            GraftError: it ended otherwise; its last words are in the message.
        """
        command = [sys.executable, "-I", str(Path(leash.__file__)), str(os.getpid()), sys.executable, "-m", "finetune.train"]
        log = folder / "trainer.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*command, str(folder)], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        try:
            while process.poll() is None:
                task.check()
                _report(folder, task)
                time.sleep(_POLL_S)
        finally:
            _end(process)
        if process.returncode != 0:
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_ERROR_LINES:]
            raise GraftError(f"the trainer ended with code {process.returncode}: {' '.join(said)}")

    def _register(self, folder: Path, request: dict[str, Any], base: BaseModel) -> str:
        dataset = self._datasets.get(request["dataset"], access=Access.everything())
        licence = f"base model: {base.licence}; data: {dataset.card['licence']}"
        return self._registry.register(Candidate(folder, request["name"], base.name, dataset, licence)).id


def _shown(adapter: Adapter) -> dict[str, Any]:
    return {"adapter": adapter.id, "dataset": adapter.dataset, "metrics": adapter.metrics}


def _key(config: dict[str, Any], base: str) -> str:
    content = json.dumps([config, base], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _line(sample: Sample) -> dict[str, Any]:
    return {
        "id": sample.id,
        "kind": sample.kind,
        "language": sample.language,
        "question": sample.question,
        "answer": sample.answer,
        "fact": sample.fact,
        "messages": [asdict(message) for message in sample.messages],
    }


def _report(folder: Path, task: Task) -> None:
    try:
        told = json.loads((folder / "progress.json").read_text())
    except (OSError, ValueError):
        return  # nothing is told yet
    task.report(Progress(**told))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
