"""Reads files in a process of its own, so that a hostile or broken file costs that process and nothing else.

One worker serves many files. It is killed and replaced when it runs over its time or dies; its memory is bounded by the
operating system, and so is its time where its owner is gone. Requests and answers are lines of JSON over pipes.
`python -m ingest.isolation` is the worker's own side.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from ingest.cleaning import mark_running
from ingest.errors import GraftError, InputRefused, Unavailable
from ingest.layout import page_from_row, page_to_row
from ingest.outline import with_levels
from ingest.settings import OcrSettings, ReadLimits
from ingest.types import Bbox, Page, ParsedDocument

NO_TEXT_LAYER = "no text layer"
NO_TEXT = "no text"
READ_UNSURELY = "read from the picture with low confidence"
# Pages under this mean confidence need a person's eye: see docs/decisions/0011-ocr.md.
UNSURE = 0.85
# Loading the PDF library takes half a second; a machine under load needs more.
_START_TIMEOUT_S = 60.0
# How much later than its owner the operating system ends a worker: only one whose owner is gone lives so long.
_ORPHAN_GRACE_S = 2.0


class FileWorker:
    """Reads and draws files in a worker process; safe to call from several threads, one file at a time."""

    def __init__(self, limits: ReadLimits, ocr: OcrSettings | None = None) -> None:
        self._limits = limits
        self._ocr = ocr or OcrSettings()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str | None] = queue.Queue()

    def __enter__(self) -> FileWorker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the worker process at once, a reading under way too; the next call starts another."""
        if (process := self._process) is not None:
            process.kill()
        with self._lock:
            self._kill()

    def read(self, path: Path, *, name: str = "", progress: Callable[[int, int], None] | None = None) -> ParsedDocument:
        """All pages of the file; `progress(pages_done, pages_total)` is called after each.

        `name` is what the document is called; its ending tells kinds of text from each other.

        Raises:
            InputRefused: the file cannot be read within the limits; the message says why.
            Unavailable: no reader process can be started.
        """
        pages: list[Page] = []
        title, total = "", 0
        warnings: list[str] = []
        for answer in self._call({"operation": "read", "path": str(path), "name": name}):
            if "total" in answer:
                title, total, warnings = answer["title"], answer["total"], answer["warnings"]
            else:
                pages.append(page_from_row(_Row(answer["page"])))
                if progress is not None:
                    progress(len(pages), total)
        for told, picture in ((NO_TEXT_LAYER, True), (NO_TEXT, False)):
            if blank := [page.number for page in pages if not page.text.strip() and page.has_picture is picture]:
                warnings.append(f"{told}: page {_ranges(blank)}")
        if unsure := [page.number for page in pages if page.confidence < UNSURE]:
            warnings.append(f"{READ_UNSURELY}: page {_ranges(unsure)}")
        return ParsedDocument(with_levels(mark_running(pages)), title, tuple(warnings))

    def render(self, path: Path, number: int, *, boxes: Sequence[Bbox], dpi: int) -> bytes:
        """One page as PNG with the boxes marked.

        Raises:
            InputRefused: the page cannot be drawn within the limits.
        """
        request = {"operation": "render", "path": str(path), "number": number, "boxes": list(boxes), "dpi": dpi}
        (answer,) = self._call(request)
        return base64.b64decode(answer["png"])

    def _call(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        with self._lock:
            done = False
            try:
                self._send(request)
                deadline = time.monotonic() + self._limits.timeout_s
                while True:
                    answer = self._receive(deadline)
                    if "refused" in answer:
                        done = not answer["exhausted"]
                        raise InputRefused(answer["refused"])
                    if "done" in answer:
                        done = True
                        return
                    if answer.get("page", {}).get("ocr"):
                        deadline += self._ocr.page_timeout_s
                    yield answer
            finally:
                if not done:  # over its time or memory, dead, or not wanted to the end: the next file gets another worker
                    self._kill()

    def _send(self, request: dict[str, Any]) -> None:
        line = json.dumps(request) + "\n"
        if self._process is not None:
            try:
                _write(self._process, line)
            except OSError:  # it died since the file before: the operating system may end it at any time
                self._kill()
            else:
                return
        _write(self._start(), line)

    def _receive(self, deadline: float) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            limit = f"{self._limits.timeout_s:g} s"
            raise InputRefused(f"reading took longer than {limit} and was stopped: the file is too complex or damaged") from None
        if line is None:
            limit = f"{self._limits.memory_mib} MiB"
            raise InputRefused(f"the reader died on this file: it is damaged or needs more than {limit} of memory")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _start(self) -> subprocess.Popen[str]:
        answers: queue.Queue[str | None] = queue.Queue()
        self._answers = answers
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "ingest.isolation", json.dumps(asdict(self._limits)), json.dumps(asdict(self._ocr))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},  # one file, one thread
            start_new_session=True,  # Ctrl-C is for the owner: a worker that it ended would look like a hostile file
        )

        def forward() -> None:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            for line in process.stdout:
                answers.put(line)
            answers.put(None)

        threading.Thread(target=forward, name="file-worker", daemon=True).start()
        try:
            ready = answers.get(timeout=_START_TIMEOUT_S)
        except queue.Empty:
            ready = None
        if ready is None:
            raise Unavailable(
                f"the process that reads files did not start: it may have {self._limits.memory_mib} MiB of memory "
                "(setting read.memory_mib)"
            )
        return process

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _write(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None  # noqa: S101 - for the type checker
    process.stdin.write(line)
    process.stdin.flush()


class _Row:
    """Lets `page_from_row` read a dictionary as it reads a catalog row."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def _ranges(numbers: list[int]) -> str:
    """`1-3, 7` for [1, 2, 3, 7]."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)


def _serve(limits: ReadLimits, ocr: OcrSettings) -> None:
    """The worker's loop: `{"ready": true}`, then one request a line, its answers a line each, `{"done": true}` last."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a library that prints must not write between our answers
    import pymupdf

    from ingest.ocr.engines import engine_of
    from ingest.pdf import is_out_of_memory
    from ingest.readers.registry import draw_page, open_file

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    engine = engine_of(ocr)
    memory = limits.memory_mib << 20
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    answer(ready=True)
    for line in sys.stdin:
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, limits.timeout_s + _ORPHAN_GRACE_S)
        try:
            path = Path(request["path"])
            if request["operation"] == "read":
                reading = open_file(path, request["name"], limits=limits, ocr=engine)
                answer(total=reading.total, title=reading.title, warnings=reading.warnings)
                for page in reading.pages:
                    answer(page=page_to_row("", page))
                    if page.ocr:  # as the owner does
                        left, _ = signal.getitimer(signal.ITIMER_REAL)
                        signal.setitimer(signal.ITIMER_REAL, left + ocr.page_timeout_s)
            else:
                png = draw_page(path, request["number"], boxes=request["boxes"], dpi=request["dpi"], limits=limits)
                answer(png=base64.b64encode(png).decode())
        except GraftError as error:
            answer(refused=str(error), exhausted=is_out_of_memory(error.__cause__))
        else:
            answer(done=True)
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    _serve(ReadLimits(**json.loads(sys.argv[1])), OcrSettings(**json.loads(sys.argv[2])))
