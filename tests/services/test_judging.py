"""Which judges take part: those that are there, are what their checkpoint says, and were shown to help."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from eval.calibration import log_odds
from eval.ensemble import HOUSE, EnsembleJudge, Rules, Stack, read_rules, write_rules
from eval.hhem_judge import HhemJudge
from eval.judge import HouseJudge
from eval.nli_judge import NliJudge
from eval.token_judge import TokenJudge
from eval.types import Judge, Verdict
from ingest.errors import InputRefused, Unavailable
from services import judge_trial
from services.assembly import model_store
from services.judge_trial import try_judges
from services.judging import OtherJudges, judge_kind, judge_of, open_judge, rules_file
from services.settings import Settings, load_settings
from tests.eval.tiny_judges import write_tiny_detector, write_tiny_encoder, write_tiny_hhem, write_tiny_nli

EVIDENCE = ["The pump has a pressure of 42 bar."]
SENTENCE = "The pump has a pressure of 42 bar."


@pytest.fixture(autouse=True)
def no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRAFT_HOME", str(tmp_path / "home"))


def judged_with(home: Path, **more: Any) -> HouseJudge | EnsembleJudge:
    told = load_settings(home=home, models_dir=home / "models", **more)
    return judge_of(told, model_store(told), _no_chat)


def _no_chat() -> Any:
    raise Unavailable("no engine runs")


def rules_for(home: Path, *names: str) -> None:
    one = (1.0, 0.0)
    stacks = tuple(Stack(dict.fromkeys(judges, 1.0), 0.0, one) for judges in ((HOUSE,), names, (HOUSE, *names)))
    write_rules(rules_file(home), Rules(HouseJudge().version, {"en": stacks}))


@pytest.mark.parametrize(
    ("write", "kind", "made"),
    [(write_tiny_nli, "nli", NliJudge), (write_tiny_detector, "token", TokenJudge), (write_tiny_hhem, "hhem", HhemJudge)],
)
def test_the_checkpoint_tells_what_it_is(write: Callable[[Path], Path], kind: str, made: type, tmp_path: Path) -> None:
    folder = write(tmp_path / "model")
    assert judge_kind(folder) == kind
    assert isinstance(open_judge(folder), made)


def test_what_is_no_judge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="BertModel"):
        open_judge(write_tiny_encoder(tmp_path / "encoder"))
    with pytest.raises(Unavailable, match="not there"):
        open_judge(tmp_path / "nowhere")


def test_the_profile_mini_has_the_house_judge_alone(tmp_path: Path) -> None:
    assert isinstance(judged_with(tmp_path), HouseJudge)


def test_a_judge_that_was_not_tried_takes_no_part(tmp_path: Path) -> None:
    folder = write_tiny_detector(tmp_path / "detector")
    assert isinstance(judged_with(tmp_path / "home", judge={"path": str(folder)}), HouseJudge)


def test_a_judge_that_was_shown_to_help_takes_part(tmp_path: Path) -> None:
    folder = write_tiny_detector(tmp_path / "detector")
    rules_for(tmp_path / "home", "detector")
    judge = judged_with(tmp_path / "home", judge={"path": str(folder)})
    assert isinstance(judge, EnsembleJudge)
    (together,) = judge.judge([SENTENCE], evidence=EVIDENCE)
    ours, theirs = (one.judge([SENTENCE], evidence=EVIDENCE)[0].support for one in (HouseJudge(), open_judge(folder)))
    assert log_odds(together.support) == pytest.approx(log_odds(ours) + log_odds(theirs), abs=1e-3)


def test_a_profiles_judge_that_was_not_pulled_is_said_to_be_missing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    rules_for(home, "lettucedetect-large")
    judge = judged_with(home, profile="standard")
    assert isinstance(judge, EnsembleJudge)
    assert "models pull lettucedetect-large" in judge.absent["lettucedetect-large"]
    assert judge.judge([SENTENCE], evidence=EVIDENCE)[0].reason == "judged without lettucedetect-large"


def test_a_folder_that_the_settings_name_must_hold_a_judge(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="not there"):
        judged_with(tmp_path, judge={"path": str(tmp_path / "nowhere")})


def test_rules_for_another_house_judge_are_not_used(tmp_path: Path) -> None:
    folder = write_tiny_detector(tmp_path / "detector")
    write_rules(rules_file(tmp_path / "home"), Rules("judge-v0", {}))
    assert isinstance(judged_with(tmp_path / "home", judge={"path": str(folder)}), HouseJudge)


# The trial


class Reading:
    """A judge that looks whether the evidence holds the sentence's figures and names letter for letter, word by word."""

    def judge(self, sentences: Sequence[str], *, evidence: Sequence[str], question: str = "") -> list[Verdict]:
        held = " ".join(evidence)
        shares = [sum(word in held for word in one.split()) / max(1, len(one.split())) for one in sentences]
        return [Verdict(share, share >= 0.5) for share in shares]


def passages(folder: Path) -> Path:
    places = "Leeds Boston Rotterdam Wuxi Porto Bergen Lyon Turin Ghent Basel Cork Malmo Graz Brno Pecs Bari Vigo Nantes".split()
    rows = [
        {
            "_id": f"p{i}",
            "title": f"{place} {i}",
            "text": f"The harbour of {place} was opened in {1900 + i} by Edith Weber. It handles {40 + i} ships a week, most "
            f"of them small boats from {places[i % 7]}. The old lighthouse of {place} was repaired {i + 2} times by visitors.",
        }
        for i, place in enumerate(places * 9)
    ]
    folder.mkdir()
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "queries.jsonl").write_text("")
    return folder


def test_a_trial_keeps_the_rules_and_tells_who_could_not_be_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: Settings = load_settings(home=tmp_path / "home", models_dir=tmp_path / "models")
    there: dict[str, Judge] = {"reading": Reading(), "broken": open_judge(write_tiny_encoder_as_detector(tmp_path / "broken"))}
    monkeypatch.setattr(judge_trial, "other_judges", lambda *_: OtherJudges(there, {"pulled": "it was not"}))
    rules, absent = try_judges(told, [passages(tmp_path / "data")], most=60, seed=0)
    assert [trial.judge for trial in rules.trials] == ["reading"]
    assert set(absent) == {"pulled", "broken"}
    assert read_rules(rules_file(told.home)) == rules


def test_where_there_is_no_judge_to_try_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no judge to try"):
        try_judges(load_settings(home=tmp_path, models_dir=tmp_path), [], most=60, seed=0)


def write_tiny_encoder_as_detector(folder: Path) -> Path:
    """A folder that calls itself a detector, and whose weights have no head."""
    config = json.loads((write_tiny_encoder(folder) / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["BertForTokenClassification"]}))
    return folder
