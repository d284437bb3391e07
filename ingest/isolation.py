"""Reads files in a process of its own, so that a hostile or broken file costs that process and nothing else.

One worker serves many files. It is killed, with whatever it started, and replaced when it runs over its time, answers too much
or dies; its memory is bounded by the operating system, and so is its time where its owner is gone. Where the machine runs out
of memory, it is the first to go. Requests and answers are lines of JSON over pipes. `python -m ingest.isolation` is the
worker's own side.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import psutil

from ingest.cleaning import mark_running
from ingest.errors import (
    BrokenFile,
    GraftError,
    InputRefused,
    LimitPassed,
    PasswordNeeded,
    Quarantined,
    Unavailable,
    UnknownType,
)
from ingest.layout import page_from_row, page_to_row
from ingest.outline import with_levels
from ingest.reading_warnings import warnings_of
from ingest.settings import OcrSettings, ReadLimits
from ingest.types import Bbox, Page, ParsedDocument

# Loading the PDF library takes half a second; a machine under load needs more.
_START_TIMEOUT_S = 60.0
# How much later than its owner the operating system ends a worker: only one whose owner is gone lives so long.
_ORPHAN_GRACE_S = 2.0
# A worker that has taken more than this share of the memory that it may take is replaced.
_WORN = 0.75
# How often a reading under way asks whether it is still wanted.
_CHECK_S = 0.2


_T = TypeVar("_T")


def no_check() -> None:
    """Lets every reading go on."""


class FileWorker:
    """Reads and draws files in a worker process; safe to call from several threads, one file at a time."""

    def __init__(self, limits: ReadLimits, ocr: OcrSettings | None = None) -> None:
        self._limits = limits
        self._ocr = ocr or OcrSettings()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._answered_characters = 0
        self._served = 0

    def __enter__(self) -> FileWorker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def limits(self) -> ReadLimits:
        """What reading one file may cost."""
        return self._limits

    def close(self) -> None:
        """Ends the worker process at once, a reading under way too; the next call starts another."""
        if (process := self._process) is not None:
            _end(process)
        with self._lock:
            self._kill()

    def read(
        self,
        path: Path,
        *,
        name: str = "",
        progress: Callable[[int, int], None] | None = None,
        check: Callable[[], None] = no_check,
    ) -> ParsedDocument:
        """All pages of the file; `progress(pages_done, pages_total)` is called after each.

        `name` is what the document is called; its ending tells kinds of text from each other. `check` is called several times a
        second: what it raises ends the reading.

        Raises:
            InputRefused: the file cannot be read; the kind of error and the message say why.
            LimitPassed: not within the limits. Quarantined: it killed the reader, or hung it.
            Unavailable: no reader process can be started.
        """
        return _again_if_worn_out(lambda: self._read(path, name, progress, check))

    def _read(
        self, path: Path, name: str, progress: Callable[[int, int], None] | None, check: Callable[[], None]
    ) -> ParsedDocument:
        pages: list[Page] = []
        title, total = "", 0
        warnings: Sequence[str] = ()
        for answer in self._call({"operation": "read", "path": str(path), "name": name}, check):
            if "total" in answer:
                title, total, warnings = answer["title"], answer["total"], answer["warnings"]
            else:
                pages.append(page_from_row(_Row(answer["page"])))
                if progress is not None:
                    progress(len(pages), total)
        return ParsedDocument(with_levels(mark_running(pages)), title, (*warnings, *warnings_of(pages)))

    def render(self, path: Path, number: int, *, boxes: Sequence[Bbox], dpi: int) -> bytes:
        """One page as PNG with the boxes marked.

        Raises:
            InputRefused: the page cannot be drawn within the limits.
        """
        request = {"operation": "render", "path": str(path), "number": number, "boxes": list(boxes), "dpi": dpi}
        try:
            answer = self._ask(request)
        except Quarantined as error:  # one page that cannot be drawn says nothing of the text, which was read
            raise LimitPassed(f"page {number} cannot be drawn: {error}") from error
        return base64.b64decode(answer["png"])

    def unlock(self, path: Path, target: Path, *, password: str) -> bool:
        """Whether the file is encrypted; if so, `target` is its copy that opens without a password.

        Raises:
            PasswordNeeded: the password does not open it. InputRefused, Unavailable: as `read`.
        """
        request = {"operation": "unlock", "path": str(path), "target": str(target), "password": password}
        return bool(self._ask(request)["locked"])

    @contextlib.contextmanager
    def opened(self, path: Path, password: str) -> Iterator[Path]:
        """The file, or where a password is given a copy that opens without one, until the block ends.

        Raises:
            PasswordNeeded, InputRefused, Unavailable: as `unlock`.
        """
        if not password:
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="graft-opened-") as folder:
            copy = Path(folder, path.name)
            yield copy if self.unlock(path, copy, password=password) else path

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The one answer to a request that has just one."""
        (answer,) = _again_if_worn_out(lambda: list(self._call(request)))
        return answer

    def _call(self, request: dict[str, Any], check: Callable[[], None] = no_check) -> Iterator[dict[str, Any]]:
        with self._lock:
            done = False
            try:
                self._answered_characters = 0
                self._send(request)
                end = time.monotonic() + self._limits.timeout_s
                now_and_then = _Spaced(check)
                while True:
                    answer = self._receive(end, now_and_then)
                    if "refused" in answer:
                        done = not answer["exhausted"]
                        raise _WornOut(answer["refused"]) if answer["exhausted"] and self._served else _refusal(answer)
                    if "done" in answer:
                        done = not self._is_worn()
                        self._served += 1
                        return
                    yield answer
            finally:
                if not done:  # over its time or memory, dead, worn, or not wanted to the end: the next file gets another worker
                    self._kill()

    def _is_worn(self) -> bool:
        """Whether so much of its memory is taken that the next file might not have enough."""
        if self._process is None:
            return False
        try:
            taken = int(psutil.Process(self._process.pid).memory_info().vms)
        except psutil.NoSuchProcess:
            return True
        return taken > _WORN * (self._limits.memory_mib << 20)

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

    def _receive(self, end: float, check: Callable[[], None]) -> dict[str, Any]:
        """The next answer, which must come before `end` and within the time of one page."""
        deadline = min(end, time.monotonic() + self._limits.page_timeout_s)
        while True:
            check()
            left = deadline - time.monotonic()
            try:
                line = self._answers.get(timeout=max(0.0, min(left, _CHECK_S)))
            except queue.Empty:
                if left <= _CHECK_S:
                    raise self._over_time(whole=deadline == end) from None
            else:
                break
        if line is None:
            raise Quarantined(
                f"the reader died on this file: it is damaged or needs more than {self._limits.memory_mib} MiB of memory"
            )
        if self._answered_characters > self._limits.output_mib << 20:
            raise LimitPassed(
                f"reading the file yields more than {self._limits.output_mib} MiB: split it, or raise the setting read.output_mib"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _over_time(self, *, whole: bool) -> Quarantined:
        """The refusal of a file that took longer than it may."""
        limit, setting = (self._limits.timeout_s, "timeout_s") if whole else (self._limits.page_timeout_s, "page_timeout_s")
        of = "" if whole else " for one page"
        return Quarantined(
            f"reading took longer than {limit:g} s{of} and was stopped: the file is too complex or damaged "
            f"(setting read.{setting})"
        )

    def _start(self) -> subprocess.Popen[str]:
        answers: queue.Queue[str | None] = queue.Queue()
        self._answers = answers
        self._served = 0
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
            most = self._limits.output_mib << 20
            while line := process.stdout.readline(most + 1):
                self._answered_characters += len(line)
                answers.put(line)
                if self._answered_characters > most:  # the rest stays in the pipe, where the worker waits for its end
                    return
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
            _end(self._process)
            self._process.wait()
            self._process = None


class _WornOut(LimitPassed):
    """The memory ran out in a worker that had served other files before."""


def _again_if_worn_out(work: Callable[[], _T]) -> _T:
    """The work's result; a new worker may have the memory that the one before had lost to earlier files."""
    try:
        return work()
    except _WornOut:
        return work()


class _Spaced:
    """A check that is made no more often than is of use: pages may come by the hundred a second."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._made = 0.0

    def __call__(self) -> None:
        if time.monotonic() - self._made >= _CHECK_S:
            self._check()
            self._made = time.monotonic()


def _end(process: subprocess.Popen[str]) -> None:
    """Kills the worker and whatever it started, which share a session of their own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _refusal(answer: dict[str, Any]) -> GraftError:
    """The error that the worker met with."""
    return _REFUSALS.get(answer["code"], InputRefused)(answer["refused"])


_REFUSALS: dict[str, type[GraftError]] = {
    kind.code: kind for kind in (BrokenFile, LimitPassed, PasswordNeeded, UnknownType, Unavailable)
}


def _write(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None  # noqa: S101 - for the type checker
    process.stdin.write(line)
    process.stdin.flush()


class _Row:
    """Lets `page_from_row` read a dictionary as it reads a catalog row."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def _serve(limits: ReadLimits, ocr: OcrSettings) -> None:
    """The worker's loop: `{"ready": true}`, then one request a line, its answers a line each, `{"done": true}` last."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a library that prints must not write between our answers
    import pymupdf

    from ingest.locks import unlock
    from ingest.ocr.engines import engine_of
    from ingest.pdf import is_out_of_memory
    from ingest.readers.registry import draw_page, open_file

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    engine = engine_of(ocr)
    _bound(limits)

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    answer(ready=True)
    for line in sys.stdin:
        request = json.loads(line)
        _expect_to_end_within(limits)
        try:
            path = Path(request["path"])
            if request["operation"] == "read":
                reading = open_file(path, request["name"], limits=limits, ocr=engine)
                answer(total=reading.total, title=reading.title, warnings=reading.warnings)
                for page in reading.pages:
                    answer(page=page_to_row("", page))
                    _expect_to_end_within(limits)
            elif request["operation"] == "unlock":
                locked = unlock(path, Path(request["target"]), password=request["password"], limits=limits)
                answer(locked=locked)
            else:
                png = draw_page(path, request["number"], boxes=request["boxes"], dpi=request["dpi"], limits=limits)
                answer(png=base64.b64encode(png).decode())
        except GraftError as error:
            answer(refused=str(error), code=error.code, exhausted=is_out_of_memory(error.__cause__))
        except Exception as error:  # noqa: BLE001 - whatever a page makes a reader raise is no reason to call the file poison
            told = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            refusal: InputRefused = BrokenFile(f"the file cannot be read ({told}). Save it again and add it")
            if is_out_of_memory(error):
                refusal = LimitPassed(
                    f"the file needs more than {limits.memory_mib} MiB of memory to be read (setting read.memory_mib)"
                )
            answer(refused=str(refusal), code=refusal.code, exhausted=True)
        else:
            answer(done=True)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _bound(limits: ReadLimits) -> None:
    """Before the first file: what the operating system shall not let this process do."""
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_mib << 20),
        (resource.RLIMIT_FSIZE, limits.unpacked_mib << 20),
        (resource.RLIMIT_CORE, 0),  # a crash must not leave a document's content somewhere on the disk
    ):
        resource.setrlimit(what, (most, most))
    with contextlib.suppress(OSError):  # where there is no such file, nothing chooses by it either
        Path("/proc/self/oom_score_adj").write_text("1000")


def _expect_to_end_within(limits: ReadLimits) -> None:
    """From now on the time of one more page, for a worker whose owner is gone."""
    signal.setitimer(signal.ITIMER_REAL, min(limits.timeout_s, limits.page_timeout_s) + _ORPHAN_GRACE_S)


if __name__ == "__main__":
    _serve(ReadLimits(**json.loads(sys.argv[1])), OcrSettings(**json.loads(sys.argv[2])))
