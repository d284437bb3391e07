"""GGUF in, a bf16 safetensors folder out. Runs as a script in the engine's environment, which has torch, transformers and gguf.

    python convert.py FILE.gguf FOLDER

The folder holds config, weights, tokenizer and chat template, as `transformers` and vLLM read them. Knows nothing of Graft.
Rounding: Q4_1 is de-quantised to fp32 and rounded once to bf16; log-probabilities agree with fp32 within that rounding.
"""

from __future__ import annotations

import sys
from pathlib import Path


def convert(source: Path, target: Path) -> None:
    """Write `target` from the GGUF file `source`.

    A model that was loaded from GGUF cannot be saved ("not serializable": transformers 5.19 keeps the quantiser), so its
    weights go into a fresh model made from the same configuration without `quantization_config`.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    loaded = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    plain = {key: value for key, value in loaded.config.to_dict().items() if key not in {"quantization_config", "_name_or_path"}}
    configuration = type(loaded.config).from_dict(plain)
    configuration.dtype = torch.bfloat16
    model = type(loaded)(configuration).to(torch.bfloat16)
    model.load_state_dict(loaded.state_dict())
    model.tie_weights()
    model.save_pretrained(target)
    # GGUF does not carry it, and without it the tokenizer claims 10^30.
    tokenizer.model_max_length = configuration.max_position_embeddings
    tokenizer.save_pretrained(target)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
