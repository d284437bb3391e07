"""Questions with passages of the other language, for the evidence decision to learn from.

Enough: a question of the parallel set with the passage that answers it among those found. Not enough: the same without it, and
written questions asked of the other language's written documents, which are about other organisations. Facts of even number
only: the others stay for measuring. The search is the product's lexical one; which set of documents it searches is made here.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.across import OTHER
from eval.parallel import FOLDER
from eval.retrieval import read_texts
from finetune.corruptions import Passage
from finetune.evidence_samples import HITS, EvidenceSample, cut_passage, written_chunks
from finetune.written import WrittenQuestion, written_questions
from ingest.crosslingual import Translator
from ingest.index.lexical import LexicalIndex
from ingest.types import EVERYONE, Access, Hit, IndexRow

PARALLEL = "parallel"
FOREIGN = "foreign"


class CrossedSearch:
    """Finds passages of the other language, as the product does."""

    def __init__(self, passages: Sequence[Passage], translator: Translator) -> None:
        self._passages = {passage.id: passage for passage in passages}
        self._index = LexicalIndex(None, translator=translator)
        self._index.add([IndexRow(one.id, one.title, one.text, frozenset({EVERYONE})) for one in passages])

    def find(self, question: str, *, without: str = "") -> tuple[Hit, ...]:
        """The first hits, best first, without the passage of this id."""
        found, _ = self._index.across(question, access=Access.of(), limit=HITS + 1)
        chosen = [self._passages[one.chunk_id] for one in found if one.chunk_id != without][:HITS]
        return tuple(Hit(p.title, p.title, 1, 1, p.id, 1.0, p.text, 0, (p.title,) if p.title else ()) for p in chosen)


def make_crossed(asked: str, translator: Translator) -> list[EvidenceSample]:
    """Samples of questions in the language `asked`: of the parallel set, and about as many foreign ones, evenly spaced."""
    parallel = parallel_samples(asked, translator)
    questions = [one for one in written_questions() if one.passage.language == asked]
    return parallel + foreign_samples(questions[:: len(questions) // len(parallel)], translator)


def parallel_samples(asked: str, translator: Translator, *, odd: bool = False) -> list[EvidenceSample]:
    """Each fact of even number (or odd, which are for measuring) asked in the language `asked`: with the passage that answers,
    where that is found, and without it."""
    texts, questions = read_texts(FOLDER / "corpus.jsonl"), read_texts(FOLDER / "queries.jsonl")
    held = OTHER[asked]
    numbers = [key.removeprefix(f"{held}-") for key in texts if key.startswith(f"{held}-")]
    search = CrossedSearch([Passage(f"{held}-{number}", "", texts[f"{held}-{number}"], held) for number in numbers], translator)
    samples = []
    for number in numbers:
        if int(number) % 2 != odd:
            continue
        question, gold = questions[f"ask-{asked}-{number}"], f"{held}-{number}"
        hits = search.find(question)
        if any(hit.chunk == gold for hit in hits):
            samples.append(EvidenceSample(question, hits, 1, PARALLEL, gold, held))
        if others := search.find(question, without=gold):
            samples.append(EvidenceSample(question, others, 0, PARALLEL, gold, held))
    return samples


def foreign_samples(asked: Sequence[WrittenQuestion], translator: Translator) -> list[EvidenceSample]:
    """Written questions, all of one language, with written passages of the other one, which are about other organisations."""
    held = OTHER[asked[0].passage.language]
    search = CrossedSearch([chunk for passage in written_chunks(held) for chunk in cut_passage(passage)], translator)
    found = ((one, search.find(one.question)) for one in asked)
    return [EvidenceSample(one.question, hits, 0, FOREIGN, one.passage.document, held) for one, hits in found if hits]
