from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from eval.quoting import SIGNS, read_weights
from finetune.corruptions import Asked, Passage
from finetune.quoting import LEAST_WEIGHT, Choice, fit_choices, main, make_choices, train_quoting
from finetune.quoting_figures import crossed_figures

TOWNS = ("Arden", "Brock", "Colne", "Derby", "Eston", "Frome", "Goole", "Hythe", "Ilford", "Jarrow")


def passages() -> list[Passage]:
    made = []
    for number, town in enumerate(TOWNS):
        text = f"{town} lies by the sea. Its harbour was built in {1800 + number} by monks. Ships bring {town} wool and salt."
        start = text.index(str(1800 + number))
        asked = Asked(f"When was the harbour of {town} built?", str(1800 + number), start, start + 4)
        made.append(Passage(f"p{number}", town, text, "en", (asked,)))
    return made


def test_a_question_is_asked_of_its_passage_and_of_the_first_passages_found() -> None:
    choices = make_choices(passages())
    assert len(choices) == 2 * len(TOWNS)
    assert all(choice.right.sum() == 1 for choice in choices)
    assert {len(choice.right) for choice in choices[::2]} == {3}
    assert all(len(choice.right) > 3 for choice in choices[1::2])


def test_weights_keep_their_signs_and_the_right_sentence_wins() -> None:
    choices = make_choices(passages())
    weights = fit_choices(choices)
    assert all(weight * sign >= 0 for weight, sign in zip(weights, SIGNS.values(), strict=True))
    assert np.mean([choice.right[np.argmax(choice.features @ weights)] for choice in choices]) > 0.9


def test_what_the_sets_hardly_hold_keeps_its_least_weight() -> None:
    weights = dict(zip(SIGNS, fit_choices(make_choices(passages())), strict=True))
    for name, least in LEAST_WEIGHT.items():
        assert abs(weights[name]) == pytest.approx(least)


def test_a_feature_without_spread_is_left_alone() -> None:
    same = Choice(np.ones((2, len(SIGNS))), np.array([True, False]), passages()[0])
    assert np.isfinite(fit_choices([same])).all()


def test_the_same_passages_give_the_same_weights() -> None:
    assert train_quoting([passages()]) == train_quoting([passages()])


def test_each_question_is_judged_by_weights_of_other_documents() -> None:
    places = {a.question: [(p.id, a.start, a.end)] for p in passages() for a in p.asked}
    figures = crossed_figures({"harbours": (passages(), places)})["harbours"]
    assert {where: one["marked"]["n"] for where, one in figures.items()} == dict.fromkeys(figures, len(TOWNS))
    assert set(figures) == {"within_gold_passage", "among_first_passages"}
    assert figures["within_gold_passage"]["marked"]["value"] >= figures["within_gold_passage"]["first"]["value"] > 0.8


def test_the_command_writes_weights_that_quoting_reads(tmp_path: Path) -> None:
    corpus = [{"_id": p.id, "title": p.title, "text": p.text} for p in passages()]
    queries = [
        {"_id": p.id, "text": a.question, "answers": [a.answer], "spans": [{"doc": p.id, "start": a.start, "end": a.end}]}
        for p in passages()
        for a in p.asked
    ]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    main(["--data", str(tmp_path), "--out", str(tmp_path / "quoting.json")])
    assert len(read_weights(tmp_path / "quoting.json")["en"].weights) == len(SIGNS)
