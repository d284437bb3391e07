"""The folder of one training run: what is asked for, how far it has come, and which checkpoints are whole.

Invariants. Every file that is read again is written aside, synced and renamed, so a reader never sees half of it. A
checkpoint counts once its manifest is there and every file of it has the size and hash that the manifest gives; whatever
else lies among the checkpoints is what a killed process left, and is removed. This module knows no model.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from finetune.training_config import TrainingConfig, config_of
from finetune.types import Message, Progress
from ingest.errors import InputRefused
from ingest.files import fsync_folder

_MANIFEST = "complete.json"


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be trained: the base model's folder, the values, the adapter's name; where the weights go on from those of
    another adapter, its folder."""

    base_model: Path
    config: TrainingConfig
    adapter_name: str
    start_from: Path | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One sample as a run reads it. `fact` is the same for all phrasings of one question and answer; `value` is the part of
    the answer that a right answer must hold, empty where it is not known."""

    id: str
    kind: str
    language: str
    question: str
    answer: str
    messages: tuple[Message, ...]
    fact: str
    value: str = ""

    @property
    def prompt(self) -> tuple[Message, ...]:
        """What the model is asked: everything before its last message."""
        return self.messages[:-1]

    @property
    def written(self) -> str:
        """What the model should write."""
        return self.messages[-1].content


class RunFolder:
    """Reads and writes the files of a run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.adapter = path / "adapter"
        self.outcome = self.adapter / "training.json"  # the exact configuration and how the training went
        self.best = path / "best"
        self.result = path / "result.json"
        self.predictions = path / "predictions.jsonl"
        self.history = path / "history.jsonl"
        self.curves = path / "curves.png"

    def request(self) -> Request:
        """What is asked for.

        Raises:
            InputRefused: there is no request, or it cannot be read or asks for what is not allowed.
        """
        file = self.path / "request.json"
        try:
            asked = json.loads(file.read_text(encoding="utf-8"))
            base, values, name = Path(asked["base_model"]), asked["config"], str(asked["adapter_name"])
            start = Path(asked["start_from"]) if asked.get("start_from") else None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputRefused(
                f"{file} is no training request ({error!r}): it needs base_model, config and adapter_name, as JSON"
            ) from error
        if not (base / "config.json").is_file():
            raise InputRefused(f"there is no model at {base}: it needs a folder with config.json and safetensors")
        if start and not (start / "adapter_model.safetensors").is_file():
            raise InputRefused(f"there is no adapter at {start} to start from: it needs a folder with adapter_model.safetensors")
        return Request(base, config_of(values), name, start)

    def rows(self, split: str) -> list[Row]:
        """The samples of a split, in file order; none where the file is not there.

        Raises:
            InputRefused: a line is no sample.
        """
        file = self.path / f"{split}.jsonl"
        if not file.is_file():
            return []
        rows = []
        for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
            if line.strip():
                try:
                    rows.append(_row(json.loads(line)))
                except (ValueError, KeyError, TypeError) as error:
                    raise InputRefused(f"{file}, line {number} is no sample ({error!r}): export the data set again") from error
        return rows

    def report(self, progress: Progress) -> None:
        """Says how far the run has come; a reader sees the old words or the new ones."""
        write_file(self.path / "progress.json", json.dumps(asdict(progress), ensure_ascii=False), durable=False)

    def write_history(self, records: Iterable[dict[str, Any]]) -> None:
        """Replaces the whole history, so that steps done twice after a crash stand there once."""
        write_file(self.history, "".join(json.dumps(record) + "\n" for record in records), durable=False)

    def complete_checkpoint(self, checkpoint: Path, **remembered: Any) -> None:
        """Makes a written checkpoint count, once all of it is on the disk. `remembered` comes back from `newest_checkpoint`."""
        files = {}
        for file in sorted(path for path in checkpoint.rglob("*") if path.is_file() and path.name != _MANIFEST):
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
            files[str(file.relative_to(checkpoint))] = [file.stat().st_size, _hash(file)]
        fsync_folder(checkpoint)
        write_file(checkpoint / _MANIFEST, json.dumps({"files": files, "remembered": remembered}))
        fsync_folder(self.checkpoints)

    def newest_checkpoint(self) -> tuple[Path, dict[str, Any]] | None:
        """The newest whole checkpoint and what it remembers. Removes those that are not whole."""
        if not self.checkpoints.is_dir():
            return None
        found = sorted(self.checkpoints.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
        whole: tuple[Path, dict[str, Any]] | None = None
        for checkpoint in found:
            remembered = _remembered(checkpoint)
            if remembered is None:
                shutil.rmtree(checkpoint)
            elif whole is None:
                whole = checkpoint, remembered
        return whole


def _remembered(checkpoint: Path) -> dict[str, Any] | None:
    """What a whole checkpoint remembers; None for one that is not whole."""
    try:
        manifest = json.loads((checkpoint / _MANIFEST).read_text(encoding="utf-8"))
        for name, (size, digest) in manifest["files"].items():
            file = checkpoint / name
            if file.stat().st_size != size or _hash(file) != digest:
                return None
        remembered: dict[str, Any] = manifest["remembered"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return remembered


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _row(line: dict[str, Any]) -> Row:
    messages = tuple(Message(message["role"], message["content"]) for message in line["messages"])
    if not messages or not all(isinstance(message.content, str) for message in messages):
        raise ValueError("no messages of text")
    answer = line.get("answer") or messages[-1].content
    return Row(
        id=str(line["id"]),
        kind=str(line["kind"]),
        language=str(line["language"]),
        question=line.get("question") or messages[-1].content,
        answer=answer,
        messages=messages,
        fact=line.get("fact") or answer,
        value=line.get("value") or "",
    )


def write_file(path: Path, text: str, *, durable: bool = True) -> None:
    """Replaces a file as a whole. `durable` waits until it is on the disk."""
    aside = path.with_name(f".{path.name}.part")
    with aside.open("w", encoding="utf-8") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    aside.replace(path)
    if durable:
        fsync_folder(path.parent)


def publish_folder(aside: Path, target: Path) -> None:
    """Syncs every file of `aside` and renames it to `target`, which is there as a whole or not at all."""
    for file in sorted(path for path in aside.rglob("*") if path.is_file()):
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
    fsync_folder(aside)
    if target.exists():
        shutil.rmtree(target)
    aside.rename(target)
    fsync_folder(target.parent)
