"""A merged model answers as its base with the adapter, and reads prompts as its base does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from finetune.merge import merge_adapter
from ingest.errors import InputRefused
from tests.finetune.tiny_model import write_tiny_adapter, write_tiny_model

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"


def write_adapter(base: Path, folder: Path, **options: Any) -> Path:
    """The folder, now with a random adapter of the kind that the options ask for."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    values = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "init_lora_weights": False, **options}
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(task_type="CAUSAL_LM", **values))
    model.save_pretrained(folder)
    return folder


def merged_by_peft(base: Path, adapter: Path) -> dict[str, Any]:
    """Name → weight of the model that the library merges in float32, rounded to the base's number type: the oracle."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    number_type = AutoModelForCausalLM.from_pretrained(base).dtype
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    merged = PeftModel.from_pretrained(plain, adapter).merge_and_unload()
    return {name: weight.to(number_type) for name, weight in merged.state_dict().items()}


def saved(folder: Path) -> dict[str, Any]:
    """Name → weight in a model's files."""
    from safetensors.torch import load_file

    return {name: weight for shard in sorted(folder.glob("*.safetensors")) for name, weight in load_file(shard).items()}


def assert_same_weights(seen: dict[str, Any], expected: dict[str, Any]) -> None:
    """Every weight that was saved is the expected one, up to one rounding to bfloat16, and of the same type."""
    import torch

    assert seen.keys() == expected.keys() - {"lm_head.weight"}  # tied to the embedding
    for name, weight in seen.items():
        torch.testing.assert_close(weight, expected[name], rtol=2**-7, atol=1e-6)


def change(adapter: Path, **settings: Any) -> Path:
    values = json.loads((adapter / CONFIG).read_text())
    (adapter / CONFIG).write_text(json.dumps(values | settings))
    return adapter


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "base")


@pytest.fixture
def adapter(tmp_path: Path, base: Path) -> Path:
    return write_tiny_adapter(base, tmp_path / "adapter")


def test_the_merged_model_gives_the_logits_of_base_and_adapter(tmp_path: Path, base: Path, adapter: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    (base / "notes.txt").write_text("no part of a model")
    merge_adapter(base, adapter, tmp_path / "merged")
    ids = torch.tensor([[5, 6, 7, 8]])
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    unchanged = plain(ids).logits.detach()
    expected = PeftModel.from_pretrained(plain, adapter)(ids).logits
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype="auto")
    assert merged.dtype == torch.bfloat16
    torch.testing.assert_close(merged.float()(ids).logits, expected, atol=0.02, rtol=0.02)
    assert (unchanged - expected).abs().max() > 0.1
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"):
        assert (tmp_path / "merged" / name).read_bytes() == (base / name).read_bytes()
    assert not (tmp_path / "merged" / "notes.txt").exists()
    assert not list(tmp_path.glob(".merged*"))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"target_modules": ["q_proj", "down_proj"]},
        {"use_rslora": True},
        {"rank_pattern": {"v_proj": 2, r"layers\.1\.mlp\.up_proj": 3}, "alpha_pattern": {"v_proj": 6, "down_proj": 1}},
    ],
)
def test_every_weight_is_what_the_training_library_merges(tmp_path: Path, base: Path, options: dict[str, Any]) -> None:
    adapter = write_adapter(base, tmp_path / "adapter", **options)
    merge_adapter(base, adapter, tmp_path / "merged")
    assert_same_weights(saved(tmp_path / "merged"), merged_by_peft(base, adapter))


def test_an_adapter_that_was_kept_in_bfloat16_is_added_in_float32(tmp_path: Path, base: Path, adapter: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    save_file({key: part.to(torch.bfloat16) for key, part in load_file(adapter / WEIGHTS).items()}, adapter / WEIGHTS)
    merge_adapter(base, adapter, tmp_path / "merged")
    assert_same_weights(saved(tmp_path / "merged"), merged_by_peft(base, adapter))


@pytest.mark.parametrize("number_type", ["float16", "float32"])
def test_the_number_type_is_the_base_s_own(tmp_path: Path, base: Path, adapter: Path, number_type: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    other = tmp_path / number_type
    AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, number_type)).save_pretrained(other)
    merge_adapter(other, adapter, tmp_path / "merged")
    assert_same_weights(saved(tmp_path / "merged"), merged_by_peft(other, adapter))


def test_a_base_in_several_files_gives_a_merged_model_in_as_many(tmp_path: Path, base: Path, adapter: Path) -> None:
    from transformers import AutoModelForCausalLM

    parts = tmp_path / "parts"
    AutoModelForCausalLM.from_pretrained(base).save_pretrained(parts, max_shard_size="10KB")
    names = {file.name for file in parts.glob("*.safetensors*")}
    assert len(names) > 3
    (parts / "consolidated.safetensors").write_bytes(b"the same weights once more, which the index does not name")
    merge_adapter(parts, adapter, tmp_path / "merged")
    assert {file.name for file in (tmp_path / "merged").glob("*.safetensors*")} == names
    assert_same_weights(saved(tmp_path / "merged"), merged_by_peft(base, adapter))
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "merged").num_parameters() > 0


def test_merging_needs_neither_the_training_library_nor_a_loaded_model(
    tmp_path: Path, base: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("peft", "transformers"):
        monkeypatch.setitem(sys.modules, name, None)
    merge_adapter(base, adapter, tmp_path / "merged")
    assert (tmp_path / "merged" / "model.safetensors").is_file()


def test_a_model_that_is_there_is_replaced_only_by_a_whole_one(tmp_path: Path, base: Path, adapter: Path) -> None:
    merged = tmp_path / "merged"
    merged.mkdir()
    (merged / "old").touch()
    with pytest.raises(InputRefused):
        merge_adapter(base, change(adapter, use_dora=True), merged)
    assert (merged / "old").is_file()
    merge_adapter(base, change(adapter, use_dora=False), merged)
    assert not (merged / "old").exists()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"use_dora": True}, "use_dora=True"),
        ({"modules_to_save": ["embed_tokens"]}, "modules_to_save"),
        ({"bias": "all"}, "bias='all'"),
        ({"trainable_token_indices": [1, 2]}, "trainable_token_indices"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights='pissa'"),
    ],
)
def test_what_is_no_plain_lora_is_refused_by_name(tmp_path: Path, base: Path, options: dict[str, Any], named: str) -> None:
    adapter = write_adapter(base, tmp_path / "adapter", **options)
    with pytest.raises(InputRefused, match=f"was made with .*{named}.*only plain LoRA"):
        merge_adapter(base, adapter, tmp_path / "merged")
    assert {path.name for path in tmp_path.iterdir()} == {"base", "adapter"}


@pytest.mark.parametrize("settings", [{"peft_type": "LOHA"}, {"fan_in_fan_out": True}, {"a_way_to_come": {"k": 1}}, {"r": None}])
def test_a_setting_whose_meaning_is_not_known_is_refused(
    tmp_path: Path, base: Path, adapter: Path, settings: dict[str, Any]
) -> None:
    with pytest.raises(InputRefused, match=f"was made with {next(iter(settings))}="):
        merge_adapter(base, change(adapter, **settings), tmp_path / "merged")


def test_a_weight_of_another_kind_is_refused(tmp_path: Path, base: Path) -> None:
    adapter = write_adapter(base, tmp_path / "adapter", target_modules=["embed_tokens"])
    with pytest.raises(InputRefused, match=r"embed_tokens\..*, which is no LoRA weight of a linear layer"):
        merge_adapter(base, adapter, tmp_path / "merged")


def test_ranks_that_contradict_the_settings_are_refused(tmp_path: Path, base: Path, adapter: Path) -> None:
    with pytest.raises(InputRefused, match=r"is damaged: .* rank 5"):
        merge_adapter(base, change(adapter, r=5), tmp_path / "merged")


def test_an_adapter_of_another_model_is_refused_and_nothing_is_left(tmp_path: Path, base: Path) -> None:
    other = write_tiny_adapter(write_tiny_model(tmp_path / "other", hidden=48), tmp_path / "adapter")
    with pytest.raises(InputRefused, match="does not fit base"):
        merge_adapter(base, other, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def rewrite(base: Path, **replaced: Any) -> None:
    """Writes the base's file of weights anew, with some of them replaced or added."""
    from safetensors.torch import save_file

    save_file(saved(base) | replaced, base / "model.safetensors")


def test_an_adapter_for_the_head_of_a_model_that_ties_it_is_refused(tmp_path: Path, base: Path, adapter: Path) -> None:
    import torch
    from safetensors.torch import save_file

    words, width = saved(base)["model.embed_tokens.weight"].shape
    head = {"A": torch.ones(4, width), "B": torch.ones(words, 4)}
    save_file({f"base_model.model.lm_head.lora_{side}.weight": part for side, part in head.items()}, adapter / WEIGHTS)
    with pytest.raises(InputRefused, match=r"has no lm_head\.weight"):
        merge_adapter(base, adapter, tmp_path / "merged")
    rewrite(base, **{"lm_head.weight": saved(base)["model.embed_tokens.weight"].clone()})
    with pytest.raises(InputRefused, match="its head is its embedding"):
        merge_adapter(base, adapter, tmp_path / "merged")


def test_a_quantised_base_is_refused(tmp_path: Path, base: Path, adapter: Path) -> None:
    import torch

    name = "model.layers.0.mlp.up_proj.weight"
    rewrite(base, **{name: torch.zeros(saved(base)[name].shape, dtype=torch.int8)})
    with pytest.raises(InputRefused, match=f"its {name} is quantised"):
        merge_adapter(base, adapter, tmp_path / "merged")


def test_a_damaged_base_is_refused(tmp_path: Path, base: Path, adapter: Path) -> None:
    weights = base / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(InputRefused, match="is no whole safetensors file"):
        merge_adapter(base, adapter, tmp_path / "merged")
    (base / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"x": "../elsewhere.safetensors"}}))
    with pytest.raises(InputRefused, match=r"lacks \.\./elsewhere"):
        merge_adapter(base, adapter, tmp_path / "merged")


@pytest.mark.parametrize("harm", [WEIGHTS, CONFIG])
def test_a_folder_without_an_adapter_is_refused(tmp_path: Path, base: Path, adapter: Path, harm: str) -> None:
    for content in (b"no such thing", None):
        (adapter / harm).unlink() if content is None else (adapter / harm).write_bytes(content)
        with pytest.raises(InputRefused, match="there is no adapter at"):
            merge_adapter(base, adapter, tmp_path / "merged")


def test_a_folder_without_a_model_is_refused(tmp_path: Path, adapter: Path) -> None:
    with pytest.raises(InputRefused, match="there is no model at"):
        merge_adapter(tmp_path, adapter, tmp_path / "merged")
