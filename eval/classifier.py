"""A classifier from a folder, asked about many texts at once: texts → tokens with their places, tokens → probabilities.

Invariants. It is loaded when first asked. Batches are of texts of like length, and what comes back is in the order given. One
thread asks at a time, and on a CPU it takes no more than a few cores from what else the process does. Nothing is cut: a long text
is read in windows. Knows nothing of evidence or sentences.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.windows import windows
from ingest.checkpoint import Task, classifier_config, encodable_text, load_classifier
from ingest.errors import InputRefused

Floats = NDArray[np.float32]

LONGEST_WINDOW = 4096
"""What is read at once also where the model could more: the length that LettuceDetect learned with, and memory grows with it."""
_LEAST_ROOM = 0.125
_CPU_THREADS = 4
# Tokens of a batch, padding counted. On a CPU eight texts of some 200 tokens cost least (docs/decisions/0015).
_BATCH_TOKENS_ON_CPU = 2048
_BATCH_TOKENS = 32_768
# A document may hold "[SEP]" or "</s>": these are letters there, and end nothing. What is too long is the caller's to see.
_AS_TEXT: dict[str, Any] = {"split_special_tokens": True, "verbose": False}
# What a tokenizer says that has no limit.
_NO_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text, or a pair of texts, as the model reads it. `second` are (token, start, end): the tokens of the second text and
    their places in it, in code points."""

    inputs: Mapping[str, list[int]]
    second: tuple[tuple[int, int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.inputs["input_ids"])


class PairEncoder:
    """A checkpoint's tokenizer: texts and pairs of texts → what its model reads. Safe to call from many threads."""

    def __init__(self, tokenizer: Any, config: Mapping[str, Any], *, folder: str) -> None:
        """Raises InputRefused where the tokenizer tells no places, or has no padding token."""
        if not tokenizer.is_fast or tokenizer.pad_token is None:
            raise InputRefused(
                f"the tokenizer of {folder!r} tells no places of its tokens, or has no padding token; give a checkpoint with "
                "tokenizer.json"
            )
        said = tokenizer.model_max_length
        self.window_tokens = min(_position_limit(config), said if 0 < said < _NO_LIMIT else LONGEST_WINDOW, LONGEST_WINDOW)
        self._tokenizer = tokenizer
        self._lock = threading.Lock()

    def places(self, text: str) -> list[tuple[int, int]]:
        """The spans of the text's tokens; special tokens and those of no width are left out."""
        made = self._made([text], add_special_tokens=False)
        return [(start, end) for start, end in made["offset_mapping"] if end > start]

    def encoded(self, first: str, second: str | None = None, *, padding_first: bool = False) -> Encoded:
        """What the model reads for the text or the pair, whole, however long; with `padding_first` behind a padding token."""
        made = self._made([first] if second is None else [first, second])
        inputs = {name: list(made[name]) for name in self._tokenizer.model_input_names if name in made}
        if padding_first:
            padding = self._tokenizer.pad_token_id
            inputs = {name: [padding if name == "input_ids" else row[0], *row] for name, row in inputs.items()}
        if second is None:
            return Encoded(inputs)
        of = zip(made.sequence_ids(0), made["offset_mapping"], strict=True)
        return Encoded(inputs, tuple((at, *span) for at, (text, span) in enumerate(of) if text == 1 and span[1] > span[0]))

    def fitted(self, text: str, places: Sequence[tuple[int, int]], made: Callable[[str], Encoded]) -> list[Encoded]:
        """What `made` makes of each window of the text: every input fits the model, and together they hold all of the text. None
        where the rest of an input leaves the text less than an eighth of it. `places` are those of the text's tokens."""
        room = self.window_tokens - len(made(""))
        while room >= min(len(places), self.window_tokens * _LEAST_ROOM):
            inputs = [made(part) for part in windows(text, places, tokens=room)]
            over = max(map(len, inputs)) - self.window_tokens
            if over <= 0:
                return inputs
            room -= over  # a part of a text may have a token more than it had within the text
        return []

    def padded(self, inputs: Sequence[Encoded]) -> Any:
        """A batch of tensors."""
        rows = {name: [list(one.inputs[name]) for one in inputs] for name in inputs[0].inputs}
        with self._lock:
            return self._tokenizer.pad(rows, padding_side="right", return_tensors="pt", verbose=False)

    def _made(self, texts: list[str], **options: Any) -> Any:
        with self._lock:
            return self._tokenizer(*map(encodable_text, texts), return_offsets_mapping=True, **_AS_TEXT, **options)


class Classifier:
    """Probabilities of a checkpoint's labels, for a text or for each of its tokens."""

    def __init__(self, folder: str, task: Task, *, device: str | None = None, renamed: Mapping[str, str] | None = None) -> None:
        """Reads the configuration; the weights are loaded when they are needed.

        Raises:
            InputRefused: the folder holds no configuration, or one that asks for code of its own.
        """
        self._config = classifier_config(folder)
        self.folder = folder
        self.labels = {int(index): str(label) for index, label in (self._config.get("id2label") or {}).items()}
        self._task, self._device, self._renamed = task, device, renamed
        self._one_at_a_time = threading.RLock()
        self._loaded: tuple[Any, PairEncoder] | None = None

    @property
    def encoder(self) -> PairEncoder:
        """What makes its inputs.

        Raises:
            InputRefused: the checkpoint cannot be loaded.
        """
        return self._ready()[1]

    def probabilities(self, inputs: Sequence[Encoded]) -> list[Floats]:
        """For each input, in order: (n_labels,) for a text, (n_tokens, n_labels) for tokens; each row sums to 1.

        Raises:
            InputRefused: the checkpoint cannot be loaded.
        """
        model, encoder = self._ready()
        on_cpu = model.device.type == "cpu"
        found: dict[int, Floats] = {}
        with self._one_at_a_time, _few_threads() if on_cpu else contextlib.nullcontext():
            for batch in _batches(inputs, _BATCH_TOKENS_ON_CPU if on_cpu else _BATCH_TOKENS):
                found.update(zip(batch, _asked(model, encoder, [inputs[at] for at in batch]), strict=True))
        return [found[at] for at in range(len(inputs))]

    def _ready(self) -> tuple[Any, PairEncoder]:
        with self._one_at_a_time:
            if self._loaded is None:
                model, tokenizer = load_classifier(self._task, self.folder, device=self._device, renamed=self._renamed)
                self._loaded = model, PairEncoder(tokenizer, self._config, folder=self.folder)
            return self._loaded


def _asked(model: Any, encoder: PairEncoder, inputs: Sequence[Encoded]) -> list[Floats]:
    import torch

    with torch.inference_mode():
        logits = model(**encoder.padded(inputs).to(model.device)).logits
        rows = torch.softmax(logits.float(), dim=-1).cpu().numpy()
    return list(rows) if rows.ndim == 2 else [row[: len(one)] for row, one in zip(rows, inputs, strict=True)]


def _batches(inputs: Sequence[Encoded], tokens: int) -> Iterator[list[int]]:
    """The places of the inputs, shortest first, as many together as fit into `tokens` once they are padded."""
    batch: list[int] = []
    for at in sorted(range(len(inputs)), key=lambda at: len(inputs[at])):
        if batch and (len(batch) + 1) * len(inputs[at]) > tokens:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch


def _position_limit(config: Mapping[str, Any]) -> int:
    """The longest input for which the model has positions; families of RoBERTa begin to count behind their padding token."""
    positions = int(config.get("max_position_embeddings") or LONGEST_WINDOW)
    if "roberta" in str(config.get("model_type")):
        positions -= int(config.get("pad_token_id") or 1) + 1
    return positions


@contextlib.contextmanager
def _few_threads() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(min(before, _CPU_THREADS))
    try:
        yield
    finally:
        torch.set_num_threads(before)
