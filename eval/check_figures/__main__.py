"""How often the exact checks are right; a line of JSON a kind.

    python -m eval.check_figures changes DIR...         sentences of passages (folders in BEIR layout), respelled or made wrong
    python -m eval.check_figures alarms FOLDER          good sentences of labelled sets and of the grounded set (dev)
    python -m eval.check_figures calculations [DIR...]  results over the sample corpus' tables; random totals put into passages

`FOLDER` is laid out as for `eval.public_judgements`. The figures stand in docs/decisions/0020.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from eval import sample_corpus
from eval.check_figures.alarms import development_lines, labelled_lines, measure_alarms
from eval.check_figures.calculations import measure_coincidences, measure_tables
from eval.check_figures.changes import measure_changes
from eval.check_figures.tally import Tally
from eval.retrieval import read_texts


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this package."""
    parser = argparse.ArgumentParser(description="How often the exact checks are right.")
    tables = parser.add_subparsers(dest="table", required=True)
    tables.add_parser("changes").add_argument("folders", nargs="+", type=Path)
    tables.add_parser("alarms").add_argument("folders", nargs=1, type=Path, metavar="FOLDER")
    tables.add_parser("calculations").add_argument("folders", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    for tally in _tallies(options.table, options.folders):
        for row in tally.rows():
            print(json.dumps({"table": options.table, **row}, ensure_ascii=False))


def _tallies(table: str, folders: Sequence[Path]) -> Iterator[Tally]:
    if table == "alarms":
        yield measure_alarms(chain(labelled_lines(folders[0]), development_lines()))
    elif table == "changes":
        yield measure_changes(chain.from_iterable(_passages(folder) for folder in folders))
    else:
        yield measure_tables(_corpus_pages())
        yield from (measure_coincidences(_passages(folder), name=folder.name) for folder in folders)


def _passages(folder: Path) -> list[str]:
    return [text for text in read_texts(folder / "corpus.jsonl").values() if text.strip()]


def _corpus_pages() -> Iterator[str]:
    """The pages of the sample corpus, read as `graft add` does."""
    from ingest.pdf import open_pdf, read_pages
    from ingest.settings import IngestSettings

    limits = IngestSettings().limits
    for file in sorted(sample_corpus.PDF_DIR.glob("*.pdf")):
        yield from (page.text for page in read_pages(open_pdf(file, limits=limits), limits=limits))


if __name__ == "__main__":
    main()
