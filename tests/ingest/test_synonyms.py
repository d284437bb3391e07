"""The table of English synonyms that ships with the product, and how it is made."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ingest.errors import InputRefused
from ingest.synonyms import SYNONYMS_FILE, synonyms
from ingest.tokens import STOP_WORDS, stem
from services.house_models.synonyms import LEAST_COSINE, MOST, make_synonyms, nearest


@pytest.mark.parametrize(("word", "other"), [("doctor", "physician"), ("buy", "purchase"), ("pay", "paid"), ("movie", "film")])
def test_words_of_like_meaning_are_known(word: str, other: str) -> None:
    assert stem(other) in dict(synonyms(stem(word)))


def test_what_is_no_word_has_none() -> None:
    assert synonyms("hx200") == []


def test_the_table_holds_stems_with_likenesses_and_nothing_else() -> None:
    table = json.loads(gzip.decompress(SYNONYMS_FILE.read_bytes()))
    for word, found in table.items():
        assert stem(word) and word not in STOP_WORDS and word not in found
        assert 0 < len(found) <= MOST
        assert all(LEAST_COSINE <= likeness < 1 for likeness in found.values())


def test_the_nearest_come_first_and_far_ones_not_at_all() -> None:
    vectors = np.array([[1, 0], [0.9, 0.435], [0, 1]], dtype=np.float32)
    assert list(nearest(["a", "b", "c"], vectors)["a"]) == ["b"]
    assert list(nearest(["a", "b", "c"], vectors)["b"]) == ["a", "c"]


def test_the_same_model_makes_the_same_file(tmp_path: Path) -> None:
    words = ["pump", "pumps", "valve", "lamp", "the", "Berlin"]
    model = tmp_path / "model"
    model.mkdir()
    (model / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {f"Ġ{word}": i for i, word in enumerate(words)}}}))
    generator = torch.Generator().manual_seed(0)
    save_file({"model.embed_tokens.weight": torch.randn(6, 8, generator=generator).bfloat16()}, model / "model.safetensors")
    make_synonyms(model, tmp_path / "one.gz")
    make_synonyms(model, tmp_path / "two.gz")
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    assert set(json.loads(gzip.decompress((tmp_path / "one.gz").read_bytes()))) <= {"pump", "valv", "lamp"}


def test_a_model_without_input_embeddings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"Ġpump": 0}}}))
    save_file({"other": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(InputRefused, match="no input embeddings"):
        make_synonyms(tmp_path, tmp_path / "out.gz")
