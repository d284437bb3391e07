"""Filters narrow a search and never widen it: by document, day, type and group, in the application, over HTTP and by command."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from eval.types import Arm, Style
from ingest.errors import InputRefused, NotFound
from ingest.narrowing import Filters
from ingest.schema import documents, versions
from ingest.types import Access
from tests.command_line import Graft
from tests.fakes import pdf
from tests.product import ADMINISTRATOR, Product

TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)


@pytest.fixture
def lamps(product: Product) -> Product:
    """Five documents about lamps; the board's is old, and one is a text."""
    product.kb.groups.create("board")
    product.kb.groups.create("works")
    product.add("hall.pdf", pdf("The lamp in the hall is green."))
    product.add("office.pdf", pdf("The lamp in the office is blue."), "works", "everyone")
    product.add("notes.MD", b"The lamp in the yard is red.\n")
    product.add("plan.pdf", pdf("The lamp in the board room is gold."), "board")
    product.add("odd_name%.txt", b"The lamp in the cellar is grey.\n")
    with product.kb.catalog._engine.begin() as connection:
        old = (
            versions.c.document_id
            == documents.select().with_only_columns(documents.c.id).where(documents.c.name == "plan.pdf").scalar_subquery()
        )
        connection.execute(update(versions).where(old).values(created_at="2024-02-29T23:59:59.999+00:00"))
    return product


def test_a_hit_found_through_its_copy_tells_what_its_score_is_made_of(product: Product) -> None:
    for name in ("first.txt", "second.txt"):
        product.add(name, b"# Lamps\n\nThe lamp in the hall is green.\n")
    asked = {"query": "Which lamp is in the hall?", "documents": ["second.txt"], "explain": True}
    (hit,) = product.client().post("/api/search", json=asked).json()["hits"]
    parts = hit["explanation"]["parts"]
    assert hit["document"] == "second.txt"
    assert parts["words"] == 1.0
    assert sum(parts.values()) == pytest.approx(hit["score"])


def names(product: Product, filters: Filters, access: Access = ADMINISTRATOR) -> set[str]:
    return {hit.document for hit in product.kb.search("lamp", access=access, limit=20, filters=filters)}


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters(), {"hall.pdf", "office.pdf", "notes.MD", "plan.pdf", "odd_name%.txt"}),
        (Filters(documents=("hall.pdf", "notes.MD")), {"hall.pdf", "notes.MD"}),
        (Filters(types=("pdf",)), {"hall.pdf", "office.pdf", "plan.pdf"}),
        (Filters(types=(".md", "TXT")), {"notes.MD", "odd_name%.txt"}),
        (Filters(types=("docx",)), set()),
        (Filters(groups=("works", "board")), {"office.pdf", "plan.pdf"}),
        (Filters(groups=("nobody knows",)), set()),
        (Filters(until=date(2024, 2, 29)), {"plan.pdf"}),
        (Filters(until=date(2024, 2, 28)), set()),
        (Filters(since=date(2024, 2, 29), until=date(2024, 2, 29)), {"plan.pdf"}),
        (Filters(since=date(2024, 3, 1), types=("pdf",)), {"hall.pdf", "office.pdf"}),
        (Filters(since=TODAY + 2 * DAY), set()),
        (Filters(since=date.min, until=date.max, types=("txt",)), {"odd_name%.txt"}),
        (Filters(documents=("hall.pdf",), types=("md",)), set()),
    ],
)
def test_all_that_is_given_must_hold_of_each_any_one(lamps: Product, filters: Filters, wanted: set[str]) -> None:
    assert names(lamps, filters) == wanted


def test_a_filter_never_widens_what_may_be_read(lamps: Product) -> None:
    works, nobody = Access.of("works"), Access.of()
    assert names(lamps, Filters(types=("pdf",)), works) == {"hall.pdf", "office.pdf"}
    assert names(lamps, Filters(until=date(2024, 12, 31)), works) == set()
    assert names(lamps, Filters(groups=("board",)), works) == set()
    # The document may be read with `everyone`; that it carries `works` too is not to be found out by searching.
    assert names(lamps, Filters(groups=("works",)), nobody) == set()
    assert names(lamps, Filters(groups=("works",)), works) == {"office.pdf"}


def test_a_document_that_may_not_be_read_looks_like_none(lamps: Product) -> None:
    hidden = next(one for one in lamps.kb.documents(access=ADMINISTRATOR) if one.document == "plan.pdf")
    told = []
    for name in ("plan.pdf", hidden.document_id, "never there.pdf"):
        with pytest.raises(NotFound) as error:
            names(lamps, Filters(documents=("hall.pdf", name)), Access.of("works"))
        told.append(str(error.value).replace(name, "X"))
    assert len(set(told)) == 1
    assert names(lamps, Filters(documents=(hidden.document_id,)), Access.of("board")) == {"plan.pdf"}


def test_days_in_the_wrong_order_and_types_that_are_none_are_refused(lamps: Product) -> None:
    with pytest.raises(InputRefused, match="2026-02-01 lies after until 2026-01-01"):
        names(lamps, Filters(since=date(2026, 2, 1), until=date(2026, 1, 1)))
    for wrong in ("", "%", "p_f", "application/pdf"):
        with pytest.raises(InputRefused, match="no ending"):
            names(lamps, Filters(types=(wrong,)))


# Copies


COPY = "The emergency lamp hangs beside the northern door of the hall."


def test_a_copy_that_no_index_holds_is_found_and_told_as_itself(product: Product) -> None:
    kb = product.kb
    kb.groups.create("board")
    for name, more in (("first.pdf", "Apples."), ("second.pdf", "Pears."), ("third.pdf", "Plums.")):
        product.add(name, pdf(COPY, more, title="House rules"))
    product.add("hidden.pdf", pdf(COPY, "Figs.", title="House rules"), "board")

    def told(*wanted: str, access: Access = Access.of()) -> list[str]:  # noqa: B008 - frozen
        hits = kb.search("emergency lamp door", access=access, limit=5, filters=Filters(documents=wanted))
        assert all(kb.catalog.chunk_span(hit.chunk, document_id=hit.document_id, page=hit.page) for hit in hits)
        return [hit.document for hit in hits if COPY in hit.text]

    assert len([row for row in kb.catalog.index_rows() if COPY in row.text]) == 2  # one for everyone, one for the board
    for name in ("first.pdf", "second.pdf", "third.pdf"):
        assert told(name) == [name]
    assert told("second.pdf", "third.pdf") in (["second.pdf"], ["third.pdf"])
    assert told("first.pdf", "third.pdf") in (["first.pdf"], ["third.pdf"])
    # Most documents match, and the one that is held is not among them.
    for number in range(4):
        product.add(f"more{number}.md", f"Number {number}.".encode())
    assert told("second.pdf", *(f"more{number}.md" for number in range(4))) == ["second.pdf"]
    with pytest.raises(NotFound):
        told("hidden.pdf")
    assert told("hidden.pdf", access=Access.of("board")) == ["hidden.pdf"]
    # When the one that is held goes, the next takes its place.
    first = next(one for one in kb.documents(access=ADMINISTRATOR) if one.document == "first.pdf")
    kb.remove(first.document_id, access=ADMINISTRATOR)
    assert told("second.pdf") == ["second.pdf"]
    assert told("third.pdf") == ["third.pdf"]


# Over HTTP and by command


def searched(http: TestClient, **asked: Any) -> Any:
    answer = http.post("/api/search", json={"query": "lamp", **asked})
    return {hit["document"] for hit in answer.json()["hits"]} if answer.is_success else answer.status_code


def test_filters_over_http(lamps: Product, http: TestClient) -> None:
    assert searched(http, documents=["hall.pdf"]) == {"hall.pdf"}
    assert searched(http, types=["md"]) == {"notes.MD"}
    assert searched(http, in_groups=["board"]) == searched(http, until="2024-02-29") == {"plan.pdf"}
    assert searched(http, in_groups=["board"], groups=["works"]) == set()
    assert searched(http, documents=["none.pdf"]) == 404
    assert searched(http, since="2026-02-01", until="2026-01-01") == 422
    assert searched(http, since="yesterday") == searched(http, types=["*"]) == searched(http, document=["a"]) == 422
    hall = next(one.document_id for one in lamps.kb.documents(access=ADMINISTRATOR) if one.document == "hall.pdf")
    assert searched(http, document_id=hall) == searched(http, document_id=hall, version=1) == {"hall.pdf"}
    assert searched(http, document_id=hall, types=["md"]) == set()
    assert searched(http, document_id=hall, version=1, types=["md"]) == 422


def test_an_answer_is_quoted_from_the_matching_documents_only(lamps: Product, http: TestClient) -> None:
    def answer(**asked: Any) -> Any:
        body = {"question": "Which colour has the lamp in the office?", "stream": False, **asked}
        return http.post("/api/ask", json=body).json()

    def cited(**asked: Any) -> set[str]:
        told = answer(**asked)
        return {one["document"] for one in [*told["nearest"], *told["citations"]]}

    assert "office.pdf" in cited()
    assert cited(documents=["hall.pdf"]) == {"hall.pdf"}
    assert cited(types=["md"]) == {"notes.MD"}
    assert cited(since=str(TODAY + 2 * DAY)) == set()
    assert answer(documents=["none.pdf"])["status"] == 404
    assert "reads no documents" in answer(arm="base", types=["pdf"])["detail"]
    compared = http.post(
        "/api/compare", json={"question": "the lamp?", "arms": ["rag"], "stream": False, "documents": ["hall.pdf"]}
    ).json()
    assert {hit["document"] for hit in compared["hits"]} == {"hall.pdf"}


async def test_a_narrowed_answer_reads_the_narrowed_search(lamps: Product) -> None:
    kb = lamps.kb
    told = await kb.ask(
        "Which lamp is red?", access=Access.of(), arm=Arm.RAG, style=Style.QUOTES, filters=Filters(types=("pdf",))
    )
    assert {hit.document for hit in told.nearest} <= {"hall.pdf", "office.pdf"}


def test_filters_by_command(lamps: Product, running: Product, graft: Graft) -> None:
    def found(*options: str) -> Any:
        ran = graft("search", "lamp", *options, "--json")
        return {hit["document"] for hit in ran.json["hits"]} if ran.code == 0 else ran.code

    assert found("--document", "hall.pdf", "--document", "notes.MD") == {"hall.pdf", "notes.MD"}
    assert found("--type", "md", "--since", str(TODAY - DAY), "--until", str(TODAY + DAY)) == {"notes.MD"}
    assert found("--in-group", "board") == {"plan.pdf"}
    assert found("--in-group", "board", "--group", "works") == set()
    assert found("--document", "none.pdf") == 3
    assert found("--since", "yesterday") == 2
    assert found("--document", "hall.pdf", "--document", "notes.MD", "--version", "1") == 2
    asked = graft("ask", "Which colour has the lamp in the office?", "--document", "hall.pdf", "--json").json
    assert {hit["document"] for hit in asked["nearest"]} == {"hall.pdf"}


# Slips of the pen


def test_a_correction_is_told_only_where_a_permitted_hit_holds_it(product: Product, http: TestClient, graft: Graft) -> None:
    product.kb.groups.create("board")
    product.add("open.pdf", pdf("The pump QX-710 costs ninety euros."))
    product.add("secret.pdf", pdf("The project ZEBRA-440 is secret."), "board")

    def told(query: str, **asked: Any) -> Any:
        return http.post("/api/search", json={"query": query, **asked}).json()["corrections"]

    assert told("what costs QX-71O") == [{"seen": "QX-71O", "used": "QX-710"}]
    assert told("what costs QX-710") == []
    assert told("ZEBRA-44O", groups=["board"]) == [{"seen": "ZEBRA-44O", "used": "ZEBRA-440"}]
    assert told("ZEBRA-44O pump", groups=[]) == []
    assert told("QX-71O", documents=["secret.pdf"]) == []


def test_a_correction_is_told_by_command(product: Product, running: Product, graft: Graft) -> None:
    product.add("open.pdf", pdf("The pump QX-710 costs ninety euros."))
    assert "Nothing holds QX-71O; searched for QX-710 too." in graft("search", "QX-71O").out


# More like this


def test_passages_like_one_are_found_without_itself_its_copies_and_what_may_not_be_read(
    product: Product, http: TestClient
) -> None:
    kb = product.kb
    kb.groups.create("board")
    valve = "The control valve of the boiler closes when the steam pressure passes ten bar."
    product.add("boiler.pdf", pdf(valve, "Lunch is served at noon."))
    product.add("again.pdf", pdf(valve, "Tea is served at four."))
    product.add("steam.md", b"Steam pressure in the boiler is read at the control valve each hour.\n")
    product.add("secret.pdf", pdf("The boiler's control valve fails when the steam pressure is high."), "board")
    (found,) = kb.search("control valve boiler steam", access=Access.of(), limit=1, filters=Filters(documents=("boiler.pdf",)))

    def like(access: Access, **options: Any) -> list[str]:
        return [hit.document for hit in kb.like(found.chunk, access=access, limit=3, **options)]

    assert like(Access.of())[0] == "steam.md"
    assert not {"boiler.pdf", "again.pdf"} & {hit.document for hit in kb.like(found.chunk, access=Access.of(), limit=1)}
    assert "secret.pdf" not in like(Access.of())
    assert set(like(Access.of("board"))[:2]) == {"steam.md", "secret.pdf"}
    assert like(Access.of(), filters=Filters(types=("md",))) == ["steam.md"]
    (secret,) = kb.search("fails", access=Access.of("board"), limit=1, filters=Filters(documents=("secret.pdf",)))
    for hidden in (secret.chunk, "chk_none"):
        with pytest.raises(NotFound, match="there is no passage"):
            kb.like(hidden, access=Access.of(), limit=3)
    assert searched(http, query="", like=found.chunk, limit=2) >= {"steam.md"}
    assert searched(http, query="", like="chk_none") == 404
    assert searched(http, like=found.chunk) == searched(http, query="") == 422


def test_passages_like_one_by_command(lamps: Product, running: Product, graft: Graft) -> None:
    (hall,) = graft("search", "lamp hall", "--document", "hall.pdf", "--json").json["hits"]
    hits = graft("search", "--like", hall["chunk"], "--json").json["hits"]
    assert "office.pdf" in {hit["document"] for hit in hits}
    assert hall["chunk"] not in {hit["chunk"] for hit in hits}
    assert graft("search").code == 3
    assert graft("search", "--like", "chk_none").code == 3
