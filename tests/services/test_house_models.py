"""The models that Graft ships: what their cards say is what lies there, and the maker says what it needs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from services.house_models import __main__ as maker
from services.house_models import reader
from services.house_models.card import SETS, write_card
from services.manifest import Role, load_manifest
from services.model_sources import HOUSE_MODELS

SHARE = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 100}
FIGURES: dict[str, Any] = {
    "reading": {"en": {"right": SHARE, "cited": SHARE}, "zh": {"right": SHARE}},
    "raw": {"en": {"right": SHARE}, "zh": {"right": SHARE}},
    "quotes": {"en": {"right": SHARE}, "zh": {"right": SHARE}},
    "chat": {"reader": SHARE, "raw": SHARE},
    "perplexity": {"raw": 20.0, "reader": 21.0, "ratio": 1.05},
    "parity": {"prompts": 50, "agreement": 1.0, "mean_logprob_gap": 0.003},
}
TRAINING: dict[str, Any] = {
    "adapter_name": "reader-v1",
    "config": reader.STAGES[0].config.values(),
    "samples": {"train": 100, "train_by_kind": {"grounded": 90, "refusal": 5, "chat": 5}},
    "steps": 9,
    "planned_steps": 12,
    "samples_seen": 75,
    "tokens_seen": 12_345,
    "tokens_learned": 999,
    "seconds": 120.0,
    "eval_loss": 0.21,
    "versions": {"torch": "2.13.0"},
}
LATER = TRAINING | {"config": reader.STAGES[1].config.values(), "steps": 12}


def test_the_default_chat_model_is_the_reader_with_the_adapter_that_is_shipped() -> None:
    manifest = load_manifest()
    (model,) = manifest.chosen("mini", Role.CHAT)
    assert model.adapter is not None
    weights = HOUSE_MODELS / model.adapter.adapter / "adapter_model.safetensors"
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == model.adapter.sha256
    assert weights.stat().st_size <= 20_000_000


def test_the_manifest_gives_the_rates_that_were_measured() -> None:
    (model,) = load_manifest().chosen("mini", Role.CHAT)
    assert model.adapter is not None
    figures = json.loads((HOUSE_MODELS / model.adapter.adapter / "figures.json").read_text())["figures"]
    for rate in model.rates:
        found = figures["quotes" if rate.style == "quotes" else "reading"][rate.language]["right"]
        assert rate.right == pytest.approx(found["value"], abs=0.005)
        assert rate.n == found["n"]


def test_the_card_names_every_set_with_its_licence_and_hash_and_every_figure(tmp_path: Path) -> None:
    hashes = {f"{one.folder}/corpus.jsonl": f"{number:064x}" for number, one in enumerate(SETS)}
    write_card(tmp_path, figures=FIGURES, training=[TRAINING, LATER], hashes=hashes)
    card = (tmp_path / "README.md").read_text()
    for one in SETS:
        assert all(text in card for text in (one.name, one.authors, one.licence, one.url, hashes[f"{one.folder}/corpus.jsonl"]))
    assert "0.500 (0.40–0.60, n=100)" in card
    assert "Of the questions 5.3% are asked without their passage" in card
    assert "CC BY-SA 4.0" in card
    assert "9 of 12 planned steps, 75 of 100 samples; 12,345 tokens read, 999 learned, in 2 minutes" in card
    assert "the passages learned as well with weight 0.3: 12 of 12 planned steps" in card
    assert json.loads((tmp_path / "figures.json").read_text())["figures"] == FIGURES


def test_the_shipped_card_is_the_one_that_its_figures_give(tmp_path: Path) -> None:
    shipped = HOUSE_MODELS / reader.NAME
    known = json.loads((shipped / "figures.json").read_text())
    write_card(tmp_path, figures=known["figures"], training=known["training"], hashes=known["data"])
    assert (tmp_path / "README.md").read_text() == (shipped / "README.md").read_text()


def test_the_maker_says_which_sets_are_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert maker.main(["--data", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert all(str(tmp_path / one.folder) in told for one in SETS)


def test_what_is_learned_and_what_is_checked_of_conversation_differ() -> None:
    learned = (HOUSE_MODELS / "chat_prompts.txt").read_text().splitlines()
    checked = [json.loads(line)["prompt"] for line in (HOUSE_MODELS / "chat_checks.jsonl").read_text().splitlines()]
    assert len(set(learned)) == len(learned) == 100
    assert not set(learned) & set(checked)


def test_an_answer_that_was_cut_short_is_learned_up_to_its_last_whole_sentence() -> None:
    assert reader._whole("One. Two! And th") == "One. Two!"
    assert reader._whole("never ends") == "never ends"
