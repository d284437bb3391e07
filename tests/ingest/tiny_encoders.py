"""Very small sentence encoders and cross-encoders with random weights, made here: they show that the real loading code works."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "query", ":", "passage", "pump", "pressure", "travel", *"年休假员工"]


def _config(*, layers: int = 1, **more: Any) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        **more,
    )


def _save_tokenizer(folder: Path) -> None:
    from transformers import BertTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)


def write_tiny_encoder(folder: Path, *, prompts: dict[str, str] | None = None, default_prompt: str | None = None) -> Path:
    """A mean-pooled BERT of one layer and 16 dimensions."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertModel

    with TemporaryDirectory() as base:
        _save_tokenizer(Path(base))
        BertModel(_config()).save_pretrained(base)
        SentenceTransformer(modules=[Transformer(base), Pooling(16)], device="cpu").save(str(folder))
    if prompts is not None:
        file = folder / "config_sentence_transformers.json"
        said = json.loads(file.read_text())
        file.write_text(json.dumps({**said, "prompts": prompts, "default_prompt_name": default_prompt}))
    return folder


def write_tiny_cross_encoder(folder: Path, *, labels: int = 1) -> Path:
    """A BERT of one layer with a score for a pair."""
    import torch
    from transformers import BertForSequenceClassification

    _save_tokenizer(folder)
    torch.manual_seed(0)
    model = BertForSequenceClassification(_config(num_labels=labels))
    torch.nn.init.normal_(model.classifier.weight)  # so that scores differ enough to order by
    model.save_pretrained(folder)
    return folder
