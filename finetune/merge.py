"""An adapter added into its base model's weights, as a folder that vLLM serves without LoRA.

On a processor an adapter costs 1.8 times in decoding and six times in reading the prompt; merged it costs nothing.

Invariants. A merged weight has the shape and the number type of the base's, so it fits in the base's own place: the base's files
are copied and those weights written over there, one at a time, and no more than one is ever in memory. The sum is made in
float32 and rounded once. All else is the base's byte for byte, so that the merged model reads prompts exactly as its base does.
Everything is checked before anything is written. An adapter's layers must be called as in the base's files, which is so for the
plain decoders (Llama, Qwen and their like). Needs no training library, and knows nothing of engines.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.run_folder import publish_folder
from ingest.errors import InputRefused

_ADAPTER = "adapter_model.safetensors"
_ADAPTER_CONFIG = "adapter_config.json"
_INDEX = "model.safetensors.index.json"

# Everything that decides how a prompt is read and an answer is ended.
_COPIED = (
    "config.json", "generation_config", "tokenizer", "special_tokens", "added_tokens", "chat_template", "vocab", "merges", _INDEX,
)  # fmt: skip

# As a file of weights calls them → as torch does. Weights of other types are quantised: nothing can be added to them.
_NUMBER_TYPES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}

_LORA_KEY = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")

# Settings of an adapter that say how it was trained, or that are used below. Any other one that is set changes what its weights
# mean (another scale, a magnitude, weights of its own), so it is refused by name.
_UNDERSTOOD = frozenset(
    "peft_type peft_version task_type base_model_name_or_path revision inference_mode auto_mapping target_modules "
    "exclude_modules layers_to_transform layers_pattern r lora_alpha lora_dropout rank_pattern alpha_pattern use_rslora "
    "init_lora_weights megatron_core qalora_group_size".split()
)


@dataclass(frozen=True, slots=True)
class _Weight:
    """Where a weight of the base lies: bytes `start` to `end` of the file `shard`."""

    shard: str
    number_type: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Update:
    """What an adapter adds to one weight: `scale` · B@A, where A has the shape (rank, inputs) and B (outputs, rank)."""

    layer: str
    scale: float
    shape: tuple[int, int]

    @property
    def weight(self) -> str:
        """The weight's name in the base's files."""
        return f"{self.layer}.weight"


def merge_adapter(base_model: Path, adapter: Path, target: Path) -> None:
    """Writes the merged model to `target`, which is there as a whole or not at all; one that is there is replaced.

    Raises:
        InputRefused: one of the folders holds no model or no adapter, the adapter is no plain LoRA, or it does not fit the base.
    """
    aside = target.with_name(f".{target.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        write_merged_model(base_model, adapter, aside)
        publish_folder(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_merged_model(base_model: Path, adapter: Path, folder: Path) -> None:
    """Fills `folder`, made where it is not there, with the merged model. If it fails, what is in `folder` is no model.

    Raises:
        InputRefused: as `merge_adapter`.
    """
    import torch
    from safetensors import safe_open

    shards = _shards(base_model)
    weights = {name: weight for shard in shards for name, weight in _weights(shard).items()}
    updates = _updates(adapter)
    tied = json.loads((base_model / "config.json").read_text(encoding="utf-8")).get("tie_word_embeddings", False)
    for update in updates:
        if problem := _misfit(update, weights.get(update.weight), tied=tied):
            raise InputRefused(f"the adapter at {adapter} does not fit {base_model.name} ({problem}): it was made for another")
    folder.mkdir(parents=True, exist_ok=True)
    kept = [file for file in base_model.iterdir() if file.is_file() and file.name.startswith(_COPIED)]
    for file in (*kept, *shards):
        shutil.copyfile(file, folder / file.name)
    with safe_open(adapter / _ADAPTER, framework="pt") as lora:
        for update in updates:
            a, b = (lora.get_tensor(f"base_model.model.{update.layer}.lora_{side}.weight").float() for side in "AB")
            place = weights[update.weight]
            with (folder / place.shard).open("r+b") as shard:
                shard.seek(place.start)
                content = bytearray(shard.read(place.end - place.start))
                weight = torch.frombuffer(content, dtype=getattr(torch, place.number_type)).view(place.shape)
                weight.copy_(weight.float() + update.scale * (b @ a))
                shard.seek(place.start)
                shard.write(content)


def _shards(base_model: Path) -> list[Path]:
    """The base's files of weights: those that its index names, else all."""
    found = {file.name: file for file in sorted(base_model.glob("*.safetensors"))}
    if not (base_model / "config.json").is_file() or not found:
        raise InputRefused(f"there is no model at {base_model}: it needs a folder with config.json and safetensors")
    if not (base_model / _INDEX).is_file():
        return list(found.values())
    named = set(json.loads((base_model / _INDEX).read_text(encoding="utf-8"))["weight_map"].values())
    if missing := sorted(named - found.keys()):
        raise InputRefused(f"the model at {base_model} lacks {', '.join(missing)}, which its index names: fetch it again")
    return [found[name] for name in sorted(named)]


def _weights(shard: Path) -> dict[str, _Weight]:
    """Name → place of each weight in a safetensors file.

    Source: https://huggingface.co/docs/safetensors/index#format (eight bytes of length, a header in JSON, then the numbers).
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(shard, framework="numpy"):  # refuses a file that is cut short, or whose places overlap
            pass
    except (OSError, SafetensorError) as error:
        raise InputRefused(f"{shard} is no whole safetensors file ({error}): fetch the model again") from error
    with shard.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(header_bytes))
    data = 8 + header_bytes
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            number_type = _NUMBER_TYPES.get(entry["dtype"], "")
            found[name] = _Weight(shard.name, number_type, tuple(entry["shape"]), data + start, data + end)
    return found


def _updates(adapter: Path) -> list[_Update]:
    """What the adapter adds, weight by weight."""
    from safetensors import SafetensorError, safe_open

    try:
        settings: dict[str, Any] = json.loads((adapter / _ADAPTER_CONFIG).read_text(encoding="utf-8"))
        with safe_open(adapter / _ADAPTER, framework="numpy") as lora:
            shapes = {key: tuple(lora.get_slice(key).get_shape()) for key in lora.keys()}  # noqa: SIM118  no mapping
    except (OSError, ValueError, SafetensorError) as error:
        raise InputRefused(
            f"there is no adapter at {adapter}: it needs {_ADAPTER_CONFIG} and {_ADAPTER}, both readable ({error})"
        ) from error
    _check_plain(adapter, settings)
    layers: dict[str, dict[str, tuple[int, ...]]] = {}
    for key, shape in shapes.items():
        found = _LORA_KEY.fullmatch(key)
        if found is None or len(shape) != 2:
            raise InputRefused(
                f"the adapter at {adapter} holds {key}, which is no LoRA weight of a linear layer: only plain LoRA can be "
                "merged; train the linear layers alone"
            )
        layers.setdefault(found[1], {})[found[2]] = shape
    return [_update(adapter, settings, layer, sides) for layer, sides in sorted(layers.items())]


def _check_plain(adapter: Path, settings: Mapping[str, Any]) -> None:
    """Nothing, where every setting of the adapter is one whose meaning is known here."""
    strange = [name for name, value in settings.items() if value and value != "none" and name not in _UNDERSTOOD]
    # The other ways of starting change the base's weights, and what is saved is the difference to those.
    if settings.get("init_lora_weights") not in (True, False, "gaussian", None):
        strange.append("init_lora_weights")
    if settings.get("peft_type") != "LORA":
        strange.append("peft_type")
    strange += [name for name in ("r", "lora_alpha") if not settings.get(name)]
    if strange:
        seen = ", ".join(f"{name}={settings.get(name)!r}" for name in sorted(strange))
        raise InputRefused(f"the adapter at {adapter} was made with {seen}: only plain LoRA can be merged; train without that")


def _update(adapter: Path, settings: Mapping[str, Any], layer: str, sides: Mapping[str, tuple[int, ...]]) -> _Update:
    rank = _of_layer(layer, settings.get("rank_pattern"), default=settings["r"])
    alpha = _of_layer(layer, settings.get("alpha_pattern"), default=settings["lora_alpha"])
    a, b = sides.get("A", (0, 0)), sides.get("B", (0, 0))
    if (a[0], b[1]) != (rank, rank):
        raise InputRefused(
            f"the adapter at {adapter} is damaged: {layer} should have two weights of rank {rank}, and has A {a} and B {b}"
        )
    scale = alpha / (math.sqrt(rank) if settings.get("use_rslora") else rank)
    return _Update(layer, scale, (b[0], a[1]))


def _of_layer(layer: str, patterns: Mapping[str, float] | None, *, default: float) -> float:
    """The value that the first fitting pattern gives: a pattern is an expression for the end of a layer's name."""
    return next((value for key, value in (patterns or {}).items() if re.fullmatch(rf"(.*\.)?({key})", layer)), default)


def _misfit(update: _Update, weight: _Weight | None, *, tied: bool) -> str:
    """Why the update cannot be added to the base's weight; "" where it can."""
    if weight is None:
        return f"it has no {update.weight}"
    if tied and update.layer == "lm_head":
        return "its head is its embedding and cannot be changed alone"
    if weight.shape != update.shape:
        return f"its {update.weight} is {weight.shape}, the adapter's {update.shape}"
    if not weight.number_type:
        return f"its {update.weight} is quantised"
    return ""
