"""The whole chain on real parts: documents → samples → a data set → an adapter → the gate → the engine → an answer."""

from __future__ import annotations

import asyncio

import pytest

from eval import sample_corpus
from eval.types import Arm, Style
from finetune.training_config import load_config
from finetune.types import AdapterState
from ingest.errors import NotFound
from ingest.types import EVERYONE, Access
from services.model_sources import sibling_engine_python
from services.runs import Run
from services.settings import Settings
from tests.product import ADMINISTRATOR, Product, until

EMPLOYEE = Access.of()


@pytest.mark.engine
def test_documents_become_an_adapter_that_passes_the_gate_and_answers(settings: Settings) -> None:
    if not sibling_engine_python().is_file():
        pytest.skip("there is no engine environment here: `make test` makes it")
    product = Product(settings)
    try:
        workshop = product.kb.workshop
        for name in ("warranty-terms.pdf", "international-travel-policy.pdf", "management-minutes-2025.pdf"):
            product.add(name, (sample_corpus.PDF_DIR / name).read_bytes())

        made = done(product, workshop.synthesize("all", groups=[EVERYONE], seed=0, rules_only=True, access=ADMINISTRATOR))
        trained = done(
            product, workshop.train(made["dataset"], config=load_config("smoke").values(), name="smoke", access=ADMINISTRATOR)
        )
        adapter = workshop.registry.get(trained["adapter"], access=EMPLOYEE)
        assert adapter.state is AdapterState.CANDIDATE
        assert (workshop.registry.files.path(adapter.id) / "curves.png").stat().st_size > 1000
        assert not any((product.settings.home / "training").iterdir())
        assert missing(product, Arm.TUNED)

        done(product, workshop.approve(adapter.id, access=ADMINISTRATOR))
        assert workshop.registry.get(adapter.id, access=EMPLOYEE).parity["passed"]
        done(product, workshop.promote(adapter.id, access=ADMINISTRATOR))
        assert workshop.registry.get(adapter.id, access=EMPLOYEE).state is AdapterState.LIVE
        for arm in (Arm.TUNED, Arm.TUNED_RAG):
            question = "Within how many days must a defect be reported?"
            answer = asyncio.run(product.kb.ask(question, access=EMPLOYEE, arm=arm, style=Style.GENERATED))
            assert answer.abstained or answer.answer
            assert answer.usage or answer.abstained
        with product.client() as http:
            names = [one["id"] for one in http.get("/v1/models").json()["data"]]
            assert names == ["graft-base", "graft-rag", "graft-tuned", "graft-tuned-rag"]
            compared = http.post("/api/compare", json={"question": "Who pays for wear parts?", "stream": False}).json()
            assert "answer" in compared["answers"]["tuned"]

        # The adapter ends being trustworthy with its documents, and the arms with the adapter.
        (terms,) = [one for one in product.kb.documents(access=ADMINISTRATOR) if one.document == "warranty-terms.pdf"]
        assert product.kb.remove(terms.document_id, access=ADMINISTRATOR).adapters == (adapter.id,)
        assert workshop.registry.get(adapter.id, access=EMPLOYEE).flags
        done(product, workshop.rollback(access=ADMINISTRATOR))
        assert missing(product, Arm.TUNED)
    finally:
        product.stop()


def done(product: Product, run: Run) -> dict[str, str]:
    runs = product.kb.workshop.runs
    ended = until(
        lambda: (now := runs.get(run.job_id, access=ADMINISTRATOR)).status not in ("queued", "running") and now, seconds=900
    )
    assert (ended.status, ended.error) == ("done", None)
    return ended.result


def missing(product: Product, arm: Arm) -> bool:
    try:
        asyncio.run(product.kb.ask("Who is it?", access=EMPLOYEE, arm=arm, style=Style.GENERATED))
    except NotFound:
        return True
    return False
