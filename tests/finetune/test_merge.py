"""A merged model answers as its base with the adapter, and reads prompts as its base does."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune.merge import merge_adapter
from ingest.errors import InputRefused
from tests.finetune.tiny_model import write_tiny_adapter, write_tiny_model


def test_the_merged_model_gives_the_logits_of_base_and_adapter(tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = write_tiny_model(tmp_path / "base")
    adapter = write_tiny_adapter(base, tmp_path / "adapter")
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
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"):
        assert (tmp_path / "merged" / name).read_bytes() == (base / name).read_bytes()
    assert not (tmp_path / "merged" / "notes.txt").exists()
    assert not list(tmp_path.glob(".merged*"))


def test_an_adapter_of_another_model_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    base = write_tiny_model(tmp_path / "base")
    other = write_tiny_adapter(write_tiny_model(tmp_path / "other", hidden=48), tmp_path / "adapter")
    with pytest.raises(InputRefused, match="does not fit base"):
        merge_adapter(base, other, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_a_folder_without_a_model_or_an_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="there is no model at"):
        merge_adapter(tmp_path, tmp_path, tmp_path / "merged")
