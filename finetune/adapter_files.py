"""The folder of one adapter: made aside, renamed when whole, hash-checked before it is served, packed to be taken elsewhere.

    <folder>/<id>/adapter_model.safetensors, adapter_config.json     what is served
    <folder>/<id>/result.json, curves.png, predictions…, card.md      what is known of it
    <folder>/<id>/merged/                                             derived: the whole model with the adapter in it

Invariants. Weights are safetensors; nothing pickled is ever taken. A folder that has its name is whole and on the disk.
Knows nothing of databases, states and engines.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO

from finetune.gate import figures
from finetune.run_folder import RunFolder
from finetune.types import Adapter
from ingest.errors import Conflict, InputRefused
from ingest.files import fsync_folder, full_disk_said_plainly

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
CURVES = "curves.png"
PREDICTIONS = "predictions.jsonl"
CARD = "card.md"
MERGED = "merged"
_UNFINISHED = ".part"


class AdapterFiles:
    """The folders of all adapters under one folder."""

    def __init__(self, folder: Path) -> None:
        with full_disk_said_plainly(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def path(self, adapter_id: str) -> Path:
        """Where the adapter's folder is, or would be."""
        return self.folder / adapter_id

    def merged(self, adapter_id: str) -> Path:
        """Where the adapter's merged model is, or would be."""
        return self.path(adapter_id) / MERGED

    def is_there(self, adapter_id: str) -> bool:
        """Whether the adapter's folder holds something to serve."""
        return (self.path(adapter_id) / WEIGHTS).is_file()

    def take(self, adapter_id: str, files: Mapping[str, Path], *, base_model: str) -> dict[str, str]:
        """Makes the adapter's folder from these files (name in the folder → source); name → SHA-256, card and merged model apart.

        Raises:
            InputRefused: the weights are no safetensors file. StorageFull: there is no room; nothing half-made stays.
        """
        check_weights(files[WEIGHTS])
        aside = self.folder / f".{adapter_id}{_UNFINISHED}"
        with full_disk_said_plainly(self.folder):
            shutil.rmtree(aside, ignore_errors=True)
            try:
                aside.mkdir()
                for name, source in files.items():
                    shutil.copyfile(source, aside / name)
                _name_base(aside / CONFIG, base_model)
                hashes = {name: sha256_of(aside / name) for name in files}
                for name in files:
                    with (aside / name).open("rb") as file:
                        os.fsync(file.fileno())
                fsync_folder(aside)
                shutil.rmtree(self.path(adapter_id), ignore_errors=True)  # of a run that was killed before it was noted
                aside.rename(self.path(adapter_id))
                fsync_folder(self.folder)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        return hashes

    def write_card(self, adapter: Adapter) -> None:
        """Writes what is known of the adapter beside it, for people."""
        path = self.path(adapter.id) / CARD
        with full_disk_said_plainly(self.folder):
            aside = path.with_suffix(_UNFINISHED)
            aside.write_text(card(adapter), encoding="utf-8")
            aside.replace(path)

    def verify(self, adapter: Adapter) -> Path:
        """The adapter's folder, in which what is served is what was registered.

        Raises:
            Conflict: a file is missing or another one.
        """
        folder = self.path(adapter.id)
        for name in (WEIGHTS, CONFIG):
            path, wanted = folder / name, adapter.metrics["files"][name]
            if not path.is_file():
                raise Conflict(f"adapter {adapter.id} cannot be served: its file {name} is missing; train and register it again")
            if sha256_of(path) != wanted:
                raise Conflict(
                    f"adapter {adapter.id} cannot be served: its file {name} is not the one that was registered; "
                    "restore it from a backup, or train and register it again"
                )
        return folder

    def pack(self, adapter_id: str, target: IO[bytes]) -> None:
        """Writes the folder as a tar archive, without what can be made again."""
        with tarfile.open(fileobj=target, mode="w") as archive:
            for path in sorted(self.path(adapter_id).iterdir()):
                if path.is_file():
                    archive.add(path, f"{adapter_id}/{path.name}", filter=_anonymous)

    def forget_texts(self, adapter_id: str) -> None:
        """Deletes what quotes the documents that the adapter was measured with."""
        (self.path(adapter_id) / PREDICTIONS).unlink(missing_ok=True)

    def keep_merged(self, adapter_ids: Collection[str]) -> None:
        """Deletes the merged models of all other adapters: each is as large as the base model, and can be made again."""
        for folder in self.folder.iterdir():
            if folder.name not in adapter_ids:
                shutil.rmtree(folder / MERGED, ignore_errors=True)

    def keep_only(self, adapter_ids: Collection[str]) -> None:
        """Deletes every folder of no known adapter, unfinished ones of an earlier process too."""
        for folder in self.folder.iterdir():
            if folder.name not in adapter_ids:
                shutil.rmtree(folder, ignore_errors=True)


def files_of_run(run: RunFolder) -> dict[str, Path]:
    """What is kept of a finished training: name in the adapter's folder → where it is now.

    Raises:
        InputRefused: the training has left no adapter.
    """
    needed = (run.adapter / WEIGHTS, run.adapter / CONFIG, run.result)
    missing = [path.name for path in needed if not path.is_file()]
    if missing:
        raise InputRefused(f"the training in {run.path} has left no {missing[0]}: let it end before it is registered")
    wanted = (*needed, run.curves, run.predictions, run.history)
    return {path.name: path for path in wanted if path.is_file()}


def check_weights(path: Path) -> None:
    """Nothing, where the file holds a LoRA adapter's weights that can be read without running anything.

    Raises:
        InputRefused: it is missing, no safetensors file, or holds no LoRA weights.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as weights:
            names = list(weights.keys())
    except (OSError, SafetensorError) as error:
        raise InputRefused(f"{path} is no safetensors file ({error}): adapters are taken in no other form") from error
    if not any("lora_" in name for name in names):
        raise InputRefused(f"{path} holds no LoRA weights: its tensors are {', '.join(names[:3]) or 'none'}")


def sha256_of(path: Path) -> str:
    """The file's SHA-256, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def card(adapter: Adapter) -> str:
    """What is known of the adapter, as Markdown."""
    held_out = [
        f"| {name} | {one['base']:.3f} | {one['tuned']:.3f} | {figures(one)} |"
        for name, one in adapter.metrics.get("held_out", {}).items()
    ]
    approval = adapter.metrics.get("approval") or {}
    conditions = [
        f"- {one['name']}: {'held' if one['passed'] else 'did not hold'} ({one['seen']})"
        for one in approval.get("conditions", [])
    ]
    forced = [f"- forced: {approval['force_reason']}"] if approval.get("force_reason") else []
    lines = [
        f"# Adapter {adapter.name} ({adapter.id})",
        "",
        f"- base model: {adapter.base_model}",
        f"- data set: {adapter.dataset}",
        f"- method: {adapter.method}",
        f"- licence: {adapter.licence}",
        f"- made: {adapter.created_at}",
        f"- may be used by who holds a group of each of: {'; '.join(', '.join(one) for one in adapter.group_sets) or 'none'}",
        *(f"- removed since: {flag}" for flag in adapter.flags),
        "",
        "## Held-out figures",
        "",
        *(
            ["| set | base | tuned | gain with its 95 % interval |", "|---|---|---|---|", *held_out]
            if held_out
            else ["Not measured."]
        ),
        "",
        "## Approval",
        "",
        *(conditions + forced or ["Not yet."]),
        "",
        "## Training",
        "",
        "```json",
        json.dumps(adapter.config, ensure_ascii=False, indent=1),
        "```",
        "",
        "## Files",
        "",
        *(f"- `{name}` {digest}" for name, digest in adapter.metrics.get("files", {}).items()),
        "",
    ]
    return "\n".join(lines)


def _name_base(config: Path, base_model: str) -> None:
    """Puts the base model's name where the trainer wrote a folder of this machine, which means nothing elsewhere."""
    values = json.loads(config.read_text(encoding="utf-8"))
    values["base_model_name_or_path"] = base_model
    config.write_text(json.dumps(values, ensure_ascii=False, indent=2), encoding="utf-8")


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The entry without the user and the machine's clock."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o644
    return entry
