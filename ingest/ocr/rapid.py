"""RapidOCR: a detector of text lines and a recogniser of Chinese and English, by ONNX Runtime on one thread.

Both models lie inside the package `rapidocr` and are named by their paths, so that nothing is ever fetched. The
classifier of a line's direction is left out: it turns lines that stand right (character error .0023 without it, .028 with
it, 6 pages); which way a page lies is decided once, in `ingest.ocr.direction`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import Unavailable
from ingest.ocr.base import WORD, OcrLine, OcrWord
from ingest.ocr.strips import strips_of
from ingest.types import Bbox

if TYPE_CHECKING:
    from ingest.ocr.base import Pixels

_DETECTOR = "PP-OCRv6_det_small.onnx"
_RECOGNISER = "PP-OCRv6_rec_small.onnx"
# The detector finds lines in a picture of this size as well as in a larger one, and its time goes with the area.
_DETECTION_SIDE = 1280
# The recogniser's time goes with a line's width. Set this much narrower, a line is read as well, or with low confidence;
# words of a few letters are not.
_NARROWER = 0.75
_LEAST_ASPECT = 4.0
_SURE = 0.95
# Single characters are read better with some room beside them, in pixels of the recogniser's 48 high picture.
_LEAST_WIDTH = 96
# The detector leaves room around the print, in shares of a line's height: .2 (en) and .16 (zh) at its ends, .11 and .09 above and
# below (medians of 2575 lines against their fonts' boxes). With it, the gutter between two columns is not seen.
_ROOM_AT_ENDS = 0.15
_ROOM_ABOVE = 0.1


class RapidEngine:
    """The engine that needs nothing installed beside this product."""

    def __init__(self) -> None:
        self._loaded: Any = None

    def read(self, pixels: Pixels, /) -> Sequence[OcrLine]:
        """The lines of text in the picture."""
        return [line.placed(y=top) for top, strip in strips_of(pixels) for line in self._read(strip)]

    def _read(self, pixels: Pixels) -> Sequence[OcrLine]:
        import numpy
        from rapidocr.main import RapidOCRError

        engine = self._engine()
        try:
            crops, found = engine.detect_and_crop(numpy.ascontiguousarray(pixels[:, :, ::-1]), {})
        except RapidOCRError:  # so it says that there is no text
            return ()
        return [
            _line(text, confidences, quad)
            for (text, confidences), quad in zip(self._recognise(crops), found.boxes, strict=True)
            if text.strip()
        ]

    def _recognise(self, crops: list[Any]) -> list[tuple[str, list[float]]]:
        """Text of each crop with a confidence for each of its characters."""
        read = self._recognise_all([_narrower(crop) for crop in crops])
        unsure = [n for n, (_, confidences) in enumerate(read) if _mean(confidences) < _SURE and _is_long(crops[n])]
        for number, again in zip(unsure, self._recognise_all([crops[number] for number in unsure]), strict=True):
            if _mean(again[1]) > _mean(read[number][1]):
                read[number] = again
        return read

    def _recognise_all(self, crops: list[Any]) -> list[tuple[str, list[float]]]:
        if not crops:
            return []
        result = self._engine().recognize_txt(crops)
        return [(text, list(word.confs)) for text, word in zip(result.txts, result.word_results, strict=True)]

    def _engine(self) -> Any:
        if self._loaded is None:
            self._loaded = _load()
        return self._loaded


def _load() -> Any:
    models = _models()
    import cv2
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Global.return_word_box": True,
            "Det.model_path": str(models / _DETECTOR),
            "Det.limit_type": "max",
            "Det.limit_side_len": _DETECTION_SIDE,
            "Rec.model_path": str(models / _RECOGNISER),
            # One line at a time, no wider than it is: a batch is as wide as its widest line.
            "Rec.rec_batch_num": 1,
            "Rec.rec_img_shape": [3, 48, _LEAST_WIDTH],
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,
        }
    )


def _models() -> Path:
    """The folder of the weights inside the package.

    Raises:
        Unavailable: package or weights are missing.
    """
    found = find_spec("rapidocr")
    if found is None or found.origin is None:
        raise Unavailable("the package rapidocr is not installed: install it, or set ocr.engine to tesseract or none")
    folder = Path(found.origin).parent / "models"
    for name in (_DETECTOR, _RECOGNISER):
        if not (folder / name).is_file():
            raise Unavailable(f"the package rapidocr holds no weights {name}: install the version that our lock names")
    return folder


def _narrower(crop: Any) -> Any:
    import cv2

    height, width = crop.shape[:2]
    if not _is_long(crop):
        return crop
    return cv2.resize(crop, (max(1, round(width * _NARROWER)), height), interpolation=cv2.INTER_AREA)


def _is_long(crop: Any) -> bool:
    return bool(crop.shape[1] >= _LEAST_ASPECT * crop.shape[0])


def _line(text: str, confidences: list[float], quad: Any) -> OcrLine:
    start = len(text) - len(text.lstrip())
    stripped = text.strip()
    words = tuple(
        OcrWord(word.start(), word.end(), round(min(confidences[start + word.start() : start + word.end()]), 2))
        for word in WORD.finditer(stripped)
    )
    return OcrLine(stripped, _printed_box(quad), words)


def _printed_box(quad: Any) -> Bbox:
    """The box around the corners, without the room around the print."""
    (x0, y0), (x1, y1) = quad.min(axis=0).tolist(), quad.max(axis=0).tolist()
    height = min(x1 - x0, y1 - y0)
    along, across = _ROOM_AT_ENDS * height, _ROOM_ABOVE * height
    x, y = (along, across) if x1 - x0 >= y1 - y0 else (across, along)
    return x0 + x, y0 + y, x1 - x, y1 - y


def _mean(confidences: list[float]) -> float:
    return sum(confidences) / len(confidences) if confidences else 0.0
