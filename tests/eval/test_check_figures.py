from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.check_figures.__main__ import main
from eval.check_figures.alarms import labelled_lines, measure_alarms
from eval.check_figures.calculations import measure_coincidences, measure_tables
from eval.check_figures.changes import measure_changes

PASSAGE = (
    "The new pump weighs 48 kg without its motor and its frame. Claims must be sent to the office in Leeds before the summer. "
    "The yard is open to visitors of the plant on all working days. The contract of both parties began on 3 March 2019."
)
TABLE = "Part | Weight | Price\n--- | --- | ---\nFrame | 12 kg | EUR 40\nMotor | 30 kg | EUR 90\n"


def test_honest_sentences_are_left_alone_and_faults_are_spoken_against() -> None:
    found = measure_changes([PASSAGE])
    assert (found.tried["honest", "verbatim"], found.true["honest", "verbatim"]) == (4, 0)
    assert all(found.true["fault", kind] == found.tried["fault", kind] == n for kind, n in (("unit", 1), ("digits", 2)))
    assert not any(spoken for (label, _), spoken in found.true.items() if label == "honest")


def test_results_of_a_table_are_done_again_and_wrong_ones_never() -> None:
    found = measure_tables([TABLE])
    for kind in ("cell", "sum", "difference", "multiple", "percent"):
        assert found.true[kind, "right", "accepted"] == found.tried[kind, "right", "accepted"] == 2
        assert found.true[kind, "wrong", "accepted"] == 0


def test_a_random_total_follows_from_nothing() -> None:
    found = measure_coincidences([PASSAGE], name="here")
    assert (found.tried["here", "random total"], found.true["here", "random total"]) == (2, 0)


def test_alarms_are_counted_by_set_and_check_on_good_sentences_alone(tmp_path: Path) -> None:
    good, bad = "The new pump weighs 50 kg without its motor and its frame.", "The yard is open to visitors at weekends."
    lines = [
        {"id": str(label), "question": None, "context": PASSAGE, "answer": answer, "label": label}
        for label, answer in enumerate((good, bad))
    ]
    (tmp_path / "begin").mkdir()
    (tmp_path / "begin" / "items.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    found = measure_alarms(labelled_lines(tmp_path))
    assert (found.tried["begin", "any"], found.true["begin", "any"], found.true["begin", "numbers"]) == (1, 1, 1)


def test_the_command_prints_a_line_a_kind_with_its_interval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"_id": "1", "title": "", "text": PASSAGE}) + "\n", encoding="utf-8")
    main(["changes", str(tmp_path)])
    rows = {row["kind"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["honest / verbatim"] == {
        "table": "changes",
        "kind": "honest / verbatim",
        "n": 4,
        "found": 0,
        "share": [0.0, 0.0, pytest.approx(0.49, abs=0.01)],
    }
