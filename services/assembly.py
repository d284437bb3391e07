"""The only place that chooses concrete classes: settings → a knowledge base."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

from langchain_core.language_models import BaseChatModel
from sqlalchemy import Engine as Database

from eval import sample_corpus
from eval.answers import read_cases
from eval.hallucination import AnswerJudge
from eval.judge_model import WEIGHTS_FILE, read_judge_model
from eval.types import Arm, Retriever
from finetune.adapter_files import AdapterFiles
from finetune.datasets import Datasets
from finetune.merge import merge_adapter
from finetune.registry import AdapterRegistry
from finetune.review import ReviewQueue
from finetune.samples import SampleStore
from finetune.types import Adapter
from ingest.catalog import Catalog
from ingest.crosslingual import Translator
from ingest.database import open_database
from ingest.embedding import Embedder
from ingest.errors import Unavailable
from ingest.files import FileStore, full_disk_said_plainly
from ingest.fusion import ENCODER_WEIGHTS, LEXICAL_WEIGHTS
from ingest.groups import Groups
from ingest.index.hybrid import HybridIndex
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import MemoryVectorStore, VectorIndex
from ingest.isolation import FileWorker
from ingest.pipeline import Pipeline
from ingest.report import DocumentReports
from ingest.types import Access, IndexRow
from ingest.vectors import CatalogVectors
from ingest.versions import Versions
from services.adapter_checks import AdapterChecks
from services.adapter_serving import TUNED_NAME, LoraServing, MergedServing, Way, choose_way
from services.answering import Answering, ChatAbility
from services.apart import run_apart
from services.checking import Checker
from services.engine import Endpoint, Engine, EngineProcess, EngineState, RemoteEngine
from services.home import Home
from services.jobs import Jobs
from services.judge_calibration import JudgeCalibration
from services.judging import judge_of
from services.keys import Keys
from services.knowledge_base import KnowledgeBase, boxes_of_quote
from services.live_adapter import LiveAdapter
from services.manifest import Model, Role, load_manifest
from services.migrations import migrate
from services.model_sources import sibling_engine_python
from services.models import ModelStore
from services.passwords import Passwords
from services.prompts import ServingPrompts
from services.runs import Runs
from services.search_models import chunk_size_of, embedder_of, reranker_of
from services.searching import Search
from services.settings import Settings
from services.synthesizing import Synthesizing
from services.training import BaseModel, Training
from services.translating import translator_of
from services.workflows import Workflows
from services.workshop import Workshop

# How long the work that can go on without a chat model waits for one that is starting: 30 s on two quiet cores.
_ENGINE_WAIT_S = 180.0


def open_knowledge_base(settings: Settings, home: Home) -> KnowledgeBase:
    """The knowledge base over this home, which the caller has acquired; its engine is made and not started."""
    store = model_store(settings)
    with full_disk_said_plainly(home.folder):
        database = open_database(settings.database_url)
        migrate(database)
    catalog = Catalog(database, mask=settings.privacy.kinds)
    files = FileStore(home.files)
    embedder = embedder_of(settings, store, home.indexes)
    vectors = CatalogVectors(database, catalog)
    judge_model = partial(read_judge_model, settings.judge.house or WEIGHTS_FILE)
    calibration = JudgeCalibration(home.indexes, build=vectors.build, rows=vectors.rows, model=judge_model)
    translator = translator_of(settings, home.indexes)
    index = _index(settings, home.indexes, vectors, embedder, translator, store, follow=calibration.follow)
    ingest = settings.ingest
    pipeline = Pipeline(catalog, files, index, FileWorker(ingest.limits, ingest.ocr), chunk_size_of(settings, embedder))
    workflows = Workflows(database)
    engine = _engine(settings, store, home)
    retriever = Search(index, catalog)
    ability = _ability(settings, store)
    prompts = ServingPrompts(settings.answer.prompts)
    groups = Groups(database)
    datasets = Datasets(database)
    live = _live_adapter(settings, store, home, database, engine, retriever)
    chat = _chat(engine, live, settings)
    judge = judge_of(settings, store, partial(chat, Arm.BASE, Access.everything()), calibrations=calibration)
    workshop = Workshop(
        catalog=catalog,
        groups=groups,
        samples=SampleStore(database),
        datasets=datasets,
        review=ReviewQueue(database, judge=judge),
        registry=live.registry,
        live=live,
        training=Training(
            home.training,
            datasets=datasets,
            registry=live.registry,
            base_model=partial(_base_model, settings, store),
        ),
        runs=Runs(database, workflows),
        protected=partial(_protected_questions, settings),
    )
    workshop.define_runs(
        Synthesizing(
            workshop,
            retriever=retriever,
            prompts=prompts,
            passages=settings.answer.passages,
            chat=partial(_drafting_chat, engine, settings, store),
        )
    )
    return KnowledgeBase(
        profile=settings.profile,
        catalog=catalog,
        versions=Versions(database, catalog, mask=settings.privacy.kinds),
        groups=groups,
        keys=Keys(database),
        files=files,
        pipeline=pipeline,
        reports=DocumentReports(database, catalog),
        drawer=FileWorker(ingest.limits),  # of its own: a page is shown at once, also while a long file is read
        workflows=workflows,
        jobs=Jobs(database, pipeline, workflows, Passwords(home.passwords)),
        workshop=workshop,
        retriever=retriever,
        answering=Answering(
            retriever=retriever,
            chat=chat,
            ability=ability,
            judge=judge,
            boxes=partial(boxes_of_quote, catalog),
            prompts=prompts,
            settings=settings.answer,
            mask=settings.privacy.kinds,
            translate=translator.groups,
        ),
        checker=Checker(judge),
        ability=ability,
        engine=engine,
    )


def answer_judge(settings: Settings) -> AnswerJudge:
    """The product's judge where no engine of our own runs: a chat model judges only at an address that the settings name."""
    return judge_of(settings, model_store(settings), partial(chat_at_address, settings))


def chat_at_address(settings: Settings) -> BaseChatModel:
    """The chat model that the settings say is served elsewhere.

    Raises:
        Unavailable: they name no address.
    """
    chat = settings.chat
    if not chat.address:
        raise Unavailable("no chat model is served here: name the address of one in chat.address")
    return chat_client(Endpoint(chat.address, chat.key.get_secret_value() if chat.key else "", chat.model or ""), settings)


def throw_away_index(settings: Settings, folder: Path) -> Callable[[], HybridIndex]:
    """Makes empty indexes in `folder` that search as the product does, with the models that the settings name, loaded once."""
    store = model_store(settings)
    embedder = embedder_of(settings, store, settings.home / "indexes")
    translator = translator_of(settings, folder)
    numbers = itertools.count()

    def index() -> HybridIndex:
        place = folder / str(next(numbers))
        return _index(settings, place, MemoryVectorStore(), embedder, translator, store)

    return index


def _index(
    settings: Settings,
    folder: Path,
    vectors: CatalogVectors | MemoryVectorStore,
    embedder: Embedder | None,
    translator: Translator,
    store: ModelStore,
    *,
    follow: Callable[[Sequence[IndexRow]], None] | None = None,
) -> HybridIndex:
    """The product's search in a folder; without an `embedder`, its vectors are fitted on the corpus."""
    return HybridIndex(
        LexicalIndex(folder / "lexical", translator=translator),
        VectorIndex(folder, vectors, embedder=embedder),
        second=reranker_of(settings, store, vectors.texts),
        weights=ENCODER_WEIGHTS if embedder else LEXICAL_WEIGHTS,
        fusion=settings.search.fusion,
        follow=follow,
    )


def model_store(settings: Settings) -> ModelStore:
    """The models of this machine, with the folders that the settings name in place of the profile's."""
    manifest = load_manifest()
    (chat,) = manifest.chosen(settings.profile, Role.CHAT)
    overrides = {chat.name: settings.chat.path} if settings.chat.path else {}
    (rerank,) = manifest.chosen(settings.profile, Role.RERANK)
    if settings.reranker.path and rerank.sources[0].kind != "house":
        overrides[rerank.name] = Path(settings.reranker.path)
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
        partial(store.path, name),
        home=home.folder,
        python=settings.engine_python,
        context_tokens=chat.context_tokens,
        lora=_way(settings) == "lora",
    )


def _way(settings: Settings) -> Way:
    """How the live adapter is served."""
    python = settings.engine_python or sibling_engine_python()
    return choose_way(settings.training.serving, own_engine=not settings.chat.address, engine_python=python)


def _live_adapter(
    settings: Settings, store: ModelStore, home: Home, database: Database, engine: Engine, retriever: Retriever
) -> LiveAdapter:
    files = AdapterFiles(home.adapters)

    def base_folder() -> Path:
        return _base_model(settings, store).folder

    def merge(folder: Path, target: Path) -> None:
        run_apart(merge_adapter, base_folder(), folder, target)

    def engine_of(adapter: Adapter, model: Path) -> EngineProcess:
        return EngineProcess(
            model,
            home=home.folder,
            python=settings.engine_python,
            context_tokens=settings.chat.context_tokens,
            served_name=TUNED_NAME,
            called=f"The adapted model ({adapter.id})",
            log_name=f"engine-{adapter.id}",
        )

    merged = _way(settings) == "merged"
    serving = MergedServing(files, merge=merge, engine=engine_of) if merged else LoraServing(files, engine=engine)
    checks = AdapterChecks(
        files,
        base_model=base_folder,
        prompts=ServingPrompts(settings.answer.prompts),
        retriever=retriever,
        passages=settings.answer.passages,
    )
    return LiveAdapter(
        AdapterRegistry(database, files),
        serving,
        probe=checks.probe,
        compare=checks.compare,
        base_model=lambda: _base_model(settings, store).name,
    )


def _base_model(settings: Settings, store: ModelStore) -> BaseModel:
    """The chat model that adapters are trained for.

    Raises:
        Unavailable: it is served elsewhere, so that its weights are not at hand, or it was not pulled yet.
    """
    if settings.chat.address and not settings.chat.path:
        raise Unavailable("adapters are trained on weights, and the chat model is served elsewhere: name its folder in chat.path")
    model = _chat_model(settings, store)
    named = settings.chat.path
    return BaseModel(
        named.name if named else model.name, store.path(model.name), "as its folder states" if named else model.licence
    )


def _protected_questions(settings: Settings) -> list[str]:
    """The questions of the evaluation cases that the settings name, and of the sample corpus."""
    return [case.question for path in (sample_corpus.CASES, *settings.training.protected_cases) for case in read_cases(path)]


def _drafting_chat(engine: Engine, settings: Settings, store: ModelStore) -> tuple[BaseChatModel, str] | None:
    """The chat model that words samples, with its own name; None where no engine runs. Waits for one that is starting."""
    if engine.status.state is EngineState.STARTING:
        engine.wait_ready(_ENGINE_WAIT_S)
    try:
        endpoint = engine.endpoint()
    except Unavailable:
        return None
    name = endpoint.model if settings.chat.address else _base_model(settings, store).name
    return chat_client(endpoint, settings), name


def chat_client(endpoint: Endpoint, settings: Settings) -> BaseChatModel:
    """The model behind this address, as the product asks it."""
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


def _chat(engine: Engine, live: LiveAdapter, settings: Settings) -> Callable[[Arm, Access], BaseChatModel]:
    @lru_cache(maxsize=4)
    def client(endpoint: Endpoint) -> BaseChatModel:
        return chat_client(endpoint, settings)

    def chat(arm: Arm, access: Access) -> BaseChatModel:
        tuned = arm in (Arm.TUNED, Arm.TUNED_RAG)
        return client(live.endpoint(access=access) if tuned else engine.endpoint())

    return chat


def _ability(settings: Settings, store: ModelStore) -> ChatAbility:
    """What was measured of the profile's model; of a model that the settings name instead nothing is known, so it may write."""
    if settings.chat.address or settings.chat.path:
        return ChatAbility(generated={}, quotes={}, writes=frozenset({"zh", "en"}))
    model = _chat_model(settings, store)
    rates = {style: {r.language: r.right for r in model.rates if r.style == style} for style in ("generated", "quotes")}
    return ChatAbility(generated=rates["generated"], quotes=rates["quotes"], writes=frozenset(model.writes))
