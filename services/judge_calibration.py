"""The judge's calibration for this workspace: derived from the index's passages, made again as the index is built again.

Kept as one JSON file beside the index builds; it may be thrown away, and until the next build the calibration that ships holds.
Numbers alone are kept, no text. One process writes it, the one that owns the index.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from eval.judge_model import Calibration, JudgeModel, read_judge_model
from finetune.corruptions import Passage
from finetune.judge_calibration import calibrate_on
from ingest.tokens import language
from ingest.types import IndexRow

FILE = "judge-calibration.json"

GROWTH_BEFORE_AGAIN = 4 / 3
"""Between two index builds, as with an encoder that is not fitted on the corpus, it is made again when the corpus has grown so:
the growth at which `ingest.index.vector` fits its own model anew."""

# Of so many rows, spread evenly, enough are of each language that makes up a tenth of the corpus.
_ROWS_SAMPLED = 1500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Made:
    """What was fitted: for which weights and index build, on how many passages."""

    judge: str
    build: str
    passages: int
    languages: Mapping[str, Calibration]


class JudgeCalibration:
    """What the judge asks for with every sentence, and what the index tells of its changes."""

    def __init__(
        self,
        folder: Path,
        *,
        build: Callable[[], str | None],
        rows: Callable[[], Iterable[IndexRow]],
        model: Callable[[], JudgeModel] = read_judge_model,
    ) -> None:
        """`build` names the live index build, `rows` are what it holds. Reads the file in `folder`, if there is one."""
        self._file = folder / FILE
        self._build = build
        self._rows = rows
        self._model = model
        self._added = 0
        self._made = self._read()

    def __call__(self) -> Mapping[str, Calibration]:
        """The calibration of each language that has one of its own; those of other weights do not count."""
        made = self._made
        return made.languages if made and made.judge == self._model().version else {}

    def follow(self, added: Sequence[IndexRow]) -> None:
        """Fits anew where these rows led to a new index build, or to a corpus that is much larger. Takes a few CPU-seconds then.

        It never fails: what goes wrong is logged, and the calibration before stays.
        """
        self._added += len(added)
        try:
            if self._is_outdated():
                self._make()
        except Exception:  # noqa: BLE001 - a document must not fail to be added because of this
            _log.exception("the judge cannot be calibrated on this workspace; the calibration before stays")

    def _is_outdated(self) -> bool:
        made = self._made
        if made is None or (made.judge, made.build) != (self._model().version, self._build() or ""):
            return True
        return self._added >= (GROWTH_BEFORE_AGAIN - 1) * made.passages

    def _make(self) -> None:
        model = self._model()
        rows = list(self._rows())
        sampled = rows[:: math.ceil(len(rows) / _ROWS_SAMPLED)] if rows else []
        passages = [Passage(row.chunk_id, row.document_id, row.text, language(row.text)) for row in sampled]
        languages = calibrate_on(passages, model=model)
        self._made = _Made(model.version, self._build() or "", len(rows), languages)
        self._added = 0
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"format": 1, **asdict(self._made)}, indent=1) + "\n", encoding="utf-8")
        new.replace(self._file)
        _log.info("judge calibrated on this workspace", passages=len(rows), languages=sorted(languages))

    def _read(self) -> _Made | None:
        """What the file says; None where there is none that can be read, so that it is made again."""
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
            languages = {
                lang: Calibration((one["sentence"][0], one["sentence"][1]), (one["answer"][0], one["answer"][1]))
                for lang, one in content["languages"].items()
            }
            return _Made(content["judge"], content["build"], content["passages"], languages)
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return None
