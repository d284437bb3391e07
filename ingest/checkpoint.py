"""Loads sentence-transformers models from a folder: safetensors only, no code of theirs, no network, always in fp32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

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
