"""Older versions of a document are kept, listed and opened, found only by name, and go with the document."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from ingest.errors import NotFound
from ingest.types import Access
from tests.fakes import pdf
from tests.product import ADMINISTRATOR, Product

GREEN = pdf("The lamp in the corridor is green.", "It hangs on the left.")
BLUE = pdf("The lamp in the corridor is blue.")


@pytest.fixture
def lamp(product: Product) -> str:
    """A document with two versions, which only the board may read."""
    product.kb.groups.create("board")
    for data in (GREEN, BLUE):
        job = product.add("lamp.pdf", data, "board")
    return str(job.document_id)


def test_versions_are_listed_the_newest_first(lamp: str, http: TestClient) -> None:
    told = http.get(f"/api/documents/{lamp}/versions").json()["versions"]
    assert [(one["version"], one["live"], one["pages"]) for one in told] == [(2, True, 1), (1, False, 2)]


def test_every_version_can_be_opened(lamp: str, http: TestClient) -> None:
    for version, data in ((1, GREEN), (2, BLUE)):
        assert http.get(f"/api/documents/{lamp}/file", params={"version": version}).content == data
        assert http.get(f"/api/documents/{lamp}/pages/1.png", params={"version": version}).is_success
    assert http.get(f"/api/documents/{lamp}/file").content == BLUE
    assert "green" in http.get(f"/api/documents/{lamp}/pages/1", params={"version": 1}).json()["text"]
    missing = http.get(f"/api/documents/{lamp}/file", params={"version": 3})
    assert (missing.status_code, "has no version 3: it has 1, 2" in missing.json()["detail"]) == (404, True)


def test_an_older_version_is_found_only_where_it_is_asked_for(lamp: str, product: Product, http: TestClient) -> None:
    assert product.found("is green") == set()

    def hits(**asked: object) -> list[tuple[int, int, str]]:
        answer = http.post("/api/search", json={"query": "is the lamp green", **asked}).json()
        return [(hit["version"], hit["page"], hit["text"]) for hit in answer["hits"]]

    assert hits(document_id=lamp, version=1)[0] == (1, 1, "The lamp in the corridor is green.")
    assert hits(document_id=lamp) == hits(document_id=lamp, version=2) == [(2, 1, "The lamp in the corridor is blue.")]
    assert http.post("/api/search", json={"query": "lamp", "version": 1}).status_code == 422


def test_versions_of_what_may_not_be_read_look_like_none(lamp: str, product: Product) -> None:
    board, nobody = Access.of("board"), Access.of()
    kb = product.kb
    assert len(kb.versions.of(lamp, access=board)) == 2
    assert kb.search_version("lamp", document_id=lamp, version=1, access=board, limit=5)
    words = []
    for document_id in (lamp, "doc_0123456789abcdef"):
        for ask in (
            lambda document_id: kb.versions.of(document_id, access=nobody),
            lambda document_id: kb.original(document_id, access=nobody, version=1),
            lambda document_id: kb.search_version("lamp", document_id=document_id, version=1, access=nobody, limit=5),
        ):
            with pytest.raises(NotFound) as raised:
                ask(document_id)
            words.append(str(raised.value).replace(document_id, "…"))
    assert len(set(words)) == 1


def test_removing_a_document_removes_all_its_versions(lamp: str, product: Product) -> None:
    assert (product.rows()["versions"], len(product.files())) == (2, 2)
    product.kb.remove(lamp, access=ADMINISTRATOR)
    assert set(product.rows().values()) == {0}
    assert product.files() == set()
    assert product.kb.pipeline.index.ids() == set()


def test_an_older_version_comes_back_as_a_new_one(lamp: str, product: Product) -> None:
    job = product.add("lamp.pdf", GREEN, "board")
    assert (job.document_id, job.version) == (lamp, 3)
    assert product.found("is green") == {"lamp.pdf"}


def test_a_version_that_is_being_added_is_no_version_yet(lamp: str, product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    publish: Callable[..., None] = type(product.kb.pipeline).publish

    def look_first(pipeline: object, version_id: str) -> None:
        seen.extend(product.kb.versions.of(lamp, access=ADMINISTRATOR))
        publish(pipeline, version_id)

    monkeypatch.setattr(type(product.kb.pipeline), "publish", look_first)
    product.add("lamp.pdf", pdf("The lamp is white."), "board")
    assert [one.version for one in seen] == [2, 1]
