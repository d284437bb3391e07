"""What is learned is what would be served: prompts and answers token for token, with the model's own template."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from finetune.chat_template import IGNORED, encode, prompt_ids
from finetune.types import Message
from ingest.errors import InputRefused
from tests.finetune.tiny_model import CHATML, THINKING, tiny_tokenizer

TALK = (
    Message("system", "Be brief."),
    Message("user", "What is the value of thing 1?"),
    Message("assistant", "three days."),
    Message("user", "And 泵 2?"),
    Message("assistant", "42 metres 泵."),
)


def learned(tokenizer: Any, labels: tuple[int, ...]) -> list[str]:
    """The texts that are learned, one a run of labels."""
    spans: list[list[int]] = [[]]
    for label in labels:
        if label != IGNORED:
            spans[-1].append(label)
        elif spans[-1]:
            spans.append([])
    return [tokenizer.decode(span) for span in spans if span]


@pytest.mark.parametrize("template", [CHATML, THINKING])
def test_the_tokens_are_those_of_the_models_own_template(template: str) -> None:
    tokenizer = tiny_tokenizer(template)
    turns = [{"role": message.role, "content": message.content} for message in TALK]
    assert list(encode(tokenizer, TALK).ids) == tokenizer.apply_chat_template(turns, tokenize=True, return_dict=True)["input_ids"]


def test_every_assistant_message_is_learned_with_its_end_and_nothing_else_is() -> None:
    tokenizer = tiny_tokenizer()
    assert learned(tokenizer, encode(tokenizer, TALK).labels) == ["three days.<|im_end|>", "42 metres 泵.<|im_end|>"]


def test_what_a_template_writes_for_the_model_is_learned_where_the_engine_leaves_it_to_the_model() -> None:
    tokenizer = tiny_tokenizer(THINKING)
    assert learned(tokenizer, encode(tokenizer, TALK).labels) == [
        "three days.<|im_end|>",
        "<think>\n\n</think>\n\n42 metres 泵.<|im_end|>",
    ]


@pytest.mark.parametrize("template", [CHATML, THINKING])
def test_an_answer_is_learned_after_exactly_the_prompt_that_is_served(template: str) -> None:
    tokenizer = tiny_tokenizer(template)
    sample = encode(tokenizer, TALK)
    for turn in (2, 4):
        prompt = prompt_ids(tokenizer, TALK[:turn])
        assert list(sample.ids[: len(prompt)]) == prompt
        assert sample.labels[len(prompt) - 1] == IGNORED
        assert sample.labels[len(prompt)] == sample.ids[len(prompt)]


def test_the_default_chat_model_is_trained_on_its_serving_tokens() -> None:
    from transformers import AutoTokenizer

    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "graft" / "models" / "smollm2-135m-reader"
    if not (folder / "tokenizer.json").is_file():
        pytest.skip("the default chat model is not in the cache")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    sample = encode(tokenizer, TALK)
    assert learned(tokenizer, sample.labels) == ["three days.<|im_end|>", "42 metres 泵.<|im_end|>"]
    assert list(sample.ids[: len(prompt_ids(tokenizer, TALK[:4]))]) == prompt_ids(tokenizer, TALK[:4])


def test_an_answer_that_would_be_learned_after_another_prompt_than_is_served_is_refused() -> None:
    glued = CHATML.replace("{{ '<|im_start|>assistant\n' }}", "{{ '<|im_start|>assistant\nAnswer: ' }}")
    with pytest.raises(InputRefused, match="message 3 would be learned after other tokens than it is served after"):
        encode(tiny_tokenizer(glued), TALK[:3])


def test_a_conversation_that_ends_with_a_question_is_refused() -> None:
    with pytest.raises(InputRefused, match="the last message is not the assistant's"):
        encode(tiny_tokenizer(), TALK[:2])
