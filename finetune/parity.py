"""Is what is served what was trained? The same prompts through transformers and peft, and through the engine that serves.

Invariants. Both sides are given messages, so that the chat template and the tokenizer are compared as well as the weights.
Both decode greedily; bfloat16 rounds a logit of 16 to 32 to eighths, so two candidates nearer than that may change places, and
a first difference between two such candidates is no difference. Loads torch only for the reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from finetune.chat_template import prompt_ids
from finetune.generation import greedy_config
from finetune.types import Message
from ingest.errors import InputRefused, Unavailable

NEAR_TIE_NATS = 0.15
"""Just over one step of bfloat16 at the size of this model's logits (0.125)."""

AGREEMENT = 0.98
"""The share of prompts that must be answered alike."""

_ALTERNATIVES = 10
_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Greedy:
    """A greedy answer: token ids, the log-probability (nats) of each, and the likeliest tokens at each step."""

    prompt_ids: tuple[int, ...]
    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    likeliest: tuple[Mapping[int, float], ...]


@dataclass(frozen=True, slots=True)
class Parity:
    """How two sides agree over `prompts`. `max_gap_nats` is the greatest distance of the two candidates at a first difference.

    `mean_logprob_gap` is the mean absolute distance of the two sides' log-probabilities over the tokens that both wrote.
    """

    prompts: int
    same: int
    near_tie: int
    different: int
    agreement: float
    max_gap_nats: float
    mean_logprob_gap: float
    passed: bool


def reference(
    base_model: Path, adapter: Path | None, prompts: Sequence[Sequence[Message]], *, max_new_tokens: int = 32
) -> list[Greedy]:
    """The greedy answers of the base model, with the adapter unless it is None, one prompt at a time.

    Without a GPU they are computed in float32, so that only the engine's rounding is left to differ: over 50 prompts the served
    bfloat16 model then differed by 0.012 nats a token, against 0.016 where the reference was rounded as well.

    Raises:
        InputRefused: a folder holds no model or no adapter.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    for folder, file in ((base_model, "config.json"), (adapter, "adapter_config.json")):
        if folder is not None and not (folder / file).is_file():
            raise InputRefused(f"there is no {file} in {folder}: give the folder of a model and that of an adapter for it")
    tokenizer = AutoTokenizer.from_pretrained(base_model, local_files_only=True)
    number_type: Any = "auto" if torch.cuda.is_available() else torch.float32
    model: Any = AutoModelForCausalLM.from_pretrained(base_model, dtype=number_type, local_files_only=True)
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter)
    model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    return [_answer(model, tokenizer, prompt_ids(tokenizer, prompt), max_new_tokens) for prompt in prompts]


def _answer(model: Any, tokenizer: Any, ids: Sequence[int], max_new_tokens: int) -> Greedy:
    import torch

    given = torch.tensor([list(ids)], device=model.device)
    with torch.inference_mode():
        written = model.generate(
            input_ids=given,
            attention_mask=torch.ones_like(given),
            generation_config=greedy_config(model, tokenizer, max_new_tokens, logits=True),
        )
    tokens = written.sequences[0, len(ids) :].tolist()
    steps = [torch.log_softmax(logits[0].float(), dim=-1) for logits in written.logits]
    likeliest = []
    for step in steps:
        best = step.topk(min(_ALTERNATIVES, len(step)))
        likeliest.append(dict(zip(best.indices.tolist(), best.values.tolist(), strict=True)))
    logprobs = tuple(float(step[token]) for step, token in zip(steps, tokens, strict=True))
    return Greedy(tuple(ids), tuple(tokens), logprobs, tuple(likeliest))


def all_served(
    base_url: str, api_key: str, model: str, prompts: Sequence[Sequence[Message]], *, max_new_tokens: int, at_once: int
) -> Iterator[Greedy]:
    """The answers of `served` in the order of the prompts, as they come; `at_once` of them are asked together.

    Raises:
        Unavailable: as `served`.
    """

    def ask(prompt: Sequence[Message]) -> list[Greedy]:
        return served(base_url, api_key, model, [prompt], max_new_tokens=max_new_tokens)

    with ThreadPoolExecutor(at_once) as threads:
        for answers in threads.map(ask, prompts):
            yield from answers


def served(
    base_url: str, api_key: str, model: str, prompts: Sequence[Sequence[Message]], *, max_new_tokens: int = 32
) -> list[Greedy]:
    """The greedy answers of an OpenAI-compatible vLLM endpoint (`base_url` ends in `/v1`), one prompt at a time.

    Raises:
        Unavailable: the endpoint cannot be reached, or does not give token ids and log-probabilities.
    """
    answers = []
    for prompt in prompts:
        body = {
            "model": model,
            "messages": [{"role": message.role, "content": message.content} for message in prompt],
            "max_tokens": max_new_tokens,
            **_PLAIN,
            "logprobs": True,
            "top_logprobs": _ALTERNATIVES,
            "return_token_ids": True,
            "return_tokens_as_token_ids": True,
        }
        answer = _post(base_url, api_key, "chat/completions", body)
        try:
            choice = answer["choices"][0]
            steps = choice["logprobs"]["content"]
            answers.append(
                Greedy(
                    tuple(answer["prompt_token_ids"]),
                    tuple(choice["token_ids"]),
                    tuple(float(step["logprob"]) for step in steps),
                    tuple({_token_id(one["token"]): one["logprob"] for one in step["top_logprobs"]} for step in steps),
                )
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise Unavailable(f"{base_url} gives no token ids and log-probabilities ({error!r}): parity needs vLLM") from error
    return answers


def compare(expected: Sequence[Greedy], found: Sequence[Greedy]) -> Parity:
    """How `found` (served) agrees with `expected` (reference), prompt by prompt."""
    same = near = 0
    gaps, distances = [0.0], list[float]()
    for one, other in zip(expected, found, strict=True):
        shared = _shared(one, other)
        distances.extend(abs(a - b) for a, b in zip(one.logprobs[:shared], other.logprobs[:shared], strict=True))
        if one.prompt_ids == other.prompt_ids and one.ids == other.ids:
            same += 1
            continue
        gap = _gap(one, other, shared)
        gaps.append(gap)
        near += one.prompt_ids == other.prompt_ids and gap < NEAR_TIE_NATS
    agreement = (same + near) / len(expected) if expected else 0.0
    return Parity(
        prompts=len(expected),
        same=same,
        near_tie=near,
        different=len(expected) - same - near,
        agreement=round(agreement, 4),
        max_gap_nats=round(max(gaps), 4),
        mean_logprob_gap=round(sum(distances) / len(distances), 5) if distances else 0.0,
        passed=agreement >= AGREEMENT,
    )


def _shared(one: Greedy, other: Greedy) -> int:
    """How many tokens the two have in common from the beginning."""
    if one.prompt_ids != other.prompt_ids:
        return 0
    length = 0
    for a, b in zip(one.ids, other.ids, strict=False):
        if a != b:
            break
        length += 1
    return length


def _gap(one: Greedy, other: Greedy, at: int) -> float:
    """The distance in nats of the two candidates at the first difference, by the reference; at least that of its last known."""
    if at >= len(one.likeliest) or at >= len(other.ids):
        return 0.0 if at == len(one.ids) == len(other.ids) else NEAR_TIE_NATS
    likeliest = one.likeliest[at]
    return one.logprobs[at] - likeliest.get(other.ids[at], min(likeliest.values()))


# Greedy, whatever a model's own generation configuration asks for.
_PLAIN = {"temperature": 0.0, "top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}


def _post(base_url: str, api_key: str, path: str, body: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {api_key}"}
    try:
        answer = httpx.post(f"{base_url.rstrip('/')}/{path}", json=body, headers=headers, timeout=_TIMEOUT_S, trust_env=False)
        answer.raise_for_status()
        return answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(f"the engine at {base_url} does not answer as it should ({error}): is it running?") from error


def _token_id(token: str) -> int:
    """The id in vLLM's `token_id:123`."""
    return int(token.removeprefix("token_id:"))
