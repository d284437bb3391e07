"""A conversation → the tokens that the engine would see, and which of them the model learns to write.

Invariants. The tokens are those of the model's own chat template, token for token: no template is patched. What comes before
an assistant's message is exactly the prompt that serving would send, and what is learned is exactly what serving would then
read: the message and the token that ends it. This holds for every assistant message of a conversation.

trl learns from `{% generation %}` marks and has patched templates for the models it knows; the default chat model is not
among them, so the spans are found by rendering the conversation up to each assistant message, which needs no list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finetune.types import Message
from ingest.errors import InputRefused

IGNORED = -100
"""The label of a token that is not learned."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of a whole conversation and, position by position, the same id where it is learned, else `IGNORED`."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def learned(self) -> int:
        """How many tokens are learned."""
        return sum(label != IGNORED for label in self.labels)


def prompt_ids(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """The token ids of a prompt as an OpenAI-compatible engine makes them from these messages."""
    return _render(tokenizer, messages, prompt=True)


def encode(tokenizer: Any, messages: Sequence[Message]) -> Encoded:
    """The conversation's tokens with every assistant message and its end to learn.

    Raises:
        InputRefused: the last message is not the assistant's, or the template gives a prompt other tokens once the answer
            follows (an answer that begins with white space does this in most templates), or no token ends a message.
    """
    if not messages or messages[-1].role != "assistant":
        raise InputRefused("the last message is not the assistant's: there is nothing to learn from this conversation")
    whole = _render(tokenizer, messages, prompt=False)
    labels = [IGNORED] * len(whole)
    ends = end_tokens(tokenizer)
    for index, message in enumerate(messages):
        if message.role != "assistant":
            continue
        prompt = _render(tokenizer, messages[:index], prompt=True)
        if whole[: len(prompt)] != prompt:
            raise InputRefused(
                f"message {index + 1} would be learned after other tokens than it is served after: remove white space at its "
                "beginning, or split the conversation before it"
            )
        end = next((at for at in range(len(prompt), len(whole)) if whole[at] in ends), None)
        if end is None:
            raise InputRefused(f"the chat template puts no end-of-turn token after message {index + 1}: use a chat model")
        labels[len(prompt) : end + 1] = whole[len(prompt) : end + 1]
    return Encoded(tuple(whole), tuple(labels))


def end_tokens(tokenizer: Any) -> frozenset[int]:
    """The ids of the tokens that end a message: the tokenizer's end token and the usual end-of-turn tokens that it has."""
    usual = ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|endoftext|>")
    vocabulary = tokenizer.get_added_vocab()
    return frozenset({tokenizer.eos_token_id, *(vocabulary[token] for token in usual if token in vocabulary)} - {None})


def padding_token(tokenizer: Any) -> int:
    """The id that fills a batch up; which one does not matter, since nothing is learned from it and nothing reads it."""
    return int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id)


def _render(tokenizer: Any, messages: Sequence[Message], *, prompt: bool) -> list[int]:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    rendered = tokenizer.apply_chat_template(turns, tokenize=True, return_dict=True, add_generation_prompt=prompt)
    return list(rendered["input_ids"])
