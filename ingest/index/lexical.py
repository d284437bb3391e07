"""BM25 over our own terms, in a tantivy folder that survives restarts and grows row by row.

Invariants. Terms are cut by `ingest.tokens` alone: tantivy splits them at the blanks between them. The rights filter is part
of the query. A folder that cannot be read, or that another format wrote, starts again empty: the catalog fills it.
It does not know which documents are published.
"""

from __future__ import annotations

import math
import shutil
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import tantivy
from rapidfuzz.distance import Prefix
from tantivy import Occur, Query

from ingest.crosslingual import Group, Translator
from ingest.dictionary import Alternative
from ingest.errors import Unavailable
from ingest.rerank import Candidate, document_frequency_weight, unit_numbers
from ingest.spelling import Correction, corrections
from ingest.tokens import character_trigrams, index_terms, is_han, language, query_terms, units
from ingest.types import TITLE_SEPARATOR, Access, IndexRow, ScoredChunk, Within

FORMAT = "4"
"""Changes with the fields below and with the terms that `ingest.tokens` makes."""
TRIGRAM_WEIGHT = 0.25
TITLE_MENTION_WEIGHT = 1.5
"""Source of both: `docs/decisions/0003-search-without-an-encoder.md`."""
ALTERNATIVES = 20
"""At most so many of a group that chunks hold are searched. Source: `docs/decisions/0014-across-languages.md`."""
TITLE_UNITS = 24
"""Longer titles are not looked for in questions."""
CORRECTION_WEIGHT = 0.8
"""Source: `docs/decisions/0017-asking-in-context.md`."""
LIKE_TERMS = 25
"""Terms by which a text looks for others like it, the highest tf · idf first. Lucene's default for this; not measured here."""
QUERY_TERMS = 256
"""Longer questions are read up to here: they are pasted text, and the cost grows with their length."""
LEAST_SIMILAR_LETTERS = 4
SIMILAR_LETTERS_OFF = 3
LEAST_LIKENESS = 0.5
SIMILAR_WORDS = 50
"""Which words count as like one of the question: .928 → .930 of nDCG@10 on SQuAD. Source: `docs/decisions/0018-ranking.md`."""
_WRITER_BYTES = 64 * 2**20
_NESTED_CLAUSES = 64
"""1.5 instead of 2.1 CPU-ms for 40 of 100,000 chunks (31 clauses); more would nest deeper than a stack should bear."""
_COUNTED_GROUP_SETS = 1000
"""Of so many different callers it is remembered, until the next change, whether they may read everything."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as it is searched for: its clauses, and the other words for what is asked that stand among them."""

    query: str
    clauses: list[Query]
    corrections: list[Correction]
    synonyms: list[Group]


class _View:
    """The chunks of one commit: what is counted in it holds for what is found in it."""

    def __init__(self, searcher: tantivy.Searcher) -> None:
        self.searcher = searcher
        self.asked = _Asked("", [], [], [])
        """The last question: a search comes back to it."""
        self._permits_all: dict[frozenset[str], bool] = {}

    def permits_all(self, access: Access, carried: Query) -> bool:
        """Whether each chunk carries a group of the caller's, so that a filter would take nothing away.

        Without a filter tantivy passes over blocks that cannot reach the best. Source: `docs/decisions/0016-search-at-scale.md`.
        """
        if access.groups not in self._permits_all and len(self._permits_all) < _COUNTED_GROUP_SETS:
            self._permits_all[access.groups] = self.searcher.search(carried, 1, count=True).count == self.searcher.num_docs
        return self._permits_all.get(access.groups, False)

    def candidates(self, query: Query, limit: int) -> list[Candidate]:
        """What the query finds, best first."""
        hits = self.searcher.search(query, limit, count=False).hits
        return [_candidate(self.searcher.doc(address), float(score)) for score, address in hits]


class LexicalIndex:
    """An `Index` by words. Scores are BM25 (k1 1.2, b 0.75: tantivy fixes both) of terms, 3-grams and title mentions."""

    def __init__(self, folder: Path | None, *, translator: Translator | None = None) -> None:
        """Without a folder it lives in memory, as long as this object; without a `translator`, `across` finds nothing.

        Raises:
            Unavailable: another index, of this process or another one, has the folder open.
        """
        self._translator = translator
        self._lock = threading.Lock()
        self._index = tantivy.Index(_schema()) if folder is None else _open(folder)
        self._schema = self._index.schema
        self._view = _View(self._index.searcher())
        self._writer = _writer(self._index, folder)

    def add(self, rows: Sequence[IndexRow]) -> None:
        """See `Index`."""
        if not rows:
            return
        with self._lock:
            for row in rows:
                self._writer.delete_documents_by_term("id", row.chunk_id)
                self._writer.add_document(_document(row))
            self._commit()

    def remove(self, chunk_ids: Collection[str]) -> None:
        """See `Index`."""
        if not chunk_ids:
            return
        with self._lock:
            for chunk_id in chunk_ids:
                self._writer.delete_documents_by_term("id", chunk_id)
            self._commit()

    def _commit(self) -> None:
        self._writer.commit()
        self._index.reload()
        self._view = _View(self._index.searcher())

    def close(self) -> None:
        """Ends merging and lets go of the folder; nothing may be added after."""
        with self._lock:
            self._writer.wait_merging_threads()

    def ids(self) -> set[str]:
        """See `Index`."""
        return _ids(self._index)

    def search(self, query: str, *, access: Access, limit: int, within: Within | None = None) -> list[ScoredChunk]:
        """See `Index`. A chunk that holds no term of the question is not found."""
        found = self.candidates(query, access=access, limit=limit, within=within)
        return [ScoredChunk(one.chunk_id, one.score) for one in found]

    def candidates(
        self,
        query: str,
        *,
        access: Access,
        limit: int,
        among: Collection[str] | None = None,
        within: Within | None = None,
    ) -> list[Candidate]:
        """What `search` finds, with the units of each chunk for a reranker.

        With `among`, the permitted ones of these chunks, also those that hold no term of the question (score 0).
        """
        view = self._view
        asked = self._asked(view, query).clauses
        if among is None:
            return self._best(view, asked, access=access, limit=limit, within=within)
        if not among:
            return []
        held = _unscored(Query.term_set_query(self._schema, "id", list(among)))
        return self._best(view, [_scored_by(asked, held)], access=access, limit=limit, within=within)

    def like(self, text: str, *, access: Access, limit: int, within: Within | None = None) -> list[Candidate]:
        """At most `limit` permitted chunks that hold the most telling terms of a text, best first; with their units."""
        view = self._view
        worth = {
            term: (1 + math.log(count)) * document_frequency_weight(view.searcher.doc_freq("terms", term), view.searcher.num_docs)
            for term, count in Counter(index_terms(text)).items()
        }
        telling = sorted(worth, key=lambda term: (-worth[term], term))[:LIKE_TERMS]
        asked = [self._term("terms", term) for term in telling]
        return self._best(view, asked, access=access, limit=limit, within=within)

    def _best(self, view: _View, asked: Sequence[Query], *, access: Access, limit: int, within: Within | None) -> list[Candidate]:
        if not asked or limit < 1:
            return []
        query = Query.boolean_query([(Occur.Should, one) for one in asked])
        filters = [] if within is None else [self._matching(within)]
        if not access.administrator:
            carried = Query.term_set_query(self._schema, "groups", sorted(access.groups))
            if not view.permits_all(access, carried):
                filters.append(carried)
        if filters:  # around it, not beside its clauses: a chunk that holds none of the words would pass there
            query = Query.boolean_query([(Occur.Must, query), *((Occur.Must, _unscored(one)) for one in filters)])
        return view.candidates(query, limit)

    def across(
        self, query: str, *, access: Access, limit: int, within: Within | None = None
    ) -> tuple[list[Candidate], list[Group]]:
        """Permitted chunks of the language that the question is not in, best first, and the groups that they were found by.

        A group's score is its best alternative's BM25. Both lists are empty where no chunk of that language is held; of the
        groups those alternatives are left that chunks hold.
        """
        view = self._view
        other = "en" if language(query) == "zh" else "zh"
        if self._translator is None or limit < 1 or not view.searcher.doc_freq("language", other):
            return [], []
        groups = self._translated(view, query)
        any_of = [(Occur.Should, self._any_of(group)) for group in groups if group.alternatives]
        if not any_of:
            return [], []
        of_other = (Occur.Must, _unscored(self._term("language", other)))
        asked = Query.boolean_query([(Occur.Must, Query.boolean_query(any_of)), of_other])
        return self._best(view, [asked], access=access, limit=limit, within=within), groups

    def _translated(self, view: _View, query: str) -> list[Group]:
        groups = self._translator.groups(query) if self._translator else ()
        return [_held(view.searcher, group) for group in groups]

    def groups(self, query: str, *, of: str) -> list[Group]:
        """The words of the question with what chunks of a language were searched for instead: of the question's own language,
        what the company also calls them."""
        view = self._view
        return self._asked(view, query).synonyms if of == language(query) else self._translated(view, query)

    def other_words(self, query: str) -> str:
        """Other words for what is asked, with blanks between: what was probably meant, and what the company calls it."""
        asked = self._asked(self._view, query)
        called = (" ".join(one.units) for group in asked.synonyms for one in group.alternatives)
        return " ".join((*(one.used for one in asked.corrections), *called))

    def _any_of(self, group: Group) -> Query:
        alternatives = [
            Query.boost_query(
                Query.boolean_query([(Occur.Should, self._term("terms", term)) for term in one.terms]), group.weight * one.weight
            )
            for one in group.alternatives
        ]
        return Query.disjunction_max_query(alternatives)

    def weight(self, term: str) -> float:
        """How much a term tells: the rarer in the whole index, the more."""
        searcher = self._view.searcher
        return document_frequency_weight(searcher.doc_freq("terms", term), searcher.num_docs)

    def similar(self, unit: str) -> list[tuple[str, float]]:
        """The index's other words that begin as the unit does, such as `composit` for `composer`, with their likeness to it."""
        if len(unit) < LEAST_SIMILAR_LETTERS or not (unit.isascii() and unit.isalpha()):
            return []
        beginning = unit[: max(LEAST_SIMILAR_LETTERS, len(unit) - SIMILAR_LETTERS_OFF)]
        found = self._view.searcher.terms_with_prefix("terms", beginning, limit=SIMILAR_WORDS)
        likeness = {other: 2 * Prefix.similarity(unit, other) / (len(unit) + len(other)) for other, _ in found if other != unit}
        return [(other, like) for other, like in likeness.items() if like >= LEAST_LIKENESS]

    def corrections(self, query: str) -> list[Correction]:
        """For terms of the question that no chunk holds, held ones that look like them. Says nothing of who may read these."""
        return self._asked(self._view, query).corrections

    def _asked(self, view: _View, query: str) -> _Asked:
        asked = view.asked
        if asked.query != query:
            asked = view.asked = self._read(view.searcher, query)
        return asked

    def _read(self, searcher: tantivy.Searcher, query: str) -> _Asked:
        asked = query_terms(query)[:QUERY_TERMS]
        corrected = corrections(asked, lambda term: searcher.doc_freq("terms", term))
        synonyms = self._translator.synonyms(query) if self._translator else []
        meant = dict.fromkeys(one.used for one in corrected)
        terms = [self._term("terms", term) for term in asked]
        terms += [Query.boost_query(self._term("terms", term), CORRECTION_WEIGHT) for term in meant if term not in asked]
        trigrams = dict.fromkeys(character_trigrams(query)[: 2 * QUERY_TERMS])
        terms += [Query.boost_query(self._term("trigrams", trigram), TRIGRAM_WEIGHT) for trigram in trigrams]
        for title, count in _mentioned_titles(searcher, query):
            # A title counts as one more term: one that as many chunks hold as carry the title.
            worth = TITLE_MENTION_WEIGHT * math.log1p(searcher.num_docs / count)
            terms.append(Query.const_score_query(self._term("titles", title), worth))
        terms += [self._any_of(group) for group in synonyms]
        return _Asked(query, terms, corrected, synonyms)

    def _matching(self, within: Within) -> Query:
        """Finds the chunks of these documents, and these chunks; nothing where both are empty."""
        of_documents = Query.term_set_query(self._schema, "document", list(within.documents))
        return Query.disjunction_max_query([of_documents, Query.term_set_query(self._schema, "id", list(within.chunks))])

    def _term(self, field: str, value: str) -> Query:
        return Query.term_query(self._schema, field, value, "freq" if field in ("terms", "trigrams") else "basic")


def _scored_by(asked: Sequence[Query], chosen: Query) -> Query:
    """Chunks that are chosen, scored by what is asked.

    One clause within the other: each then skips to the chosen chunks, where a union of all of them reads every chunk near one.
    """
    if len(asked) > _NESTED_CLAUSES:
        return Query.boolean_query([(Occur.Must, chosen), *((Occur.Should, one) for one in asked)])
    for one in asked:
        chosen = Query.boolean_query([(Occur.Must, chosen), (Occur.Should, one)])
    return chosen


def _held(searcher: tantivy.Searcher, group: Group) -> Group:
    """The group with those of its alternatives that chunks hold, at most `ALTERNATIVES`.

    Of several English words one is enough (*forklift* of *forklift truck*), of Chinese characters all pairs are needed.
    """

    def is_held(one: Alternative) -> bool:
        enough = all if is_han(one.units[0][0]) else any
        return enough(searcher.doc_freq("terms", term) for term in one.terms)

    return replace(group, alternatives=tuple(islice(filter(is_held, group.alternatives), ALTERNATIVES)))


def _unscored(query: Query) -> Query:
    return Query.const_score_query(query, 0.0)


def _mentioned_titles(searcher: tantivy.Searcher, query: str) -> Iterable[tuple[str, int]]:
    """The titles of at least two characters that stand in the question, and how many chunks carry each."""
    asked = units(query)[:QUERY_TERMS]
    spans = {
        " ".join(asked[start:end])
        for start in range(len(asked))
        for end in range(start + 1, min(start + TITLE_UNITS, len(asked)) + 1)
    }
    for span in sorted(spans):
        if len(span) >= 2 and (count := searcher.doc_freq("titles", span)):
            yield span, count


def _document(row: IndexRow) -> tantivy.Document:
    text = row.titled_text
    titles = {" ".join(units(title)) for title in row.title.split(TITLE_SEPARATOR)}
    document = tantivy.Document(
        id=row.chunk_id,
        groups=sorted(row.groups),
        document=row.document_id,
        terms=" ".join(index_terms(text)),
        trigrams=" ".join(character_trigrams(text)),
        titles=sorted(titles - {""}),
        language=language(text),
    )
    document.add_bytes("units", unit_numbers(text).tobytes())
    return document


def _candidate(document: tantivy.Document, score: float) -> Candidate:
    units_of_chunk = np.frombuffer(bytes(document.get_first("units")), dtype=np.uint32)
    return Candidate(document.get_first("id"), score, units_of_chunk, document.get_first("language"))


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("groups", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("document", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("language", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("titles", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("trigrams", tokenizer_name="whitespace", index_option="freq")
    builder.add_bytes_field("units", stored=True)
    return builder.build()


def _writer(index: tantivy.Index, folder: Path | None) -> tantivy.IndexWriter:
    try:
        return index.writer(_WRITER_BYTES, 1)
    except ValueError as error:
        if "LockBusy" not in str(error):
            raise
        raise Unavailable(f"{folder} is in use: one index writes to it at a time; close the other one (graft stop)") from error


def _open(folder: Path) -> tantivy.Index:
    """The index in the folder; a new empty one where there is none, or none that can be read."""
    stamp = folder / "format"
    if stamp.is_file() and stamp.read_text() == FORMAT:
        try:
            index = tantivy.Index(_schema(), path=str(folder / "tantivy"))
            _ids(index)
        except (ValueError, OSError):  # a damaged file
            pass
        else:
            return index
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tantivy").mkdir(parents=True)
    index = tantivy.Index(_schema(), path=str(folder / "tantivy"))
    stamp.write_text(FORMAT)
    return index


def _ids(index: tantivy.Index) -> set[str]:
    return {term for term, _ in index.searcher().terms_with_prefix("id", "", filter_query=Query.all_query())}
