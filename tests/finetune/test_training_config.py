"""Training configurations: presets, files, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune.training_config import PRESETS, TrainingConfig, config_of, load_config
from ingest.errors import InputRefused


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_loads_and_survives_json(name: str) -> None:
    config = load_config(name)
    assert config_of(config.values()) == config


def test_a_file_may_say_only_what_differs(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('rank = 8\ntarget_modules = ["q_proj", "v_proj"]\n')
    config = load_config(tmp_path / "mine.toml")
    assert (config.rank, config.target_modules, config.epochs) == (8, ("q_proj", "v_proj"), TrainingConfig().epochs)


def test_unknown_keys_are_refused_by_name() -> None:
    with pytest.raises(InputRefused, match=r"unknown training setting 'learning_rat': allowed are .*learning_rate"):
        config_of({"learning_rat": 1e-3})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "qlora"}, "method is 'qlora': allowed is lora"),
        ({"rank": 0}, "rank is 0: allowed is 1 to 256"),
        ({"rank": 1.5}, "rank is 1.5: give a whole number"),
        ({"epochs": True}, "epochs is True: give a whole number"),
        ({"learning_rate": 5}, "learning_rate is 5: allowed is 1e-07 to 0.1"),
        ({"dropout": float("nan")}, "dropout is nan: allowed is 0 to 0.9"),
        ({"schedule": "step"}, "schedule is 'step': allowed is linear or cosine or constant"),
        ({"target_modules": "all-linear"}, "target_modules is 'all-linear': give a list of words"),
        ({"target_modules": []}, "target_modules is empty"),
        ({"gradient_checkpointing": 1}, "gradient_checkpointing is 1: give true or false"),
        ({"epochs": 2, "grounded_epochs": 3}, "grounded_epochs is 3, but there are 2 epochs"),
    ],
)
def test_values_out_of_range_are_refused_with_what_is_allowed(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputRefused) as refused:
        config_of(values)
    assert message in str(refused.value)


def test_what_is_no_preset_and_no_file_is_refused_with_the_presets() -> None:
    with pytest.raises(InputRefused, match=r"there is no training configuration 'huge': name a preset .smoke, mini, standard."):
        load_config("huge")


def test_what_is_not_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("rank =")
    with pytest.raises(InputRefused, match="is not TOML"):
        load_config(tmp_path / "bad.toml")
