"""Jobs survive whatever happens to their process: killed at any step, stopped in the middle, or asked for twice."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from ingest.errors import Conflict, NotFound
from ingest.types import Access
from services.settings import Settings
from tests import crashing
from tests.fakes import pdf
from tests.product import ADMINISTRATOR, Product
from tests.waiting import until

GREEN = pdf("The lamp in the corridor is green.")
BLUE = pdf("The lamp in the corridor is blue.")


def assert_whole(product: Product, *names: str) -> None:
    """These documents are there once each, are found, and the indexes hold just what the catalog does."""
    kb = product.kb
    assert sorted(one.document for one in kb.documents(access=ADMINISTRATOR)) == sorted(names)
    assert kb.pipeline.index.ids() == kb.catalog.indexed_chunk_ids()
    assert kb.pipeline.index.reconcile(kb.catalog.indexed_chunk_ids()) == set()
    assert product.rows()["documents"] == len(names)


STEPS = ["unchanged", "read", "stage", "add_to_index", "publish"]


@pytest.mark.parametrize(
    ("function", "moment"),
    [("enqueue", "before"), ("unchanged", "before")]
    + [(function, "after") for function in STEPS]
    + [("publish", "before"), ("add", "before"), ("remove", "before"), ("_end", "after")],
)
def test_a_job_killed_at_any_step_resumes(product: Product, killed: Callable[..., None], function: str, moment: str) -> None:
    """The document is a new version of one that is there, so that the old one must be seen until the new one is, and then go."""
    product.add("lamp.pdf", GREEN)
    killed(crashing.add_and_die, "lamp.pdf", BLUE, function, moment)
    kb = product.kb
    with kb.catalog._engine.connect() as connection:
        (job_id,) = connection.exec_driver_sql("select id from jobs order by created_at desc, rowid desc limit 1").one()
    job = product.ended(job_id)
    assert (job.status, job.outcome, job.version, job.error) == ("done", "added", 2, None)
    assert (product.found("is green"), product.found("is blue")) == (set(), {"lamp.pdf"})
    assert_whole(product, "lamp.pdf")
    assert len(product.files()) == 2  # each version keeps its original


def test_what_is_half_added_is_not_visible(product: Product, killed: Callable[..., None]) -> None:
    killed(crashing.add_and_die, "lamp.pdf", GREEN, "add_to_index", "after")
    product.kb.workflows.stop()
    catalog, index = product.kb.catalog, product.kb.pipeline.index
    for record in catalog.documents(access=ADMINISTRATOR):  # it may have been finished since the start
        assert record.version == 1
    assert len(index.ids()) == 1


@pytest.mark.parametrize(("function", "moment"), [("discard", "before"), ("discard", "after"), ("_end", "before")])
def test_a_refused_job_killed_at_its_end_is_refused(
    product: Product, killed: Callable[..., None], function: str, moment: str
) -> None:
    killed(crashing.add_and_die, "broken.pdf", b"no PDF at all", function, moment)
    with product.kb.catalog._engine.connect() as connection:
        (job_id,) = connection.exec_driver_sql("select id from jobs").one()
    job = product.ended(job_id)
    assert (job.status, job.outcome) == ("done", "refused")
    assert "not a PDF" in str(job.error)
    until(lambda: product.files() == set())  # they go once the job is noted as ended
    assert_whole(product)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_change_of_groups_that_was_killed_reaches_the_indexes(
    product: Product, killed: Callable[..., None], moment: str
) -> None:
    product.kb.groups.create("board")
    job = product.add("lamp.pdf", GREEN, "board")
    killed(crashing.regroup_and_die, str(job.document_id), ["everyone"], moment)
    assert product.found("is green", Access.of()) == {"lamp.pdf"}
    assert product.kb.catalog.regrouped() == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_removal_that_was_killed_is_complete(product: Product, killed: Callable[..., None], moment: str) -> None:
    job = product.add("lamp.pdf", GREEN)
    killed(crashing.remove_and_die, str(job.document_id), moment)
    assert_whole(product)
    assert product.kb.pipeline.index.ids() == set()
    assert product.files() == set()


def test_a_job_stopped_while_it_reads_goes_on_at_the_next_start(settings: Settings) -> None:
    product = Product(settings)
    big = pdf(*[f"Page {number} tells of pump {number}." for number in range(300)])
    jobs = [product.kb.add(f"{number}.pdf", [data], groups=[], access=ADMINISTRATOR) for number, data in enumerate((big, GREEN))]
    while not product.kb.jobs.get(jobs[0].job_id, access=ADMINISTRATOR).pages_done:
        time.sleep(0.01)
    product.stop()
    try:
        assert product.kb.jobs.get(jobs[0].job_id, access=ADMINISTRATOR).error is None
        assert [product.ended(job.job_id).outcome for job in jobs] == ["added", "added"]
        assert product.found("pump 299") == {"0.pdf"}
        assert_whole(product, "0.pdf", "1.pdf")
    finally:
        product.stop()


def test_jobs_end_in_the_order_in_which_they_were_submitted(product: Product) -> None:
    jobs = [product.kb.add("lamp.pdf", [data], groups=[], access=ADMINISTRATOR) for data in (GREEN, BLUE) * 3]
    product.stop()
    assert [product.ended(job.job_id).version for job in jobs] == [1, 2, 3, 4, 5, 6]
    assert product.found("is blue") == {"lamp.pdf"}


def test_a_request_named_twice_is_one_job(product: Product) -> None:
    kb = product.kb
    first, second = (kb.add("lamp.pdf", [GREEN], groups=[], access=ADMINISTRATOR, once="monday") for _ in range(2))
    assert first.job_id == second.job_id
    product.ended(first.job_id)
    assert kb.add("lamp.pdf", [GREEN], groups=[], access=ADMINISTRATOR, once="monday").status == "done"


def test_a_name_of_a_request_cannot_be_used_for_another_file(product: Product) -> None:
    kb = product.kb
    product.ended(kb.add("lamp.pdf", [GREEN], groups=[], access=ADMINISTRATOR, once="monday").job_id)
    for name, data in (("lamp.pdf", BLUE), ("other.pdf", GREEN)):
        with pytest.raises(Conflict, match="another file"):
            kb.add(name, [data], groups=[], access=ADMINISTRATOR, once="monday")
    assert product.found("is green") == {"lamp.pdf"}
    assert len(product.files()) == 1


def test_a_job_of_another_group_looks_like_none(product: Product) -> None:
    product.kb.groups.create("board")
    job = product.add("lamp.pdf", GREEN, "board")
    words = []
    for job_id in (job.job_id, "job_0000000000000000"):
        with pytest.raises(NotFound) as raised:
            product.kb.jobs.get(job_id, access=Access.of())
        words.append(str(raised.value).replace(job_id, "…"))
    assert words[0] == words[1]


def test_an_unexpected_error_fails_the_job_and_the_next_one_runs(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("something nobody thought of")

    with monkeypatch.context() as patch:
        patch.setattr(type(product.kb.pipeline), "stage", broken)
        job = product.add("lamp.pdf", GREEN)
    assert (job.status, job.outcome) == ("failed", None)
    assert "something nobody thought of" in str(job.error)
    assert_whole(product)
    assert product.add("lamp.pdf", GREEN).outcome == "added"


def test_a_reader_that_cannot_start_fails_the_job_and_does_not_refuse_the_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = Product(settings)
    monkeypatch.setattr("sys.executable", "/bin/false")
    try:
        job = product.add("lamp.pdf", GREEN)
        assert (job.status, job.outcome) == ("failed", None)
        assert "did not start" in str(job.error)
    finally:
        product.stop()
