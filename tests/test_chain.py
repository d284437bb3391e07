"""The whole chain on real parts: documents → samples → a data set → an adapter → the gate → the engine → an answer."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from eval import sample_corpus
from finetune.training_config import load_config
from finetune.types import AdapterState
from ingest.types import EVERYONE, Access
from services.model_sources import sibling_engine_python
from services.runs import Run
from services.settings import Settings
from tests.product import ADMINISTRATOR, Product
from tests.waiting import until

EMPLOYEE = Access.of()
BASE, TUNED = ["graft-base", "graft-rag"], ["graft-tuned", "graft-tuned-rag"]


@pytest.mark.engine
@pytest.mark.slow
def test_documents_become_an_adapter_that_passes_the_gate_and_answers(settings: Settings) -> None:
    if not sibling_engine_python().is_file():
        pytest.skip("there is no engine environment here: `make test` makes it")
    product = Product(settings)
    try:
        with product.client() as http:
            learn_and_answer(product, http)
    finally:
        product.stop()


def learn_and_answer(product: Product, http: TestClient) -> None:
    workshop = product.kb.workshop
    for name in ("warranty-terms.pdf", "international-travel-policy.pdf", "management-minutes-2025.pdf"):
        product.add(name, (sample_corpus.PDF_DIR / name).read_bytes())

    made = done(product, workshop.synthesize("all", groups=[EVERYONE], seed=0, rules_only=True, access=ADMINISTRATOR))
    smoke = load_config("smoke").values()
    trained = done(product, workshop.train(made["dataset"], config=smoke, name="smoke", access=ADMINISTRATOR))
    adapter = workshop.registry.get(trained["adapter"], access=EMPLOYEE)
    assert adapter.state is AdapterState.CANDIDATE
    assert (workshop.registry.files.path(adapter.id) / "curves.png").stat().st_size > 1000
    assert not any((product.settings.home / "training").iterdir())  # it held texts of documents
    assert (models(http), ask(http, "tuned").status_code) == (BASE, 404)

    done(product, workshop.approve(adapter.id, access=ADMINISTRATOR))
    assert workshop.registry.get(adapter.id, access=EMPLOYEE).parity["passed"]
    done(product, workshop.promote(adapter.id, access=ADMINISTRATOR))
    assert workshop.registry.get(adapter.id, access=EMPLOYEE).state is AdapterState.LIVE
    assert models(http) == BASE + TUNED
    assert ask(http, "tuned").json()["sentences"]
    assert ask(http, "tuned-rag").is_success
    compared = http.post("/api/compare", json={"question": "Who pays for wear parts?", "stream": False}).json()
    assert compared["answers"]["tuned"]["answer"]

    # The adapter is marked when one of its documents goes, and its arms go when it no longer answers.
    (terms,) = [one for one in product.kb.documents(access=ADMINISTRATOR) if one.document == "warranty-terms.pdf"]
    assert product.kb.remove(terms.document_id, access=ADMINISTRATOR).adapters == (adapter.id,)
    assert workshop.registry.get(adapter.id, access=EMPLOYEE).flags
    done(product, workshop.rollback(access=ADMINISTRATOR))
    assert (models(http), ask(http, "tuned").status_code) == (BASE, 404)


def done(product: Product, run: Run) -> dict[str, Any]:
    runs = product.kb.workshop.runs
    ended = until(
        lambda: (now := runs.get(run.job_id, access=ADMINISTRATOR)).status not in ("queued", "running") and now, seconds=900
    )
    assert (ended.status, ended.error) == ("done", None)
    return ended.result


def models(http: TestClient) -> list[str]:
    return [one["id"] for one in http.get("/v1/models").json()["data"]]


def ask(http: TestClient, arm: str) -> Any:
    question = "Within how many days must a defect be reported?"
    return http.post("/api/ask", json={"question": question, "arm": arm, "style": "generated", "stream": False})
