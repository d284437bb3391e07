"""From documents to a data set through the application object and HTTP, and what becomes of it when a document goes."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from finetune.types import Split
from ingest.errors import Conflict, InputRefused
from ingest.types import EVERYONE, Access
from services.runs import Run
from services.settings import Settings
from tests.fakes import pdf
from tests.product import ADMINISTRATOR, Product
from tests.waiting import until

HANDBOOK = (
    "Full-time staff receive 27 days of paid holiday each year. The probation period lasts 6 months. "
    "Overtime is paid at 135 percent of the hourly wage. The canteen is open from 11:30 to 14:00. "
    "Laptops are replaced every 4 years by the workshop in Lund."
)
TRAVEL = (
    "The travel desk is led by Ingrid Sund. Hotel rooms may cost up to EUR 140 per night. "
    "A travel report is handed in within 10 days. Train tickets are booked 14 days before departure."
)
RESTRICTED = (
    "Board members receive 45 days of paid holiday each year. The board room costs EUR 9,000 per month. "
    "The merger talks last 13 weeks. The board is led by Mira Holm."
)


@pytest.fixture
def company(product: Product) -> Product:
    product.add("handbook.pdf", pdf(HANDBOOK))
    product.add("travel.pdf", pdf(TRAVEL))
    product.kb.groups.create("board")
    product.add("secret.pdf", pdf(RESTRICTED), "board")
    return product


def ended(product: Product, run: Run) -> Run:
    runs = product.kb.workshop.runs
    return until(lambda: (now := runs.get(run.job_id, access=ADMINISTRATOR)).status not in ("queued", "running") and now)


def synthesized(product: Product, groups: list[str] | None) -> dict[str, Any]:
    run = product.kb.workshop.synthesize("all", groups=groups, seed=0, rules_only=True, access=ADMINISTRATOR)
    done = ended(product, run)
    assert (done.status, done.error) == ("done", None)
    return done.result


def texts(product: Product, dataset: str) -> str:
    rows = [sample for split in Split for sample in product.kb.workshop.datasets.rows(dataset, split, access=Access.everything())]
    return "\n".join(message.content for sample in rows for message in sample.messages)


def test_samples_of_everyones_documents_hold_nothing_of_a_restricted_one(company: Product) -> None:
    made = synthesized(company, [EVERYONE])
    told = texts(company, made["dataset"])
    assert "27 days" in told
    assert "9,000" not in told
    assert "Mira Holm" not in told
    assert company.kb.workshop.datasets.get("all", access=Access.of()).id == made["dataset"]


def test_a_data_set_of_all_documents_is_there_for_those_alone_who_may_read_them_all(company: Product) -> None:
    made = synthesized(company, None)
    datasets = company.kb.workshop.datasets
    assert ("board",) in datasets.get(made["dataset"], access=ADMINISTRATOR).group_sets
    assert [one.id for one in datasets.list(access=Access.of())] == []
    assert [one.id for one in datasets.list(access=Access.of("board"))] == [made["dataset"]]


def test_no_sample_shows_a_passage_that_a_reader_of_its_document_may_not_read(company: Product) -> None:
    synthesized(company, None)
    for record in company.kb.workshop.samples.list(access=Access.of()):
        assert "Mira Holm" not in str(record.sample.messages)
        assert "9,000" not in str(record.sample.messages)


def test_the_same_asked_for_twice_makes_the_same_data_set(company: Product) -> None:
    first = synthesized(company, [EVERYONE])
    assert synthesized(company, [EVERYONE]) == first


def test_removing_a_document_purges_its_samples_and_marks_the_data_set(company: Product, http: TestClient) -> None:
    made = synthesized(company, [EVERYONE])
    (handbook,) = [one for one in company.kb.documents(access=ADMINISTRATOR) if one.document == "handbook.pdf"]
    path = f"/api/documents/{handbook.document_id}"
    lineage = http.get(f"{path}/lineage").json()
    assert lineage["datasets"] == [made["dataset"]]
    assert lineage["samples"] > 0
    assert http.delete(path).json() == lineage
    dataset = company.kb.workshop.datasets.get(made["dataset"], access=ADMINISTRATOR)
    assert "handbook.pdf" in dataset.incomplete
    with pytest.raises(Conflict, match="incomplete"):
        texts(company, made["dataset"])
    with pytest.raises(Conflict, match="cannot be trained on"):
        company.kb.workshop.train(made["dataset"], config={}, name="a", access=ADMINISTRATOR)
    for record in company.kb.workshop.samples.list(access=ADMINISTRATOR):
        assert "27 days" not in str(record.sample)


def test_a_group_that_loses_a_document_loses_what_was_made_from_it(company: Product) -> None:
    made = synthesized(company, [EVERYONE])
    (travel,) = [one for one in company.kb.documents(access=ADMINISTRATOR) if one.document == "travel.pdf"]
    company.kb.set_groups(travel.document_id, [EVERYONE, "board"], access=ADMINISTRATOR)  # more readers: nothing to hide
    assert not company.kb.workshop.datasets.get(made["dataset"], access=ADMINISTRATOR).incomplete
    company.kb.set_groups(travel.document_id, ["board"], access=ADMINISTRATOR)
    assert company.kb.workshop.datasets.get(made["dataset"], access=ADMINISTRATOR).incomplete


def test_a_kill_between_removing_and_purging_leaves_no_text(settings: Settings, company: Product) -> None:
    synthesized(company, [EVERYONE])
    (travel,) = [one for one in company.kb.documents(access=ADMINISTRATOR) if one.document == "travel.pdf"]
    company.kb.pipeline.set_groups(travel.document_id, ("board",), access=ADMINISTRATOR)  # and no more: as after a kill
    company.stop()
    for record in company.kb.workshop.samples.list(access=Access.of()):
        assert "Ingrid Sund" not in str(record.sample)


def test_nothing_is_made_where_there_is_no_document(product: Product) -> None:
    with pytest.raises(InputRefused, match="no document"):
        product.kb.workshop.synthesize("all", groups=None, seed=0, rules_only=True, access=ADMINISTRATOR)


def test_jobs_over_http_are_for_administrators_and_can_be_looked_at(company: Product, http: TestClient) -> None:
    job = http.post("/api/synthesize", json={"name": "all", "groups": ["everyone"], "rules_only": True}).json()
    assert job["kind"] == "synthesize"
    state = until(lambda: (now := http.get(f"/api/jobs/{job['job_id']}").json())["status"] == "done" and now)
    assert state["result"]["dataset"].startswith("ds_")
    listed = http.get("/api/jobs").json()["jobs"]  # the newest first; below it the adding of the documents
    assert [one["job_id"] for one in listed if one["kind"] == "synthesize"] == [listed[0]["job_id"]] == [job["job_id"]]
    assert http.post(f"/api/jobs/{job['job_id']}/stop").status_code == 409
    assert http.get("/api/jobs/run_0").status_code == 404
    refused = http.post("/api/synthesize", json={"groups": ["nobody"]})
    assert refused.status_code == 422
    assert "nobody" in refused.json()["detail"]


def test_training_wants_a_data_set_and_a_configuration_that_are_there(company: Product, http: TestClient) -> None:
    assert http.post("/api/train", json={"dataset": "ds_0", "config": {}}).status_code == 404
    synthesized(company, [EVERYONE])
    wrong = http.post("/api/train", json={"dataset": "all", "config": {"ranc": 3}})
    assert wrong.status_code == 422
    assert "ranc" in wrong.json()["detail"]
