"""Personal data: told of to those who may read it, masked everywhere where that is asked for, untouched where it is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from eval.types import Arm, Style
from finetune.types import SampleKind
from ingest.errors import UsageError
from ingest.personal_data import EVERY_KIND, MASK
from ingest.types import Access
from services.settings import Settings, load_settings
from tests.fakes import FakeChat, pdf
from tests.product import ADMINISTRATOR, BOTH_LANGUAGES, Product, SharedWorker
from tests.waiting import until

CARD = "4111 1111 1111 1111"
HIDDEN = f"{MASK * 4} {MASK * 4} {MASK * 4} 1111"
TEXT = f"The travel desk pays hotels with the company's card {CARD}, which expires in May."
DESK = (
    "The travel desk is led by Ingrid Sund. Hotel rooms may cost up to EUR 140 per night. The travel card has the number "
    f"{CARD}. Staff book train tickets 14 days before departure."
)
QUESTION = "With which card does the travel desk pay hotels?"


@pytest.fixture
def masking(settings: Settings, worker: SharedWorker) -> Iterator[Product]:
    """The product with every kind masked, and one document."""
    privacy = settings.privacy.model_copy(update={"mask": ("all",)})
    product = Product(settings.model_copy(update={"privacy": privacy}), worker=worker)
    product.add("travel.pdf", pdf(TEXT))
    yield product
    product.stop()


def test_nothing_is_masked_unless_it_is_asked_for(product: Product) -> None:
    product.add("travel.pdf", pdf(TEXT))
    (hit,) = product.kb.search("card", access=ADMINISTRATOR, limit=5)
    assert CARD in hit.text


def test_hits_are_masked_in_place_and_the_stored_text_is_not(masking: Product) -> None:
    (hit,) = masking.kb.search(CARD, access=ADMINISTRATOR, limit=5)
    assert HIDDEN in hit.text
    sha256, page = masking.kb.catalog.page(hit.document_id, 1, access=ADMINISTRATOR)
    assert page.text[hit.start : hit.start + len(hit.text)] == hit.text
    (stored,) = masking.kb.catalog.content(sha256).pages
    assert CARD in stored.text
    assert len(stored.text) == len(page.text)
    assert all(CARD not in passage.text for passage in masking.kb.catalog.passages(access=ADMINISTRATOR))


def test_a_masked_quote_is_marked_on_its_page(masking: Product) -> None:
    (hit,) = masking.kb.search("card", access=ADMINISTRATOR, limit=5)
    marked = masking.kb.page_image(hit.document_id, 1, access=ADMINISTRATOR, quote=HIDDEN)
    plain = masking.kb.page_image(hit.document_id, 1, access=ADMINISTRATOR)
    assert marked != plain


async def test_answers_are_masked_and_their_citations_point_at_the_place(masking: Product) -> None:
    answer = await masking.kb.ask(QUESTION, access=ADMINISTRATOR, arm=Arm.RAG, style=Style.QUOTES)
    assert HIDDEN in answer.answer
    assert CARD not in repr(answer)
    assert answer.citations[0].bbox


async def test_the_chat_model_never_sees_what_is_masked_and_cannot_say_it(masking: Product) -> None:
    chat = FakeChat(answer=f"It pays with the company's card {CARD}.")
    kb = masking.use_chat(chat, ability=BOTH_LANGUAGES, mask=EVERY_KIND)
    answer = await kb.ask(QUESTION, access=ADMINISTRATOR, arm=Arm.RAG, style=Style.GENERATED)
    assert CARD not in chat.prompts[0]
    assert CARD not in repr(answer)
    assert HIDDEN in answer.answer


def test_no_sample_holds_what_is_masked_or_asks_for_it(masking: Product) -> None:
    masking.add("desk.pdf", pdf(DESK))
    kb = masking.kb
    assert [hit for hit in kb.catalog.passages(access=ADMINISTRATOR) if MASK in hit.text]
    run = kb.workshop.synthesize("all", groups=None, access=ADMINISTRATOR, seed=0, rules_only=True)
    until(lambda: kb.workshop.runs.get(run.job_id, access=ADMINISTRATOR).status not in ("queued", "running"))
    closed = [one.sample for one in kb.workshop.samples.list(access=ADMINISTRATOR) if one.sample.kind is SampleKind.CLOSED_BOOK]
    assert any("EUR 140" in sample.answer for sample in closed)
    assert not [sample for sample in closed if CARD in str(sample) or MASK in str(sample)]


def test_a_report_is_for_those_who_may_read_the_document(product: Product) -> None:
    product.kb.groups.create("board")
    document_id = product.add("travel.pdf", pdf("Nothing here.", TEXT), "board").document_id
    _, secret = product.kb.keys.create("", groups=["board"], administrator=False)
    _, other = product.kb.keys.create("", groups=[], administrator=False)
    with product.client(key=secret) as http:
        report = http.get(f"/api/documents/{document_id}/report").json()
    assert report["personal_data"] == {"bank_card": 1}
    assert report["samples"] == [{"kind": "bank_card", "page": 2, "sample": HIDDEN}]
    assert report["languages"] == {"en": 1, "und": 1}
    with product.client(key=other) as http:
        assert http.get(f"/api/documents/{document_id}/report").status_code == 404
    assert Access.of("board").permits(product.kb.catalog.document(str(document_id), access=ADMINISTRATOR).groups)


def test_kinds_are_named_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFT_PRIVACY__MASK", '["email", "phone"]')
    assert load_settings().privacy.kinds == {"email", "phone"}
    monkeypatch.setenv("GRAFT_PRIVACY__MASK", '["all"]')
    assert load_settings().privacy.kinds == EVERY_KIND
    monkeypatch.setenv("GRAFT_PRIVACY__MASK", '["shoe_size"]')
    with pytest.raises(UsageError, match=r"privacy\.mask"):
        load_settings()
