from __future__ import annotations

from collections.abc import Sequence

import pytest

from eval.evidence import SIGNS
from eval.quoting import Reading
from finetune.corruptions import Asked, Passage
from finetune.crossing import FOREIGN, PARALLEL, foreign_samples, parallel_samples
from finetune.evidence_samples import EvidenceSample, cut_passage, make_samples, make_written
from finetune.sufficiency import ANSWERED_WITHOUT, REFUSED_ANSWERABLE, train_sufficiency
from finetune.written import written_questions
from ingest.crosslingual import Group, Translator

TOWNS = "Arden Brock Colne Derby Eston Frome Goole Hythe Ilford Jarrow Kelso Leith Maldon Neath Oban Perth".split()


def passages() -> list[Passage]:
    """Made-up passages, all of one pattern and each with its own names and numbers."""
    made = []
    for number, town in enumerate(TOWNS):
        year, ships = str(1800 + 3 * number), str(40 + number)
        text = (
            f"The harbour of {town} was opened in {year} by monks, who came from Vienna. It handles about {ships} ships a week. "
            "The old lighthouse near the northern pier was repaired; visitors may climb it on Sundays."
        )
        asked = [(f"When was the harbour of {town} opened?", year), (f"How many ships a week does {town} handle?", ships)]
        spans = tuple(Asked(one, answer, text.index(answer), text.index(answer) + len(answer)) for one, answer in asked)
        made.append(Passage(f"p{number}", town, text, "en", spans))
    return made


@pytest.fixture(scope="module")
def samples() -> list[EvidenceSample]:
    return make_samples(passages(), questions=24, seed=1)


def no_translation(_: str) -> Sequence[Group]:
    return ()


def test_a_chunk_keeps_the_questions_whose_answers_it_holds() -> None:
    for chunk in (chunk for passage in passages() for chunk in cut_passage(passage)):
        assert all(chunk.text[asked.start : asked.end] == asked.answer for asked in chunk.asked)


def test_unanswerable_samples_do_not_hold_the_answer_s_passage(samples: list[EvidenceSample]) -> None:
    texts = {passage.title: passage.text for passage in passages()}
    assert {sample.kind for sample in samples} == {"gold", "passage", "document", "sentence"}
    for sample in samples:
        assert any(hit.text == texts[sample.document] for hit in sample.hits) == bool(sample.label)


def test_written_questions_without_an_answer_are_labelled_so() -> None:
    made = make_written("zh", seed=1)
    kinds = {sample.kind for sample in made if not sample.label}
    assert kinds == {"passage", "document", "sentence", "attribute", "entity", "premise"}
    assert all(sample.hits for sample in made)


def test_only_the_facts_of_even_number_are_learned_from(translator: Translator) -> None:
    made = parallel_samples("en", translator)
    assert {sample.kind for sample in made} == {PARALLEL}
    assert all(int(sample.document.split("-")[1]) % 2 == 0 for sample in made)
    for sample in made:
        assert any(hit.chunk == sample.document for hit in sample.hits) == bool(sample.label)
        assert all(Reading(sample.question, sample.hits).language_of(at) == "zh" for at in range(len(sample.hits)))


def test_passages_of_other_organisations_answer_nothing(translator: Translator) -> None:
    made = foreign_samples([one for one in written_questions() if one.passage.language == "zh"][:5], translator)
    assert made
    assert all((sample.label, sample.kind, sample.language) == (0, FOREIGN, "en") for sample in made)


def test_weights_keep_their_signs_and_repeat(samples: list[EvidenceSample]) -> None:
    weights = train_sufficiency([samples], [], translate=no_translation)
    assert weights == train_sufficiency([samples], [], translate=no_translation)
    model = weights["languages"]["en"]
    assert all(weight * sign >= 0 for weight, sign in zip(model["weights"], SIGNS.values(), strict=True))
    assert 0 < model["threshold"] < 1
    assert model["crossed"]["refused_answerable"] <= REFUSED_ANSWERABLE
    assert {"auroc", "refused_sentence"} <= set(model["crossed"])


def test_evidence_of_the_other_language_lets_one_in_twenty_through(translator: Translator) -> None:
    even, odd = parallel_samples("en", translator), parallel_samples("en", translator, odd=True)
    model = train_sufficiency([], even, translate=translator.groups, aside=odd)["translated"]["zh"]
    assert 1 - model["crossed"]["refused_parallel"] <= ANSWERED_WITHOUT
    assert model["kept_aside"]["questions"] == len(odd)


def test_each_set_counts_alike_in_what_may_be_refused(samples: list[EvidenceSample]) -> None:
    twice = train_sufficiency([samples, samples], [], translate=no_translation)["languages"]["en"]
    assert twice["crossed"]["refused_answerable"] <= REFUSED_ANSWERABLE
