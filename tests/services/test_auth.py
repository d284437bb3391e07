"""Rights: what a caller may not read looks exactly like what is not there, on every way to it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ingest.errors import NotFound
from ingest.types import Access
from tests.fakes import FakeChat, pdf
from tests.product import ADMINISTRATOR, LOCAL_KEY, Product

HIDDEN = "The merger with Borealis is planned for the ninth of May."
OPEN = "The canteen opens at eleven and the merger of the two kitchens is done."
QUESTION = "When is the merger with Borealis planned?"


class Company:
    """A product with one open and one restricted document, and a client for each kind of caller."""

    def __init__(self, product: Product) -> None:
        self.product = product
        kb = product.kb
        for group in ("board", "works"):
            kb.groups.create(group)
        self.open = product.add("canteen.pdf", pdf(OPEN))
        self.secret = product.add("merger.pdf", pdf(HIDDEN), "board")
        self.worker = product.client(key=kb.keys.create("worker", groups=["works"])[1])
        self.director = product.client(key=kb.keys.create("director", groups=["board"])[1])
        self.administrator = product.client(key=kb.keys.create("admin", groups=[], administrator=True)[1])


@pytest.fixture
def company(product: Product) -> Company:
    product.use_chat(FakeChat(answer=HIDDEN))
    return Company(product)


def test_a_document_of_another_group_looks_like_none_everywhere(company: Company) -> None:
    places = [
        ("documents/{}", str(company.secret.document_id), "doc_0123456789abcdef"),
        ("documents/{}/file", str(company.secret.document_id), "doc_0123456789abcdef"),
        ("documents/{}/pages/1.png", str(company.secret.document_id), "doc_0123456789abcdef"),
        ("documents/{}/pages/1", str(company.secret.document_id), "doc_0123456789abcdef"),
        ("documents/{}/pages/999.png", str(company.secret.document_id), "doc_0123456789abcdef"),
        ("jobs/{}", company.secret.job_id, "job_0123456789abcdef"),
    ]
    for place, hidden_id, missing_id in places:
        hidden, missing = (company.worker.get(f"/api/{place}".format(one)) for one in (hidden_id, missing_id))
        assert hidden.status_code == missing.status_code == 404
        assert hidden.text.replace(hidden_id, "…") == missing.text.replace(missing_id, "…")
        assert _shape(hidden.headers) == _shape(missing.headers)
        if "999" not in place:
            assert company.director.get(f"/api/{place}".format(hidden_id)).is_success


def _shape(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in ("date", "content-length")}


def test_neither_lists_nor_searches_nor_answers_show_it(company: Company) -> None:
    for client, sees in ((company.worker, False), (company.director, True), (company.administrator, True)):
        listed = client.get("/api/documents").json()["documents"]
        assert ("merger.pdf" in {one["document"] for one in listed}) is sees
        found = client.post("/api/search", json={"query": QUESTION}).text
        assert ("Borealis" in found) is sees
        for style in ("auto", "quotes", "generated"):
            answer = client.post("/api/ask", json={"question": QUESTION, "style": style, "stream": False}).json()
            cited = {one["document"] for one in [*answer["citations"], *answer["nearest"]]}
            assert ("merger.pdf" in cited) is sees, style
            streamed = client.post("/api/ask", json={"question": QUESTION, "style": style}).text
            assert ("merger.pdf" in streamed) is sees
        body = {"model": "graft-rag", "messages": [{"role": "user", "content": QUESTION}], "style": "quotes"}
        assert ("Borealis is planned" in client.post("/v1/chat/completions", json=body).text) is sees
        assert client.get("/api/status").json()["documents"] == 1 + sees


def test_groups_in_a_request_never_widen_a_key(company: Company) -> None:
    for groups in (["board"], ["board", "works"], ["nobody"], []):
        for path, body in (("ask", {"question": QUESTION, "stream": False}), ("search", {"query": QUESTION})):
            answer = company.worker.post(f"/api/{path}", json={**body, "groups": groups})
            assert answer.status_code == 200
            assert "merger.pdf" not in answer.text


def test_groups_in_a_request_narrow_an_administrator(company: Company) -> None:
    for groups, sees in ((["board"], True), (["works"], False), ([], False), (None, True)):
        found = company.administrator.post("/api/search", json={"query": QUESTION, "groups": groups}).text
        assert ("Borealis" in found) is sees


def test_what_went_before_in_a_conversation_opens_nothing(company: Company) -> None:
    history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": HIDDEN}]
    answer = company.worker.post(
        "/api/ask", json={"question": "And where?", "history": history, "style": "quotes", "stream": False}
    )
    assert "merger.pdf" not in answer.text


def test_a_key_adds_only_to_groups_that_it_holds(company: Company) -> None:
    def add(group: str) -> Any:
        files = [("files", ("a.pdf", pdf("Lamps."), "application/pdf"))]
        return company.worker.post("/api/documents", files=files, data={"group": [group]})

    assert add("works").status_code == 202
    refused, unknown = add("board"), add("nobody")
    assert refused.status_code == unknown.status_code == 422
    assert refused.text.replace("board", "…") == unknown.text.replace("nobody", "…")


def test_only_an_administrator_changes_things(company: Company) -> None:
    for method, path, body in (
        ("DELETE", f"documents/{company.open.document_id}", None),
        ("DELETE", f"documents/{company.secret.document_id}", None),
        ("DELETE", "documents/none", None),
        ("PUT", f"documents/{company.open.document_id}/groups", {"groups": ["works"]}),
        ("POST", "groups", {"name": "more"}),
        ("DELETE", "groups/works", None),
        ("GET", "keys", None),
        ("POST", "keys", {"groups": ["board"]}),
        ("DELETE", "keys/none", None),
        ("POST", "reindex", None),
    ):
        answer = company.director.request(method, f"/api/{path}", json=body)
        assert (answer.status_code, answer.json()["error"]["type"]) == (403, "authentication_error"), path
    assert len(company.product.kb.documents(access=ADMINISTRATOR)) == 2


def test_a_caller_sees_its_own_groups_only(company: Company) -> None:
    assert company.worker.get("/api/groups").json() == {"groups": ["everyone", "works"]}
    assert company.worker.get("/api/me").json() == {
        "groups": ["everyone", "works"],
        "administrator": False,
        "key_required": True,
    }
    assert company.administrator.get("/api/groups").json() == {"groups": ["board", "everyone", "works"]}


def test_every_place_but_the_page_and_health_needs_a_key(company: Company) -> None:
    paths = company.product.client().get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method in methods:
            if path in ("/healthz", "/readyz"):
                continue
            place = re.sub(r"{\w+}", "1", path)
            for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic Z3JhZnQ6Z3JhZnQ="}):
                answer = company.product.client().request(method, place, headers=headers)
                assert answer.status_code == 401, (method, path, headers)
                assert answer.headers["www-authenticate"] == "Bearer"
                assert answer.json()["error"]["type"] == "authentication_error"


def test_a_revoked_key_is_worthless_at_once(company: Company) -> None:
    kb = company.product.kb
    key, secret = kb.keys.create("short", groups=["board"])
    client = company.product.client(key=secret)
    assert client.get("/api/documents").is_success
    kb.keys.revoke(key.key_id)
    assert client.get("/api/documents").status_code == 401
    kb.keys.revoke(key.key_id)
    assert [one.revoked_at is not None for one in kb.keys.list() if one.name == "short"] == [True]


def test_revoking_the_last_key_does_not_open_the_server(product: Product) -> None:
    key, _ = product.kb.keys.create("only", groups=[])
    product.kb.keys.revoke(key.key_id)
    assert product.client().get("/api/documents").status_code == 401
    assert product.client(key=LOCAL_KEY).get("/api/documents").is_success


def test_a_secret_is_kept_nowhere(company: Company) -> None:
    made = company.administrator.post("/api/keys", json={"name": "new", "groups": ["works"]}).json()
    assert made["secret"].startswith("graft_")
    assert made["secret"] not in company.administrator.get("/api/keys").text
    home = company.product.settings.home
    needle = made["secret"].encode()
    assert not [path for path in home.rglob("*") if path.is_file() and needle in path.read_bytes()]


def test_a_server_without_keys_serves_no_page_of_another_site(http: TestClient) -> None:
    for headers in (
        {"Host": "graft.example.com"},
        {"Host": "127.0.0.1.example.com:8484"},
        {"Host": "["},
        {"Host": ""},
        {"Origin": "https://example.com"},
        {"Origin": "http://127.0.0.1.example.com"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://["},
    ):
        for path in ("/api/documents", "/v1/models"):
            assert http.get(path, headers=headers).status_code == 401, headers


def test_a_server_without_keys_serves_this_machine_and_its_own_page(http: TestClient) -> None:
    for host in ("127.0.0.1:8484", "localhost:8484", "[::1]:8484"):
        for headers in ({"Host": host}, {"Host": host, "Origin": f"http://{host}"}):
            assert http.get("/api/me", headers=headers).json()["administrator"] is True


def test_any_key_will_do_where_none_is_needed(product: Product) -> None:
    """OpenAI's clients must send one."""
    assert product.client(key="sk-unused").get("/v1/models").is_success


def test_a_document_that_changes_groups_changes_readers_at_once(company: Company) -> None:
    document = f"/api/documents/{company.secret.document_id}"
    assert company.administrator.put(f"{document}/groups", json={"groups": ["works"]}).is_success
    for client, sees in ((company.worker, True), (company.director, False)):
        assert client.get(document).is_success is sees
        assert client.get(f"/api/jobs/{company.secret.job_id}").is_success is sees
        assert ("Borealis" in client.post("/api/search", json={"query": QUESTION}).text) is sees


def test_readers_of_the_catalog_see_what_their_access_permits(company: Company) -> None:
    catalog = company.product.kb.catalog
    for access in (Access.of(), Access.of("works"), Access(frozenset())):
        with pytest.raises(NotFound):
            catalog.document(str(company.secret.document_id), access=access)
        with pytest.raises(NotFound):
            catalog.page(str(company.secret.document_id), 1, access=access)
        with pytest.raises(NotFound):
            catalog.remove(str(company.secret.document_id), access=access)
    assert len(catalog.documents(access=ADMINISTRATOR)) == 2
