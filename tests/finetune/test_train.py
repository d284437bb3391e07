"""The training process, with a random model of two layers: what it writes, and that no interruption changes what it learns."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from finetune.answer_trainer import AnswerTrainer
from finetune.run_folder import RunFolder
from ingest.errors import InputRefused
from tests.finetune.tiny_model import sample, tiny_tokenizer, write_run, write_tiny_adapter, write_tiny_model

ROOT = Path(__file__).parents[2]

# Runs the trainer and sends itself a signal at a step, or while the checkpoint of that step is only half written.
INTERRUPTED = """
import os, sys, time
from finetune import train, training_run
folder, method, step, number = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
original = getattr(training_run._Watch, method)
def interrupted(self, args, state, control, **more):
    if state.global_step == step:
        os.kill(os.getpid(), number)
        time.sleep(0.5)  # a thread hears SIGTERM
    return original(self, args, state, control, **more)
setattr(training_run._Watch, method, interrupted)
sys.exit(train.main([folder]))
"""


def trained(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "finetune.train", str(folder)], cwd=ROOT, capture_output=True, text=True)


def interrupted(folder: Path, method: str, step: int, number: int) -> int:
    command = [sys.executable, "-c", INTERRUPTED, str(folder), method, str(step), str(number)]
    return subprocess.run(command, cwd=ROOT, capture_output=True).returncode


@pytest.fixture(scope="module")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("base") / "tiny-chat")


@pytest.fixture(scope="module")
def whole(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that nothing interrupted."""
    folder = RunFolder(write_run(tmp_path_factory.mktemp("runs") / "whole", base_model, keep="best", overfitting_share=0.0))
    ended = trained(folder.path)
    assert ended.returncode == 0, ended.stderr
    return folder


def test_a_run_leaves_an_adapter_its_curves_its_answers_and_its_figures(whole: RunFolder) -> None:
    result = json.loads(whole.result.read_text())
    assert {path.name for path in whole.adapter.iterdir()} == {
        "adapter_model.safetensors",
        "adapter_config.json",
        "training.json",
    }
    assert result["steps"] == 24
    assert result["samples"] == {
        "train": 16,
        "train_by_kind": {"closed-book": 16},
        "validation": 4,
        "rephrased": 8,
        "test": 3,
        "left_out": {},
    }
    assert result["held_out"]["rephrased"]["n"] == 8
    assert result["held_out"]["test:grounded"]["n"] == 3
    assert set(result["overfitting"]) == {"validation", "rephrased"}
    assert {"torch", "trl", "peft", "transformers"} <= set(result["versions"])
    assert whole.curves.read_bytes().startswith(b"\x89PNG")
    assert len(whole.predictions.read_text().splitlines()) == 2 * (8 + 3)
    history = [json.loads(line) for line in whole.history.read_text().splitlines()]
    assert [row["step"] for row in history] == list(range(1, 25))
    assert [row["step"] for row in history if "eval_loss" in row] == [8, 16, 24]
    assert history[-1]["loss"] < history[0]["loss"]
    mark = result["overfitting"]["rephrased"]
    assert (result["kept"]["weights"], result["kept"]["step"]) == (
        ("best", mark["best_step"]) if mark["overfitting"] else ("last", 24)
    )


def test_a_training_that_ends_early_has_learned_as_the_whole_one_had_until_then(
    whole: RunFolder, base_model: Path, tmp_path: Path
) -> None:
    folder = RunFolder(write_run(tmp_path / "early", base_model, keep="best", overfitting_share=0.0, max_steps=7))
    ended = trained(folder.path)
    assert ended.returncode == 0, ended.stderr
    early, later = ([json.loads(line) for line in run.history.read_text().splitlines()] for run in (folder, whole))
    assert json.loads(folder.result.read_text())["steps"] == len(early) == 7
    assert [(row["loss"], row["learning_rate"]) for row in early] == [(row["loss"], row["learning_rate"]) for row in later[:7]]


def test_a_run_may_go_on_from_the_weights_of_another_adapter(whole: RunFolder, base_model: Path, tmp_path: Path) -> None:
    folder = RunFolder(write_run(tmp_path / "later", base_model, max_steps=1, learning_rate=1e-7, start_from=whole.adapter))
    ended = trained(folder.path)
    assert ended.returncode == 0, ended.stderr
    before, after = (load_file(run.adapter / "adapter_model.safetensors") for run in (whole, folder))
    assert all(abs(after[name] - before[name]).max() < 1e-5 for name in before)
    assert any(abs(value).max() > 1e-3 for name, value in after.items() if "lora_B" in name)  # a new adapter's are zeros


def test_an_adapter_of_another_shape_is_no_start(whole: RunFolder, base_model: Path, tmp_path: Path) -> None:
    other = RunFolder(write_run(tmp_path / "other", base_model, rank=8, start_from=whole.adapter))
    ended = trained(other.path)
    assert (ended.returncode, "has other layers or another rank" in ended.stderr) == (3, True), ended.stderr
    nowhere = RunFolder(write_run(tmp_path / "nowhere", base_model, start_from=tmp_path))
    with pytest.raises(InputRefused, match="there is no adapter at"):
        nowhere.request()


def test_an_adapter_does_not_say_where_its_base_model_lay(whole: RunFolder) -> None:
    assert json.loads((whole.adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny-chat"


def test_a_finished_run_is_not_run_again(whole: RunFolder) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.adapter.iterdir()}
    assert trained(whole.path).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in whole.adapter.iterdir()} == before


def test_a_run_that_was_killed_and_stopped_learns_exactly_what_an_uninterrupted_one_does(
    whole: RunFolder, base_model: Path, tmp_path: Path
) -> None:
    folder = RunFolder(write_run(tmp_path / "killed", base_model, keep="best", overfitting_share=0.0))
    assert interrupted(folder.path, "on_save", 10, 9) == -9  # while checkpoint 10 is written
    assert (folder.checkpoints / "checkpoint-10").is_dir()
    found = folder.newest_checkpoint()
    assert found is not None
    assert found[0].name == "checkpoint-5"
    assert interrupted(folder.path, "on_step_end", 13, 15) == 0  # SIGTERM
    found = folder.newest_checkpoint()
    assert found is not None
    assert found[0].name == "checkpoint-13"
    assert not folder.adapter.exists()
    ended = trained(folder.path)
    assert ended.returncode == 0, ended.stderr
    ours, theirs = (load_file(one.adapter / "adapter_model.safetensors") for one in (folder, whole))
    assert ours.keys() == theirs.keys()
    assert all((ours[name] == theirs[name]).all() for name in theirs)
    assert folder.history.read_text() == whole.history.read_text()
    assert folder.predictions.read_text() == whole.predictions.read_text()
    results = [json.loads(one.result.read_text()) for one in (folder, whole)]
    assert results[0]["kept"] == results[1]["kept"]
    assert results[0]["tokens_seen"] == results[1]["tokens_seen"]


def test_errors_are_one_sentence_and_the_exit_code_of_their_kind(base_model: Path, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "bad", base_model, rank=0)
    ended = trained(folder)
    assert ended.returncode == 3
    assert ended.stderr.strip() == "rank is 0: allowed is 1 to 256"


def test_the_best_weights_are_put_back_where_the_watched_loss_has_risen(base_model: Path, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from finetune.curves import Mark
    from finetune.training_config import TrainingConfig
    from finetune.training_run import put_best_back

    plain = AutoModelForCausalLM.from_pretrained(base_model, dtype=torch.float32)
    model = PeftModel.from_pretrained(plain, write_tiny_adapter(base_model, tmp_path / "best"))
    best = {name: weights.clone() for name, weights in model.state_dict().items() if "lora_" in name}
    config, risen = TrainingConfig(keep="best"), Mark(8, 2.0, 24, 3.0, 0.5, overfitting=True)
    for mark, wanted in ((risen, "best"), (replace(risen, overfitting=False), "last"), (None, "last")):
        for weights in model.parameters():
            weights.data.zero_()
        kept = put_best_back(RunFolder(tmp_path), model, mark, config, last_step=24)
        same = all((model.state_dict()[name] == weights).all() for name, weights in best.items())
        assert (kept["weights"], same) == (wanted, wanted == "best")
    assert put_best_back(RunFolder(tmp_path), model, risen, TrainingConfig(), last_step=24)["weights"] == "last"


def test_too_long_samples_are_left_out_by_name_and_never_cut(base_model: Path, tmp_path: Path) -> None:
    from finetune.preparation import prepare

    folder = RunFolder(write_run(tmp_path / "long", base_model))
    long = {
        **sample(1),
        "id": "long-one",
        "messages": [{"role": "user", "content": "x " * 400}, {"role": "assistant", "content": "y"}],
    }
    with (folder.path / "train.jsonl").open("a") as file:
        file.write(json.dumps(long) + "\n")
    prepared = prepare(folder, folder.request().config.__class__(max_tokens=128), tiny_tokenizer())
    assert prepared.left_out == {"longer than max_tokens = 128": ["long-one"]}
    assert len(prepared.rows) == 16


def test_the_loss_of_the_learned_positions_is_that_of_trl(base_model: Path, tmp_path: Path) -> None:
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    rows = {"input_ids": [[5, 6, 7, 8, 9], [5, 9, 4, 3, 8]], "labels": [[-100, -100, 7, 8, 9], [-100, 9, 4, -100, 8]]}
    arguments = SFTConfig(
        output_dir=str(tmp_path), bf16=False, use_cpu=True, report_to="none", dataset_kwargs={"skip_prepare_dataset": True}
    )
    trainer = AnswerTrainer(
        model=AutoModelForCausalLM.from_pretrained(base_model, dtype=torch.float32),
        args=arguments,
        train_dataset=Dataset.from_dict(rows),
        processing_class=AutoTokenizer.from_pretrained(base_model),
    )
    batch = {name: torch.tensor(values) for name, values in rows.items()}
    batch["attention_mask"] = torch.ones_like(batch["input_ids"])
    ours = trainer.compute_loss(trainer.model, dict(batch))
    theirs = SFTTrainer.compute_loss(trainer, trainer.model, dict(batch))
    torch.testing.assert_close(ours, theirs)


def test_a_checkpoint_with_a_changed_file_does_not_count_and_goes(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for step in (5, 10):
        checkpoint = folder.checkpoints / f"checkpoint-{step}"
        checkpoint.mkdir(parents=True)
        (checkpoint / "weights").write_bytes(b"0" * 100)
        folder.complete_checkpoint(checkpoint, seconds=step)
    (folder.checkpoints / "checkpoint-10" / "weights").write_bytes(b"0" * 99 + b"1")
    assert folder.newest_checkpoint() == (folder.checkpoints / "checkpoint-5", {"seconds": 5})
    assert not (folder.checkpoints / "checkpoint-10").exists()


def test_starting_needs_neither_the_services_nor_the_training_libraries() -> None:
    code = (
        "import finetune.train, sys; print([name for name in ('services', 'torch', 'trl', 'matplotlib') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
