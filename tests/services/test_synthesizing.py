"""A document that goes or is restricted while samples are made: nothing of it stays in them, and nothing else is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from finetune import grounded
from finetune.samples import SampleStore
from finetune.types import Progress, Sample
from ingest.types import EVERYONE, Access, Hit
from services import synthesizing
from services.prompts import ServingPrompts
from services.runs import Task
from services.synthesizing import Synthesizing
from services.workshop import Workshop
from tests.fakes import pdf
from tests.product import ADMINISTRATOR, Product

HANDBOOK = (
    "Full-time staff receive 27 days of paid holiday each year. The probation period lasts 6 months. "
    "Overtime is paid at 135 percent of the hourly wage. Staff hand in a travel report within 10 days."
)
TRAVEL = (
    "The travel desk is led by Ingrid Sund. Hotel rooms may cost up to EUR 140 per night. "
    "Staff book train tickets 14 days before departure. Paid travel time counts as hours of work up to 9 hours each day."
)
OF_TRAVEL = ("Ingrid Sund", "EUR 140", "14 days", "up to 9 hours")

Happening = Callable[[], object]


class AtOnce(Task):
    """A run in this thread, whose steps are made once each; `between` happens after the first batch."""

    def __init__(self, *, between: Happening | None = None) -> None:
        self.request = {"name": "all", "groups": None, "seed": 0, "rules_only": True}
        self._between = between

    def step(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    def report(self, progress: Progress) -> None:
        if self._between is not None:
            happening, self._between = self._between, None
            happening()


class Interrupted:
    """Finds every passage that the caller may read; `happening` takes place when the questions of travel.pdf are looked for, so
    that passages of it were found for those of handbook.pdf."""

    def __init__(self, product: Product, happening: Happening = lambda: None) -> None:
        self._catalog = product.kb.catalog
        self._happening: Happening | None = happening

    def search(self, query: str, *, access: Access, limit: int) -> list[Hit]:
        if self._happening is not None and "hotel" in query:
            happening, self._happening = self._happening, None
            happening()
        return self._catalog.passages(access=access)[:limit]


class InterruptedStore(SampleStore):
    """A store with which others interfere: just before samples are written, or before it tells whose samples it holds."""

    def __init__(self, product: Product, *, adding: Happening = lambda: None, reading: Happening = lambda: None) -> None:
        super().__init__(product.kb.catalog._engine)
        self._adding = adding
        self._reading = reading

    def add(self, samples: Iterable[Sample]) -> int:
        self._adding()
        return super().add(samples)

    def readers(self) -> dict[str, set[str]]:
        self._reading()
        return super().readers()


@pytest.fixture
def company(product: Product, monkeypatch: pytest.MonkeyPatch) -> Product:
    monkeypatch.setattr(grounded, "REFUSAL_SHARE", 0)  # else chance takes a sample of one passage that shows the other
    product.kb.groups.create("board")
    product.add("handbook.pdf", pdf(HANDBOOK))
    product.add("travel.pdf", pdf(TRAVEL))
    return product


def remove(product: Product) -> object:
    return product.kb.remove(travel_of(product), access=ADMINISTRATOR)


def restrict(product: Product) -> object:
    return product.kb.set_groups(travel_of(product), ["board"], access=ADMINISTRATOR)


def travel_of(product: Product) -> str:
    return next(one.document_id for one in product.kb.documents(access=ADMINISTRATOR) if one.document == "travel.pdf")


def synthesize(product: Product, *, search: Happening | None = None, between: Happening | None = None) -> dict[str, Any]:
    retriever = Interrupted(product, search or (lambda: None))
    return synthesizing_with(product.kb.workshop, retriever)(AtOnce(between=between))


def synthesizing_with(workshop: Workshop, retriever: Interrupted) -> Synthesizing:
    return Synthesizing(workshop, retriever=retriever, prompts=ServingPrompts(), passages=2, chat=lambda: None)


def texts(product: Product, access: Access) -> str:
    return str([record.sample for record in product.kb.workshop.samples.list(access=access)])


def test_samples_of_the_handbook_show_passages_of_the_travel_rules(company: Product) -> None:
    """Else the other tests here show nothing."""
    synthesize(company)
    store = company.kb.workshop.samples
    of_handbook = [one.sample for one in store.list(access=ADMINISTRATOR) if one.sample.origin.document == "handbook.pdf"]  # type: ignore[union-attr]
    assert any(words in str(of_handbook) for words in OF_TRAVEL)
    assert all(words in texts(company, ADMINISTRATOR) for words in OF_TRAVEL)


@pytest.mark.parametrize("happening", [remove, restrict])
@pytest.mark.parametrize(("when", "batch"), [("search", 32), ("between", 1)])
def test_nothing_stays_of_a_document_that_goes_or_is_restricted_while_samples_are_made(
    company: Product, monkeypatch: pytest.MonkeyPatch, happening: Callable[[Product], object], when: str, batch: int
) -> None:
    monkeypatch.setattr(synthesizing, "_BATCH", batch)
    made = synthesize(company, **{when: lambda: happening(company)})  # type: ignore[arg-type]
    told = texts(company, Access.of(EVERYONE))
    assert "27 days" in told
    assert [words for words in OF_TRAVEL if words in told] == []
    dataset = company.kb.workshop.datasets.get(made["dataset"], access=ADMINISTRATOR)
    assert not dataset.incomplete


def test_a_restricted_document_has_samples_for_its_new_readers(company: Product) -> None:
    synthesize(company, search=lambda: restrict(company))
    told = texts(company, Access.of("board"))
    assert all(words in told for words in OF_TRAVEL)


def test_samples_wait_for_a_document_that_is_just_going(company: Product) -> None:
    workshop, travel = company.kb.workshop, travel_of(company)
    with workshop.changing:
        workshop.forget(travel)
        maker = threading.Thread(target=synthesize, args=(company,))
        maker.start()
        maker.join(timeout=1)  # long enough to come to the point where samples are stored
        company.kb.pipeline.remove(travel, access=ADMINISTRATOR)
    maker.join()
    told = texts(company, ADMINISTRATOR)
    assert "27 days" in told
    assert [words for words in OF_TRAVEL if words in told] == []


def test_what_another_process_removes_while_samples_are_stored_is_purged_at_once(company: Product) -> None:
    kb, travel = company.kb, travel_of(company)

    def remove_once() -> None:
        if travel in kb.workshop.readers(access=ADMINISTRATOR):
            kb.pipeline.remove(travel, access=ADMINISTRATOR)

    workshop = replace(kb.workshop, samples=InterruptedStore(company, adding=remove_once))
    synthesizing_with(workshop, Interrupted(company))(AtOnce())
    assert travel not in kb.workshop.samples.readers()
    assert "27 days" in texts(company, ADMINISTRATOR)


def test_purging_takes_nothing_of_a_document_that_came_with_its_samples_meanwhile(company: Product) -> None:
    def add() -> None:
        company.add("later.pdf", pdf("The car park in Lund has 120 places. A place in it costs EUR 45 per month."))
        synthesize(company)

    workshop = replace(company.kb.workshop, samples=InterruptedStore(company, reading=add))
    assert workshop.purge_unreadable() == []
    assert "EUR 45" in texts(company, ADMINISTRATOR)
