"""What the reader can do on documents that it did not learn from, beside the raw model, both served by vLLM."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eval.answers import share
from eval.quoting import select_quotes
from eval.reading import Reading, reading_figures
from eval.sample_corpus.source import read_documents
from finetune.parity import Greedy, all_served, compare, reference
from finetune.reading import HeldOutQuestion
from finetune.types import Message
from ingest.errors import Unavailable
from services.apart import run_apart
from services.engine import Endpoint, EngineProcess
from services.model_sources import HOUSE_MODELS
from services.prompts import ServingPrompts

QUESTIONS = {"en": 340, "zh": 330}
"""How many held-out questions of a language the reader is asked, and the raw model a fifth of them."""
_RAW_SHARE = 5
QUOTES = 2
"""As many sentences as a quoted answer shows."""
_PARITY_PROMPTS = 50
_ANSWER_TOKENS = {"en": 80, "zh": 160}
_CHAT_TOKENS = 64
_AT_ONCE = 8
_START_TIMEOUT_S = 300.0
_WINDOW_TOKENS = 512

Prompt = tuple[Message, ...]


def measure(
    *,
    raw: Path,
    adapter: Path,
    merged: Path,
    questions: Sequence[HeldOutQuestion],
    work: Path,
    engine_python: Path | None,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """All figures of the card, with vLLM from `engine_python` (None: beside ours). What the models wrote is kept in `work`."""
    chosen = _chosen(questions)
    parity_prompts = [one.prompt for one in chosen if one.language == "en"][:_PARITY_PROMPTS]
    say("reader: answering held-out questions")
    with _serving(merged, work, engine_python, "reader") as endpoint:
        readings = _read(endpoint, merged, chosen, work / "reader.jsonl")
        chat = _chat(endpoint, merged)
        found = [*_all_served(endpoint, parity_prompts, 32)]
    say("raw model: answering some of them")
    with _serving(raw, work, engine_python, "raw") as endpoint:
        some = [one for language in QUESTIONS for one in [q for q in chosen if q.language == language][::_RAW_SHARE]]
        raw_readings = _read(endpoint, raw, some, work / "raw.jsonl")
        raw_chat = _chat(endpoint, raw)
    say("parity and perplexity")
    expected = run_apart(reference, raw, adapter, parity_prompts, max_new_tokens=32)
    before, after = (run_apart(perplexity, folder, english_prose()) for folder in (raw, merged))
    return {
        "reading": reading_figures(readings),
        "raw": reading_figures(raw_readings),
        "quotes": _quote_figures(chosen),
        "chat": {"reader": chat, "raw": raw_chat},
        "perplexity": {"raw": round(before, 3), "reader": round(after, 3), "ratio": round(after / before, 4)},
        "parity": asdict(compare(expected, found)),
    }


def _chosen(questions: Sequence[HeldOutQuestion]) -> list[HeldOutQuestion]:
    """As many of each language as are measured, those about one passage together, so that the engine reads it once."""
    out: list[HeldOutQuestion] = []
    for language, most in QUESTIONS.items():
        mine = [question for question in questions if question.language == language]
        kept = set(random.Random(1).sample(range(len(mine)), min(most, len(mine))))
        out += [question for number, question in enumerate(mine) if number in kept]
    return out


@contextmanager
def _serving(model: Path, work: Path, engine_python: Path | None, name: str) -> Iterator[Endpoint]:
    engine = EngineProcess(model, home=work, python=engine_python, log_name=f"engine-{name}", context_tokens=4096)
    engine.start()
    try:
        if not engine.wait_ready(_START_TIMEOUT_S):
            raise Unavailable(f"the engine did not start: {engine.status.reason}")
        yield engine.endpoint()
    finally:
        engine.stop()


def _all_served(endpoint: Endpoint, prompts: Sequence[Prompt], tokens: int) -> Iterator[Greedy]:
    address = (endpoint.base_url, endpoint.api_key, endpoint.model)
    return all_served(*address, prompts, max_new_tokens=tokens, at_once=_AT_ONCE)


def _texts(endpoint: Endpoint, model: Path, prompts: Sequence[Prompt], tokens: int) -> list[str]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)
    return [tokenizer.decode(list(one.ids), skip_special_tokens=True).strip() for one in _all_served(endpoint, prompts, tokens)]


def _read(endpoint: Endpoint, model: Path, questions: Sequence[HeldOutQuestion], file: Path) -> list[Reading]:
    readings, prompts = [], ServingPrompts()
    for language, tokens in _ANSWER_TOKENS.items():
        mine = [question for question in questions if question.language == language]
        for one, text in zip(mine, _texts(endpoint, model, [one.prompt for one in mine], tokens), strict=True):
            refused = prompts.is_refusal(text, language=language)
            readings.append(Reading(language, one.question, one.answers, one.place, text, refused))
    file.write_text("".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in readings), encoding="utf-8")
    return readings


def _quote_figures(questions: Sequence[HeldOutQuestion]) -> dict[str, dict[str, Any]]:
    figures = reading_figures([_quoted(one) for one in questions if one.place])
    return {language: {name: found[name] for name in ("right", "cited")} for language, found in figures.items()}


def _quoted(question: HeldOutQuestion) -> Reading:
    """What a quoted answer says to the same question over the same passages."""
    quotes = select_quotes(question.question, question.hits, limit=QUOTES)
    written = " ".join(f"{quote.text} [{question.hits.index(quote.hit) + 1}]" for quote in quotes)
    return Reading(question.language, question.question, question.answers, question.place, written, refused=not quotes)


def _chat(endpoint: Endpoint, model: Path) -> dict[str, Any]:
    """Of greetings and simple requests that were not learned the share that is answered with a fitting word and no citation."""
    checks = [json.loads(line) for line in (HOUSE_MODELS / "chat_checks.jsonl").read_text(encoding="utf-8").splitlines()]
    answers = _texts(endpoint, model, [(Message("user", check["prompt"]),) for check in checks], _CHAT_TOKENS)
    good = [
        "[" not in answer and any(word in answer.lower() for word in check["any"])
        for check, answer in zip(checks, answers, strict=True)
    ]
    return share(good) or {}


def english_prose() -> list[str]:
    """The paragraphs of the sample corpus' English documents, one text a document: no model of ours has learned from them."""
    english = [document for document in read_documents() if document.language == "en"]
    return ["\n".join(block.text for block in document.blocks if block.kind == "paragraph") for document in english]


def perplexity(model_folder: Path, texts: Sequence[str]) -> float:
    """exp of the mean negative log-likelihood (nats a token) of the texts, read in windows of 512 tokens."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype="auto", local_files_only=True).eval()
    total, count = 0.0, 0
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        for start in range(0, len(ids) - 1, _WINDOW_TOKENS):
            window = torch.tensor([ids[start : start + _WINDOW_TOKENS]])
            if window.shape[1] < 2:
                continue
            with torch.inference_mode():
                logits = model(window).logits[0, :-1].float()
            loss = torch.nn.functional.cross_entropy(logits, window[0, 1:], reduction="sum")
            total, count = total + float(loss), count + window.shape[1] - 1
    return math.exp(total / count)
