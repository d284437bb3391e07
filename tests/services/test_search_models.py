"""Encoders and cross-encoders that the settings or the profile name are those that search, also where search is measured."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest import cross_encoder
from ingest.encoder import EncoderEmbeddings
from ingest.errors import Unavailable
from ingest.types import EVERYONE, Access, IndexRow
from services import assembly, search_models
from services.manifest import Prompts, Role, load_manifest
from services.models import RECORD, ModelState
from services.settings import Settings, load_settings
from tests.ingest.tiny_encoders import write_tiny_cross_encoder, write_tiny_encoder
from tests.product import Product

ROWS = [IndexRow(f"c{i}", "manual", f"the pump {'pressure ' * i}is checked", frozenset({EVERYONE})) for i in range(6)]


@pytest.fixture(autouse=True)
def no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GRAFT_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("models") / "encoder")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_cross_encoder(tmp_path_factory.mktemp("models") / "cross-encoder")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[str, str]]]:
    """The pairs that the cross-encoder read, a list for each time; the longer the passage, the better it scores."""
    pairs: list[list[tuple[str, str]]] = []

    def predict(model: object, asked: list[tuple[str, str]]) -> list[float]:
        pairs.append(asked)
        return [len(text) / 10_000 for _, text in asked]

    monkeypatch.setattr(cross_encoder, "_predict", predict)
    return pairs


def settings(home: Path, **more: Any) -> Settings:
    return load_settings(home=home, chat={"start_engine": False}, **more)


def search(told: Settings, folder: Path) -> list[str]:
    index = assembly.throw_away_index(told, folder)()
    index.add(ROWS)
    return [hit.chunk_id for hit in index.search("pump pressure", access=Access.of(), limit=10)]


def test_a_named_cross_encoder_reads_title_and_text_of_the_contenders_and_orders_them(
    reader: Path, read: list[list[tuple[str, str]]], tmp_path: Path
) -> None:
    told = settings(tmp_path / "home", reranker={"path": str(reader)})
    found = search(told, tmp_path / "index")
    (asked,) = [pairs for pairs in read if pairs[0][0] == "pump pressure"]
    texts = {f"{row.title}\n{row.text}": row.chunk_id for row in ROWS}
    contenders = sorted((texts[text] for _, text in asked), reverse=True)
    assert len(contenders) > 1
    assert found[: len(contenders)] == contenders


def test_no_time_leaves_the_cross_encoder_out(tmp_path: Path) -> None:
    told = settings(tmp_path / "home", reranker={"path": str(tmp_path / "not there")}, search={"rerank_ms": 0})
    assert search(told, tmp_path / "index") == search(settings(tmp_path / "home"), tmp_path / "other")


def test_a_cross_encoder_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    told = settings(tmp_path / "home", reranker={"path": str(tmp_path / "not there")})
    with pytest.raises(Unavailable, match="not there"):
        assembly.throw_away_index(told, tmp_path / "index")()


def test_the_product_reads_the_texts_of_its_catalog(reader: Path, read: list[list[tuple[str, str]]], tmp_path: Path) -> None:
    product = Product(settings(tmp_path / "home", reranker={"path": str(reader)}))
    for name, text in (
        ("pump.txt", "The pump pressure is checked each week."),
        ("valve.txt", "The valve and its pump pressure."),
    ):
        product.ended(product.add(name, text.encode()).job_id)
    hits = product.kb.retriever.search("pump pressure", access=Access.everything(), limit=5)
    product.stop()
    assert {hit.document for hit in hits} == {"pump.txt", "valve.txt"}
    (asked,) = [pairs for pairs in read if pairs[0][0] == "pump pressure"]
    assert {text for _, text in asked} >= {"pump.txt\nThe pump pressure is checked each week."}
    assert hits[0].text == max((hit.text for hit in hits), key=lambda text: len(text))


def test_the_choice_of_a_backend_is_kept_in_the_home_and_a_named_one_is_taken_unasked(encoder: Path, tmp_path: Path) -> None:
    search(settings(tmp_path / "home", embedding={"path": str(encoder), "backend": "fp32"}), tmp_path / "one")
    assert not (tmp_path / "home" / "indexes" / "encoders").exists()
    search(settings(tmp_path / "home", embedding={"path": str(encoder)}), tmp_path / "two")
    (file,) = (tmp_path / "home" / "indexes" / "encoders").iterdir()
    assert json.loads(file.read_text())["trials"]


def pulled(models: Path, name: str, source: Path) -> None:
    target = models / name
    models.mkdir(exist_ok=True)
    target.symlink_to(source)
    (source / RECORD).write_text(json.dumps({"source": "by hand", "files": {}}))


def test_a_profile_takes_its_encoder_with_the_prompts_of_the_manifest_and_its_cross_encoder(
    encoder: Path, reader: Path, read: list[list[tuple[str, str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts: list[Sequence[str | None]] = []
    real = EncoderEmbeddings.__init__

    def recording(self: EncoderEmbeddings, folder: str, **more: Any) -> None:
        prompts.append((more["query_prefix"], more["document_prefix"]))
        real(self, folder, **more)

    monkeypatch.setattr(EncoderEmbeddings, "__init__", recording)
    told = settings(tmp_path / "home", profile="small", models_dir=tmp_path / "models", embedding={"backend": "fp32"})
    with pytest.raises(Unavailable, match="models pull multilingual-e5-small"):
        search(told, tmp_path / "none")
    pulled(tmp_path / "models", "multilingual-e5-small", encoder)
    with pytest.raises(Unavailable, match="models pull bge-reranker-base"):
        search(told, tmp_path / "one")
    pulled(tmp_path / "models", "bge-reranker-base", reader)
    search(told, tmp_path / "two")
    assert set(prompts) == {("query: ", "passage: ")}
    assert read


def test_every_encoder_of_a_profile_states_its_prompts() -> None:
    manifest = load_manifest()
    told = {model.name: model.prompts for profile in manifest.profiles for model in manifest.chosen(profile, Role.EMBEDDING)}
    assert told.pop("house-lsa") == Prompts()
    assert all(prompts.query and prompts.document is not None for prompts in told.values())


def test_a_bf16_index_is_made_anew_for_fp32(encoder: Path, tmp_path: Path) -> None:
    half, full = (
        search_models.embedder_of(
            told := settings(tmp_path / "home", embedding={"path": str(encoder), "backend": backend}),
            assembly.model_store(told),
            tmp_path,
        )
        for backend in ("bf16", "fp32")
    )
    assert half is not None
    assert full is not None
    assert half.fingerprint != full.fingerprint
    assert np.dot(half.embed_query("pump"), full.embed_query("pump")) > 0.99


def test_a_named_cross_encoder_stands_in_for_that_of_the_profile_and_need_not_be_pulled(reader: Path, tmp_path: Path) -> None:
    told = settings(tmp_path / "home", profile="small", models_dir=tmp_path / "models", reranker={"path": str(reader)})
    assert assembly.model_store(told).status("bge-reranker-base").path == reader
    windows = assembly.model_store(settings(tmp_path / "home", reranker={"path": str(reader)})).status("window-rerank")
    assert windows.state is ModelState.BUILT_IN
