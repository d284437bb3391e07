"""What a judge's own score means: the probability that a sentence is borne out, fitted on sentences of which that is known.

It lies beside the checkpoint that it belongs to, as `graft-judge.json`. A judge without one says so with every verdict.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from eval.judge_model import sigmoid
from ingest.errors import InputRefused

FILE = "graft-judge.json"
THRESHOLD = 0.5
"""A sentence is supported from this probability on."""

_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt's slope and offset over the log odds of a judge's own score; `made_from` says what it was fitted on, `n` how many
    sentences, `auroc` how well the score orders others than those."""

    slope: float
    offset: float
    n: int
    auroc: float
    made_from: str

    def support(self, score: float) -> float:
        """The probability that a sentence with this score is supported."""
        return sigmoid(self.slope * log_odds(score) + self.offset)


def log_odds(score: float) -> float:
    """ln(p / (1 - p)), with p kept a millionth from 0 and 1."""
    kept = min(1 - _EDGE, max(_EDGE, score))
    return math.log(kept / (1 - kept))


def read_calibration(folder: str) -> Calibration | None:
    """The calibration that lies in a checkpoint's folder, None where there is none.

    Raises:
        InputRefused: the file is there and cannot be read.
    """
    file = Path(folder) / FILE
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Calibration(**content["calibration"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputRefused(f"{file} is no calibration of a judge ({error!r}): remove it, or calibrate again") from error


def write_calibration(folder: str, calibration: Calibration) -> None:
    """Puts the calibration beside the checkpoint."""
    content = {"format": 1, "calibration": asdict(calibration)}
    (Path(folder) / FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
