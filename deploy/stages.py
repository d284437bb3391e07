"""What `make up`, `make test` and the other targets do. Standard library only: it runs before anything is installed.

Every target can be run again at any time, fast when nothing has changed; what cannot go on says why and what to do in one
sentence. One process sets up at a time.

    .venv-tools    uv, and node where the machine has none        .venv           Graft itself
    .venv-engine   vLLM, whose pins are its own                   ~/.cache/graft  models
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from installing import (
    CACHE,
    ENGINE,
    MAIN,
    REPORT,
    ROOT,
    TOOLS,
    Failure,
    ensure_chromium,
    ensure_engine,
    ensure_main,
    ensure_tools,
    ensure_web,
    node,
    read_mark,
    say,
    stage,
    uv,
)  # fmt: skip
from locks import check_locks, lock

DEFAULT_PORT = 8484
"""As in services/settings.py, which cannot be imported before anything is installed."""

FIRST_FREE_BYTES = 8_000_000_000
"""The environments, models and package cache take 4.6 GB with the CPU build of torch (docs/decisions/0002); half as much again
while wheels are unpacked."""


def check_disk() -> None:
    """Raises: Failure where the first installation would not fit."""
    if read_mark(ENGINE) and read_mark(MAIN):
        return
    free = shutil.disk_usage(ROOT).free
    if free < FIRST_FREE_BYTES:
        needed = f"a first installation needs {FIRST_FREE_BYTES / 1e9:.0f} GB"
        raise Failure(f"There are {free / 1e9:.1f} GB free on the disk of {ROOT}, and {needed}.")


def home() -> Path:
    """`$GRAFT_HOME`."""
    return Path(os.environ.get("GRAFT_HOME", "~/.graft")).expanduser()


def running_address() -> str:
    """The address of the server that owns the home, as far as its note says; "" where there is none."""
    try:
        note = json.loads((home() / "run.json").read_text())
        os.kill(int(note["pid"]), 0)
        return str(note["address"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def check_port() -> None:
    """Raises: Failure where another program has the port that Graft would listen on."""
    try:
        configured = tomllib.loads((home() / "config.toml").read_text())
    except (OSError, tomllib.TOMLDecodeError):
        configured = {}
    port = int(os.environ.get("GRAFT_PORT") or configured.get("port", DEFAULT_PORT))
    if running_address():
        return
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Failure(f"Another program listens on port {port}: stop it, or choose a port with `GRAFT_PORT=9000 make up`.")


@contextmanager
def only_one() -> Iterator[None]:
    """One set-up at a time: `make up` and `make test` may run side by side."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  another make is setting up: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def prepare(*, dev: bool, engine: bool = True) -> None:
    """Everything that has to be installed, in order."""
    check_disk()
    with only_one():
        ensure_tools()
        ensure_main(dev=dev, before=stop_server)
        ensure_web()
        if engine:
            ensure_engine(before=stop_server)


def graft(*arguments: str, environment: dict[str, str] | None = None) -> None:
    """Runs the command line with its own output and progress. Raises: Failure, where it said what is wrong itself."""
    done = subprocess.run([MAIN / "bin" / "graft", *arguments], cwd=ROOT, env=environment, check=False)
    if done.returncode != 0:
        raise Failure(f"`graft {' '.join(arguments)}` ended with code {done.returncode}; its own message is above.")


def python(module: str, *arguments: str, environment: dict[str, str] | None = None) -> int:
    """Runs a module of the main environment with our arguments and those in ARGS; its exit code."""
    command = [MAIN / "bin" / "python", "-m", module, *arguments, *shlex.split(os.environ.get("ARGS", ""))]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def stop_server() -> None:
    """Stops a server that runs, because what it runs on is about to change."""
    if running_address() and (MAIN / "bin" / "graft").exists():
        say("  stopping the running server: what it runs on changes")
        subprocess.run([MAIN / "bin" / "graft", "stop"], cwd=ROOT, capture_output=True, check=False)


def up() -> int:
    """Installs what is missing, starts the server in the background, answers one question, says where everything is."""
    check_port()
    prepare(dev=False)
    with stage("the default models"):
        graft("models", "pull")
    with stage("the server"):
        graft("serve", "--detach")
    with stage("the sample corpus and one question"):
        graft("demo")
    closing_lines()
    return 0


def install() -> int:
    """Installs what is missing and starts nothing: for images and packages."""
    prepare(dev=False)
    return 0


def closing_lines() -> None:
    """Sizes and times, the page's address, how to stop."""
    total = time.monotonic() - REPORT.began
    say("")
    if total > 120:
        weights = ", ".join(f"{folder.name} {size(folder) / 1e9:.1f} GB" for folder in (MAIN, ENGINE, TOOLS))
        say(f"where the weight lies: {weights}")
    say(f"time: {total:.0f} s (" + ", ".join(f"{name.split(':')[0]} {seconds:.0f} s" for name, seconds in REPORT.stages) + ")")
    say(f"Graft is running at {running_address() or 'the address above'}")
    say('ask on the command line: .venv/bin/graft ask "…"    stop: make down')


def size(folder: Path) -> int:
    """Bytes on disk below `folder`, files with several names counted once."""
    seen: dict[tuple[int, int], int] = {}
    for directory, _, names in os.walk(folder):
        for name in names:
            entry = Path(directory, name).lstat()
            seen[entry.st_dev, entry.st_ino] = entry.st_blocks * 512
    return sum(seen.values())


def down() -> int:
    """Stops the server and its engine."""
    if not (MAIN / "bin" / "graft").exists():
        say("Nothing is installed here, so nothing runs.")
        return 0
    return subprocess.run([MAIN / "bin" / "graft", "stop"], cwd=ROOT, check=False).returncode


def test(*, full: bool = False) -> int:
    """Runs the tests in a home of their own, the slow ones only where `full`; pytest's exit code."""
    prepare(dev=True)
    ensure_chromium()
    with tempfile.TemporaryDirectory(prefix="graft-test-home-") as folder:
        kept = {name for name in os.environ if not name.startswith("GRAFT_") or name == "GRAFT_MODELS_DIR"}
        environment = {name: os.environ[name] for name in kept}
        # The page's modules are also tested under node: on a machine without one, that of a PyPI package.
        environment["PATH"] = node()[1]["PATH"]
        environment |= {"GRAFT_HOME": folder, "GRAFT_PORT": str(free_port())}
        with stage("the default models"):
            graft("models", "pull", environment=environment)
        say("→ the tests")
        # pytest refuses to select by a marker that pyproject.toml does not declare.
        declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["markers"]
        leave_out = not full and any(marker.startswith("slow:") for marker in declared)
        # Many tests wait more than they compute. Where somebody narrows them, what they print is wanted in order.
        beside = [] if os.environ.get("ARGS") else ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile"]
        return python("pytest", *beside, *(["-m", "not slow"] if leave_out else []), environment=environment)


def check() -> int:
    """Style, types, package order, locks, wheel; 1 where any of them found something."""
    prepare(dev=True, engine=False)
    failed = []
    commands = [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["lint-imports"]]
    steps: list[tuple[str, Callable[[], int]]] = [(" ".join(command), partial(tool, *command)) for command in commands] + [
        ("the locks", check_locks),
        ("the built wheel", check_wheel),
    ]
    for name, step in steps:
        with stage(name):
            if step() != 0:
                failed.append(name)
    say(f"make check: {', '.join(failed)} found something to mend" if failed else "make check: all well")
    return 1 if failed else 0


def tool(name: str, *arguments: str) -> int:
    """Runs one of the main environment's programs; its exit code."""
    return subprocess.run([MAIN / "bin" / name, *arguments], cwd=ROOT, check=False).returncode


def check_wheel() -> int:
    """0 where the built wheel, in an environment without this tree, imports and carries its data files."""
    with tempfile.TemporaryDirectory(prefix="graft-wheel-") as name:
        folder = Path(name)
        uv("build", "--quiet", "--wheel", "--out-dir", folder, ROOT, failure="The wheel could not be built")
        uv("venv", "--quiet", "--python", MAIN / "bin" / "python", folder / "venv", failure="The wheel could not be tried")
        python = folder / "venv" / "bin" / "python"
        wheel = next(folder.glob("*.whl"))
        uv("pip", "install", "--quiet", "--no-deps", "--python", python, wheel, failure="The wheel could not be installed")
        # The dependencies are borrowed; a plain path in a .pth file does not read the .pth files there, so not our editable tree.
        packages = next((folder / "venv").glob("lib/python*/site-packages"))
        (packages / "borrowed.pth").write_text(f"{next(MAIN.glob('lib/python*/site-packages'))}\n")
        program = (
            "import ingest, eval, finetune, services.cli, services.manifest, services.engine, pathlib, sys\n"
            "assert pathlib.Path(services.__file__).is_relative_to(sys.prefix), services.__file__\n"
            "services.manifest.load_manifest(); assert services.engine.FLAGS.is_file()\n"
            "from finetune.training_config import load_config; load_config('mini')\n"
            "from services.house_models import reader; assert (reader.HOUSE_MODELS / reader.NAME / 'figures.json').is_file()\n"
        )
        return subprocess.run([python, "-c", program], cwd=folder, check=False).returncode


def bench() -> int:
    """Measures the product; the report goes to bench-out/."""
    prepare(dev=True)
    graft("models", "pull")
    return python("services.bench")


def bench_retrieval() -> int:
    """Measures search at scale beside other libraries, which are added for it; the report goes to bench-out/."""
    prepare(dev=True)
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["bench"]
    with stage("the libraries to compare with"):
        uv("pip", "install", "--quiet", "--python", MAIN / "bin" / "python", *extra, failure="They could not be installed")
    return python("services.bench.scale")


def house_models() -> int:
    """Makes the models that Graft ships anew from the question sets in DATA. Goes on where it was."""
    data = os.environ.get("DATA")
    if not data:
        raise Failure("Name the folder of the question sets: `make house-models DATA=FOLDER`.")
    prepare(dev=True)
    return python("services.house_models", "--data", data)


def tour() -> int:
    """The whole chain on the sample corpus: documents, training data, adapter, four arms side by side. Goes on where it was."""
    prepare(dev=False)
    folder, config = ROOT / "tour-out", os.environ.get("CONFIG") or "mini"
    environment = {**os.environ, "GRAFT_HOME": str(folder / "home"), "GRAFT_PORT": str(free_port())}
    run_graft = partial(graft, environment=environment)
    with stage("the default models"):
        run_graft("models", "pull")
    with stage("the server"):
        run_graft("serve", "--detach")
    try:
        with stage("documents"):
            run_graft("demo")
        with stage("training data"):
            run_graft("synthesize", "--name", "sample", "--group", "everyone")
        with stage(f"an adapter ({config})"):
            run_graft("train", "adapter", "--dataset", "sample", "--config", config, "--name", f"sample-{config}")
        adapter = newest_adapter(f"sample-{config}", environment)
        if adapter["state"] == "candidate":
            with stage("approving it"):
                run_graft("adapters", "approve", adapter["id"])
        if adapter["state"] != "live":
            with stage("making it answer"):
                run_graft("adapters", "promote", adapter["id"])
        with stage("one question, four arms"):
            run_graft("ask", "--compare", "How many days of paid holiday do full-time employees get each year?")
        few = ("--limit", "24") if config == "smoke" else ()  # a quick look
        with stage("cases, four arms"):
            run_graft("compare", "eval/sample_corpus/cases.jsonl", "--report", str(folder / "report.html"), *few)
    finally:
        run_graft("stop")
    say(f"the report: {folder / 'report.html'}")
    say(f"to look at it in the page: GRAFT_HOME={folder / 'home'} .venv/bin/graft serve")
    return 0


def newest_adapter(name: str, environment: dict[str, str]) -> dict[str, str]:
    """The newest adapter of this name, as `graft adapters list` tells of it."""
    command = [MAIN / "bin" / "graft", "adapters", "list", "--json"]
    told = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    found: dict[str, str] = next(one for one in json.loads(told)["adapters"] if one["name"] == name)
    return found


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


TARGETS: dict[str, Callable[[], int]] = {
    "up": up,
    "install": install,
    "down": down,
    "test": test,
    "test-full": partial(test, full=True),
    "check": check,
    "bench": bench,
    "bench-retrieval": bench_retrieval,
    "tour": tour,
    "house-models": house_models,
    "lock": lock,
}


def main(arguments: Sequence[str]) -> int:
    """The exit code of the target named by the one argument."""
    if len(arguments) != 1 or arguments[0] not in TARGETS:
        say(f"usage: python3 deploy/bootstrap.py {'|'.join(TARGETS)}")
        return 2
    try:
        return TARGETS[arguments[0]]()
    except Failure as failure:
        print(f"make {arguments[0]}: {failure}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
