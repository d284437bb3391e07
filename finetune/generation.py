"""A model's greedy answers, in batches. Importing this module is cheap; calling it needs torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from finetune.chat_template import padding_token


def greedy_answers(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    *,
    batch: int,
    max_new_tokens: int,
    done: Callable[[int], bool] = lambda _batch: False,
) -> Iterator[list[str]]:
    """The answers batch by batch, in the order of the prompts; batches that are `done` are passed over as empty lists.

    The batches are always cut alike, so that a run that goes on gives the same answers as one that was never interrupted.
    """
    import torch

    padding = padding_token(tokenizer)
    for number, start in enumerate(range(0, len(prompts), batch)):
        if done(number):
            yield []
            continue
        some = prompts[start : start + batch]
        width = max(map(len, some))
        ids = torch.tensor([[padding] * (width - len(one)) + list(one) for one in some], device=model.device)
        mask = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in some], device=model.device)
        with torch.inference_mode():
            written = model.generate(
                input_ids=ids, attention_mask=mask, generation_config=greedy_config(model, tokenizer, max_new_tokens)
            )
        yield [text.strip() for text in tokenizer.batch_decode(written[:, width:], skip_special_tokens=True)]


def greedy_config(model: Any, tokenizer: Any, max_new_tokens: int, *, logits: bool = False) -> Any:
    """Plain greedy decoding that ends where the model's own configuration says; its sampling habits are left out.

    With `logits`, generating returns an object that holds each step's logits beside the tokens.
    """
    from transformers import GenerationConfig

    own = model.generation_config.eos_token_id
    return GenerationConfig(
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=own if own is not None else tokenizer.eos_token_id,
        pad_token_id=padding_token(tokenizer),
        output_logits=logits,
        return_dict_in_generate=logits,
    )
