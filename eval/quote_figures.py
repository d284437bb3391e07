"""How often the quoted sentence holds the answer, on sets in BEIR layout whose queries carry `spans`.

    python -m eval.quote_figures DIR...

Inside the gold passage, and among the first five passages by BM25. Prints a line of JSON per folder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rank_bm25 import BM25Okapi

from eval.quoting import select_quotes
from ingest.tokens import index_terms, query_terms
from ingest.types import Hit

TOP = 5


def measure_quotes(folder: Path, *, questions: int) -> dict[str, Any]:
    """hit@1 and hit@3 of the sentence that holds the answer, over evenly spaced questions of the folder."""
    documents = [json.loads(line) for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    queries = [query for query in queries if query.get("spans")]
    queries = queries[:: max(1, len(queries) // questions)][:questions]
    hits = [Hit(d["title"], d["title"], 1, 1, d["_id"], 1.0, d["text"], 0, (d["title"],)) for d in documents]
    places = {hit.chunk: number for number, hit in enumerate(hits)}
    index = BM25Okapi([index_terms(f"{hit.document} {hit.text}") for hit in hits])
    found = np.zeros(4)
    for query in queries:
        span = query["spans"][0]
        scores = index.get_scores(query_terms(query["text"]))
        top = [hits[i] for i in np.argsort(-scores, kind="stable")[:TOP]]
        for offset, given in ((0, [hits[places[span["doc"]]]]), (2, top)):
            right = [
                quote.hit.chunk == span["doc"] and quote.start < span["end"] and span["start"] < quote.end
                for quote in select_quotes(query["text"], given, limit=3)
            ]
            found[offset] += any(right[:1])
            found[offset + 1] += any(right)
    names = ("gold_passage_hit@1", "gold_passage_hit@3", "top5_hit@1", "top5_hit@3")
    return {"set": folder.name, "n": len(queries)} | {
        name: round(float(value) / len(queries), 4) for name, value in zip(names, found, strict=True)
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures each folder."""
    parser = argparse.ArgumentParser(description="Measure quoting on sets with answer spans.")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--questions", type=int, default=1000)
    options = parser.parse_args(arguments)
    for folder in options.folders:
        print(json.dumps(measure_quotes(folder, questions=options.questions)))


if __name__ == "__main__":
    main()
