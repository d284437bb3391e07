"""Embedders: unit vectors, fingerprints that tell them apart, and files without pickle."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings

from ingest.embedding import (
    DIMENSIONS,
    Embedder,
    LatentSemanticEmbeddings,
    NamedEmbeddings,
    unit_rows,
)
from ingest.encoder import EncoderEmbeddings
from ingest.errors import InputRefused
from tests.ingest.tiny_encoders import write_tiny_encoder

TEXTS = [
    "员工每年享有十天带薪年休假。",
    "年休假须提前两周申请。",
    "The pump runs at a pressure of 21,012 pascal.",
    "Check the pressure of the pump each week.",
    "Travel expenses are reimbursed within thirty days.",
]


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("encoders") / "plain")


@pytest.fixture(params=["lsa", "encoder", "named"])
def make(request: pytest.FixtureRequest) -> Callable[[], Embedder]:
    if request.param == "lsa":
        return lambda: LatentSemanticEmbeddings.fit(TEXTS)
    if request.param == "encoder":
        folder = request.getfixturevalue("encoder_folder")
        return lambda: EncoderEmbeddings(str(folder), query_prefix="query: ", document_prefix="passage: ", device="cpu")
    return lambda: NamedEmbeddings(DeterministicFakeEmbedding(size=24), name="fake@1")


def test_every_embedder_is_langchains_and_gives_one_unit_vector_a_text(make: Callable[[], Embedder]) -> None:
    embedder = make()
    assert isinstance(embedder, Embeddings)
    vectors = np.array(embedder.embed_documents(TEXTS))
    assert vectors.shape[0] == len(TEXTS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert len(embedder.embed_query("pump")) == vectors.shape[1]


def test_no_texts_give_no_vectors(make: Callable[[], Embedder]) -> None:
    assert make().embed_documents([]) == []


def test_the_same_model_has_the_same_fingerprint_and_vectors(make: Callable[[], Embedder]) -> None:
    one, other = make(), make()
    assert one.fingerprint == other.fingerprint
    assert 0 < len(one.fingerprint) <= 100
    assert np.allclose(one.embed_documents(TEXTS), other.embed_documents(TEXTS), atol=1e-6)


def test_lsa_brings_together_texts_that_share_words_only_through_others() -> None:
    lsa = LatentSemanticEmbeddings.fit(
        ["car engine", "automobile engine", "car wheel", "automobile wheel", "soup spoon", "soup plate"]
    )
    car, automobile, soup = np.array(lsa.embed_documents(["car engine wheel", "automobile engine wheel", "soup spoon plate"]))
    assert car @ automobile > 0.5 > abs(car @ soup)


def test_lsa_finds_the_right_text_in_both_languages() -> None:
    lsa = LatentSemanticEmbeddings.fit(TEXTS)
    vectors = np.array(lsa.embed_documents(TEXTS))
    assert np.argmax(vectors @ lsa.embed_query("怎么申请年休假？")) == 1
    assert np.argmax(vectors @ lsa.embed_query("reimbursed travel")) == 4


def test_a_text_of_unknown_words_has_the_zero_vector() -> None:
    lsa = LatentSemanticEmbeddings.fit(TEXTS)
    assert not any(lsa.embed_query("zebra"))
    assert not np.array(lsa.embed_documents(["zebra", ""])).any()


@pytest.mark.parametrize("texts", [["one"], ["same text"] * 5, ["", ""], ["的", "the of"], ["a1 b2", "年"]])
def test_lsa_fits_the_smallest_corpora(texts: list[str]) -> None:
    lsa = LatentSemanticEmbeddings.fit(texts)
    assert np.isfinite(lsa.embed_documents([*texts, "other"])).all()


def test_lsa_has_at_most_its_dimensions() -> None:
    lsa = LatentSemanticEmbeddings.fit([f"word{i} word{i + 1} word{i % 7}" for i in range(600)])
    assert len(lsa.embed_query("word1")) == DIMENSIONS


def test_nothing_to_fit_on_is_refused() -> None:
    with pytest.raises(InputRefused, match="at least one"):
        LatentSemanticEmbeddings.fit([])


def test_another_corpus_has_another_fingerprint() -> None:
    fingerprints = {LatentSemanticEmbeddings.fit(TEXTS[:n]).fingerprint for n in range(1, 6)}
    assert len(fingerprints) == 5


def test_what_is_saved_loads_the_same_without_pickle(tmp_path: Path) -> None:
    lsa = LatentSemanticEmbeddings.fit(TEXTS)
    lsa.save(tmp_path / "lsa")
    assert {file.suffix for file in (tmp_path / "lsa").iterdir()} == {".safetensors", ".json"}
    loaded = LatentSemanticEmbeddings.load(tmp_path / "lsa")
    assert loaded.fingerprint == lsa.fingerprint
    assert loaded.embed_documents(TEXTS) == lsa.embed_documents(TEXTS)


@pytest.mark.parametrize("file", ["lsa.safetensors", "lsa.json"])
@pytest.mark.parametrize("damage", ["missing", "cut", "of another fit"])
def test_damaged_files_are_refused(tmp_path: Path, file: str, damage: str) -> None:
    LatentSemanticEmbeddings.fit(TEXTS).save(tmp_path / "lsa")
    LatentSemanticEmbeddings.fit(TEXTS[:2]).save(tmp_path / "other")
    path = tmp_path / "lsa" / file
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    else:
        path.write_bytes((tmp_path / "other" / file).read_bytes())
    with pytest.raises(InputRefused, match="lsa"):
        LatentSemanticEmbeddings.load(tmp_path / "lsa")


def test_names_tell_services_apart() -> None:
    fake = DeterministicFakeEmbedding(size=8)
    assert NamedEmbeddings(fake, name="bge-m3").fingerprint != NamedEmbeddings(fake, name="bge-m3@2").fingerprint


def test_unit_rows_leave_zeros_as_they_are() -> None:
    rows = unit_rows([[3.0, 4.0], [0.0, 0.0]])
    assert rows.dtype == np.float32
    assert rows.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]


def test_the_saved_vocabulary_is_readable_json(tmp_path: Path) -> None:
    LatentSemanticEmbeddings.fit(TEXTS).save(tmp_path)
    assert "年休" in json.loads((tmp_path / "lsa.json").read_text())["terms"]
