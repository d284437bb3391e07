from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval import support
from eval.assessment import SIGNS
from eval.edits import features as edits
from eval.judge import HouseJudge
from eval.units import Background
from finetune.corruptions import Asked, CorruptionMaker, Passage, changed_parts, read_passages
from finetune.detector import build_background, fit_judge, fit_platt, fit_signed, logits_of, main, train_detector
from ingest.errors import InputRefused

PLACES = (
    "Leeds Boston Rotterdam Wuxi Porto Bergen Lyon Turin Ghent Basel Cork Malmo Graz Brno Pecs Bari Vigo Nantes Umea Kiel".split()
)
PEOPLE = "Abernathy Solheim Garrow Lindqvist Moreau Castellan Novak Okafor Petrov Tanaka Ferrari Dubois Silva Weber Rossi".split()


def passages(count: int = 40) -> list[Passage]:
    """Made-up passages, all of one pattern and each with its own names and numbers."""
    out = []
    for i in range(count):
        place, person, year = PLACES[i % len(PLACES)], PEOPLE[i % len(PEOPLE)], 1900 + 3 * i
        text = (
            f"The harbour of {place} was opened in {year} by the engineer Edith {person}, who had studied in Vienna. "
            f"It handles about {40 + i} ships a week, most of them (in summer) small fishing boats. "
            f"The old lighthouse near the northern pier was repaired {i + 2} times; visitors may climb it on Sundays."
        )
        answer = str(year)
        asked = Asked(f"When was the harbour of {place} opened?", answer, text.index(answer), text.index(answer) + len(answer))
        named = Asked(
            f"Who opened the harbour of {place}?", f"Edith {person}", text.index("Edith"), text.index("Edith") + 6 + len(person)
        )
        ships = str(40 + i)
        counted = Asked(
            f"How many ships a week does {place} handle?", ships, text.index(f"{ships} ships"), text.index(f"{ships} ships") + 2
        )
        out.append(Passage(f"p{i}", f"{place} {i}", text, "en", (asked, named, counted)))
    return out


@pytest.fixture(scope="module")
def background() -> Background:
    return build_background(passages())


def test_a_corrupted_sentence_is_not_in_the_passage_and_has_one_of_the_known_kinds(background: Background) -> None:
    made = CorruptionMaker(passages(), background=background, seed=3).make(6)
    assert {sample.label for sample in made} == {0, 1}
    assert {"number", "name", "value", "clause", "whole", "noise", "answer"} <= {sample.kind for sample in made}
    for sample in made:
        assert sample.evidence
        if sample.label:
            assert not any(sample.sentence in text for text in sample.evidence)
        assert bool(sample.spans) == bool(sample.label)
        assert all(0 <= start < end <= len(sample.sentence) for start, end in sample.spans)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("It was opened in 1,900 in Leeds.", "It was opened in 1,906 in Leeds.", ["1,906"]),
        ("Edith Weber opened it.", "Edith Rossi opened it, and the boats sank.", ["Rossi", ", and the boats sank"]),
        ("港口于一九零零年启用。", "港口于一九零六年启用。", ["六"]),
        ("Visitors may climb the tower.", "Visitors may climb.", ["Visitors may climb."]),
        ("", "All of it is new.", ["All of it is new."]),
    ],
)
def test_the_changed_parts_of_a_sentence_are_told(before: str, after: str, changed: list[str]) -> None:
    assert [after[start:end] for start, end in changed_parts(before, after)] == changed


def test_the_same_seed_makes_the_same_samples_and_another_seed_others(background: Background) -> None:
    made = [CorruptionMaker(passages(), background=background, seed=seed).make(2) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def test_edits_are_weighed_by_written_answers_and_words_by_corruptions_alone() -> None:
    """Whatever written answers say of words, such as that right ones share few, the words' weights stay."""
    chooser = np.random.default_rng(0)
    words, labels = chooser.normal(size=(600, len(support.SIGNS))), chooser.integers(2, size=600).astype(float)
    words[:, 0] += labels
    edit = np.zeros((600, len(edits.SIGNS)))
    corrupted = np.hstack([words, edit]), labels
    told = edit.copy()
    told[:, 2] = labels
    with_told, without = (fit_judge(corrupted, (np.hstack([-words, one]), labels)) for one in (told, edit))
    split = len(support.SIGNS)
    assert with_told["weights"][:split] == without["weights"][:split]
    assert with_told["weights"][split + 2] > without["weights"][split + 2] == 0


def test_weights_keep_the_sign_that_they_must_have() -> None:
    chooser = np.random.default_rng(0)
    labels = chooser.integers(2, size=400).astype(float)
    features = np.stack([labels + chooser.normal(size=400), labels + chooser.normal(size=400)], axis=1)
    model = fit_signed(features, labels, [1, -1])
    assert model["weights"][0] > 0
    assert model["weights"][1] == 0.0
    assert logits_of(model, features)[labels == 1].mean() > logits_of(model, features)[labels == 0].mean()


def test_calibration_finds_the_slope_and_offset() -> None:
    chooser = np.random.default_rng(0)
    logits = chooser.normal(size=20_000) * 2
    labels = (chooser.random(20_000) < 1 / (1 + np.exp(-(0.5 * logits - 1)))).astype(float)
    slope, offset = fit_platt(logits, labels)
    assert slope == pytest.approx(0.5, abs=0.05)
    assert offset == pytest.approx(-1, abs=0.05)


@pytest.fixture(scope="module")
def weights(background: Background) -> dict[str, Any]:
    return train_detector(passages(), background=background, seed=5)


def test_what_was_trained_loads_as_a_judge(weights: dict[str, Any], tmp_path: Path) -> None:
    assert weights["languages"]["en"]["held_out"]["auroc"] > 0.7
    assert all(w * s >= 0 for w, s in zip(weights["languages"]["en"]["weights"], SIGNS.values(), strict=True))
    (tmp_path / "w.json").write_text(json.dumps(weights))
    text = passages()[0].text
    good, bad = HouseJudge(tmp_path / "w.json").judge(
        ["The harbour of Leeds was opened in 1900.", "The harbour of Leeds was opened in 1787 by Ferrari."], evidence=[text]
    )
    assert good.support > bad.support


def test_too_few_passages_are_refused(background: Background) -> None:
    with pytest.raises(InputRefused, match="Too few"):
        train_detector(passages(3), background=background, seed=1)


def test_a_folder_that_is_no_beir_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="BEIR"):
        read_passages(tmp_path)


def test_the_command_reads_beir_folders_and_writes_the_same_weights_again(weights: dict[str, Any], tmp_path: Path) -> None:
    made = passages()
    corpus = [{"_id": p.id, "title": p.title, "text": p.text} for p in made]
    queries = [
        {
            "_id": f"{p.id}-{n}",
            "text": a.question,
            "answers": [a.answer],
            "spans": [{"doc": p.id, "start": a.start, "end": a.end}],
        }
        for p in made
        for n, a in enumerate(p.asked)
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    out, table = tmp_path / "judge.json", tmp_path / "background.json.gz"
    main(["--data", str(tmp_path), "--out", str(out), "--background", str(table), "--seed", "5"])
    assert json.loads(out.read_text()) == weights
    assert Background.load(table).idf("harbour") < Background.load(table).idf("zymurgy")
