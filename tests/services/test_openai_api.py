"""`/v1` with OpenAI's own client and LangChain's: what they expect is what they get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from langchain_openai import ChatOpenAI
from openai import OpenAI

from services.policy import Unsupported
from services.settings import AnswerSettings
from tests.fakes import FakeChat, pdf
from tests.product import Product

TRAVEL = "A hotel night is paid up to 140 euros [1]. Trains are booked in second class. Taxis are paid after ten at night."
QUESTION = "Up to how many euros is a hotel night paid?"
ANSWER = "A hotel night is paid up to 140 euros [2]. Trains are booked in second class. All of it is painted purple by elephants."
ASK: list[Any] = [{"role": "user", "content": QUESTION}]


@pytest.fixture
def address(product: Product) -> Iterator[str]:
    product.add("travel.pdf", pdf(TRAVEL, title="Travel rules"))
    product.use_chat(FakeChat(answer=ANSWER), answer=AnswerSettings(unsupported=Unsupported.MARK))
    with product.listening() as address:
        yield address


@pytest.fixture
def client(address: str) -> OpenAI:
    return OpenAI(base_url=f"{address}/v1", api_key="unused", max_retries=0)


def assert_annotations_hit_the_markers(content: str, annotations: Any) -> None:
    assert annotations
    for one in annotations:
        place = one["url_citation"]
        marker = content[place["start_index"] : place["end_index"]]
        assert marker.startswith("[")
        assert marker.endswith("]")
        assert content[: place["start_index"]].rstrip("[]0123456789 ").endswith((".", "”", ")"))
        assert one["graft"].keys() >= {"document", "document_id", "version", "page", "bbox", "quote", "support"}
        assert one["graft"]["quote"] in TRAVEL


def test_the_models_are_the_arms_that_are_there(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["graft-base", "graft-rag"]
    assert client.models.retrieve("graft-rag").owned_by == "graft"
    with pytest.raises(openai.NotFoundError, match="no model 'graft-tuned'"):
        client.models.retrieve("graft-tuned")


def test_a_whole_completion_carries_annotations_that_hit_its_markers(client: OpenAI) -> None:
    for style in ("generated", "quotes"):
        completion = client.chat.completions.create(model="graft-rag", messages=ASK, extra_body={"style": style})
        (choice,) = completion.choices
        assert (completion.object, choice.finish_reason, choice.message.role) == ("chat.completion", "stop", "assistant")
        content = str(choice.message.content)
        assert "140 euros" in content
        annotations = [one.model_dump() for one in choice.message.annotations or []]
        assert_annotations_hit_the_markers(content, annotations)
        assert httpx.get(annotations[0]["url_citation"]["url"]).headers["content-type"] == "image/png"
        assert completion.usage is not None
        assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens


def test_a_stream_is_the_whole_completion_in_pieces(client: OpenAI) -> None:
    whole = client.chat.completions.create(model="graft-rag", messages=ASK, extra_body={"style": "generated"})
    stream = client.chat.completions.create(
        model="graft-rag",
        messages=ASK,
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"style": "generated"},
    )
    chunks = list(stream)
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert deltas[0].role == "assistant"
    content = "".join(delta.content or "" for delta in deltas)
    assert content == whole.choices[0].message.content
    assert_annotations_hit_the_markers(content, next(delta.annotations for delta in deltas if hasattr(delta, "annotations")))
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage


def test_what_is_streamed_was_judged(client: OpenAI) -> None:
    """The sentence that no document bears out is marked in the piece that shows it."""
    stream = client.chat.completions.create(model="graft-rag", messages=ASK, stream=True, extra_body={"style": "generated"})
    pieces = [chunk.choices[0].delta.content for chunk in stream if chunk.choices and chunk.choices[0].delta.content]
    (purple,) = [piece for piece in pieces if "elephants" in piece]
    assert "not supported" in purple
    assert [piece for piece in pieces if "140 euros" in piece and "not supported" not in piece]


def test_a_sentence_is_released_repaired_or_not_at_all(product: Product) -> None:
    product.add("travel.pdf", pdf(TRAVEL, title="Travel rules"))
    later = FakeChat(answer=ANSWER, later="Taxis are paid after ten at night.")
    product.use_chat(later, answer=AnswerSettings(unsupported=Unsupported.REGENERATE))
    with product.listening() as address:
        client = OpenAI(base_url=f"{address}/v1", api_key="unused", max_retries=0)
        stream = client.chat.completions.create(model="graft-rag", messages=ASK, stream=True, extra_body={"style": "generated"})
        content = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert "elephants" not in content
    assert content.endswith("Taxis are paid after ten at night. [3]")


def test_the_lines_of_a_stream_are_openais(address: str) -> None:
    body = {"model": "graft-rag", "messages": ASK, "stream": True}
    lines = httpx.post(f"{address}/v1/chat/completions", json=body).text.split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    for line in lines[:-2]:
        assert json.loads(line.removeprefix("data: "))["object"] == "chat.completion.chunk"


def test_an_abstention_is_streamed_too(client: OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the boiling point of tungsten?"}]
    stream = client.chat.completions.create(model="graft-rag", messages=messages, stream=True)
    deltas = [chunk.choices[0].delta for chunk in stream if chunk.choices]
    assert "cannot answer" in "".join(delta.content or "" for delta in deltas)
    assert not [delta for delta in deltas if hasattr(delta, "annotations")]


def test_parts_roles_and_options_that_we_do_not_use_are_accepted(client: OpenAI) -> None:
    messages: list[Any] = [
        {"role": "system", "content": "Answer like a pirate."},
        {"role": "user", "content": "What is paid at a hotel?"},
        {"role": "assistant", "content": "Up to 140 euros.", "tool_calls": []},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}, {"type": "image_url", "image_url": {"url": "x"}}]},
    ]
    completion = client.chat.completions.create(
        model="graft-rag", messages=messages, temperature=0.7, max_tokens=9, top_p=0.5, stop=["x"], seed=1, user="ann", n=1
    )
    assert "140" in str(completion.choices[0].message.content)


def test_the_model_alone_answers_without_annotations(client: OpenAI, address: str) -> None:
    completion = client.chat.completions.create(model="graft-base", messages=ASK)
    assert "140 euros" in str(completion.choices[0].message.content)
    assert not completion.choices[0].message.annotations


def test_errors_are_openais_exceptions(product: Product, client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no model"):
        client.chat.completions.create(model="gpt-5", messages=ASK)
    with pytest.raises(openai.UnprocessableEntityError, match="n:"):
        client.chat.completions.create(model="graft-rag", messages=ASK, n=2)
    product.kb.keys.create("a", groups=["everyone"])
    with pytest.raises(openai.AuthenticationError, match="unknown or revoked") as raised:
        client.chat.completions.create(model="graft-rag", messages=ASK)
    assert raised.value.code == "http_401"


def test_an_engine_that_fails_while_it_writes_raises_in_the_client(product: Product) -> None:
    product.add("travel.pdf", pdf(TRAVEL))
    product.use_chat(FakeChat(answer=ANSWER, fails_after=12))
    with product.listening() as address:
        client = OpenAI(base_url=f"{address}/v1", api_key="unused", max_retries=0)
        stream = client.chat.completions.create(model="graft-rag", messages=ASK, stream=True, extra_body={"style": "generated"})
        with pytest.raises(openai.APIError, match="failed while it wrote"):
            list(stream)


def test_langchains_client_works_unchanged(address: str) -> None:
    chat = ChatOpenAI(base_url=f"{address}/v1", api_key=lambda: "unused", model="graft-rag")
    assert "140 euros" in str(chat.invoke(QUESTION).content)
    assert "140 euros" in "".join(str(chunk.text) for chunk in chat.stream(QUESTION))
