"""The table of English synonyms, out of the input embeddings of the chat model.

Words that a language model meets in the same places have vectors that lie side by side, once what all words have in common is
taken away: the mean, and the first two principal components. Source: Mu and Viswanath, "All-but-the-top", ICLR 2018.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from ingest.errors import InputRefused
from ingest.tokens import STOP_WORDS, stem

LEAST_COSINE = 0.4
MOST = 5
"""More of them, or less like ones, find no more: nDCG@10 on SQuAD .9303 from .35, .9302 from .4, .9296 from .45, and on PrivacyQA
.216, .221, .221."""
_COMMON_COMPONENTS = 2
_SAMPLE = 4000
# A token that begins a word, in the byte-level alphabet of the tokenizer, and is a word by itself.
_WHOLE_WORD = re.compile("Ġ([A-Za-z]{3,})")


def make_synonyms(model: Path, target: Path, *, seed: int = 0) -> int:
    """Writes the table made of a model's folder; how many words have synonyms.

    Raises:
        InputRefused: the folder holds no safetensors with input embeddings, or no byte-level tokenizer.
    """
    stems, vectors = _words(model)
    table = nearest(stems, without_common(vectors, seed=seed))
    target.parent.mkdir(parents=True, exist_ok=True)
    written = json.dumps(table, separators=(",", ":"), sort_keys=True)
    target.write_bytes(gzip.compress(written.encode(), mtime=0))
    return len(table)


def _words(model: Path) -> tuple[list[str], NDArray[np.float32]]:
    """The stems that the tokenizer writes as whole words, and their vectors: (n_stems, dim), the mean over a stem's words."""
    vocabulary: dict[str, int] = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    tokens: dict[str, list[int]] = {}
    common: set[str] = set()  # names are written with a capital alone
    for token, number in vocabulary.items():
        whole = _WHOLE_WORD.fullmatch(token)
        if whole and stem(word := whole[1].lower()) not in STOP_WORDS:
            tokens.setdefault(stem(word), []).append(number)
            if whole[1].islower():
                common.add(stem(word))
    stems = [one for one in tokens if one in common]
    with safe_open(model / "model.safetensors", "pt") as file:  # numpy knows no bfloat16
        names = [name for name in file.keys() if name.endswith("embed_tokens.weight")]  # noqa: SIM118 - no mapping
        if not names or not stems:
            raise InputRefused(f"{model} has no input embeddings of whole words; a model with a byte-level tokenizer is needed")
        embeddings: NDArray[np.float32] = file.get_tensor(names[0]).float().numpy()
    return stems, np.stack([embeddings[tokens[one]].mean(axis=0) for one in stems])


def without_common(vectors: NDArray[np.float32], *, seed: int) -> NDArray[np.float32]:
    """(n, dim) of unit length, without the mean and the first principal components, which are those of a sample."""
    centred = vectors - vectors.mean(axis=0)
    sample = np.random.default_rng(seed).choice(len(centred), min(_SAMPLE, len(centred)), replace=False)
    common = np.linalg.svd(centred[sample], full_matrices=False)[2][:_COMMON_COMPONENTS]
    rest = centred - centred @ common.T @ common
    unit: NDArray[np.float32] = rest / np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-9)
    return unit


def nearest(stems: Sequence[str], vectors: NDArray[np.float32]) -> Mapping[str, Mapping[str, float]]:
    """For each stem its `MOST` nearest, from `LEAST_COSINE`, with their cosines; stems without any are left out."""
    table: dict[str, dict[str, float]] = {}
    for number, stem_ in enumerate(stems):
        cosines = vectors @ vectors[number]
        cosines[number] = 0.0
        best = np.argsort(-cosines, kind="stable")[:MOST]
        found = {stems[i]: round(float(cosines[i]), 2) for i in best if cosines[i] >= LEAST_COSINE}
        if found:
            table[stem_] = found
    return table
