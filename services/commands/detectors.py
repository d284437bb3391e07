"""`graft train detector`: a judge of sentences, learned from passages and their corruptions: the house judge, or an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.errors import UsageError
from services.client import connect
from services.commands.output import Json, counting, out, print_json, print_table
from services.settings import load_settings

if TYPE_CHECKING:
    from finetune.corruptions import Passage


def detector(
    target: Annotated[Path, typer.Option("--out", help="The house judge's weights (JSON), or the encoder's folder.")],
    data: Annotated[list[Path] | None, typer.Option(help="A folder of passages in BEIR layout, with spans; repeat it.")] = None,
    workspace: Annotated[bool, typer.Option("--workspace", help="Learn from this knowledge base's own documents too.")] = False,
    encoder: Annotated[
        Path | None, typer.Option(help="Folder of an encoder (safetensors) that becomes a token classifier.")
    ] = None,
    labelled: Annotated[
        list[Path] | None, typer.Option(help="With --encoder: JSON lines of answers with context, label and spans.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="With --encoder: how often all samples are gone through.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes other samples and weights.")] = 1,
    as_json: Json = False,
) -> None:
    """Train a judge on passages with corrupted sentences: the house judge, or with --encoder a token classifier.

    The house judge learns from nothing that a person has labelled. Its calibration on the own documents needs no training: the
    index build makes it.
    """
    from finetune.corruptions import read_passages

    if not data and not workspace:
        raise UsageError("nothing to learn from: give --data FOLDER, --workspace, or both")
    if labelled and encoder is None:
        raise UsageError("--labelled needs --encoder: the house judge learns from no labels")
    passages = [passage for folder in data or () for passage in read_passages(folder)]
    sources = [f"{folder.name}, a data set in BEIR layout" for folder in data or ()]
    if workspace:
        own = own_passages()
        passages += own
        sources.append(f"{len(own)} pages of a knowledge base's own documents")
    if encoder is None:
        _train_house_judge(passages, target, sources=sources, seed=seed, as_json=as_json)
    else:
        _train_encoder(encoder, passages, target, labelled=labelled or (), epochs=epochs, seed=seed, as_json=as_json)


def own_passages() -> list[Passage]:
    """The pages of the knowledge base's documents, through its public interface."""
    from finetune.corruptions import Passage
    from ingest.tokens import language

    passages = []
    with connect(load_settings()) as client:
        for document in client.call("GET", "/api/documents")["documents"]:
            for number in range(1, document["pages"] + 1):
                place = f"/api/documents/{document['document_id']}/pages/{number}"
                text = client.call("GET", place)["text"]
                passages.append(Passage(place, document["document_id"], text, language(text)))
    return passages


def _train_house_judge(passages: Sequence[Passage], target: Path, *, sources: Sequence[str], seed: int, as_json: bool) -> None:
    from eval.units import shipped_background
    from finetune.detector import train_detector, write_card, write_weights

    weights = train_detector(passages, background=shipped_background(), seed=seed)
    card = target.with_suffix(".md")
    write_weights(target, weights)
    write_card(card, weights, sources=sources)
    figures = {lang: model["held_out"] for lang, model in weights["languages"].items()}
    if as_json:
        print_json({"weights": str(target), "card": str(card), "held_out": figures})
        return
    out.print(f"weights in {target}, their card in {card}", markup=False)
    rows = [(lang, one["trained_on"], one["sentences"], f"{one['auroc']:.3f}") for lang, one in figures.items()]
    print_table(("language", "learned from", "held out", "AUROC"), rows)


def _train_encoder(
    encoder: Path,
    passages: Sequence[Passage],
    target: Path,
    *,
    labelled: Sequence[Path],
    epochs: int,
    seed: int,
    as_json: bool,
) -> None:
    from eval.units import shipped_background
    from finetune.token_detector import DetectorConfig, corrupted, read_labelled, train_token_detector

    learned, kept = corrupted(passages, background=shipped_background(), seed=seed)
    unmarked = 0
    for file in labelled:
        answers, left_out = read_labelled(file)
        learned, unmarked = [*learned, *answers], unmarked + left_out
    config = DetectorConfig(epochs=epochs, seed=seed)
    with counting() as step:
        made = train_token_detector(encoder, learned, kept, target, config=config, progress=step)
    if as_json:
        print_json({**asdict(made), "folder": str(made.folder), "unmarked": unmarked})
        return
    figure = made.auroc
    out.print(
        f"{made.folder}: AUROC held out {figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f}, n={figure.n})", markup=False
    )
    if unmarked:
        out.print(f"{unmarked} labelled answers do not say which part is wrong, and were left out", style="dim")
    out.print(f"judge with it: GRAFT_JUDGE__PATH={made.folder} graft train ensemble …", markup=False)
