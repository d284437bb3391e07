"""Sentence spans are exact, and hold everything but the white space between them."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sentences import sentence_spans, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("年休假为十天。病假另计！可以吗？", ["年休假为十天。", "病假另计！", "可以吗？"]),
        ("他说：“可以。”然后走了。", ["他说：“可以。”", "然后走了。"]),
        ("It stops. It starts again! Does it?", ["It stops.", "It starts again!", "Does it?"]),
        ("See Dr. Smith. He knows.", ["See Dr. Smith.", "He knows."]),
        ("Sales grew 3.5 percent. Costs fell.", ["Sales grew 3.5 percent.", "Costs fell."]),
        ("J. Smith wrote it.", ["J. Smith wrote it."]),
        ("Stop it at 85 °C. A new seal is needed.", ["Stop it at 85 °C.", "A new seal is needed."]),
        ("A heading\n\nIts text", ["A heading", "Its text"]),
        ("a line\nthat goes on", ["a line\nthat goes on"]),
        ("Use Inc. or Ltd. after it.", ["Use Inc. or Ltd. after it."]),
        ("合同生效。The contract begins. 完。", ["合同生效。", "The contract begins.", "完。"]),
        ("", []),
        (" \n\n ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@given(st.text(alphabet="aB1.。！? \n“”\"')）年"))
def test_spans_are_in_order_and_hold_every_character_but_white_space(text: str) -> None:
    spans = sentence_spans(text)
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    outside = list(text)
    for start, end in spans:
        assert text[start:end] == text[start:end].strip()
        outside[start:end] = [" "] * (end - start)
    assert not "".join(outside).strip()


@pytest.mark.parametrize("repeated", ["A. ", "\n ", "。", ". ", '"'])
def test_hostile_pages_take_time_in_proportion_to_their_length(repeated: str) -> None:
    def seconds(times: int) -> float:
        began = time.process_time()
        sentence_spans(repeated * times)
        return time.process_time() - began

    short = max(seconds(2_000), 0.001)
    assert seconds(20_000) < 60 * short  # ten times the length; squared it would be a hundred times the time
