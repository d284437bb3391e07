"""Adding, changing and removing a document, over the real catalog, indexes and reader."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest.chunk_size import estimated_tokens
from ingest.errors import Conflict, NotFound
from ingest.reading_warnings import NO_TEXT_LAYER
from ingest.types import Access
from tests.fakes import pdf
from tests.product import ADMINISTRATOR, Product
from tests.waiting import until

GREEN = pdf("The lamp in the corridor is green.", title="Lamps")
BLUE = pdf("The lamp in the corridor is blue.", title="Lamps")


def test_what_was_added_is_found_with_its_page(product: Product) -> None:
    job = product.add("lamps.pdf", GREEN)
    (hit,) = product.kb.search("corridor lamp", access=ADMINISTRATOR, limit=5)
    assert (job.status, job.outcome, job.pages_total) == ("done", "added", 1)
    assert (hit.document, hit.page, hit.document_id, hit.version) == ("lamps.pdf", 1, job.document_id, 1)


def test_adding_again_does_nothing(product: Product) -> None:
    first = product.add("lamps.pdf", GREEN)
    rows = product.rows()
    again = product.add("lamps.pdf", GREEN)
    assert (again.outcome, again.document_id, again.version, again.pages_total) == ("unchanged", first.document_id, 1, 1)
    assert product.rows() == rows


def test_a_changed_file_of_the_same_name_is_version_2_and_the_old_text_is_not_found(product: Product) -> None:
    first = product.add("lamps.pdf", GREEN)
    second = product.add("lamps.pdf", BLUE)
    assert (second.document_id, second.version) == (first.document_id, 2)
    (hit,) = product.kb.search("lamp corridor green blue", access=ADMINISTRATOR, limit=5)
    assert (hit.text, hit.version) == ("The lamp in the corridor is blue.", 2)
    assert len(product.kb.documents(access=ADMINISTRATOR)) == 1
    assert product.kb.pipeline.index.ids() == {hit.chunk}


def test_an_earlier_form_can_be_added_again(product: Product) -> None:
    for data in (GREEN, BLUE, GREEN):
        job = product.add("lamps.pdf", data)
    assert job.version == 3
    assert product.found("is green") == {"lamps.pdf"}
    assert product.found("is blue") == set()


def test_the_same_bytes_in_other_groups_or_under_another_name_are_another_document(product: Product) -> None:
    for group in ("board", "works"):
        product.kb.groups.create(group)
    jobs = [
        product.add("lamps.pdf", GREEN),
        product.add("lamps.pdf", GREEN, "board"),
        product.add("other.pdf", GREEN, "works", "board"),
    ]
    assert len({job.document_id for job in jobs}) == 3
    assert [job.outcome for job in jobs] == ["added"] * 3
    assert product.rows()["contents"] == 1
    assert len(product.kb.documents(access=Access.of("board"))) == 3
    assert len(product.kb.documents(access=Access.of("works"))) == 2
    assert len(product.kb.documents(access=Access.of())) == 1


def test_removing_leaves_nothing_behind(product: Product) -> None:
    product.add("lamps.pdf", GREEN)
    job = product.add("lamps.pdf", BLUE)
    product.kb.remove(str(job.document_id), access=ADMINISTRATOR)
    assert product.rows() == dict.fromkeys(product.rows(), 0)
    assert product.kb.pipeline.index.ids() == set()
    assert product.files() == set()
    assert product.kb.search("lamp", access=ADMINISTRATOR, limit=5) == []
    with pytest.raises(NotFound):
        product.kb.jobs.get(job.job_id, access=ADMINISTRATOR)


def test_removing_keeps_the_bytes_that_another_document_shares(product: Product) -> None:
    one, other = product.add("one.pdf", GREEN), product.add("other.pdf", GREEN)
    product.kb.remove(str(one.document_id), access=ADMINISTRATOR)
    assert product.found("is green") == {"other.pdf"}
    record, path = product.kb.original(str(other.document_id), access=ADMINISTRATOR)
    assert path.read_bytes() == GREEN
    assert product.files() == {record.sha256}
    assert product.rows()["contents"] == 1


def test_a_removed_document_can_be_added_again(product: Product) -> None:
    product.kb.remove(str(product.add("lamps.pdf", GREEN).document_id), access=ADMINISTRATOR)
    assert product.add("lamps.pdf", GREEN).outcome == "added"
    assert product.found("is green") == {"lamps.pdf"}


def test_a_refused_file_leaves_nothing_behind(product: Product) -> None:
    job = product.add("broken.pdf", GREEN[:200])
    assert (job.status, job.outcome) == ("done", "refused")
    assert product.rows() == dict.fromkeys(product.rows(), 0)
    until(lambda: product.files() == set())  # they go once the job is noted as ended


def test_a_refused_new_version_leaves_the_old_one(product: Product) -> None:
    product.add("lamps.pdf", GREEN)
    assert product.add("lamps.pdf", b"no PDF at all").outcome == "refused"
    assert product.found("is green") == {"lamps.pdf"}
    until(lambda: len(product.files()) == 1)


def test_a_page_without_a_text_layer_is_accepted_with_a_warning(product: Product) -> None:
    job = product.add("scan.pdf", pdf("", "The second page can be read.", "", ""))
    assert (job.outcome, job.pages_total) == ("added", 4)
    assert job.warnings == (f"{NO_TEXT_LAYER}: page 1, 3-4",)
    assert product.kb.documents(access=ADMINISTRATOR)[0].warnings == job.warnings
    assert product.found("can be read") == {"scan.pdf"}
    assert product.add("empty.pdf", pdf("")).outcome == "added"


def test_groups_may_be_changed_and_search_follows(product: Product) -> None:
    product.kb.groups.create("board")
    job = product.add("lamps.pdf", GREEN, "board")
    assert product.found("is green", Access.of()) == set()
    record = product.kb.set_groups(str(job.document_id), ["everyone"], access=ADMINISTRATOR)
    assert record.groups == ("everyone",)
    assert product.found("is green", Access.of()) == {"lamps.pdf"}
    product.kb.set_groups(str(job.document_id), ["board"], access=ADMINISTRATOR)
    assert product.found("is green", Access.of()) == set()
    assert product.found("is green", Access.of("board")) == {"lamps.pdf"}
    with pytest.raises(NotFound):
        product.kb.jobs.get(job.job_id, access=Access.of())


def test_two_documents_of_one_name_cannot_come_to_carry_the_same_groups(product: Product) -> None:
    product.kb.groups.create("board")
    product.add("lamps.pdf", GREEN)
    restricted = product.add("lamps.pdf", BLUE, "board")
    with pytest.raises(Conflict, match="same name"):
        product.kb.set_groups(str(restricted.document_id), ["everyone"], access=ADMINISTRATOR)
    assert product.found("is blue", Access.of()) == set()


def test_reindexing_while_nothing_runs_changes_nothing(product: Product) -> None:
    product.add("lamps.pdf", GREEN)
    assert product.kb.pipeline.reindex() == 1
    assert product.found("is green") == {"lamps.pdf"}


def test_a_lost_index_is_made_again_from_the_catalog(product: Product) -> None:
    product.add("lamps.pdf", GREEN)
    product.stop()
    for path in sorted((product.settings.home / "indexes").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert product.found("is green") == {"lamps.pdf"}


def test_a_document_removed_while_it_is_added_anew_is_gone(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new version is indexed and not published when the document is removed."""
    job = product.add("lamps.pdf", GREEN)
    reached, go_on = threading.Event(), threading.Event()

    def paused(pipeline: object, version_id: str) -> None:
        reached.set()
        go_on.wait(30)
        pipeline_publish(product.kb.pipeline, version_id)

    pipeline_publish = type(product.kb.pipeline).publish
    monkeypatch.setattr(type(product.kb.pipeline), "publish", paused)
    second = product.kb.add("lamps.pdf", [BLUE], groups=[], access=ADMINISTRATOR)
    assert reached.wait(60)
    product.kb.remove(str(job.document_id), access=ADMINISTRATOR)
    go_on.set()
    ended = product.ended(second.job_id)
    assert (ended.outcome, ended.error and "removed meanwhile" in ended.error) == ("refused", True)
    assert product.kb.pipeline.index.ids() == set()
    assert product.rows() == dict.fromkeys(product.rows(), 0)
    until(lambda: product.files() == set())


def test_bytes_that_another_document_loses_meanwhile_are_read_again(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document of the same bytes is removed, and the parsing with it, between the reading and the staging of another."""
    job = product.add("one.pdf", GREEN)
    stage = type(product.kb.pipeline).stage

    def after_removal(pipeline: object, new: object) -> object:
        product.kb.remove(str(job.document_id), access=ADMINISTRATOR)
        return stage(product.kb.pipeline, new)  # type: ignore[arg-type]

    monkeypatch.setattr(type(product.kb.pipeline), "stage", after_removal)
    assert product.add("other.pdf", GREEN).outcome == "added"
    assert product.found("is green") == {"other.pdf"}


def test_many_adds_searches_and_removals_at_once_end_consistent(product: Product) -> None:
    kb = product.kb
    failures: list[BaseException] = []
    stopping = threading.Event()

    def search() -> None:
        while not stopping.is_set():
            try:
                for hit in kb.search("lamp number", access=Access.of(), limit=10):
                    assert "secret" not in hit.text
            except BaseException as error:  # noqa: BLE001 - shown below
                failures.append(error)
                return

    kb.groups.create("board")
    searching = [threading.Thread(target=search) for _ in range(2)]
    for thread in searching:
        thread.start()
    with ThreadPoolExecutor(4) as pool:
        data = [pdf(f"The lamp number {number} is {'secret' if number % 2 else 'public'}.") for number in range(12)]
        jobs = list(
            pool.map(lambda i: kb.add(f"{i}.pdf", [data[i]], groups=["board"] if i % 2 else [], access=ADMINISTRATOR), range(12))
        )
        ended = list(pool.map(lambda job: product.ended(job.job_id), jobs))
        list(pool.map(lambda job: kb.remove(str(job.document_id), access=ADMINISTRATOR), ended[:6]))
    stopping.set()
    for thread in searching:
        thread.join()
    assert failures == []
    assert {one.document for one in kb.documents(access=ADMINISTRATOR)} == {f"{number}.pdf" for number in range(6, 12)}
    assert kb.pipeline.index.ids() == kb.catalog.indexed_chunk_ids()
    assert len(product.files()) == 6


def test_two_adds_of_one_name_at_once_leave_the_later_one(product: Product) -> None:
    jobs = [product.kb.add("lamps.pdf", [data], groups=[], access=ADMINISTRATOR) for data in (GREEN, BLUE, GREEN, BLUE)]
    versions = [product.ended(job.job_id).version for job in jobs]
    assert versions == [1, 2, 3, 4]
    assert product.found("is blue") == {"lamps.pdf"}
    assert product.found("is green") == set()


def test_a_document_under_way_does_not_hide_the_others(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its many chunks are in the indexes and would fill every place of the list."""
    product.add("lamps.pdf", pdf("The lamp in the corridor is green and hangs high."))
    reached, go_on = threading.Event(), threading.Event()
    publish = type(product.kb.pipeline).publish

    def paused(pipeline: object, version_id: str) -> None:
        reached.set()
        go_on.wait(30)
        publish(product.kb.pipeline, version_id)

    monkeypatch.setattr(type(product.kb.pipeline), "publish", paused)
    many = pdf(*[f"The corridor lamp: lamp, corridor, lamp {number}." for number in range(60)])
    job = product.kb.add("many.pdf", [many], groups=[], access=ADMINISTRATOR)
    assert reached.wait(60)
    assert {hit.document for hit in product.kb.search("corridor lamp", access=ADMINISTRATOR, limit=5)} == {"lamps.pdf"}
    go_on.set()
    assert product.ended(job.job_id).outcome == "added"
    assert len(product.kb.search("corridor lamp", access=ADMINISTRATOR, limit=5)) == 5


def test_reindexing_keeps_what_is_indexed_and_not_yet_published(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    publish = type(product.kb.pipeline).publish

    def after_reindex(pipeline: object, version_id: str) -> None:
        product.kb.pipeline.reindex()
        publish(product.kb.pipeline, version_id)

    monkeypatch.setattr(type(product.kb.pipeline), "publish", after_reindex)
    product.add("lamps.pdf", GREEN)
    assert product.found("is green") == {"lamps.pdf"}


# Copies, and splitting again


def test_a_document_of_the_same_words_and_title_is_indexed_once_and_takes_over_when_the_other_goes(product: Product) -> None:
    first = product.add("lamps.pdf", GREEN)
    product.add("lamps (copy).pdf", pdf("The lamp in the corridor is green.", "", title="Lamps"))
    assert len(product.kb.pipeline.index.ids()) == 1
    product.stop()
    assert len(product.kb.pipeline.index.ids()) == 1
    product.kb.remove(str(first.document_id), access=ADMINISTRATOR)
    assert product.found("is green") == {"lamps (copy).pdf"}
    assert product.kb.pipeline.index.ids() == product.kb.catalog.indexed_chunk_ids()


def test_a_new_version_without_a_passage_leaves_it_to_the_copy(product: Product) -> None:
    product.add("lamps.pdf", GREEN)
    product.add("copy.pdf", GREEN)
    product.add("lamps.pdf", BLUE)
    assert (product.found("is green"), product.found("is blue")) == ({"copy.pdf"}, {"lamps.pdf"})
    assert product.kb.pipeline.index.ids() == product.kb.catalog.indexed_chunk_ids()


def test_rights_never_depend_on_which_copy_is_indexed(product: Product) -> None:
    product.kb.groups.create("board")
    product.kb.groups.create("works")
    public = product.add("lamps.pdf", GREEN)
    board = product.add("lamps.pdf", GREEN, "board")
    copy = product.add("copy.pdf", GREEN, "board")
    assert product.found("is green", Access.of()) == {"lamps.pdf"}
    (hit,) = product.kb.search("corridor lamp", access=Access.of(), limit=5)
    assert hit.also_in == ()
    (hit,) = product.kb.search("corridor lamp", access=Access.of("board"), limit=5)
    assert {hit.document_id, *(place.document_id for place in hit.also_in)} <= {public.document_id, board.document_id}
    product.kb.set_groups(str(public.document_id), ["works"], access=ADMINISTRATOR)
    assert product.found("is green", Access.of()) == set()
    assert product.found("is green", Access.of("board")) == {"lamps.pdf"}
    product.kb.set_groups(str(copy.document_id), ["works"], access=ADMINISTRATOR)
    product.kb.remove(str(public.document_id), access=ADMINISTRATOR)
    assert product.found("is green", Access.of("works")) == {"copy.pdf"}
    assert product.found("is green", Access.of("board")) == {"lamps.pdf"}
    assert product.kb.pipeline.index.ids() == product.kb.catalog.indexed_chunk_ids()


def test_other_sizes_split_again_without_reading_a_file(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = " ".join(f"Lamp number {number} hangs in the corridor of the house." for number in range(20))
    job = product.add("lamps.pdf", pdf(sentences))
    before = product.rows()["chunks"]
    product.stop()
    chunk = product.settings.chunk.model_copy(update={"tokens": 30})
    product.settings = product.settings.model_copy(update={"chunk": chunk})

    def no_reading(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a file was read")

    monkeypatch.setattr("ingest.isolation.FileWorker.read", no_reading)
    hits = product.kb.search("lamp corridor", access=ADMINISTRATOR, limit=50)
    assert all(estimated_tokens(hit.text) <= 30 for hit in hits)
    assert product.rows()["chunks"] > 2 * before
    assert {(hit.document_id, hit.version) for hit in hits} == {(job.document_id, 1)}
    ids = product.kb.pipeline.index.ids()
    assert ids == product.kb.catalog.indexed_chunk_ids()
    assert product.kb.pipeline.reconcile() == 0
    assert product.kb.pipeline.index.ids() == ids


def test_passages_of_an_older_database_get_their_language_and_key_at_the_start(product: Product) -> None:
    product.add("lamps.pdf", GREEN)
    with product.kb.catalog._engine.begin() as connection:
        connection.exec_driver_sql("update versions set chunking = ''")
        connection.exec_driver_sql("update chunks set language = '', copy_key = '', signature = null")
    product.stop()
    (hit,) = product.kb.search("corridor lamp", access=ADMINISTRATOR, limit=5)
    assert hit.language == "en"
    assert product.kb.report(hit.document_id, access=ADMINISTRATOR).languages == {"en": 1}


def test_damaged_text_is_found_by_what_it_means_and_stored_as_it_is(product: Product) -> None:
    product.add("lamps.pdf", pdf("The cafÃ© lamp is in the corridor."))
    (hit,) = product.kb.search("café", access=ADMINISTRATOR, limit=5)
    assert "cafÃ©" in hit.text
