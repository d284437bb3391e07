"""Trains a token classifier to mark what the evidence lacks: an encoder in, a folder that `eval.token_judge` loads out.

It learns from what the house judge learns from, corruptions (`finetune.corruptions`) and written answers, whose wrong parts are
known, and from labelled answers of the user's own, in the form that it will be asked in. It is calibrated and measured on the
same of other documents. The folder appears whole or not at all: safetensors, tokenizer, calibration, card. A training that was
killed goes on from its newest whole checkpoint, if encoder, samples and configuration are the same. Importing this module loads
no torch.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from eval.calibration import Calibration, log_odds, write_calibration
from eval.classifier import Encoded, PairEncoder
from eval.hallucination import Line, read_lines
from eval.metrics.classification import Estimate, auroc, bootstrap
from eval.token_judge import UNSUPPORTED, TokenJudge, numbered, prompt
from eval.units import Background
from finetune.answer_samples import written_samples
from finetune.corruptions import CorruptionMaker, Passage, SupportSample
from finetune.detector import fit_platt, held_out
from finetune.run_folder import RunFolder, publish_folder, write_file
from ingest.checkpoint import Task, classifier_config, load_classifier, quiet_library
from ingest.errors import Conflict, InputRefused, Unavailable
from ingest.tokens import language

_LABELS = ("supported", UNSUPPORTED)
_IGNORED = -100
"""What the loss leaves out: the evidence and special tokens."""
_CHECKPOINTS = 2
_SAMPLES_LEARNED = 8
_SAMPLES_HELD_OUT = 2
"""Tried for each passage. Two tell what eight would: what differs is the passages."""


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """How a detector is trained. Learning rate and batch are LettuceDetect's; its authors take six epochs over human labels."""

    epochs: int = 2
    batch_size: int = 8
    learning_rate: float = 1e-5
    checkpoint_every_steps: int = 200
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainedDetector:
    """What came of a training: the folder, how well it orders sentences held out, and what was learned from."""

    folder: Path
    auroc: Estimate
    samples: dict[str, int]
    left_out: int
    seconds: float


def corrupted(
    passages: Sequence[Passage], *, background: Background, seed: int
) -> tuple[list[SupportSample], list[SupportSample]]:
    """Samples to learn from, and others of other documents to calibrate and measure on: corruptions of the passages, and the
    written answers in their languages.

    Raises:
        InputRefused: a language has fewer than two passages for either.
    """
    learned: list[SupportSample] = []
    kept: list[SupportSample] = []
    for lang in sorted({passage.language for passage in passages}):
        for samples, is_held_out, per_passage in ((learned, False, _SAMPLES_LEARNED), (kept, True, _SAMPLES_HELD_OUT)):
            part = [one for one in passages if one.language == lang and held_out(one) is is_held_out]
            if len(part) < 2:
                raise InputRefused(
                    f"{len(part)} passages in {lang!r} are {'held out' if is_held_out else 'to learn from'}: give 20 or more, of "
                    "several documents"
                )
            samples += CorruptionMaker(part, background=background, seed=seed + is_held_out).make(per_passage)
            samples += written_samples(lang, kept=is_held_out)
    return learned, kept


def read_labelled(path: Path) -> tuple[list[SupportSample], int]:
    """The labelled answers of a JSONL file in the form of `graft eval hallucination`, and how many were left out because they are
    marked bad (`label` 1) without a word on which part is (`spans`).

    Raises:
        InputRefused: the file or a line of it cannot be read.
    """
    samples: list[SupportSample] = []
    left_out = 0
    for row in read_lines(path):
        line, label = Line.of(row), row.get("label")
        try:
            spans = tuple((int(span["start"]), int(span["end"])) for span in row.get("spans") or ())
        except (KeyError, TypeError, ValueError) as error:
            raise InputRefused(f"{path}, line {line.id!r}: a span needs start and end ({error!r})") from error
        if label not in (0, 1) or (spans and not label) or any(not 0 <= a < b <= len(line.answer) for a, b in spans):
            raise InputRefused(
                f"{path}, line {line.id!r}: label must be 0 or 1; spans must lie within the answer's {len(line.answer)} "
                "characters, and only a bad answer has any"
            )
        if label and not spans:
            left_out += 1
            continue
        lang = language(line.answer)
        samples.append(
            SupportSample(line.answer, line.context, line.question, label, path.stem, lang, spans, passage=str(line.id))
        )
    return samples, left_out


def train_token_detector(
    encoder: Path,
    samples: Sequence[SupportSample],
    kept: Sequence[SupportSample],
    out: Path,
    *,
    config: DetectorConfig | None = None,
    progress: Callable[[str, int], None] = lambda _name, _total: None,
) -> TrainedDetector:
    """The detector in `out`, trained on `samples`, calibrated and measured on `kept`, which are of other documents.

    `progress` is told after each step what was done, and how often that is to be done in all.

    Raises:
        InputRefused: the encoder cannot be loaded, or there are too few samples. Conflict: `out` is there already.
        Unavailable: the training libraries are not installed.
    """
    config = config or DetectorConfig()
    if out.exists():
        raise Conflict(f"{out} is there already: give another folder, or remove it")
    for part, name in ((samples, "to learn from"), (kept, "held out")):
        if len({sample.label for sample in part}) < 2:
            raise InputRefused(f"{len(part)} samples {name} are too few: there must be supported and unsupported ones; give more")
    began = time.monotonic()
    work = RunFolder(out.with_name(f".{out.name}.training"))
    aside = work.path / "model"
    rows = _fit(encoder, samples, work, aside, config, progress)
    judge = TokenJudge(str(aside))
    estimate, calibration = _calibrated(judge, kept, progress)
    write_calibration(str(aside), calibration)
    kinds = dict(Counter(sample.kind for sample in samples))
    trained = TrainedDetector(out, estimate, kinds, len(samples) - rows, round(time.monotonic() - began, 1))
    write_file(aside / "README.md", _card(encoder, trained, config))
    publish_folder(aside, out)
    shutil.rmtree(work.path, ignore_errors=True)
    return trained


def _fit(
    encoder: Path,
    samples: Sequence[SupportSample],
    work: RunFolder,
    aside: Path,
    config: DetectorConfig,
    progress: Callable[[str, int], None],
) -> int:
    """Trains and writes the model to `aside`; how many samples it learned from."""
    try:
        import torch
        from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments, set_seed
    except ImportError as error:
        raise Unavailable(f"training needs the libraries of the extra `finetune` ({error}): install graft[finetune]") from error

    asked = _digest(encoder, samples, config)
    found = work.newest_checkpoint()
    if found is not None and found[1].get("asked") != asked:
        shutil.rmtree(work.checkpoints)
        found = None
    set_seed(config.seed)  # the new head's weights are drawn when the model is loaded
    model, tokenizer = load_classifier(Task.TOKENS, str(encoder), new_labels=_LABELS)
    pairs = PairEncoder(tokenizer, classifier_config(str(encoder)), folder=str(encoder))
    rows = [row for sample in samples if (row := learned_row(pairs, sample)) is not None]
    if not rows:
        raise InputRefused(
            f"no sample fits into the {pairs.window_tokens} tokens that {encoder} reads at once: give shorter ones"
        )

    class Counting(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
            progress("steps", state.max_steps)

        def on_save(self, args: Any, state: Any, _control: Any, **_: Any) -> None:
            work.complete_checkpoint(Path(args.output_dir) / f"checkpoint-{state.global_step}", asked=asked)

    trainer = Trainer(
        model=model.train(),
        args=TrainingArguments(
            output_dir=str(work.checkpoints),
            num_train_epochs=config.epochs,
            per_device_train_batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            train_sampling_strategy="group_by_length",
            save_steps=config.checkpoint_every_steps,
            save_total_limit=_CHECKPOINTS,
            seed=config.seed,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=torch.cuda.is_available(),
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=rows,
        data_collator=partial(_collated, padding=tokenizer.pad_token_id),
        callbacks=[Counting()],
    )
    trainer.remove_callback(PrinterCallback)
    with quiet_library():
        trainer.train(resume_from_checkpoint=str(found[0]) if found else None)
    shutil.rmtree(aside, ignore_errors=True)
    with quiet_library():
        model.save_pretrained(aside)
        tokenizer.save_pretrained(aside)
    return len(rows)


def learned_row(pairs: PairEncoder, sample: SupportSample) -> dict[str, list[int]] | None:
    """Input and labels of one sample; of long evidence the window that has most of the sentence's tokens. None where it does not
    fit."""
    text = numbered(sample.evidence)
    inputs = pairs.fitted(
        text, pairs.places(text), lambda window: pairs.encoded(prompt(window, sample.question), sample.sentence)
    )
    if not inputs:
        return None
    best = max(inputs, key=_common_tokens)
    labels = [_IGNORED] * len(best)
    for at, start, end in best.second:
        labels[at] = int(any(start < last and end > first for first, last in sample.spans))
    return {**best.inputs, "labels": labels}


def _common_tokens(encoded: Encoded) -> int:
    ids = encoded.inputs["input_ids"]
    second = {at for at, _, _ in encoded.second}
    return len({ids[at] for at in second} & {one for at, one in enumerate(ids) if at not in second})


def _collated(rows: Sequence[dict[str, list[int]]], *, padding: int) -> dict[str, Any]:
    import torch

    longest = max(len(row["labels"]) for row in rows)
    fill = {"input_ids": padding, "labels": _IGNORED}
    return {
        name: torch.tensor([row[name] + [fill.get(name, 0)] * (longest - len(row[name])) for row in rows]) for name in rows[0]
    }


def _calibrated(
    judge: TokenJudge, kept: Sequence[SupportSample], progress: Callable[[str, int], None]
) -> tuple[Estimate, Calibration]:
    """How well the judge orders the sentences, by passages drawn, and what its scores mean."""
    verdicts = []
    for sample in kept:
        verdicts += judge.judge([sample.sentence], evidence=sample.evidence, question=sample.question)
        progress("sentences held out", len(kept))
    judged = [(sample, verdict) for sample, verdict in zip(kept, verdicts, strict=True) if verdict.judged]
    labels = np.array([sample.label for sample, _ in judged], dtype=np.float64)
    odds = np.array([log_odds(verdict.support) for _, verdict in judged])
    estimate = bootstrap(auroc, labels, -odds, groups=[sample.passage for sample, _ in judged])
    slope, offset = fit_platt(odds, 1 - labels)
    made_from = "corruptions and written answers of documents that were not learned from"
    return estimate, Calibration(slope, offset, len(judged), round(estimate.value, 4), made_from)


def _digest(encoder: Path, samples: Sequence[SupportSample], config: DetectorConfig) -> str:
    """Of all that decides how the training goes."""
    content = json.dumps([str(encoder.resolve()), [asdict(sample) for sample in samples], asdict(config)], ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()


def _card(encoder: Path, trained: TrainedDetector, config: DetectorConfig) -> str:
    kinds = "\n".join(f"| {kind} | {count} |" for kind, count in sorted(trained.samples.items()))
    figure = trained.auroc
    return f"""# A detector of unsupported parts

A token classifier over `{encoder.name}`, trained by `graft train detector --encoder`. It reads question and numbered passages
as its first text and the sentence as its second, and gives each token one of two labels, {" and ".join(_LABELS)}.
The setting `judge.path` loads it.

| learned from | answers |
|---|---|
{kinds}

{trained.left_out} of them were too long for it. Epochs: {config.epochs}, batches of {config.batch_size}, learning rate
{config.learning_rate:g}, seed {config.seed}.

**Held out** (corruptions and written answers of other documents, n={figure.n}): AUROC {figure.value:.3f}
({figure.low:.3f}–{figure.high:.3f}).
They are of the same making as what it learned from, so the figure says little of answers that a model wrote: measure it on such
ones, labelled, with `graft eval hallucination`. The licence is that of the encoder and of the texts learned from.
"""
