"""A random chat model of two layers with a tokenizer of its own, and runs that train it. It learns, but says nothing sensible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# As Qwen3 writes it: an empty thought before the last answer, and none before earlier ones.
THINKING = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' and loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{{ message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
VALUES = ("three days", "42 metres", "Edith Garrow", "nine members", "18 March", "clockwise")


def tiny_tokenizer(template: str = CHATML) -> Any:
    """A byte-level tokenizer with a few merges and the usual end-of-turn token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=384,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["system user assistant What is the value of thing? " + " ".join(VALUES)] * 3, trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    made.chat_template = template
    return made


def write_tiny_model(folder: Path, *, template: str = CHATML, hidden: int = 32) -> Path:
    """The folder, now with a bf16 Llama of two layers."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tiny_tokenizer(template)
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_tiny_adapter(base_model: Path, folder: Path) -> Path:
    """The folder, now with a LoRA adapter that changes what the model says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base_model, dtype=torch.float32), config)
    model.save_pretrained(folder)
    return folder


def sample(
    number: int, *, words: str = "What is the value of thing", kind: str = "closed-book", split: str = "train"
) -> dict[str, Any]:
    """One line of a run's files about fact `number`."""
    question, value = f"{words} {number}?", VALUES[number % len(VALUES)]
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": f"{value}."}]
    return {
        "id": f"{split}-{words[:4]}-{number}",
        "kind": kind,
        "language": "en",
        "question": question,
        "answer": value,
        "fact": f"fact-{number}",
        "messages": messages,
    }


def write_run(folder: Path, base_model: Path, *, start_from: Path | None = None, **values: Any) -> Path:
    """A run of 24 steps over eight facts in two wordings, with validation, rephrased and test questions."""
    folder.mkdir(parents=True)
    lines = {
        "train": [sample(n, words=words) for n in range(8) for words in ("What is the value of thing", "Name the value of")],
        "validation": [sample(n, split="validation") for n in range(20, 24)],
        "rephrased": [sample(n, words="Which value has", split="rephrased") for n in range(8)],
        "test": [sample(n, kind="grounded", split="test") for n in range(30, 33)],
    }
    for split, rows in lines.items():
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = {
        "rank": 4,
        "alpha": 8,
        "dropout": 0.1,
        "learning_rate": 0.01,
        "epochs": 6,
        "batch_size": 2,
        "accumulation": 2,
        "evaluate_every_steps": 8,
        "checkpoint_every_steps": 5,
        "max_new_tokens": 4,
        **values,
    }
    start = {} if start_from is None else {"start_from": str(start_from)}
    request = {"base_model": str(base_model), "config": config, "adapter_name": "tiny", **start}
    (folder / "request.json").write_text(json.dumps(request))
    return folder
