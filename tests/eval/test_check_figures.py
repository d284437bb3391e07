from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.check_figures import main, measure_checks

PASSAGE = (
    "The new pump weighs 48 kg without its motor and its frame. Claims must be sent to the office in Leeds before the summer. "
    "The yard is open to visitors of the plant on all working days. The contract of both parties began on 3 March 2019."
)


def test_honest_sentences_are_left_alone_and_faults_are_spoken_against() -> None:
    found = measure_checks([PASSAGE])
    assert found["honest", "verbatim"] == (4, 0)
    assert all(found["fault", kind] == (n, n) for kind, n in (("unit", 1), ("digits", 2), ("must and may", 1)))
    assert all(spoken == 0 for (label, _), (_, spoken) in found.items() if label == "honest")


def test_the_command_prints_a_line_per_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"_id": "1", "title": "", "text": PASSAGE}) + "\n", encoding="utf-8")
    main([str(tmp_path)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"label": "honest", "kind": "verbatim", "n": 4, "spoken_against": 0} in lines
