"""The reader: an adapter that teaches the default chat model to answer from passages and to cite.

Invariants. The samples follow from the question sets, the prompts' version and the seeds below. The training is an ordinary run
folder: stopped or killed, it goes on where it was. A share of plain conversation, in the base model's own words, keeps it from
forgetting how to talk.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from finetune.corruptions import Passage
from finetune.reading import HeldOutQuestion, ReadingPlan, Search, held_out_questions, split_of, training_rows, windows
from finetune.run_folder import Row, RunFolder, write_file
from finetune.training_config import TrainingConfig, config_of
from finetune.types import Message, SampleKind, Split
from ingest.errors import GraftError
from ingest.index.lexical import LexicalIndex
from ingest.types import EVERYONE, Access, IndexRow
from services.apart import run_apart
from services.model_sources import HOUSE_MODELS
from services.prompts import ServingPrompts

NAME = "reader-v1"


@dataclass(frozen=True, slots=True)
class Stage:
    """One training run: what is learned, in which share, and how. A later one goes on from the adapter of the one before."""

    name: str
    plans: tuple[ReadingPlan, ...]
    config: TrainingConfig


_ANSWERS = config_of(
    {
        "rank": 32,
        "alpha": 64,
        "learning_rate": 8e-4,
        "epochs": 1,
        "max_steps": 322,
        "grounded_epochs": 1,
        "batch_size": 12,
        "accumulation": 2,
        "max_tokens": 1500,
        "evaluate_every_steps": 140,
        "checkpoint_every_steps": 20,
        "max_rephrased": 0,
        "max_test": 0,
    }
)

# A Chinese character is 1.8 tokens of this model, so its passages are short and few.
_ZH = ReadingPlan("zh", characters=130, passages=((2, 0.7), (3, 0.3)))

STAGES = (
    Stage(
        "answers",
        (
            ReadingPlan("en", characters=500, prompts=530, seed=11),
            ReadingPlan("en", characters=900, prompts=270, seed=12),
            replace(_ZH, prompts=80, seed=13),
        ),
        _ANSWERS,
    ),
    # Answers alone make the model forget what prose is like, so the passages are learned as well.
    Stage(
        "prose",
        (
            ReadingPlan("en", characters=500, prompts=90, seed=21),
            ReadingPlan("en", characters=900, prompts=70, seed=22),
            replace(_ZH, prompts=40, seed=23),
        ),
        replace(_ANSWERS, learning_rate=3e-4, max_steps=None, prompt_loss_weight=0.3, evaluate_every_steps=50, seed=2),
    ),
)
"""Which trials led here: docs/decisions/0007."""

HELD_OUT_PLANS = (ReadingPlan("en", characters=900, seed=5), ReadingPlan("zh", characters=130, seed=5))
"""What is measured: English in the size of the product's own passages, Chinese in less than half of it, as it was learned."""

_VALIDATION_PROMPTS = 10
_CHAT_TOKENS = 80


def write_run(
    folder: Path, stage: Stage, passages: Sequence[Passage], base_model: Path, *, start_from: Path | None = None
) -> None:
    """Fills a run folder for `finetune.train`; `request.json` comes last, so that a folder with it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_rows(folder / "train.jsonl", [*_rows(passages, Split.TRAIN, stage.plans), *chat_rows(base_model)])
    few = [replace(plan, prompts=_VALIDATION_PROMPTS) for plan in stage.plans]
    _write_rows(folder / "validation.jsonl", _rows(passages, Split.VALIDATION, few))
    request = {"base_model": str(base_model), "config": stage.config.values(), "adapter_name": NAME}
    if start_from is not None:
        request["start_from"] = str(start_from)
    write_file(folder / "request.json", json.dumps(request))


def train(work: Path, passages: Sequence[Passage], base_model: Path, *, say: Callable[[str], None]) -> list[RunFolder]:
    """The finished runs, one a stage. How far one is stands in its `progress.json`.

    Raises:
        GraftError: a trainer ended with an error; it has said why.
    """
    runs: list[RunFolder] = []
    for stage in STAGES:
        run = RunFolder(work / stage.name)
        if not (run.path / "request.json").is_file():
            say(f"reader: writing the samples of {run.path}")
            write_run(run.path, stage, passages, base_model, start_from=runs[-1].adapter if runs else None)
        say(f"reader: training; how far it is stands in {run.path / 'progress.json'}")
        done = subprocess.run([sys.executable, "-m", "finetune.train", str(run.path)], check=False)
        if done.returncode != 0 or not run.result.is_file():
            raise GraftError(f"the training in {run.path} is not finished: run the same command again to go on")
        runs.append(run)
    return runs


def ship(adapter: Path, target: Path) -> None:
    """Writes the adapter's weights, rounded to bfloat16, and its configuration."""
    import torch
    from safetensors.torch import load_file, save_file

    target.mkdir(parents=True, exist_ok=True)
    weights = load_file(adapter / "adapter_model.safetensors")
    rounded = {name: weight.to(torch.bfloat16).contiguous() for name, weight in sorted(weights.items())}
    save_file(rounded, target / "adapter_model.safetensors", metadata={"format": "pt"})
    (target / "adapter_config.json").write_text((adapter / "adapter_config.json").read_text(encoding="utf-8"), encoding="utf-8")


def held_out(passages: Sequence[Passage]) -> list[HeldOutQuestion]:
    """The questions about the test's documents."""
    return [
        question
        for plan in HELD_OUT_PLANS
        for parts in [_windows(passages, Split.TEST, plan)]
        for question in held_out_questions(parts, search=_search(parts), prompts=ServingPrompts())
    ]


def chat_rows(base_model: Path) -> list[Row]:
    """Plain questions and requests, each with the base model's own greedy answer, cut at its last whole sentence."""
    prompts = (HOUSE_MODELS / "chat_prompts.txt").read_text(encoding="utf-8").splitlines()
    answers = run_apart(_answers, base_model, prompts)
    return [
        Row(
            f"chat/{number}",
            SampleKind.CHAT,
            "en",
            prompt,
            answer,
            (Message("user", prompt), Message("assistant", answer)),
            f"chat/{number}",
        )
        for number, (prompt, answer) in enumerate(zip(prompts, answers, strict=True))
    ]


def _answers(base_model: Path, prompts: Sequence[str]) -> list[str]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from finetune.chat_template import prompt_ids
    from finetune.generation import greedy_answers

    tokenizer = AutoTokenizer.from_pretrained(base_model, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(base_model, dtype=torch.bfloat16, local_files_only=True).eval()
    asked = [prompt_ids(tokenizer, [Message("user", prompt)]) for prompt in prompts]
    batches = greedy_answers(model, tokenizer, asked, batch=25, max_new_tokens=_CHAT_TOKENS)
    answers = [answer for batch in batches for answer in batch]
    return [_whole(answer) if len(tokenizer(answer)["input_ids"]) >= _CHAT_TOKENS - 1 else answer for answer in answers]


def _whole(answer: str) -> str:
    """The answer up to the end of its last whole sentence; as it is where none ends."""
    end = max(answer.rfind(mark) for mark in (". ", ".\n", "! "))
    return answer[: end + 1] if end > 0 else answer


def _rows(passages: Sequence[Passage], split: Split, plans: Iterable[ReadingPlan]) -> list[Row]:
    return [
        row
        for plan in plans
        for parts in [_windows(passages, split, plan)]
        for row in training_rows(parts, search=_search(parts), prompts=ServingPrompts(), plan=plan)
    ]


def _windows(passages: Sequence[Passage], split: Split, plan: ReadingPlan) -> list[Passage]:
    mine = [passage for passage in passages if passage.language == plan.language and split_of(passage) is split]
    return [part for passage in mine for part in windows(passage, plan.characters)]


def _search(passages: Sequence[Passage]) -> Search:
    """The product's search by words over the passages."""
    with tempfile.TemporaryDirectory() as folder:  # what is open stays readable
        index = LexicalIndex(Path(folder) / "index")
        index.add([IndexRow(str(number), one.title, one.text, frozenset({EVERYONE})) for number, one in enumerate(passages)])
    access = Access.everything()
    return lambda question, limit: [int(hit.chunk_id) for hit in index.search(question, access=access, limit=limit)]


def _write_rows(file: Path, rows: Iterable[Row]) -> None:
    write_file(file, "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows))
