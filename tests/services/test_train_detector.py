"""`graft train detector`, as somebody uses it who has passages and no labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.judge import HouseJudge
from tests.command_line import run_command

_PLACES = "Leeds Boston Rotterdam Wuxi Porto Bergen Lyon Turin Ghent Basel".split()
_PEOPLE = "Abernathy Solheim Garrow Lindqvist Moreau Castellan Novak".split()


def beir_folder(folder: Path, count: int) -> Path:
    texts = [
        f"The harbour of {_PLACES[i % 10]} was opened in {1900 + 3 * i} by Edith {_PEOPLE[i % 7]}, who studied in Vienna. "
        f"It handles {40 + i} ships a week, most of them small fishing boats."
        for i in range(count)
    ]
    rows = [{"_id": f"p{i}", "title": f"Harbour {i}", "text": text} for i, text in enumerate(texts)]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (folder / "queries.jsonl").write_text("", encoding="utf-8")
    return folder


def test_it_writes_weights_that_judge_and_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "ours.json"
    ran = run_command(monkeypatch, "train", "detector", "--data", beir_folder(tmp_path, 24), "--out", target, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["held_out"]["en"]["sentences"] > 0
    assert "a data set in BEIR layout" in Path(ran.json["card"]).read_text(encoding="utf-8")
    evidence = ["The harbour of Leeds was opened in 1903 by Edith Garrow."]
    good, bad = HouseJudge(target).judge(
        ["The harbour of Leeds was opened by Edith Garrow.", "It has a school of music and two bridges."], evidence=evidence
    )
    assert good.support > bad.support


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "nothing to learn from"), (("--workspace", "--labelled", "x.jsonl"), "--labelled needs --encoder")],
)
def test_what_it_cannot_do_is_a_usage_error(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run_command(monkeypatch, "train", "detector", "--out", tmp_path / "ours.json", *arguments)
    assert ran.code == 2
    assert said in ran.err
