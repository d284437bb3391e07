"""Fixtures: a home of its own for each test, and the product over it. What loads the product is imported when it is used."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from ingest.crosslingual import Translator
    from services.settings import Settings
    from tests.command_line import Graft
    from tests.product import Product, SharedWorker


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a fresh home, without an engine; no variable of the machine's own reaches it."""
    from tests.product import settings_of

    for name in [name for name in os.environ if name.startswith("GRAFT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GRAFT_HOME", str(tmp_path / "home"))
    return settings_of(tmp_path / "home")


@pytest.fixture(scope="session")
def worker() -> Iterator[SharedWorker]:
    """A real reader process."""
    from ingest.settings import ReadLimits
    from tests.product import SharedWorker

    worker = SharedWorker(ReadLimits())
    yield worker
    worker.end()


@pytest.fixture
def product(settings: Settings, worker: SharedWorker) -> Iterator[Product]:
    """The product over a fresh home."""
    from tests.product import Product

    product = Product(settings, worker=worker)
    yield product
    product.stop()


@pytest.fixture
def http(product: Product) -> Iterator[TestClient]:
    """A client of the HTTP interface over `product`, in this process and without a key."""
    with product.client() as client:
        yield client


@pytest.fixture(scope="session")
def clean_processes() -> ForkServerContext:
    """Makes processes from one that has loaded the product and done nothing: no thread or lock of this one reaches them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["services.assembly", "tests.crashing"])
    return context


@pytest.fixture
def killed(clean_processes: ForkServerContext, product: Product) -> Callable[..., None]:
    """Runs a function of `tests.crashing` over the product's home; returns when its process was killed."""

    def run(function: Callable[..., None], *arguments: Any) -> None:
        product.stop()
        process = clean_processes.Process(target=function, args=(str(product.settings.home), *arguments))
        process.start()
        process.join(120)
        assert process.exitcode == -9

    return run


@pytest.fixture
def graft(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Graft:
    """Runs a command in this process over the home of `settings`."""
    from tests.command_line import run_command

    assert settings.home
    monkeypatch.setenv("GRAFT_CHAT__START_ENGINE", "false")
    return partial(run_command, monkeypatch)


@pytest.fixture
def running(product: Product) -> Iterator[Product]:
    """The product as a server that commands find in the home."""
    from services.home import Home, RunningServer
    from tests.product import LOCAL_KEY

    with product.listening() as address:
        home = Home(product.settings.home)
        home.announce(RunningServer(address, LOCAL_KEY, os.getpid()))
        yield product
        home.withdraw()


@pytest.fixture(scope="session")
def dictionary_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the dictionary's file is made once for all test processes: it takes some seconds."""
    return tmp_path_factory.getbasetemp().parent / "graft-dictionary"


@pytest.fixture(scope="session")
def translator(dictionary_folder: Path) -> Iterator[Translator]:
    """The real dictionary, without a glossary."""
    from ingest.crosslingual import Translator
    from ingest.dictionary import Dictionary

    dictionary = Dictionary(dictionary_folder)
    yield Translator(dictionary)
    dictionary.close()
