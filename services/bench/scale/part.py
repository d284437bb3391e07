"""`python -m services.bench.scale.part NAME SIZE FOLDER [DATA]`: one part in a process of its own; prints its figures as JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pymupdf

from eval import sample_corpus
from services.bench.scale import ours, peers
from services.bench.scale.corpus import NEWS, Corpus, read_sentences, split_sentences

Part = Callable[[Corpus, Path], dict[str, Any]]

PARTS: dict[str, Part] = {
    "plain BM25": ours.plain_bm25,
    "whole, building": ours.whole_build,
    "whole search": ours.whole,
    "exact scan": ours.exact,
    "rank-bm25": peers.rank_bm25,
    "bm25s": peers.bm25s,
    "Chroma": peers.chroma,
    "FAISS flat": peers.faiss_flat,
    "FAISS HNSW": peers.faiss_hnsw,
}


def sentences(data: Path | None) -> list[str]:
    """The sentences to recombine: of the news items in the folder of data sets, else of the product's sample corpus.

    Raises:
        InputRefused: the folder holds none.
    """
    if data is not None:
        return read_sentences(data / NEWS)
    texts = []
    for path in sorted(sample_corpus.PDF_DIR.glob("*.pdf")):
        with pymupdf.open(path) as document:
            texts += [block[4].replace("\n", "") for page in document for block in page.get_text("blocks")]
    return split_sentences(texts)


def main(arguments: Sequence[str]) -> None:
    """Runs the part."""
    name, size, folder, *data = arguments
    corpus = Corpus.of(sentences(Path(data[0]) if data else None), int(size))
    # Libraries print to standard output as they please.
    kept = os.dup(1)
    os.dup2(2, 1)
    figures = PARTS[name](corpus, Path(folder))
    with os.fdopen(kept, "w") as output:
        json.dump({"part": name, "size": int(size), **figures}, output)


if __name__ == "__main__":
    main(sys.argv[1:])
