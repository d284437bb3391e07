"""Trains an adapter in its own process: a folder of samples in, a LoRA adapter with its figures out.

    python -m finetune.train RUN_DIR

Invariants. A run that was killed at any moment goes on from its newest whole checkpoint and ends with exactly the weights of
a run that was not (same machine, same threads). `adapter/` is there as a whole or not at all, `result.json` last of all; with
it there, running again does nothing. SIGTERM leaves a checkpoint and ends with 0; a run without `result.json` is not finished.
This module knows no catalog and no engine; heavy libraries load after the request has been read.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from finetune.held_out import answer_held_out, compare_models
from finetune.preparation import prepare
from finetune.run_folder import Request, RunFolder, write_file
from finetune.selection import Selection
from finetune.types import Progress
from ingest.errors import Conflict, GraftError, InputRefused, StorageFull, Unavailable
from ingest.files import is_full_disk

_GRACE_S = 8.0
"""A step that was begun when SIGTERM came may end within this time; else the run ends with the checkpoint it has."""


class Stop:
    """SIGTERM: at once while nothing can be lost by it, else at the end of the step.

    A thread of its own hears the signal, since a handler runs only when the step's long calls into torch have returned.
    """

    def __init__(self) -> None:
        self.requested = False
        self.training = False

    def listen(self) -> None:
        """From here on SIGTERM is heard. To be called in the main thread."""
        heard, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda *_: None)
        threading.Thread(target=self._wait, args=(heard,), daemon=True).start()

    def _wait(self, heard: int) -> None:
        while os.read(heard, 1) != bytes([signal.SIGTERM]):
            continue  # another signal, which has its own handler
        if self.training:
            self.requested = True
            time.sleep(_GRACE_S)
        os._exit(0)  # every file is whole at every moment


def run(folder: RunFolder, stop: Stop) -> None:
    """Brings the run to its end, from wherever it is, or to a checkpoint where `stop` asks for it.

    Raises:
        InputRefused: the request, a sample or the model cannot be used. Unavailable: the training libraries are not there.
    """
    if folder.result.is_file():
        return
    request = folder.request()
    folder.report(Progress("preparing", 0, 1, "steps"))
    tokenizer = _load_tokenizer(request)
    prepared = prepare(folder, request.config, tokenizer)
    if not folder.outcome.is_file():
        from finetune.training_run import train_adapter

        stop.training = True
        finished = train_adapter(folder, request, prepared, tokenizer, stop)
        stop.training = False
        if not finished or stop.requested:
            return
    gains = measure(folder, request, prepared.selection, tokenizer)
    result = {**json.loads(folder.outcome.read_text(encoding="utf-8")), "held_out": gains}
    write_file(folder.result, json.dumps(result, ensure_ascii=False, indent=2) + "\n")
    shutil.rmtree(folder.checkpoints, ignore_errors=True)
    shutil.rmtree(folder.best, ignore_errors=True)


def measure(folder: RunFolder, request: Request, selection: Selection, tokenizer: Any) -> dict[str, Any]:
    """The held-out figures of base and tuned, by `compare_models`' names; the answers are saved."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from finetune.training_run import number_type

    base = AutoModelForCausalLM.from_pretrained(
        request.base_model, dtype=getattr(torch, number_type(request.config)), local_files_only=True
    )
    model = PeftModel.from_pretrained(base, folder.adapter).to("cuda" if torch.cuda.is_available() else "cpu").eval()
    predictions = answer_held_out(
        model,
        tokenizer,
        {"rephrased": selection.rephrased, "test": selection.test},
        file=folder.predictions,
        batch=request.config.held_out_batch,
        max_new_tokens=request.config.max_new_tokens,
        tell=lambda done, total: folder.report(Progress("measuring", done, total, "answers")),
    )
    return {name: asdict(gain) for name, gain in compare_models(predictions, seed=request.config.seed).items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 where the run is finished or was stopped, else the error's own; its sentence goes to stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 1:
        print("usage: python -m finetune.train RUN_DIR", file=sys.stderr)
        return 2
    stop = Stop()
    stop.listen()
    folder = RunFolder(Path(given[0]))
    try:
        with _alone(folder.path):
            request = folder.request() if not folder.result.is_file() else None
            if request is not None:
                _settle(request)
            run(folder, stop)
    except GraftError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except Exception as error:  # noqa: BLE001  the last line says what happened to whoever started this process
        traceback.print_exc()
        said = _said(error, folder.path)
        print(said, file=sys.stderr)
        return said.exit_code
    return 0


def _said(error: Exception, folder: Path) -> GraftError:
    """The error in words of ours."""
    if is_full_disk(error):
        return StorageFull(f"the disk that holds {folder} is full: free some space and start the training again; it will go on")
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return GraftError("there is not enough memory for this training: lower batch_size (raise accumulation) or max_tokens")
    return GraftError(f"the training failed ({type(error).__name__}: {error}): start it again to go on from its last checkpoint")


def _settle(request: Request) -> None:
    """Fixes what must not differ between two parts of one run, before torch is loaded, and keeps everything off the network."""
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # cuBLAS gives the same sums each time only with a workspace of its own
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        os.environ[name] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        import torch
        import trl  # noqa: F401
        from transformers.utils.logging import disable_progress_bar
    except ImportError as error:
        raise Unavailable(f"training needs the libraries of the extra `finetune` ({error}): install graft[finetune]") from error
    disable_progress_bar()
    torch.set_num_threads(request.config.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a debugging aid that writes every new tensor twice


def _load_tokenizer(request: Request) -> Any:
    """The base model's tokenizer.

    Raises:
        InputRefused: it cannot be loaded, or it has no chat template.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(request.base_model, local_files_only=True)
    except (OSError, ValueError) as error:
        raise InputRefused(f"the tokenizer of {request.base_model} cannot be loaded ({error}): fetch the model again") from error
    if not tokenizer.chat_template:
        raise InputRefused(f"{request.base_model.name} has no chat template: train on a chat (instruct) model")
    return tokenizer


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keeps a second process out of the folder; a killed process lets go by itself.

    Raises:
        InputRefused: there is no such folder. Conflict: another process trains in it.
    """
    if not path.is_dir():
        raise InputRefused(f"there is no folder {path}: give the folder of a prepared run")
    with (path / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(f"another process trains in {path}: wait for it, or end it") from error
        yield


if __name__ == "__main__":
    sys.exit(main())
