"""Every format, from the upload to the citation: found, quoted, shown as text, fetched, and never run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ingest.readers.detect import ALLOWED, SUFFIXES
from services.api import openai
from tests.fakes import pdf
from tests.office import docx, pptx, xlsx
from tests.product import Product

WEB = Path(openai.__file__).parent.parent / "web" / "src"
RULE = "Every employee has 27 days of paid holiday a year."
QUESTION = "How many days of paid holiday does an employee have?"
FILES = {
    "rules.docx": docx("# Leave", RULE, "Unused days expire."),
    "rules.pptx": pptx(("Leave", [RULE, "Unused days expire."])),
    "rules.xlsx": xlsx({"Leave": [["Rule", "Since"], [RULE, 2024], ["Unused days expire.", 2025]]}),
    "rules.html": f"<!doctype html><h1>Leave</h1><p>{RULE}<p>Unused days expire.<script>alert(1)</script>".encode(),
    "rules.md": f"# Leave\n\n{RULE}\n\nUnused days expire.\n".encode(),
    "rules.txt": f"Leave\n\n{RULE}\n\nUnused days expire.\n".encode("utf-16"),
    "rules.csv": f"Rule,Since\n{RULE},2024\nUnused days expire.,2025\n".encode(),
    "rules.eml": f"From: a@b.c\nTo: d@e.f\nSubject: Leave\nMIME-Version: 1.0\n\n{RULE}\n\nUnused days expire.\n".encode(),
}


@pytest.fixture
def http(product: Product) -> TestClient:
    return product.client()


def added(http: TestClient, product: Product, name: str, data: bytes) -> dict[str, Any]:
    """The job that added the upload, ended."""
    job = http.post("/api/documents", files=[("files", (name, data, "application/octet-stream"))]).json()["jobs"][0]
    product.ended(job["job_id"])
    ended: dict[str, Any] = http.get(f"/api/jobs/{job['job_id']}").json()
    return ended


@pytest.mark.parametrize("name", FILES)
def test_what_a_file_says_is_found_quoted_and_marked_on_its_page(http: TestClient, product: Product, name: str) -> None:
    job = added(http, product, name, FILES[name])
    assert (job["outcome"], job["error"], job["warnings"]) == ("added", None, [])
    answer = http.post("/api/ask", json={"question": QUESTION, "style": "quotes", "stream": False}).json()
    (cited,) = (one for one in answer["citations"] if "27 days" in one["quote"])
    assert (cited["document"], cited["page"], cited["bbox"]) == (name, 1, [])
    query = {key: cited[key] for key in ("version", "chunk", "quote")}
    address = f"/api/documents/{cited['document_id']}/pages/1"
    page = http.get(address, params=query).json()
    ((start, end),) = page["marks"]
    assert page["text"][start:end] == cited["quote"]
    assert (page["document"], page["page"], page["picture"]) == (name, 1, False)
    missing = http.get(f"{address}.png", params=query)
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    assert "page 1 has no picture" in missing.json()["detail"]
    file = http.get(f"/api/documents/{cited['document_id']}/file")
    assert file.content == FILES[name]
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"] == f'attachment; filename="{name}"'


def test_a_chunk_without_a_quote_is_marked_whole_and_a_plain_page_not_at_all(http: TestClient, product: Product) -> None:
    added(http, product, "rules.md", FILES["rules.md"])
    hit = http.post("/api/search", json={"query": "paid holiday"}).json()["hits"][0]
    address = f"/api/documents/{hit['document_id']}/pages/1"
    page = http.get(address, params={"chunk": hit["chunk"], "quote": "words of another page"}).json()
    ((start, end),) = page["marks"]
    assert page["text"][start:end] == hit["text"]
    assert hit["headings"] == ["Leave"]
    assert http.get(address).json()["marks"] == []
    for place in ("pages/2", "pages/0", "pages/1?version=2"):
        assert http.get(f"/api/documents/{hit['document_id']}/{place}").status_code == 404


def test_a_pdf_has_its_text_beside_its_picture(http: TestClient, product: Product) -> None:
    added(http, product, "rules.pdf", pdf(RULE))
    hit = http.post("/api/search", json={"query": "paid holiday"}).json()["hits"][0]
    page = http.get(f"/api/documents/{hit['document_id']}/pages/1", params={"quote": "27 days"}).json()
    assert (page["text"], page["picture"]) == (RULE, True)
    assert http.get(f"/api/documents/{hit['document_id']}/pages/1.png").is_success


def test_an_image_is_a_page_that_is_read_and_shown(http: TestClient, product: Product) -> None:
    png = product.kb.drawer.render(_file(product, pdf(RULE)), 1, boxes=[], dpi=150)
    job = added(http, product, "scan.png", png)
    assert (job["outcome"], job["warnings"]) == ("added", [])
    assert "27 days" in http.post("/api/search", json={"query": "paid holiday"}).json()["hits"][0]["text"]
    shown = http.get(f"/api/documents/{job['document_id']}/pages/1.png")
    assert shown.headers["content-type"] == "image/png"
    file = http.get(f"/api/documents/{job['document_id']}/file")
    assert (file.headers["content-type"], file.headers["content-disposition"]) == ("image/png", 'inline; filename="scan.png"')


def _file(product: Product, data: bytes) -> Path:
    path = product.kb.files.folder / "drawn"
    path.write_bytes(data)
    return path


def test_a_renamed_file_is_read_as_what_it_is_and_an_unknown_one_refused_by_name(http: TestClient, product: Product) -> None:
    assert added(http, product, "really-a-pdf.docx", pdf(RULE))["outcome"] == "added"
    assert added(http, product, "really-a-workbook.pdf", FILES["rules.xlsx"])["outcome"] == "added"
    job = added(http, product, "film.mp4", b"\x00\x00\x00\x18ftypmp42" + bytes(40))
    assert (job["status"], job["outcome"]) == ("done", "refused")
    assert "of an unknown type (.mp4)" in job["error"]
    assert job["error"].endswith(ALLOWED)


def test_the_page_offers_just_the_files_that_are_read() -> None:
    script = (WEB / "documents.js").read_text(encoding="utf-8")
    offered = re.search(r'^const readable = "([^"]+)";$', script, re.MULTILINE)
    assert offered is not None
    assert offered[1].split(",") == list(SUFFIXES)
