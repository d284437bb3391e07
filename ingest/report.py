"""What there is to know of a document's text beside the text: its languages, what it repeats, what personal data stands in it.

Made when it is asked for, from the stored pages, and kept nowhere: a list of personal data would be one more place to guard.
Samples of it are masked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Engine

from ingest.catalog import Catalog
from ingest.duplicates import Duplicates, NearDuplicate
from ingest.personal_data import find_personal_data, hidden
from ingest.types import Access

_MOST_SAMPLES = 100


@dataclass(frozen=True, slots=True)
class PersonalDataFound:
    """One place, with what stands there masked."""

    kind: str
    page: int
    sample: str


@dataclass(frozen=True, slots=True)
class DocumentReport:
    """`languages` and `personal_data` count passages and places; `samples` are the first of the places, by page."""

    document_id: str
    passages: int
    languages: dict[str, int]
    repeated_passages: int
    near_duplicates: tuple[NearDuplicate, ...]
    personal_data: dict[str, int]
    samples: tuple[PersonalDataFound, ...]


class DocumentReports:
    """Makes the reports."""

    def __init__(self, engine: Engine, catalog: Catalog) -> None:
        self._catalog = catalog
        self._duplicates = Duplicates(engine)

    def of(self, document_id: str, *, access: Access) -> DocumentReport:
        """The report of the published version.

        Raises:
            NotFound: no such document for this caller.
        """
        record = self._catalog.document(document_id, access=access)
        languages, repeated = self._catalog.passage_counts(document_id, access=access)
        counts: Counter[str] = Counter()
        samples: list[PersonalDataFound] = []
        for page in self._catalog.content(record.sha256).pages:
            for found in find_personal_data(page.text):
                counts[found.kind] += 1
                if len(samples) < _MOST_SAMPLES:
                    sample = hidden(found.kind, page.text[found.start : found.end])
                    samples.append(PersonalDataFound(found.kind, page.number, sample))
        return DocumentReport(
            document_id=document_id,
            passages=sum(languages.values()),
            languages=languages,
            repeated_passages=repeated,
            near_duplicates=tuple(self._duplicates.of(document_id, access=access)),
            personal_data=dict(counts.most_common()),
            samples=tuple(samples),
        )
