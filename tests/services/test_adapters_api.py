"""`/api/adapters` and `/v1/models`: who sees which adapter, who may change what, and what is asked of the workshop."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient

from finetune.registry import AdapterRegistry
from finetune.types import Adapter
from ingest.types import Access
from services.live_adapter import LiveAdapter
from services.runs import Run
from services.workshop import Workshop
from tests.adapters import approved, dataset
from tests.product import Product


@dataclass
class FakeWorkshop:
    """Notes what is asked of it, in place of doing it."""

    registry: AdapterRegistry
    live: LiveAdapter
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def approve(self, adapter_id: str, *, access: Access, force_reason: str = "") -> Run:
        return self._run("approve", adapter_id, force_reason)

    def promote(self, adapter_id: str, *, access: Access, force: bool = False) -> Run:
        return self._run("promote", adapter_id, force)

    def rollback(self, *, access: Access) -> Run:
        return self._run("rollback")

    def _run(self, *asked: Any) -> Run:
        self.asked.append(asked)
        return Run("run_1", asked[0], {}, "queued", "queued", 0, 0, "", {}, {}, None, "", "")


@dataclass
class Bench:
    """The product with two adapters: one for everyone, and one for who reads both hr's and sales's documents."""

    product: Product
    workshop: FakeWorkshop
    ours: Adapter
    theirs: Adapter

    def key(self, *groups: str, administrator: bool = False) -> TestClient:
        """A client with a key that holds these groups."""
        _, secret = self.product.kb.keys.create("", groups=groups or ("everyone",), administrator=administrator)
        return self.product.client(key=secret)


@pytest.fixture
def bench(product: Product, tmp_path: Path) -> Iterator[Bench]:
    kb = product.kb
    for group in ("hr", "sales"):
        kb.groups.create(group)
    registry = kb.workshop.registry
    ours = approved(registry, tmp_path, seed=1)
    theirs = approved(registry, tmp_path, seed=2, of=dataset(("hr",), ("sales",)))
    workshop = FakeWorkshop(registry, kb.workshop.live)
    product._opened = replace(kb, workshop=cast("Workshop", workshop))
    yield Bench(product, workshop, ours, theirs)
    product._opened = kb


def names(client: TestClient) -> list[str]:
    return [one["id"] for one in client.get("/v1/models").json()["data"]]


def test_the_list_holds_what_the_caller_may_use(bench: Bench) -> None:
    def ids(client: TestClient) -> set[str]:
        return {one["id"] for one in client.get("/api/adapters").json()["adapters"]}

    assert ids(bench.key(administrator=True)) == ids(bench.key("hr", "sales")) == {bench.ours.id, bench.theirs.id}
    assert ids(bench.key("hr")) == {bench.ours.id}


def test_an_adapter_shows_its_lineage_its_figures_and_its_state(bench: Bench) -> None:
    shown = bench.key().get(f"/api/adapters/{bench.ours.id}").json()
    assert (shown["state"], shown["dataset"], shown["base_model"]) == ("approved", "ds_1", "tiny")
    assert shown["metrics"]["held_out"]["rephrased"]["n"] == 80
    assert shown["metrics"]["approval"]["passed"]
    assert shown["flags"] == []


@pytest.mark.parametrize("what", ["", "/curves.png", "/export"])
def test_what_may_not_be_used_looks_like_what_is_not_there(bench: Bench, what: str) -> None:
    client = bench.key("hr")
    hidden = client.get(f"/api/adapters/{bench.theirs.id}{what}")
    absent = client.get(f"/api/adapters/ad_000000000000{what}")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.json()["detail"].replace(bench.theirs.id, "") == absent.json()["detail"].replace("ad_000000000000", "")
    assert bench.key("hr", "sales").get(f"/api/adapters/{bench.theirs.id}{what}").status_code == 200


def test_the_curves_are_a_picture(bench: Bench) -> None:
    answer = bench.key().get(f"/api/adapters/{bench.ours.id}/curves.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


def test_the_archive_holds_weights_and_card(bench: Bench) -> None:
    answer = bench.key().get(f"/api/adapters/{bench.ours.id}/export")
    assert answer.headers["content-disposition"] == f'attachment; filename="{bench.ours.id}.tar"'
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        assert {f"{bench.ours.id}/adapter_model.safetensors", f"{bench.ours.id}/card.md"} <= set(archive.getnames())


def test_only_administrators_approve_promote_and_roll_back(bench: Bench) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        (f"/api/adapters/{bench.ours.id}/approve", {"force_reason": "a trial"}),
        (f"/api/adapters/{bench.ours.id}/promote", {"force": True}),
        ("/api/adapters/rollback", {}),
    ]
    reader, administrator = bench.key("hr", "sales"), bench.key(administrator=True)
    for path, body in calls:
        assert reader.post(path, json=body).status_code == 403
    assert bench.workshop.asked == []
    for path, body in calls:
        answer = administrator.post(path, json=body)
        assert answer.status_code == 202, answer.text
        assert answer.json()["job_id"] == "run_1"
    assert bench.workshop.asked == [("approve", bench.ours.id, "a trial"), ("promote", bench.ours.id, True), ("rollback",)]


def test_a_name_that_is_not_known_in_a_request_is_refused(bench: Bench) -> None:
    answer = bench.key(administrator=True).post(f"/api/adapters/{bench.ours.id}/promote", json={"forse": True})
    assert answer.status_code == 422
    assert "forse" in answer.json()["detail"]


def test_the_models_of_an_adapter_are_listed_only_while_one_is_live_for_the_caller(bench: Bench) -> None:
    reader, stranger = bench.key("hr", "sales"), bench.key("hr")
    assert names(reader) == ["graft-base", "graft-rag"]
    bench.workshop.registry.promote(bench.theirs.id)
    assert names(reader) == ["graft-base", "graft-rag", "graft-tuned", "graft-tuned-rag"]
    assert reader.get("/v1/models/graft-tuned").json()["id"] == "graft-tuned"
    assert names(stranger) == ["graft-base", "graft-rag"]
    assert stranger.get("/v1/models/graft-tuned").status_code == 404


def test_an_arm_that_is_not_there_is_a_404_and_one_that_is_starting_a_503(bench: Bench) -> None:
    reader, stranger = bench.key("hr", "sales"), bench.key("hr")
    body = {"model": "graft-tuned", "messages": [{"role": "user", "content": "How many days?"}]}
    bench.workshop.registry.promote(bench.theirs.id)
    assert stranger.post("/v1/chat/completions", json=body).status_code == 404
    answer = reader.post("/v1/chat/completions", json=body)
    assert answer.status_code == 503
    assert "adapted model" in answer.json()["detail"]
    bench.workshop.registry.roll_back()
    assert reader.post("/v1/chat/completions", json=body).status_code == 404
