"""Ways of computing one encoder, and the choice of the fastest that finds the same neighbours as fp32.

Invariants. The choice is made once for a model on a machine, on the fixed bilingual sample, and kept in a file named after the
model's fingerprint in fp32. The corpus has no say: the choice stands before the first text is embedded, so that nothing is
embedded twice. Why, and what was measured: `docs/decisions/0015-encoders-and-cross-encoders.md`.
"""

from __future__ import annotations

import copy
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import structlog
from langchain_core.embeddings import Embeddings

from ingest.bilingual_sample import sample_passages, sample_questions
from ingest.embedding import Vectors, unit_rows

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

NEIGHBOURS = 10
LEAST_AGREEMENT = 0.99
"""Of a hundred nearest neighbours one may be another: the bar that this product sets itself."""
LEAST_SPEEDUP = 1.2
"""What other numbers than fp32's must bring; a smaller gain is within what two measurements of the same thing differ by here."""

_log = structlog.get_logger(__name__)


class Backend(StrEnum):
    """How a model's linear layers compute. `int8` is for the CPU alone."""

    FP32 = "fp32"
    BF16 = "bf16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a backend did on the sample. `agreement` is the mean share of the nearest neighbours in fp32 that it finds too."""

    backend: Backend
    agreement: float
    texts_per_cpu_s: float


def backends_on(device: str) -> tuple[Backend, ...]:
    """The backends that a device (`cpu`, `cuda` …) has, fp32 first."""
    return tuple(Backend) if device == "cpu" else (Backend.FP32, Backend.BF16)


def converted(model: SentenceTransformer, backend: Backend) -> SentenceTransformer:
    """A model in fp32 made to compute as `backend`: fp32 is the model itself, the others are copies with other linear layers. All
    else (sums, norms, attention's weights) stays in fp32, which is what keeps the neighbours."""
    if backend is Backend.FP32:
        return model
    import torch

    from ingest.linear_layers import Bf16Linear, Int8Linear

    layer = Bf16Linear if backend is Backend.BF16 else Int8Linear
    other = copy.deepcopy(model)
    for part in list(other.modules()):
        for name, child in part.named_children():
            if type(child) is torch.nn.Linear:
                setattr(part, name, layer(child))
    return other


def neighbours(vectors: Vectors, *, of: Vectors | None = None) -> list[frozenset[int]]:
    """The rows nearest to each row of `of` by cosine; without `of`, to each row itself, which is not among its own."""
    cosines = unit_rows(vectors if of is None else of) @ unit_rows(vectors).T
    if of is None:
        np.fill_diagonal(cosines, -np.inf)
    count = min(NEIGHBOURS, cosines.shape[1] - (of is None))
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
    return [frozenset(row) for row in nearest.tolist()]


def agreement(expected: Sequence[frozenset[int]], found: Sequence[frozenset[int]]) -> float:
    """The mean share of the expected neighbours that were found, 1 where nothing is expected."""
    shares = [len(one & other) / len(one) for one, other in zip(expected, found, strict=True) if one]
    return float(np.mean(shares)) if shares else 1.0


def tried(encoders: Mapping[Backend, Callable[[], Embeddings]], *, clock: Callable[[], float] = time.process_time) -> list[Trial]:
    """A trial of each backend on the sample, fp32 being the first and the measure; one model is in memory beside it at a time.

    Passages go in batches and questions one by one, as they do when served. A backend that the device cannot run has no trial.
    """
    passages, questions = sample_passages(), sample_questions()
    expected: list[frozenset[int]] = []
    trials: list[Trial] = []
    for backend, make in encoders.items():
        try:
            encoder = make()
            encoder.embed_documents(passages[:4])  # the first call sets up what later ones use
            began = clock()
            of_passages = unit_rows(encoder.embed_documents(passages))
            of_questions = unit_rows([encoder.embed_query(question) for question in questions])
            took_s = clock() - began
        except (RuntimeError, AttributeError) as error:  # the device lacks an operation, or the model looks into its layers
            if backend is Backend.FP32:
                raise
            _log.warning("encoder backend cannot be tried", backend=str(backend), error=str(error).partition("\n")[0])
            continue
        found = neighbours(of_passages) + neighbours(of_passages, of=of_questions)
        expected = expected or found
        speed = (len(passages) + len(questions)) / max(took_s, 1e-9)
        trials.append(Trial(backend, round(agreement(expected, found), 4), round(speed, 2)))
    return trials


def fastest(trials: Sequence[Trial]) -> Backend:
    """The fastest backend that agrees with fp32 and is clearly faster; else fp32."""
    plain = next(trial for trial in trials if trial.backend is Backend.FP32)
    good = [
        trial
        for trial in trials
        if trial.agreement >= LEAST_AGREEMENT and trial.texts_per_cpu_s >= LEAST_SPEEDUP * plain.texts_per_cpu_s
    ]
    return max(good, key=lambda trial: trial.texts_per_cpu_s, default=plain).backend


class BackendChoices:
    """The choices made on this machine, a file for each model."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def best(self, fingerprint: str, encoders: Mapping[Backend, Callable[[], Embeddings]], *, device: str) -> Backend:
        """The choice that was made here for this model; made now, in some seconds, where there is none."""
        machine = _machine(device)
        file = self._folder / f"{fingerprint}.json"
        kept = _read(file)
        if kept.get("machine") == machine and kept.get("backend") in {str(backend) for backend in encoders}:
            return Backend(kept["backend"])
        trials = tried(encoders, clock=time.process_time if device == "cpu" else time.perf_counter)
        chosen = fastest(trials)
        _log.info("encoder backend chosen", backend=str(chosen), trials=[asdict(trial) for trial in trials])
        for part in (*reversed(self._folder.parents), self._folder):
            if not part.exists():
                part.mkdir(mode=0o700, exist_ok=True)  # one of them may be the home, which is its user's alone
        beside = file.with_suffix(".new")
        beside.write_text(
            json.dumps({"machine": machine, "backend": chosen, "trials": [asdict(trial) for trial in trials]}, indent=1)
        )
        beside.replace(file)
        return chosen


def _read(file: Path) -> dict[str, str]:
    try:
        kept = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _machine(device: str) -> str:
    """What the figures depend on: processor, its number of cores, and the version of torch."""
    import torch

    processor = torch.cpu.get_capabilities() if device == "cpu" else torch.cuda.get_device_name() if device == "cuda" else device
    if not isinstance(processor, str):
        able = sorted(name for name, value in processor.items() if value is True)
        processor = f"{processor.get('cpu_name', platform.processor())} {' '.join(able)}"
    return f"{platform.machine()} {os.cpu_count()} torch {torch.__version__} {processor}"
