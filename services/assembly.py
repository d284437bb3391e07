"""The only place that chooses concrete classes: settings → a knowledge base."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from eval.judge import HouseJudge
from eval.types import Arm
from ingest.catalog import Catalog
from ingest.database import open_database
from ingest.embedding import Embedder, EncoderEmbeddings, NamedEmbeddings
from ingest.errors import NotFound, UsageError
from ingest.files import FileStore, full_disk_said_plainly
from ingest.groups import Groups
from ingest.index.hybrid import HybridIndex
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import VectorIndex
from ingest.isolation import PdfWorker
from ingest.pipeline import Pipeline
from ingest.vectors import CatalogVectors
from services.answering import Answering, ChatAbility
from services.engine import Endpoint, Engine, EngineProcess, RemoteEngine
from services.home import Home
from services.jobs import Jobs
from services.keys import Keys
from services.knowledge_base import KnowledgeBase, Search, boxes_of_quote
from services.migrations import migrate
from services.models import Model, ModelStore, Role, load_manifest
from services.settings import Settings

# What the authors of an encoder want before a question and before a passage; by the manifest's name.
_PREFIXES = {
    "multilingual-e5-small": ("query: ", "passage: "),
    "qwen3-embedding-0.6b": (
        "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:",
        "",
    ),
}


def open_knowledge_base(settings: Settings, home: Home) -> KnowledgeBase:
    """The knowledge base over this home, which the caller has acquired; its engine is made and not started."""
    store = model_store(settings)
    with full_disk_said_plainly(home.folder):
        database = open_database(settings.database_url)
        migrate(database)
    catalog = Catalog(database)
    files = FileStore(home.files)
    index = HybridIndex(
        LexicalIndex(home.indexes / "lexical"),
        VectorIndex(home.indexes, CatalogVectors(database, catalog), embedder=_embedder(settings, store)),
    )
    ingest = settings.ingest
    pipeline = Pipeline(catalog, files, index, PdfWorker(ingest.limits), ingest)
    engine = _engine(settings, store, home)
    retriever = Search(index, catalog)
    ability = _ability(settings, store)
    return KnowledgeBase(
        profile=settings.profile,
        catalog=catalog,
        groups=Groups(database),
        keys=Keys(database),
        files=files,
        pipeline=pipeline,
        drawer=PdfWorker(ingest.limits),  # of its own: a page is shown at once, also while a long file is read
        jobs=Jobs(database, pipeline),
        retriever=retriever,
        answering=Answering(
            retriever=retriever,
            chat=_chat(engine, settings),
            ability=ability,
            judge=HouseJudge(),
            boxes=partial(boxes_of_quote, catalog),
            settings=settings.answer,
        ),
        ability=ability,
        engine=engine,
    )


def model_store(settings: Settings) -> ModelStore:
    """The models of this machine, with the folders that the settings name in place of the profile's."""
    manifest = load_manifest()
    (chat,) = manifest.chosen(settings.profile, Role.CHAT)
    overrides = {chat.name: settings.chat.path} if settings.chat.path else {}
    python = {"engine_python": settings.engine_python} if settings.engine_python else {}
    return ModelStore(settings.models_dir, manifest, overrides, **python)


def _chat_model(settings: Settings, store: ModelStore) -> Model:
    (model,) = store.manifest.chosen(settings.profile, Role.CHAT)
    return model


def _engine(settings: Settings, store: ModelStore, home: Home) -> Engine:
    chat = settings.chat
    if chat.address:
        return RemoteEngine(chat.address, api_key=chat.key.get_secret_value() if chat.key else "", model=chat.model or "")
    name = _chat_model(settings, store).name
    return EngineProcess(
        partial(store.path, name), home=home.folder, python=settings.engine_python, context_tokens=chat.context_tokens
    )


def _chat(engine: Engine, settings: Settings) -> Callable[[Arm], BaseChatModel]:
    @lru_cache(maxsize=2)
    def client(endpoint: Endpoint) -> BaseChatModel:
        from langchain_openai import ChatOpenAI  # takes a second to import, and most commands ask no model

        return ChatOpenAI(
            base_url=endpoint.base_url,
            api_key=lambda: endpoint.api_key,
            model=endpoint.model,
            temperature=0,
            max_completion_tokens=settings.answer.answer_tokens,
            timeout=settings.answer.timeout_s,
            max_retries=0,
            stream_usage=True,
        )

    def chat(arm: Arm) -> BaseChatModel:
        if arm in (Arm.TUNED, Arm.TUNED_RAG):
            raise NotFound(f"no adapter is live, so there is no arm {arm}: use base or rag")
        return client(engine.endpoint())

    return chat


def _ability(settings: Settings, store: ModelStore) -> ChatAbility:
    """What was measured of the profile's model; of a model that the settings name instead nothing is known, so it may write."""
    if settings.chat.address or settings.chat.path:
        return ChatAbility(generated={}, quotes={}, writes=frozenset({"zh", "en"}))
    model = _chat_model(settings, store)
    rates = {style: {r.language: r.right for r in model.rates if r.style == style} for style in ("generated", "quotes")}
    return ChatAbility(generated=rates["generated"], quotes=rates["quotes"], writes=frozenset(model.writes))


def _embedder(settings: Settings, store: ModelStore) -> Embedder | None:
    """The encoder that the settings or the profile name; None for the house LSA, which the index fits by itself."""
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
    if chosen.path:
        return EncoderEmbeddings(chosen.path)
    (model,) = store.manifest.chosen(settings.profile, Role.EMBEDDING)
    if model.sources[0].kind == "house":
        return None
    query, document = _PREFIXES[model.name]
    return EncoderEmbeddings(str(store.path(model.name)), query_prefix=query, document_prefix=document)
