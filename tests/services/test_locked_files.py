"""Encrypted files open with their password, which is kept no longer than their job and opens them for nobody else."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from services.settings import Settings
from tests import crashing, hostile
from tests.fakes import pdf
from tests.office import docx
from tests.product import ADMINISTRATOR, Product

PASSWORD = "secret"  # noqa: S105 - that of `hostile.encrypted`
WORDS = "Nobody reads this"
LOCKED = hostile.encrypted()


def traces(product: Product) -> list[Path]:
    """The files of the home in which the password stands."""
    return [
        path
        for path in product.settings.home.rglob("*")
        if path.is_file() and path.parent.name != "files" and PASSWORD.encode() in path.read_bytes()
    ]


def test_an_encrypted_file_asks_for_its_password_and_opens_with_it(product: Product) -> None:
    asked = product.add("locked.pdf", LOCKED)
    assert (asked.outcome, asked.code) == ("refused", "password_needed")
    assert "needs a password" in str(asked.error)
    jobs = product.kb.jobs
    wrong = product.ended(jobs.retry(asked.job_id, password="wrong", access=ADMINISTRATOR).job_id)
    assert (wrong.code, "does not open it" in str(wrong.error)) == ("password_needed", True)
    right = product.ended(jobs.retry(wrong.job_id, password=PASSWORD, access=ADMINISTRATOR).job_id)
    assert (right.outcome, right.error) == ("added", None)
    assert product.found(WORDS) == {"locked.pdf"}
    assert jobs.list(access=ADMINISTRATOR, only_open=True) == []


def test_its_pages_are_drawn_without_the_password_and_the_original_stays_locked(product: Product) -> None:
    job = product.ended(product.kb.add("locked.pdf", [LOCKED], groups=[], access=ADMINISTRATOR, password=PASSWORD).job_id)
    document = str(job.document_id)
    assert pymupdf.Pixmap(product.kb.page_image(document, 1, access=ADMINISTRATOR)).width > 100
    _, path = product.kb.original(document, access=ADMINISTRATOR)
    assert path.read_bytes() == LOCKED
    assert len(product.files()) == 2
    product.stop()  # the copy is needed, so a start keeps it
    assert len(product.files()) == 2
    again = product.ended(product.kb.read_again(document, access=ADMINISTRATOR).job_id)
    assert again.outcome == "reread"
    product.kb.remove(document, access=ADMINISTRATOR)
    assert product.files() == set()


def test_who_has_the_bytes_and_not_the_password_does_not_get_the_text(product: Product) -> None:
    """Documents of the same bytes share what was read of them; the password is not shared."""
    product.ended(product.kb.add("locked.pdf", [LOCKED], groups=[], access=ADMINISTRATOR, password=PASSWORD).job_id)
    for password in ("", "wrong"):
        job = product.kb.add("copy.pdf", [LOCKED], groups=[], access=ADMINISTRATOR, password=password)
        assert product.ended(job.job_id).code == "password_needed"
    job = product.kb.add("copy.pdf", [LOCKED], groups=[], access=ADMINISTRATOR, password=PASSWORD)
    assert product.ended(job.job_id).outcome == "added"


@pytest.mark.parametrize(("function", "moment"), [("enqueue", "before"), ("read", "before"), ("stage", "after")])
def test_a_killed_job_still_has_its_password_and_then_forgets_it(
    product: Product, killed: Callable[..., None], function: str, moment: str
) -> None:
    killed(crashing.add_locked_and_die, "locked.pdf", LOCKED, PASSWORD, function, moment)
    (kept,) = traces(product)
    assert kept.parent.name == "passwords"
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    (job,) = product.kb.jobs.list(access=ADMINISTRATOR)
    assert product.ended(job.job_id).outcome == "added"
    product.stop()
    assert traces(product) == []


def test_a_password_is_forgotten_however_its_job_ends(product: Product) -> None:
    add = product.kb.add
    for name, data, password in (
        ("open.pdf", pdf("Needs none."), PASSWORD),
        ("broken.pdf", b"%PDF-1.7\n", PASSWORD),
        ("locked.pdf", LOCKED, f"not {PASSWORD}"),
    ):
        product.ended(add(name, [data], groups=[], access=ADMINISTRATOR, password=password).job_id)
    assert product.found("Needs none") == {"open.pdf"}
    product.stop()
    assert traces(product) == []


def test_encrypted_office_files_open_too(product: Product) -> None:
    plain, locked = io.BytesIO(docx("Nobody reads this either.")), io.BytesIO()
    OOXMLFile(plain).encrypt(PASSWORD, locked)
    data = locked.getvalue()
    asked = product.add("locked.docx", data)
    assert (asked.code, "encrypted Office file" in str(asked.error)) == ("password_needed", True)
    jobs = product.kb.jobs
    wrong = product.ended(jobs.retry(asked.job_id, password="wrong", access=ADMINISTRATOR).job_id)
    assert wrong.code == "password_needed"
    right = product.ended(jobs.retry(wrong.job_id, password=PASSWORD, access=ADMINISTRATOR).job_id)
    assert (right.outcome, product.found("reads this either")) == ("added", {"locked.docx"})
    damaged = product.kb.add("cut.docx", [data[:3000]], groups=[], access=ADMINISTRATOR, password=PASSWORD)
    assert product.ended(damaged.job_id).outcome == "refused"


def test_a_password_comes_as_a_form_field_and_is_in_no_answer(product: Product, settings: Settings) -> None:
    with product.client() as http:
        files = [("files", ("locked.pdf", LOCKED, "application/pdf"))]
        answer = http.post("/api/documents", files=files, data={"password": PASSWORD})
        assert PASSWORD not in answer.text
        (job,) = answer.json()["jobs"]
        assert product.ended(job["job_id"]).outcome == "added"
        assert PASSWORD not in http.get(f"/api/jobs/{job['job_id']}").text
        assert http.post("/api/documents", files=files, data={"password": "x" * 1001}).status_code == 422
