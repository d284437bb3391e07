"""`make house-models DATA=FOLDER`: every model of our own made anew, each measured on documents that it did not learn from.

Can be stopped and run again: the reader's training goes on where it was, as long as the work folder is there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from eval import evidence, judge_model
from eval.quoting import WEIGHTS_FILE as QUOTING_FILE
from eval.units import BACKGROUND_FILE
from finetune import detector, quoting, sufficiency
from finetune.corruptions import read_passages
from finetune.merge import merge_adapter
from ingest.errors import GraftError, InputRefused
from ingest.synonyms import SYNONYMS_FILE
from services.assembly import model_store
from services.house_models import reader
from services.house_models.card import SETS, write_card
from services.house_models.figures import measure
from services.house_models.synonyms import make_synonyms
from services.model_sources import HOUSE_MODELS
from services.settings import load_settings

_BASE = "smollm2-135m-instruct"
_FILES = ("corpus.jsonl", "queries.jsonl")


def make_judges(folders: Sequence[Path]) -> None:
    """Writes the judge, the table of how rare words are, the choice of quotes and the evidence decision; prints their figures."""
    data = [argument for folder in folders for argument in ("--data", str(folder))]
    detector.main([*data, "--out", str(judge_model.WEIGHTS_FILE), "--background", str(BACKGROUND_FILE)])
    quoting.main([*data, "--out", str(QUOTING_FILE)])
    sufficiency.main([*data, "--out", str(evidence.WEIGHTS_FILE)])


def make_search_words() -> None:
    """Writes the table of synonyms."""
    store = model_store(load_settings())
    store.pull(_BASE, progress=_say)
    _say(f"synonyms: {make_synonyms(store.path(_BASE), SYNONYMS_FILE)} words in {SYNONYMS_FILE}")


def make_reader(folders: Sequence[Path], work: Path) -> None:
    """Trains, writes, measures and describes the chat model's adapter."""
    settings = load_settings()
    store = model_store(settings)
    store.pull(_BASE, progress=_say)
    raw, target = store.path(_BASE), HOUSE_MODELS / reader.NAME
    passages = [passage for folder in folders for passage in read_passages(folder)]
    runs = reader.train(work / "reader", passages, raw, say=_say)
    reader.ship(runs[-1].adapter, target)
    merged = work / "reader-model"
    shutil.rmtree(merged, ignore_errors=True)
    merge_adapter(raw, target, merged)
    figures = measure(
        raw=raw,
        adapter=target,
        merged=merged,
        questions=reader.held_out(passages),
        work=work,
        engine_python=settings.engine_python,
        say=_say,
    )
    training = [json.loads(run.result.read_text(encoding="utf-8")) for run in runs]
    hashes = {f"{folder.name}/{name}": _sha256(folder / name) for folder in folders for name in _FILES}
    write_card(target, figures=figures, training=training, hashes=hashes)
    _say(f"reader: {target / 'README.md'}")
    _say(f"services/models.toml: sha256 = {_sha256(target / 'adapter_model.safetensors')}, and the rates in figures.json")


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _say(text: str) -> None:
    print(text, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="make house-models", description="Make the models that Graft ships anew.")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of the question sets: " + ", ".join(s.folder for s in SETS)
    )
    parser.add_argument("--work", type=Path, default=Path("house-models-out"), help="where the work goes on")
    parser.add_argument("--only", choices=["synonyms", "judges", "reader"], help="make these alone")
    options = parser.parse_args(arguments)
    folders = [options.data / one.folder for one in SETS]
    try:
        if missing := [str(folder) for folder in folders if not (folder / "corpus.jsonl").is_file()]:
            raise InputRefused(f"there is no {', no '.join(missing)}: each set needs a folder in BEIR layout, with answer spans")
        if options.only in (None, "synonyms"):
            make_search_words()
        if options.only in (None, "judges"):
            make_judges(folders)
        if options.only in (None, "reader"):
            make_reader(folders, options.work.resolve())
    except GraftError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
