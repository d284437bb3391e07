"""Loads models from a folder: safetensors only, no code of theirs, no network, always in fp32.

Two kinds: those of sentence-transformers, and plain classifiers of transformers. A classifier is loaded whole or not at all: the
library would draw random numbers for what a file lacks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ingest.errors import InputRefused

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

    Model = TypeVar("Model", SentenceTransformer, CrossEncoder)


def load_checkpoint(kind: type[Model], folder: str, *, device: str | None = None) -> Model:
    """The model in the folder, in fp32 whatever its file holds, so that what is made of it later is made of the same numbers.

    Raises:
        InputRefused: there is no such model there, or none that may be loaded.
    """
    import torch

    what = "cross-encoder" if kind.__name__ == "CrossEncoder" else "sentence-transformers model"
    try:
        _refuse_pickle(Path(folder))
        model: Model = kind(
            folder,
            device=device,
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True, "dtype": torch.float32},
        )
    except (OSError, ValueError, KeyError) as error:
        raise InputRefused(
            f"model {folder!r} cannot be loaded ({error}); give the folder of a {what} with safetensors weights"
        ) from error
    return model


class Task(StrEnum):
    """What a classifier gives scores to."""

    TEXT = "text"
    TOKENS = "tokens"


def classifier_config(folder: str) -> dict[str, Any]:
    """The content of a checkpoint's `config.json`.

    Raises:
        InputRefused: it cannot be read, or it asks for code of the checkpoint to be run.
    """
    file = Path(folder) / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputRefused(f"{file} cannot be read ({error}); give the folder of a classifier of transformers") from error
    if not isinstance(config, dict) or "auto_map" in config:
        raise InputRefused(f"{file} asks for code that comes with the model (auto_map), and no such code is run")
    return config


@contextmanager
def quiet_library() -> Iterator[None]:
    """transformers without its bars and its report of weights that are new: what is wrong with them is said by an error."""
    from transformers.utils import logging

    bars, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def load_classifier(
    task: Task,
    folder: str,
    *,
    device: str | None = None,
    renamed: Mapping[str, str] | None = None,
    new_labels: Sequence[str] = (),
) -> tuple[Any, Any]:
    """The classifier in the folder and its tokenizer; the model is on the device, a GPU where there is one, and in use mode.

    `renamed` turns patterns of the file's tensor names into those that the library's class has. With `new_labels` the folder
    holds an encoder, and its head for these labels is new: it begins with random weights, to be trained.

    Raises:
        InputRefused: there is no such classifier there, or none that may be loaded, or weights of it are missing.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer

    kind = AutoModelForTokenClassification if task is Task.TOKENS else AutoModelForSequenceClassification
    classifier_config(folder)
    safe = {"trust_remote_code": False, "local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
        head = {"id2label": dict(enumerate(new_labels)), "num_labels": len(new_labels)} if new_labels else {}
        with quiet_library():
            model, loaded = kind.from_pretrained(
                folder,
                **safe,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                key_mapping=dict(renamed) if renamed else None,
                **head,
            )
    except (OSError, ValueError, KeyError) as error:
        raise InputRefused(
            f"model {folder!r} cannot be loaded ({error}); give the folder of a classifier of {task} with safetensors weights"
        ) from error
    encoder = f"{model.base_model_prefix}."
    if missing := sorted(name for name in loaded["missing_keys"] if not new_labels or name.startswith(encoder)):
        raise InputRefused(
            f"model {folder!r} is no trained classifier of {task}: {len(missing)} of its weights are not in the file, "
            f"{missing[0]} first; give a checkpoint that was trained for this"
        )
    return model.to(device or ("cuda" if torch.cuda.is_available() else "cpu")).eval(), tokenizer


def encodable_text(text: str) -> str:
    """The text with `?` for each half of a character, which tokenizers refuse."""
    return text.encode("utf-8", "replace").decode()


def _refuse_pickle(folder: Path) -> None:
    # The library takes safetensors alone for the transformer; for layers after it, it would take a pickled file as well.
    modules = folder / "modules.json"
    for module in json.loads(modules.read_text(encoding="utf-8")) if modules.is_file() else ():
        part = folder / module["path"]
        if any(part.glob("*.bin")) and not any(part.glob("*.safetensors")):
            raise ValueError(f"{part} holds pickled weights only")
