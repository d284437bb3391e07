"""Tables against the ICDAR 2013 ground truth: are the same cells neighbours?

All tables of a file are compared with all tables that were found in it, so that a table too many, too few or cut in two costs.
NAME-str.xml describes NAME.pdf. Where a table may be understood in two ways the competition has two files, NAMEa and NAMEb, for
one PDF: either is right, so the better score counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lxml import etree

from eval.metrics.tables import AdjacencyScore, TableCell, adjacency_f1, cells_of
from eval.parsing.figures import mean, ratio
from eval.parsing.reading import DocumentReader, attempt
from eval.parsing.sets import STRUCTURE_SUFFIX, DataSet
from ingest.errors import InputRefused
from ingest.types import Block, BlockKind, Page

Cells = Sequence[TableCell]


def measure_tables(data: DataSet, reader: DocumentReader, *, progress: Callable[[], None]) -> dict[str, Any]:
    """Precision, recall and F1 of the adjacency relations over all files, the mean F1 of a file, and a row a file.

    Raises:
        InputRefused: a structure file cannot be read, or has no PDF.
    """
    rows, scores = [], []
    for path, structures in _by_pdf(data.files).items():
        done = attempt(reader, path)
        found = list(tables_of(done.pages))
        readings = [read_structure(structure) for structure in structures]
        score, expected = max(((adjacency_f1(found, one), one) for one in readings), key=lambda scored: scored[0].f1)
        scores.append(score)
        rows.append(
            {
                "file": path.name,
                "outcome": str(done.outcome),
                "error": done.said or None,
                "tables": len(expected),
                "tables_found": len(found),
                "adjacency_precision": round(score.precision, 4),
                "adjacency_recall": round(score.recall, 4),
                "adjacency_f1": round(score.f1, 4),
                "relations": score.expected,
                "pages": len(done.pages),
            }
        )
        for _ in structures:
            progress()
    return {"figures": _figures(scores, rows), "files": rows}


def _figures(scores: Sequence[AdjacencyScore], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    right = [float(score.right) for score in scores]
    found, expected = [float(score.found) for score in scores], [float(score.expected) for score in scores]
    both = [(one + other) / 2 for one, other in zip(found, expected, strict=True)]
    return {
        "files": len(scores),
        "tables": sum(row["tables"] for row in rows),
        "tables_found": sum(row["tables_found"] for row in rows),
        "adjacency_precision": ratio(right, found, n=int(sum(found))),
        "adjacency_recall": ratio(right, expected, n=int(sum(expected))),
        "adjacency_f1": ratio(right, both, n=int(sum(expected))),
        "adjacency_f1_of_a_file": mean([score.f1 for score in scores]),
    }


def tables_of(pages: Iterable[Page]) -> Iterator[Cells]:
    """The cells of every table that was read."""
    for page in pages:
        for block in page.blocks:
            if block.kind is BlockKind.TABLE:
                yield _cells(block)


def _cells(block: Block) -> Cells:
    return cells_of(block.rows, block.spans)


def read_structure(path: Path) -> list[Cells]:
    """The cells of every table of a structure file. The regions of a table that goes over several pages are read as one table
    each, as a page is read by itself.

    Raises:
        InputRefused: it is no such file.
    """
    try:
        root = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
        regions = list(root.iter("region"))
        return [[_cell(cell) for cell in region.iter("cell")] for region in regions]
    except (etree.XMLSyntaxError, TypeError, ValueError) as error:
        raise InputRefused(f"{path} is no table structure of the ICDAR 2013 form ({error})") from error


def _cell(cell: Any) -> TableCell:
    row, column = int(cell.get("start-row")), int(cell.get("start-col"))
    return TableCell(
        row=row,
        column=column,
        last_row=int(cell.get("end-row", row)),
        last_column=int(cell.get("end-col", column)),
        text=cell.findtext("content") or "",
    )


def _by_pdf(structures: Iterable[Path]) -> dict[Path, list[Path]]:
    found: dict[Path, list[Path]] = {}
    for structure in structures:
        found.setdefault(_pdf_of(structure), []).append(structure)
    return found


def _pdf_of(structure: Path) -> Path:
    """NAME.pdf for NAME-str.xml; for a second reading of the table, that of the first.

    Raises:
        InputRefused: there is none.
    """
    name = structure.name.removesuffix(STRUCTURE_SUFFIX)
    for one in (name, f"{name[:-1]}a", name[:-1]):
        if (path := structure.with_name(f"{one}.pdf")).is_file():
            return path
    raise InputRefused(f"{structure} describes {name}.pdf, which is not beside it")
