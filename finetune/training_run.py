"""Runs trl over prepared samples: steps, evaluations, checkpoints, and the adapter at the end.

Invariants. The newest whole checkpoint and the prepared order decide everything that follows; `adapter/` is published as a
whole, with the exact configuration and the outcome inside. Importing this module loads torch, trl and peft.
"""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, PrinterCallback, TrainerCallback, set_seed
from trl import SFTConfig

from finetune.answer_trainer import AnswerTrainer, collate
from finetune.chat_template import padding_token
from finetune.curves import Mark, Point, draw_curves, mark_overfitting
from finetune.preparation import Batch, Prepared
from finetune.run_folder import Request, RunFolder, publish_folder, write_file
from finetune.training_config import TrainingConfig
from finetune.types import Progress
from ingest.errors import GraftError, InputRefused

_CHECKPOINTS = 2
_LIBRARIES = ("torch", "transformers", "trl", "peft")
_WEIGHTS = "adapter_model.safetensors"
# How often a watcher sees the progress change at most; steps on a GPU are faster.
_REPORT_EVERY_S = 0.5


class StopSign(Protocol):
    """Says whether the run should end after this step."""

    requested: bool


def number_type(config: TrainingConfig) -> str:
    """`bfloat16` or `float32`, as the configuration says, or as the processor computes faster.

    SmolLM2 on a processor with avx512_bf16: 157-181 tokens a second in bfloat16, 94-115 in float32; without it bfloat16 is
    emulated.
    """
    if config.dtype != "auto":
        return config.dtype
    if torch.cuda.is_available():
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return "float32"
    return "bfloat16" if "avx512_bf16" in flags or "amx_bf16" in flags else "float32"


def train_adapter(folder: RunFolder, request: Request, prepared: Prepared, tokenizer: Any, stop: StopSign) -> bool:
    """Whether the training came to its end, with the adapter published; False where `stop` ended it before.

    Raises:
        GraftError: the loss became no number. InputRefused: the adapter to start from has other layers or another rank.
    """
    config = request.config
    found = folder.newest_checkpoint()
    if found is None:
        shutil.rmtree(folder.best, ignore_errors=True)
    watch = _Watch(folder, config, prepared, stop, seconds_before=float(found[1]["seconds"]) if found else 0.0)
    set_seed(config.seed)  # the adapter's first weights are drawn when the trainer is made
    trainer = AnswerTrainer(
        model=AutoModelForCausalLM.from_pretrained(
            request.base_model,
            dtype=getattr(torch, number_type(config)),
            local_files_only=True,
        ),
        args=_arguments(folder, config, prepared),
        train_dataset=_dataset(prepared.batches),
        eval_dataset={name: _dataset(batches) for name, batches in prepared.evaluations.items()} or None,
        planned_steps=prepared.steps,
        prompt_loss_weight=config.prompt_loss_weight,
        data_collator=partial(collate, padding=padding_token(tokenizer)),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=config.rank,
            lora_alpha=config.alpha,
            lora_dropout=config.dropout,
            target_modules="all-linear" if config.target_modules == ("all-linear",) else list(config.target_modules),
            task_type="CAUSAL_LM",
        ),
        callbacks=[watch],
    )
    watch.model = trainer.model
    if found is None and request.start_from is not None:
        _start_from(trainer.model, request.start_from)
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=str(found[0]) if found else None)
    if trainer.state.global_step < trainer.state.max_steps:
        return False
    _publish(folder, request, prepared, trainer, watch)
    return True


def _start_from(model: Any, adapter: Path) -> None:
    """Gives the model's adapter the weights of another one."""
    weights, wanted = load_file(str(adapter / _WEIGHTS)), get_peft_model_state_dict(model)
    if {name: value.shape for name, value in weights.items()} != {name: value.shape for name, value in wanted.items()}:
        raise InputRefused(f"the adapter at {adapter} has other layers or another rank: ask for those, or start from none")
    set_peft_model_state_dict(model, weights)


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Tells how far the run is, keeps the best weights, makes checkpoints count, and ends the run when asked to."""

    def __init__(
        self, folder: RunFolder, config: TrainingConfig, prepared: Prepared, stop: StopSign, *, seconds_before: float
    ) -> None:
        self._folder = folder
        self._config = config
        self._prepared = prepared
        self._stop = stop
        self._seconds_before = seconds_before
        self._began = time.monotonic()
        self._tokens = 0
        self._reported = 0.0
        self.model: Any = None

    def seconds(self) -> float:
        """How long the run has trained, over all its interruptions."""
        return self._seconds_before + time.monotonic() - self._began

    def on_train_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        """The clock starts after the model is loaded."""
        self._began = time.monotonic()
        self._tokens = self._seen(state)
        self._report(state, at_once=True)

    def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
        """The last step is evaluated, and a run that is asked to stop makes a checkpoint here."""
        if state.global_step >= state.max_steps and self._prepared.evaluations:
            control.should_evaluate = True
        if self._stop.requested:
            control.should_save = control.should_training_stop = True
        self._report(state)

    def on_log(self, _args: Any, state: Any, _control: Any, *, logs: dict[str, Any], **_: Any) -> None:
        """Refuses to go on without a loss."""
        loss = logs.get("loss")
        if loss is not None and not loss < float("inf"):  # also where it is no number
            raise GraftError(
                f"the loss is {loss} at step {state.global_step}: lower learning_rate, which is "
                f"{self._config.learning_rate:g}, and train again"
            )

    def on_evaluate(self, _args: Any, state: Any, control: Any, *, metrics: dict[str, Any], **_: Any) -> None:
        """Keeps the weights aside whenever the watched loss is the lowest so far."""
        watched = _watched(self._prepared)
        if self._config.keep == "best" and f"eval_{watched}_loss" in metrics:
            points = evaluation_points(state.log_history, watched)
            if points and min(points, key=lambda point: (point.loss, point.step)) == points[-1]:
                self._keep(state.global_step)
        if self._stop.requested:
            control.should_save = control.should_training_stop = True
        self._report(state, at_once=True)

    def on_save(self, args: Any, state: Any, _control: Any, **_: Any) -> None:
        """The checkpoint counts from here on."""
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        self._folder.complete_checkpoint(checkpoint, seconds=round(self.seconds(), 3))
        self._folder.write_history(history(state.log_history))

    def _keep(self, step: int) -> None:
        aside = self._folder.path / ".best.part"
        shutil.rmtree(aside, ignore_errors=True)
        self.model.save_pretrained(aside)
        (aside / "step").write_text(str(step), encoding="utf-8")
        publish_folder(aside, self._folder.best)

    def _seen(self, state: Any) -> int:
        return self._prepared.tokens_until(state.global_step)

    def _report(self, state: Any, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if not at_once and now - self._reported < _REPORT_EVERY_S:
            return
        self._reported = now
        seconds = now - self._began
        losses = [record["loss"] for record in state.log_history[-40:] if "loss" in record][-10:]
        evaluated = evaluation_points(state.log_history, "validation")
        detail = {
            "loss": round(sum(losses) / len(losses), 4) if losses else None,
            "eval_loss": round(evaluated[-1].loss, 4) if evaluated else None,
            "tokens_per_s": round((self._seen(state) - self._tokens) / seconds, 1) if seconds > 0 else None,
            "epoch": round(state.global_step / max(self._prepared.steps, 1) * self._config.epochs, 2),
        }
        self._folder.report(Progress("training", state.global_step, state.max_steps, "steps", detail))


_RECORDED = {
    "loss": "loss",
    "learning_rate": "learning_rate",
    "eval_validation_loss": "eval_loss",
    "eval_rephrased_loss": "rephrased_loss",
}


def history(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The trainer's log by step, in the words of `_RECORDED`: evaluation losses stand where there was one."""
    steps: dict[int, dict[str, Any]] = {}
    for record in log:
        row = steps.setdefault(record["step"], {"step": record["step"]})
        row.update({name: record[key] for key, name in _RECORDED.items() if key in record})
    return [steps[step] for step in sorted(steps)]


def evaluation_points(log: list[dict[str, Any]], name: str) -> list[Point]:
    """The loss curve of one evaluation set."""
    return [Point(record["step"], record[f"eval_{name}_loss"]) for record in log if f"eval_{name}_loss" in record]


def _watched(prepared: Prepared) -> str:
    """The evaluation set that says which weights are best: what is asked again of the facts learned, else other documents."""
    return "rephrased" if "rephrased" in prepared.evaluations else "validation"


def _dataset(batches: tuple[Batch, ...]) -> Dataset:
    """A row for each batch: trl's own batches hold one row, and the collator makes tensors of it."""
    return Dataset.from_dict(
        {
            "input_ids": [[list(sample.ids) for sample in batch] for batch in batches],
            "labels": [[list(sample.labels) for sample in batch] for batch in batches],
        }
    )


def _arguments(folder: RunFolder, config: TrainingConfig, prepared: Prepared) -> SFTConfig:
    """trl's words for the configuration. The batches are made already, of all epochs: trl sees one epoch, one batch a row."""
    return SFTConfig(
        output_dir=str(folder.checkpoints),
        max_steps=min(prepared.steps, config.max_steps or prepared.steps),
        train_sampling_strategy="sequential",
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        remove_unused_columns=False,
        per_device_train_batch_size=1,
        per_device_eval_batch_size=1,
        gradient_accumulation_steps=config.accumulation,
        gradient_checkpointing=config.gradient_checkpointing,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule if config.schedule != "constant" else "constant_with_warmup",
        warmup_steps=round(config.warmup_share * prepared.steps),
        weight_decay=0.0,
        bf16=number_type(config) == "bfloat16",
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        seed=config.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if prepared.evaluations else "no",
        eval_steps=config.evaluate_every_steps,
        prediction_loss_only=True,
        save_strategy="steps",
        save_steps=config.checkpoint_every_steps,
        save_total_limit=_CHECKPOINTS,
        report_to="none",
        disable_tqdm=True,
    )


def _publish(folder: RunFolder, request: Request, prepared: Prepared, trainer: Any, watch: _Watch) -> None:
    """Draws the curves and writes the adapter aside, complete, before it is renamed into place."""
    config, log = request.config, trainer.state.log_history
    folder.write_history(history(log))
    curves = {name: evaluation_points(log, name) for name in prepared.evaluations}
    marks = {
        name: mark
        for name, points in curves.items()
        if (mark := mark_overfitting(points, share=config.overfitting_share)) is not None
    }
    training = [Point(record["step"], record["loss"]) for record in log if "loss" in record]
    draw_curves(training, curves, marks, folder.curves, title=request.adapter_name)
    mark, last_step = marks.get(_watched(prepared)), int(trainer.state.global_step)
    kept = put_best_back(folder, trainer.model, mark, config, last_step=last_step)
    aside = folder.path / ".adapter.part"
    shutil.rmtree(aside, ignore_errors=True)
    trainer.model.save_pretrained(aside)
    (aside / "README.md").unlink(missing_ok=True)  # peft's empty form; the card is written by who knows the data
    _forget_paths(aside / "adapter_config.json", request.base_model.name)
    outcome = _outcome(request, prepared, trainer, watch, training, marks)
    write_file(aside / folder.outcome.name, json.dumps({**outcome, "kept": kept}, ensure_ascii=False, indent=2) + "\n")
    publish_folder(aside, folder.adapter)


def put_best_back(folder: RunFolder, model: Any, mark: Mark | None, config: TrainingConfig, *, last_step: int) -> dict[str, Any]:
    """What the adapter is made of and why; the model now has the best weights where the configuration asks for them and the
    watched loss has risen."""
    if config.keep != "best" or mark is None:
        return {"weights": "last", "step": last_step, "reason": "the configuration keeps the last step"}
    if not mark.overfitting:
        return {
            "weights": "last",
            "step": last_step,
            "reason": f"the evaluation loss rose by no more than {config.overfitting_share:.0%}",
        }
    set_peft_model_state_dict(model, load_file(str(folder.best / _WEIGHTS)))
    reason = f"the evaluation loss rose by {mark.rise:.0%} after step {mark.best_step}"
    return {"weights": "best", "step": mark.best_step, "reason": reason}


def _outcome(
    request: Request, prepared: Prepared, trainer: Any, watch: _Watch, training: list[Point], marks: dict[str, Mark]
) -> dict[str, Any]:
    config, steps = request.config, int(trainer.state.global_step)
    batches, seen = prepared.batches_until(steps), prepared.tokens_until(steps)
    seconds = watch.seconds()
    tail = training[-max(1, steps // config.epochs) :]
    selection = prepared.selection
    return {
        "adapter_name": request.adapter_name,
        "base_model": request.base_model.name,
        "config": config.values(),
        "seed": config.seed,
        "samples": {
            "train": len(prepared.rows),
            "train_by_kind": dict(Counter(row.kind for row in prepared.rows)),
            "validation": len(selection.validation),
            "rephrased": len(selection.rephrased),
            "test": len(selection.test),
            "left_out": prepared.left_out,
        },
        "steps": steps,
        "planned_steps": prepared.steps,
        "samples_seen": sum(map(len, batches)),
        "tokens_seen": seen,
        "tokens_learned": sum(sample.learned for batch in batches for sample in batch),
        "seconds": round(seconds, 1),
        "tokens_per_s": round(seen / seconds, 1),
        "loss": round(sum(point.loss for point in tail) / len(tail), 4),
        "eval_loss": marks["validation"].last_loss if "validation" in marks else None,
        "rephrased_loss": marks["rephrased"].last_loss if "rephrased" in marks else None,
        "overfitting": {name: asdict(mark) for name, mark in marks.items()},
        "dtype": number_type(config),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "versions": {name: version(name) for name in _LIBRARIES},
    }


def _forget_paths(config_file: Path, base_model: str) -> None:
    """An adapter names its base model, not where it lay on this machine."""
    values = json.loads(config_file.read_text(encoding="utf-8"))
    values["base_model_name_or_path"] = base_model
    write_file(config_file, json.dumps(values, indent=2, sort_keys=True) + "\n")
