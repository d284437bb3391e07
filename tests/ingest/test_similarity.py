"""Likeness is what it says, its estimate is near it, and a signature means the same for ever."""

from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.similarity import (
    SIGNATURE_SIZE,
    estimated_likeness,
    from_bytes,
    joined,
    likeness,
    shingles,
    signature,
    to_bytes,
)

WORDS = st.lists(
    st.sampled_from("pump valve seal twelve hours must be held closed while 年休假十五天 密封件 the of".split()), max_size=80
)


def test_a_text_is_like_itself_and_unlike_another() -> None:
    one, other = shingles("The pump holds twelve bar. 泵的密封件每天检查。"), shingles("Holidays are granted on request.")
    assert (likeness(one, one), likeness(one, other)) == (1.0, 0.0)


def test_a_text_without_words_is_like_nothing() -> None:
    nothing = shingles("—— … !")
    assert likeness(nothing, nothing) == 0.0
    assert estimated_likeness(signature(nothing), signature(nothing)[None]).tolist() == [0.0]


def test_spacing_case_and_width_make_no_difference() -> None:
    assert np.array_equal(shingles("The Pump  HOLDS twelve\nbar"), shingles("Ｔｈｅ pump holds twelve bar"))


@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS)
def test_the_estimate_is_near_the_likeness(one: list[str], other: list[str]) -> None:
    first, second = shingles(" ".join(one)), shingles(" ".join(other))
    estimate = float(estimated_likeness(signature(first), signature(second)[None])[0])
    assert abs(estimate - likeness(first, second)) < 0.3  # 4.8 standard errors at the most uncertain likeness


@given(WORDS, WORDS)
@settings(max_examples=40, deadline=None)
def test_the_signature_of_two_texts_together_is_the_least_of_both(one: list[str], other: list[str]) -> None:
    first, second = shingles(" ".join(one)), shingles(" ".join(other))
    both = np.union1d(first, second)
    assert np.array_equal(joined([signature(first), signature(second)]), signature(both))


def test_signatures_survive_being_kept() -> None:
    made = [signature(shingles(text)) for text in ("one two three four", "一二三四五六七")]
    kept = from_bytes([to_bytes(one) for one in made])
    assert kept.shape == (2, SIGNATURE_SIZE)
    assert np.array_equal(kept, np.array(made))


def test_a_signature_is_the_same_in_every_version() -> None:
    """Kept signatures are compared with new ones: if this changes, so must `ingest.chunking.FORMAT`."""
    made = to_bytes(signature(shingles("Full-time employees are entitled to 27 days. 全职员工每年享有二十七天年休假。")))
    assert hashlib.sha256(made).hexdigest()[:16] == "3d1e5d9495b38581"
