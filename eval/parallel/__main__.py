"""`python -m eval.parallel [FOLDER]`: prints how well the search crosses languages. FOLDER keeps the dictionary's file."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from eval.across import evaluate_crossing, table
from eval.parallel import FOLDER
from ingest.crosslingual import Translator
from ingest.dictionary import Dictionary
from ingest.index.hybrid import HybridIndex
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import MemoryVectorStore, VectorIndex


def main(arguments: list[str]) -> None:
    """Prints the table."""
    with TemporaryDirectory() as home:
        translator = Translator(Dictionary(Path(arguments[0] if arguments else home)))

        def index() -> HybridIndex:
            lexical = LexicalIndex(None, translator=translator)
            return HybridIndex(lexical, VectorIndex(Path(home), MemoryVectorStore()))

        sys.stdout.write(table(evaluate_crossing(FOLDER, index)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
