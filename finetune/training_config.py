"""How an adapter is trained: every value that the result depends on, checked before anything is loaded.

A configuration is a preset's name (`smoke`, `mini`, `standard`) or a TOML file with the same keys. Unknown keys are refused by
name, so that a misspelt one is not silently the default. This module knows no model and no library that trains.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ingest.errors import InputRefused

PRESETS = ("smoke", "mini", "standard")
METHODS = ("lora",)
SCHEDULES = ("linear", "cosine", "constant")
DTYPES = ("auto", "bfloat16", "float32")
KEPT = ("last", "best")

_FOLDER = Path(__file__).with_name("presets")

# name → (smallest, greatest), both allowed.
_RANGES: dict[str, tuple[float, float]] = {
    "rank": (1, 256),
    "alpha": (1, 1024),
    "dropout": (0.0, 0.9),
    "learning_rate": (1e-7, 1e-1),
    "warmup_share": (0.0, 0.9),
    "epochs": (1, 100),
    "grounded_epochs": (1, 100),
    "batch_size": (1, 1024),
    "accumulation": (1, 1024),
    "max_tokens": (16, 131_072),
    "evaluate_every_steps": (1, 1_000_000),
    "checkpoint_every_steps": (1, 1_000_000),
    "seed": (0, 2**31 - 1),
    "threads": (1, 256),
    "overfitting_share": (0.0, 10.0),
    "max_steps": (1, 100_000_000),
    "prompt_loss_weight": (0.0, 10.0),
    "max_facts": (1, 10_000_000),
    "max_grounded": (0, 10_000_000),
    "max_validation": (0, 1_000_000),
    "max_rephrased": (0, 1_000_000),
    "max_test": (0, 1_000_000),
    "held_out_batch": (1, 1024),
    "max_new_tokens": (1, 4096),
}
_CHOICES = {"method": METHODS, "schedule": SCHEDULES, "dtype": DTYPES, "keep": KEPT}


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """All values of one training.

    `target_modules` are the layers that get an adapter; `all-linear` alone means every linear layer but the head. An epoch
    is one pass over the samples without passages; each sample with passages is seen in `grounded_epochs` of them, spread
    evenly, because it is ten times as long. `dtype` is that of the frozen weights: `auto` is bfloat16 where the processor
    computes in it. `keep` says whose weights become the adapter: those of the `last` step, or, if
    the evaluation loss has risen by more than `overfitting_share` since its lowest point, those of the `best` one.
    `max_steps` ends the training early; the learning rate is that of the whole training until then.
    `prompt_loss_weight` times the mean loss of the tokens that samples share at their beginning is learned as well, where they
    are learned together: passages read so keep the model a model of prose, which answers alone make it forget.
    `languages` limits what is learned and measured (empty: all); `max_facts`, `max_grounded`, `max_validation`,
    `max_rephrased` and `max_test` limit how much of it; None means all of it.
    """

    method: str = "lora"
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: tuple[str, ...] = ("all-linear",)
    learning_rate: float = 1e-4
    schedule: str = "linear"
    warmup_share: float = 0.05
    epochs: int = 3
    max_steps: int | None = None
    prompt_loss_weight: float = 0.0
    grounded_epochs: int = 1
    batch_size: int = 8
    accumulation: int = 1
    max_tokens: int = 1024
    gradient_checkpointing: bool = False
    evaluate_every_steps: int = 50
    checkpoint_every_steps: int = 50
    seed: int = 1
    threads: int = 1
    dtype: str = "auto"
    keep: str = "last"
    overfitting_share: float = 0.05
    languages: tuple[str, ...] = ()
    max_facts: int | None = None
    max_grounded: int | None = None
    max_validation: int | None = None
    max_rephrased: int | None = None
    max_test: int | None = None
    held_out_batch: int = 16
    max_new_tokens: int = 48

    def values(self) -> dict[str, Any]:
        """All values, ready for JSON; `config_of` takes them back."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def load_config(name_or_path: str | Path) -> TrainingConfig:
    """The configuration of a preset, or of a TOML file.

    Raises:
        InputRefused: there is no such preset or file, it is not TOML, or a key or value is not allowed.
    """
    name = str(name_or_path)
    path = _FOLDER / f"{name}.toml" if name in PRESETS else Path(name_or_path)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputRefused(
            f"there is no training configuration {name!r}: name a preset ({', '.join(PRESETS)}) or a TOML file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputRefused(f"{name} is not TOML ({error}): correct it, or start from a preset") from error
    return config_of(values)


def config_of(values: Mapping[str, Any]) -> TrainingConfig:
    """The configuration that these values describe; what they leave out has its default.

    Raises:
        InputRefused: a key is unknown, or a value has the wrong type or lies outside its range.
    """
    known = {field.name: str(field.type) for field in fields(TrainingConfig)}
    if unknown := sorted(set(values) - set(known)):
        raise InputRefused(f"unknown training setting {', '.join(map(repr, unknown))}: allowed are {', '.join(sorted(known))}")
    checked = {name: _checked(name, known[name], value) for name, value in values.items()}
    config = TrainingConfig(**checked)
    if not config.target_modules:
        raise InputRefused("target_modules is empty: name at least one layer, or all-linear")
    if config.grounded_epochs > config.epochs:
        raise InputRefused(
            f"grounded_epochs is {config.grounded_epochs}, but there are {config.epochs} epochs: lower it, or raise epochs"
        )
    return config


def _checked(name: str, kind: str, value: Any) -> Any:
    """The value in the type its field has."""
    if value is None and kind.endswith("None"):
        return None
    if kind.startswith("tuple"):
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise InputRefused(f"{name} is {value!r}: give a list of words")
        return tuple(value)
    if kind == "bool":
        if not isinstance(value, bool):
            raise InputRefused(f"{name} is {value!r}: give true or false")
        return value
    if kind == "str":
        allowed = _CHOICES[name]
        if value not in allowed:
            raise InputRefused(f"{name} is {value!r}: allowed is {' or '.join(allowed)}")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or (kind != "float" and isinstance(value, float)):
        raise InputRefused(f"{name} is {value!r}: give {'a number' if kind == 'float' else 'a whole number'}")
    least, most = _RANGES[name]
    if not least <= value <= most:
        raise InputRefused(f"{name} is {value}: allowed is {least:g} to {most:g}")
    return float(value) if kind == "float" else value
