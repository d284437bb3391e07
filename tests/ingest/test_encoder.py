"""Sentence encoders: prefixes as their authors define them, fingerprints that tell them apart, files without pickle."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from ingest.encoder import EncoderEmbeddings
from ingest.encoder_backends import Backend
from ingest.errors import InputRefused, UsageError
from tests.ingest.tiny_encoders import write_tiny_encoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("encoders") / "plain")


def encoder(folder: Path, *, query: str | None = None, document: str | None = None, **more: Backend) -> EncoderEmbeddings:
    return EncoderEmbeddings(str(folder), query_prefix=query, document_prefix=document, device="cpu", **more)


def with_prompts(folder: Path, target: Path, prompts: str) -> Path:
    shutil.copytree(folder, target)
    (target / "config_sentence_transformers.json").write_text(prompts)
    return target


def test_questions_and_documents_are_read_with_their_prefixes(folder: Path) -> None:
    plain, prefixed = encoder(folder), encoder(folder, query="query: ", document="passage: ")
    assert np.allclose(prefixed.embed_query("pump"), plain.embed_query("query: pump"), atol=1e-6)
    assert np.allclose(prefixed.embed_documents(["pump"]), plain.embed_documents(["passage: pump"]), atol=1e-6)
    assert plain.fingerprint != prefixed.fingerprint


@pytest.mark.parametrize("name", ["document", "passage", "corpus"])
def test_prefixes_that_are_not_named_are_the_checkpoints_own(folder: Path, tmp_path: Path, name: str) -> None:
    said = f'{{"prompts": {{"query": "query: ", "{name}": "passage: "}}, "default_prompt_name": null}}'
    own = encoder(with_prompts(folder, tmp_path / "own", said))
    named = encoder(folder, query="query: ", document="passage: ")
    assert own.fingerprint == named.fingerprint
    assert np.allclose(own.embed_query("pump"), named.embed_query("pump"), atol=1e-6)
    assert np.allclose(own.embed_documents(["pump"]), named.embed_documents(["pump"]), atol=1e-6)


def test_named_prefixes_go_before_the_checkpoints_own_also_where_they_are_empty(folder: Path, tmp_path: Path) -> None:
    said = '{"prompts": {"query": "travel ", "document": "travel "}, "default_prompt_name": "query"}'
    silenced = encoder(with_prompts(folder, tmp_path / "own", said), query="", document="")
    assert np.allclose(silenced.embed_query("pump"), encoder(folder).embed_query("pump"), atol=1e-6)
    assert np.allclose(silenced.embed_documents(["pump"]), encoder(folder).embed_documents(["pump"]), atol=1e-6)


def test_a_default_prompt_of_the_checkpoint_is_not_put_before_documents(folder: Path, tmp_path: Path) -> None:
    said = '{"prompts": {"query": "travel "}, "default_prompt_name": "query"}'
    own = encoder(with_prompts(folder, tmp_path / "own", said))
    assert np.allclose(own.embed_documents(["pump"]), encoder(folder).embed_documents(["pump"]), atol=1e-6)


def test_a_vector_does_not_depend_on_what_else_is_embedded(folder: Path) -> None:
    model = encoder(folder)
    texts = ["pump pressure " * length for length in range(1, 20)]
    assert np.allclose(model.embed_documents(texts)[3], model.embed_documents([texts[3]])[0], atol=1e-5)


@pytest.mark.parametrize("text", ["", " ", "\0", "\ud800 pump", "pump " * 4000, "年休假员工", "🙂"])
def test_odd_texts_have_unit_vectors(folder: Path, text: str) -> None:
    model = encoder(folder)
    assert np.linalg.norm(model.embed_documents([text])[0]) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(model.embed_query(text)) == pytest.approx(1, abs=1e-5)
    assert model.chunk_size(30).count(text) >= 0


def test_chunks_are_counted_in_the_encoders_tokens_and_leave_room_for_title_and_headings(folder: Path) -> None:
    model = encoder(folder)
    size = model.chunk_size(30)
    assert (size.tokens, size.tokenizer) == (30, model.fingerprint)
    assert size.count("pump pump pump") == 3 * size.count("pump")
    assert model.chunk_size(100_000).tokens < 100_000


def test_counting_and_embedding_go_on_at_the_same_time(folder: Path) -> None:
    model = encoder(folder)
    failed: list[RuntimeError] = []

    def work(number: int) -> None:
        try:
            for _ in range(20):
                if number % 2:
                    model.chunk_size(30).count("pump pressure " * 100)
                else:
                    model.embed_documents(["pump " * 100, "travel"])
        except RuntimeError as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.mark.parametrize("backend", [Backend.BF16, Backend.INT8])
def test_another_backend_has_another_fingerprint_and_the_same_chunks(folder: Path, backend: Backend) -> None:
    plain, other = encoder(folder), encoder(folder, backend=backend)
    assert other.fingerprint == f"{plain.fingerprint}-{backend}"
    assert other.chunk_size(30).tokenizer == plain.chunk_size(30).tokenizer


def test_a_backend_that_the_device_does_not_have_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.encoder.backends_on", lambda _: (Backend.FP32,))
    with pytest.raises(UsageError, match=r"embedding\.backend.*int8"):
        encoder(folder, backend=Backend.INT8)


def test_an_encoder_with_other_weights_has_another_fingerprint(folder: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    for parameter in model.parameters():
        parameter.data += 0.01
    model.save(str(tmp_path / "changed"))
    assert encoder(tmp_path / "changed").fingerprint != encoder(folder).fingerprint


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="sentence-transformers"):
        encoder(tmp_path)


def test_weights_in_pickle_are_refused(folder: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    pickled = tmp_path / "pickled"
    shutil.copytree(folder, pickled)
    for weights in list(pickled.rglob("*.safetensors")):
        torch.save(load_file(weights), weights.with_name("pytorch_model.bin"))
        weights.unlink()
    with pytest.raises(InputRefused, match="safetensors"):
        encoder(pickled)


def test_a_layer_in_pickle_is_refused(folder: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    model = SentenceTransformer(str(folder), device="cpu")
    model.append(Dense(16, 8))
    model.save(str(tmp_path / "dense"))
    assert len(encoder(tmp_path / "dense").embed_query("pump")) == 8
    (weights,) = (tmp_path / "dense").glob("2_*/*.safetensors")
    torch.save(load_file(weights), weights.with_name("pytorch_model.bin"))
    weights.unlink()
    with pytest.raises(InputRefused, match="pickled"):
        encoder(tmp_path / "dense")


def test_code_beside_a_model_is_not_run(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "code")
    modules = tmp_path / "code" / "modules.json"
    modules.write_text(modules.read_text().replace("sentence_transformers.", "modeling_own.", 1))
    (tmp_path / "code" / "modeling_own.py").write_text("raise SystemExit('ran')")
    with pytest.raises(InputRefused):
        encoder(tmp_path / "code")
