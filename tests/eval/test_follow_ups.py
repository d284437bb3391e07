"""Second questions over the sample corpus: condensed, they find their page, and new topics lose nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from eval import sample_corpus
from eval.follow_ups import FollowUp, pages_found, read_follow_ups, shares
from ingest.chunk_rows import document_title
from ingest.chunk_size import ChunkSize
from ingest.chunking import split
from ingest.index.hybrid import HybridIndex
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import MemoryVectorStore, VectorIndex
from ingest.readers.registry import open_file
from ingest.settings import ReadLimits
from ingest.types import EVERYONE, TITLE_SEPARATOR, Access, Hit, IndexRow

CASES = read_follow_ups(sample_corpus.FOLLOW_UPS)


class Shelf:
    """A `Retriever` over the sample PDFs, without a catalog: each chunk is its own hit."""

    def __init__(self, folder: Path) -> None:
        self.index = HybridIndex(LexicalIndex(None), VectorIndex(folder, MemoryVectorStore()))
        self.hits: dict[str, Hit] = {}
        rows: list[IndexRow] = []
        for path in sorted(sample_corpus.PDF_DIR.glob("*.pdf")):
            reading = open_file(path, path.name, limits=ReadLimits())
            title = document_title(reading.title, path.name)
            for chunk in split(tuple(reading.pages), ChunkSize()):
                key = f"c{len(rows)}"
                self.hits[key] = Hit(path.name, path.name, 1, chunk.page, key, 0.0, chunk.text, chunk.start, chunk.headings)
                rows.append(IndexRow(key, TITLE_SEPARATOR.join([title, *chunk.headings]), chunk.text, frozenset({EVERYONE})))
        self.index.add(rows)

    def search(self, query: str, *, access: Access, limit: int) -> list[Hit]:
        return [self.hits[one.chunk_id] for one in self.index.search(query, access=access, limit=limit)]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bool]]:
    return pages_found(CASES, Shelf(tmp_path_factory.mktemp("index")), among=5)


def right(found: dict[str, bool], *kinds: str, among: list[FollowUp] = CASES) -> int:
    return sum(found[case.id] for case in among if not kinds or case.kind in kinds)


def test_the_cases_are_many_in_both_languages_and_half_of_them_are_held_back() -> None:
    assert len({case.id for case in CASES}) == len(CASES) >= 40
    languages, splits = Counter(case.language for case in CASES), Counter(case.split for case in CASES)
    assert min(languages.values()) >= 30
    assert min(splits.values()) >= 30
    assert sum(case.kind == "topic" for case in CASES) >= 10


def test_their_pages_hold_facts() -> None:
    facts = sample_corpus.FACTS.read_text(encoding="utf-8")
    assert all(f'"{case.gold.document}", "page": {case.gold.page},' in facts for case in CASES)


def test_condensed_questions_find_more_than_lone_and_than_joined_ones(found: dict[str, dict[str, bool]]) -> None:
    assert right(found["condensed"]) >= right(found["joined"])
    assert right(found["condensed"]) > right(found["alone"])
    assert right(found["condensed"]) >= 0.95 * len(CASES)
    held = [case for case in CASES if case.split == "held"]
    assert right(found["condensed"], among=held) >= right(found["alone"], among=held)


def test_a_new_topic_is_found_as_if_nothing_had_gone_before(found: dict[str, dict[str, bool]]) -> None:
    assert right(found["condensed"], "topic", "stand") == right(found["alone"], "topic", "stand")


def test_shares_count_by_split_and_kind(found: dict[str, dict[str, bool]]) -> None:
    counted = shares(CASES, found)
    assert sum(counted[f"{split} all"]["condensed"][1] for split in ("held", "tuned")) == len(CASES)
    assert counted["held all"]["condensed"][0] == right(found["condensed"], among=[c for c in CASES if c.split == "held"])
