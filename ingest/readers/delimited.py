"""Tables of values in text (csv, tsv): one table, in parts of about a page with the header row above each."""

from __future__ import annotations

import csv

from ingest.readers.base import Reading, Source
from ingest.readers.parts import reading_of, table_pieces
from ingest.readers.plain import read_text

_DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 1 << 14


def read(source: Source) -> Reading:
    """The rows as a table. What turns out to have one column is read as lines."""
    decoded = read_text(source)
    text = decoded.text.replace("\x00", "")
    rows = csv.reader(text.splitlines(keepends=True), delimiter=_delimiter(text, source.name))
    return reading_of(table_pieces(rows), limits=source.limits, warnings=decoded.warnings)


def _delimiter(text: str, name: str) -> str:
    """What parts the cells: the tab of a .tsv, else the mark that most of the first rows hold equally often."""
    if name.lower().endswith(".tsv"):
        return "\t"
    sample = text[:_SAMPLE_CHARACTERS].splitlines()
    if len(text) > _SAMPLE_CHARACTERS and len(sample) > 1:
        del sample[-1]  # it may be cut

    def agreement(mark: str) -> tuple[float, int]:
        """The share of rows that hold the mark equally often, and how often that is."""
        counts = [len(row) - 1 for row in csv.reader(sample, delimiter=mark) if row]
        return max(((counts.count(count) / len(counts), count) for count in set(counts) if count), default=(0.0, 0))

    return max(_DELIMITERS, key=agreement)
