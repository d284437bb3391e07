"""Very small classifiers with random weights, made here: they show that the real loading and reading code works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WINDOW = 96
WORDS = (
    "the pump has a pressure of bar and it was opened in harbour by edith weber rossi passage summarize following text output "
    "answer question briefly determine if hypothesis is true given premise : . , ? 1 2 3 4 5 6 7 8 9 0"
).split()


def tiny_tokenizer(texts: Sequence[str] = (), *, window: int = WINDOW) -> Any:
    """Words, numbers and Han characters, lower-cased, with BERT's special tokens."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    splitting = pre_tokenizers.BertPreTokenizer()
    learned = [piece for text in texts for piece, _ in splitting.pre_tokenize_str(text.lower())]
    words = dict.fromkeys([*special, *WORDS, *"水泵压力为巴港口于年由启用。，", *learned])
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(strip_accents=False)
    tokenizer.pre_tokenizer = splitting
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=window,
    )


def tiny_config(tokenizer: Any, *, hidden: int = 16, **more: Any) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * hidden,
        max_position_embeddings=tokenizer.model_max_length,
        **more,
    )


def write_tiny_encoder(folder: Path, texts: Sequence[str] = (), *, hidden: int = 32, window: int = WINDOW) -> Path:
    """A BERT without a head, that knows the words of the texts."""
    import torch
    from transformers import BertModel

    tokenizer = tiny_tokenizer(texts, window=window)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    BertModel(tiny_config(tokenizer, hidden=hidden)).save_pretrained(folder)
    return folder


def write_tiny_nli(folder: Path, labels: Mapping[int, str] | None = None) -> Path:
    """A BERT over pairs with the labels of entailment."""
    import torch
    from transformers import BertForSequenceClassification

    named = labels or {0: "contradiction", 1: "neutral", 2: "ENTAILMENT"}
    tokenizer = tiny_tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(2)
    model = BertForSequenceClassification(tiny_config(tokenizer, num_labels=len(named), id2label=dict(named)))
    torch.nn.init.normal_(model.classifier.weight, std=2.0)  # so that scores differ
    model.save_pretrained(folder)
    return folder


def write_tiny_detector(folder: Path, labels: Mapping[int, str] | None = None) -> Path:
    """A BERT over tokens, with the labels of LettuceDetect's checkpoints."""
    import torch
    from transformers import BertForTokenClassification

    named = labels or {0: "supported", 1: "hallucinated"}
    tokenizer = tiny_tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(3)
    model = BertForTokenClassification(tiny_config(tokenizer, num_labels=len(named), id2label=dict(named)))
    torch.nn.init.normal_(model.classifier.weight, std=2.0)
    model.save_pretrained(folder)
    return folder


def write_tiny_hhem(folder: Path) -> Path:
    """A T5 in the layout of HHEM-2.1-Open: the tensors of `T5ForTokenClassification` under `t5.`, tied ones once."""
    import torch
    from safetensors.torch import save_file
    from transformers import T5Config, T5ForTokenClassification

    tokenizer = tiny_tokenizer()
    tokenizer.save_pretrained(folder)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=1,
        num_heads=2,
        architectures=["T5ForConditionalGeneration"],
    )
    config.save_pretrained(folder)
    torch.manual_seed(4)
    model = T5ForTokenClassification(config)
    torch.nn.init.normal_(model.classifier.weight, std=2.0)
    tensors = {f"t5.{name}": value.contiguous().clone() for name, value in model.state_dict().items()}
    del tensors["t5.transformer.encoder.embed_tokens.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
