"""Finished trainings and a registry to put them into, without training anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

import finetune.schema  # noqa: F401 - declares the tables
from finetune.adapter_files import AdapterFiles
from finetune.gate import decide
from finetune.registry import AdapterRegistry, Candidate
from finetune.types import Adapter, DatasetVersion
from ingest.database import open_database
from ingest.schema import metadata

GAIN = {"n": 80, "base": 0.1, "tuned": 0.7, "gain": 0.6, "interval": [0.5, 0.7], "base_cited": None, "tuned_cited": None}
PARITY = {"passed": True, "agreement": 1.0}
BASE_MODEL = "tiny"


def dataset(*group_sets: tuple[str, ...], name: str = "ds_1", incomplete: str = "") -> DatasetVersion:
    return DatasetVersion(name, "handbook", group_sets or (("everyone",),), {"train": 3}, {"licence": "ours"}, incomplete, "")


def finished_run(folder: Path, *, seed: int = 0, held_out: dict[str, Any] | None = None) -> Path:
    """The folder that a training with this seed leaves behind."""
    base = folder / "base"
    base.mkdir(parents=True, exist_ok=True)
    (base / "config.json").write_text("{}")
    run = folder / f"run-{seed}"
    (run / "adapter").mkdir(parents=True)
    weights = np.random.default_rng(seed).normal(size=(2, 4)).astype(np.float32)
    save_file({"base_model.model.layers.0.q_proj.lora_A.weight": weights}, run / "adapter" / "adapter_model.safetensors")
    config = {"base_model_name_or_path": str(base), "peft_type": "LORA", "r": 2}
    (run / "adapter" / "adapter_config.json").write_text(json.dumps(config))
    (run / "request.json").write_text(json.dumps({"base_model": str(base), "config": {"rank": 2}, "adapter_name": "a"}))
    (run / "result.json").write_text(json.dumps({"held_out": {"rephrased": GAIN} if held_out is None else held_out}))
    (run / "curves.png").write_bytes(b"\x89PNG")
    (run / "predictions.jsonl").write_text('{"question": "How many days?"}\n')
    return run


def registry_in(folder: Path) -> AdapterRegistry:
    """A registry over a fresh database, or over the one that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = open_database(f"sqlite:///{folder / 'graft.sqlite'}")
    metadata.create_all(engine)
    return AdapterRegistry(engine, AdapterFiles(folder / "adapters"))


def candidate(folder: Path, *, seed: int = 0, of: DatasetVersion | None = None, **run: Any) -> Candidate:
    """A finished training of this seed, ready to be registered."""
    return Candidate(finished_run(folder, seed=seed, **run), f"adapter {seed}", BASE_MODEL, of or dataset(), "Apache-2.0")


def approved(registry: AdapterRegistry, folder: Path, *, seed: int = 0, of: DatasetVersion | None = None) -> Adapter:
    """An adapter that may be promoted."""
    adapter = registry.register(candidate(folder, seed=seed, of=of))
    return registry.judge(adapter.id, decide(adapter.metrics, PARITY), PARITY)
