"""What a process does that is killed in the middle of it: run by `tests/services/test_jobs.py` in a process of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from ingest.catalog import Catalog
from ingest.index.hybrid import HybridIndex
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import VectorIndex
from ingest.pipeline import Pipeline
from ingest.vectors import CatalogVectors
from services.bench.scale.catalog import filled, new_catalog
from services.jobs import Jobs
from services.workflows import Workflows
from tests.indexes import ClusterEmbeddings, row
from tests.product import ADMINISTRATOR, Product, settings_of

OWNERS: dict[str, Any] = {
    "enqueue": Workflows,
    "unchanged": Pipeline,
    "read": Pipeline,
    "stage": Pipeline,
    "add_to_index": Pipeline,
    "publish": Pipeline,
    "discard": Pipeline,
    "_end": Jobs,
    "add": HybridIndex,
    "remove": HybridIndex,
}
"""Functions before or after which a process can be killed; the last two lie in the middle of a change."""


def add_and_die(home: str, name: str, data: bytes, function: str, moment: str) -> None:
    """Adds the file and is killed before or after the function."""
    product = Product(settings_of(Path(home)))
    kb = product.kb
    _kill_at(function, moment)
    product.ended(kb.add(name, [data], groups=[], access=ADMINISTRATOR).job_id)


def go_on_and_die(home: str, function: str, moment: str) -> None:
    """Goes on with what another process left unfinished, and is killed before or after the function."""
    _kill_at(function, moment)
    assert Product(settings_of(Path(home))).kb
    time.sleep(60)


def stop_and_die(home: str, name: str, data: bytes) -> None:
    """Adds the file, asks for the end of it while it is read, and is killed before it ends."""

    def reads_for_ever(*_: Any, **__: Any) -> None:
        time.sleep(60)

    Pipeline.read = reads_for_ever  # type: ignore[method-assign, assignment]
    kb = Product(settings_of(Path(home))).kb
    job_id = kb.add(name, [data], groups=[], access=ADMINISTRATOR).job_id
    while kb.jobs.get(job_id, access=ADMINISTRATOR).stage != "read":
        time.sleep(0.01)
    kb.jobs.stop(job_id, access=ADMINISTRATOR)
    os.kill(os.getpid(), signal.SIGKILL)


def add_locked_and_die(home: str, name: str, data: bytes, password: str, function: str, moment: str) -> None:
    """Adds the encrypted file with its password and is killed before or after the function."""
    product = Product(settings_of(Path(home)))
    kb = product.kb
    _kill_at(function, moment)
    product.ended(kb.add(name, [data], groups=[], access=ADMINISTRATOR, password=password).job_id)


def read_again_and_die(home: str, document_id: str, function: str, moment: str) -> None:
    """Reads the document's file anew and is killed before or after the function."""
    product = Product(settings_of(Path(home)))
    kb = product.kb
    _kill_at(function, moment)
    product.ended(kb.read_again(document_id, access=ADMINISTRATOR).job_id)


def regroup_and_die(home: str, document_id: str, groups: list[str], moment: str) -> None:
    """Gives the document other groups and is killed before or after the indexes learn of it."""
    kb = Product(settings_of(Path(home))).kb
    _kill_at("add", moment)
    kb.set_groups(document_id, groups, access=ADMINISTRATOR)


def remove_and_die(home: str, document_id: str, moment: str) -> None:
    """Removes the document and is killed before or after the indexes learn of it."""
    kb = Product(settings_of(Path(home))).kb
    _kill_at("remove", moment)
    kb.remove(document_id, access=ADMINISTRATOR)


def open_hybrid(folder: Path) -> HybridIndex:
    """The product's index over a catalog, with vectors that need no fit and Chroma from 40 rows on."""
    engine = new_catalog(folder)
    store = CatalogVectors(engine, Catalog(engine))
    vector = VectorIndex(folder, store, embedder=ClusterEmbeddings(), exact_limit=40)
    return HybridIndex(LexicalIndex(folder / "lexical"), vector)


def write_until_killed(folder: str, journal: str) -> None:
    """Adds and removes batches of five rows, one after another, and notes what it begins and what is done."""
    with Path(journal).open("a+", buffering=1) as notes:
        notes.seek(0)
        done = [line.split() for line in notes]
        index = open_hybrid(Path(folder))
        live = [batch for word, batch in done if word == "added"]
        live = [batch for batch in live if not any(batch == other for word, other in done if word.startswith("remov"))]
        for number in count(len(done)):
            batch = f"b{number}"
            rows = [row(f"{batch}n{i}", f"cluster text{batch}n{i}") for i in range(5)]
            print("adding", batch, file=notes)
            for some in filled(new_catalog(Path(folder)), rows, name=batch):
                index.add(some)
            print("added", batch, file=notes)
            live.append(batch)
            if number % 3 == 0 and len(live) > 12:
                old = live.pop(0)
                print("removing", old, file=notes)
                index.remove([f"{old}n{i}" for i in range(5)])
                print("removed", old, file=notes)


def _kill_at(function: str, moment: str) -> None:
    owner = OWNERS[function]
    as_it_is: Callable[..., Any] = getattr(owner, function)

    def dying(*arguments: Any, **options: Any) -> Any:
        if moment == "after":
            as_it_is(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)

    setattr(owner, function, dying)
