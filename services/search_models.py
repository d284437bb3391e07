"""The encoder and the cross-encoder that the settings or the profile name; none where search does without.

Knows nothing of indexes. What a model needs to be loaded is checked here, so that no question finds out later.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from ingest.chunk_size import ChunkSize
from ingest.cross_encoder import CrossEncoderReranker, Texts
from ingest.embedding import Embedder, NamedEmbeddings
from ingest.encoder import EncoderEmbeddings
from ingest.encoder_backends import Backend, BackendChoices
from ingest.errors import UsageError
from services.manifest import Role
from services.model_sources import check_folder
from services.models import ModelStore
from services.settings import Settings


def embedder_of(settings: Settings, store: ModelStore, indexes: Path) -> Embedder | None:
    """The encoder that the settings or the profile name; None for the house LSA, which the index fits by itself. How it is best
    computed is remembered below `indexes`."""
    chosen = settings.embedding
    if chosen.address:
        if not chosen.model:
            raise UsageError("setting embedding.model: an embedding address needs the model's name beside it")
        from langchain_openai import OpenAIEmbeddings

        service = OpenAIEmbeddings(
            openai_api_base=chosen.address,
            openai_api_key=chosen.key or SecretStr("none"),
            model=chosen.model,
            check_embedding_ctx_length=False,  # cuts by OpenAI's tokens, which other services do not take
        )
        return NamedEmbeddings(service, name=f"{chosen.address} {chosen.model}")
    backend = BackendChoices(indexes / "encoders") if chosen.backend == "auto" else Backend(chosen.backend)
    if chosen.path:
        return EncoderEmbeddings(chosen.path, backend=backend)
    (model,) = store.manifest.chosen(settings.profile, Role.EMBEDDING)
    if model.sources[0].kind == "house":
        return None
    prompts = model.prompts
    folder = str(store.path(model.name))
    return EncoderEmbeddings(folder, query_prefix=prompts.query, document_prefix=prompts.document, backend=backend)


def reranker_of(settings: Settings, store: ModelStore, texts: Texts) -> CrossEncoderReranker | None:
    """The cross-encoder that the settings or the profile name; None where windows alone rerank."""
    budget_ms = settings.search.rerank_ms
    (model,) = store.manifest.chosen(settings.profile, Role.RERANK)
    named = settings.reranker.path
    if not budget_ms or not (named or model.sources[0].kind != "house"):
        return None
    folder = Path(named) if named else store.path(model.name)
    check_folder(folder)  # now, because the model is loaded by the first question that needs it
    return CrossEncoderReranker(str(folder), texts, budget_ms=budget_ms)


def chunk_size_of(settings: Settings, embedder: Embedder | None) -> ChunkSize:
    """How long chunks are, in the embedder's tokens where it tells them."""
    tokens = settings.ingest.chunk_tokens
    return embedder.chunk_size(tokens) if isinstance(embedder, EncoderEmbeddings) else ChunkSize(tokens)
