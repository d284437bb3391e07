"""What is known of vLLM as a program: the command and environment that start it, and why one ended, from what it wrote.

    launch = plan_launch(python=..., model_dir=..., port=..., api_key=...)
    reason = explain_exit(log, code, python)

Invariants. The flags stand in `engine.toml` alone; the secret is in the environment, never in the command. Starts nothing itself.
"""

from __future__ import annotations

import os
import re
import signal
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.errors import InputRefused

FLAGS = Path(__file__).with_name("engine.toml")
SERVED_NAME = "graft-base"


@dataclass(frozen=True, slots=True)
class Launch:
    """One way to start vLLM: command line and environment, the secret only in the latter."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)


def plan_launch(
    *,
    python: Path,
    model_dir: Path,
    port: int,
    api_key: str,
    context_tokens: int = 0,
    flags_file: Path = FLAGS,
    device: str = "cpu",
    cores: int = 2,
    served_name: str = SERVED_NAME,
    lora: bool = False,
    variables: Mapping[str, str] | None = None,
) -> Launch:
    """The command and environment for vLLM on `device` ("cpu" or "gpu"), from the flags file. Pure but for reading that file.

    `context_tokens` is the model's own limit, 0 where unknown; `lora` whether adapters can be loaded into the running engine;
    `variables` the environment to start from. Raises: InputRefused.
    """
    table = _read_flags(flags_file)
    parts = [table, table.get(device, {}), *([table.get("lora", {})] if lora else [])]
    flags = {name: value for part in parts for name, value in part.get("flags", {}).items()}
    if context_tokens:
        flags["max-model-len"] = min(int(flags.get("max-model-len", context_tokens)), context_tokens)
    flags |= {"host": "127.0.0.1", "port": port, "model": str(model_dir), "served-model-name": served_name}
    # -P keeps the working folder out of the import path.
    command = [str(python), "-P", "-m", "vllm.entrypoints.openai.api_server"]
    for name, value in flags.items():
        command += [f"--{name}"] if value is True else [] if value is False else [f"--{name}", str(value)]
    inherited = os.environ if variables is None else variables
    environment = {name: value for name, value in inherited.items() if not name.startswith(("GRAFT_", "PYTHON", "VIRTUAL_ENV"))}
    if device == "cpu" and cores <= 4:
        # Measured on 2 cores (docs/decisions/0002): one unbound thread makes 26-31 tokens a second whether the other core is
        # busy or not, a thread on each core 17 and, when one is busy, 6. With more cores vLLM's own binding leaves one free.
        environment |= {"OMP_NUM_THREADS": str(max(1, cores - 1)), "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    for part in parts:
        environment |= part.get("environment", {})
    environment |= {"VLLM_API_KEY": api_key, "NO_PROXY": "127.0.0.1,localhost"}
    return Launch(tuple(command), environment)


def _read_flags(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputRefused(f"The engine's flags file {path} cannot be read: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputRefused(f"The engine's flags file {path} is not TOML: {error}.") from error


def installed_device(python: Path) -> str:
    """ "cpu" where the environment of `python` holds the CPU build of vLLM, else "gpu"."""
    environment = python.parent.parent
    return "cpu" if any(environment.glob("lib/python*/site-packages/vllm_cpu-*.dist-info")) else "gpu"


_MEMORY = "out of memory|Cannot allocate memory|No available memory for the cache|Free memory on device"
_MODEL = r"config\.json|Invalid repository ID|Repo id must be|No such file or directory: .*safetensors"
_CAUSES: tuple[tuple[str, str], ...] = (
    ("No module named '?vllm", "vLLM is not installed in {python}; run `make up`"),
    ("[Aa]ddress already in use", "another program took its port"),
    ("No space left on device", "the disk is full"),
    (_MEMORY, "there is not enough memory for the model"),
    ("unrecognized arguments: (?P<what>.+)", "engine.toml names options that this vLLM does not know: {what}"),
    ("libcuda|No CUDA GPUs|NVIDIA driver", "it is the GPU build of vLLM and finds no usable GPU"),
    ("EngineDeadError", "its worker process was ended, most often because the machine ran out of memory"),
    (_MODEL, "the model's folder does not hold a whole model; run `graft models verify`"),
)
_PREFIX = re.compile(r"^\(\w+ pid=\d+\)\s*|^(ERROR|INFO|WARNING) [\d-]+ [\d:]+ \[[^\]]*\]\s*")


def explain_exit(log: str, code: int, python: Path, unanswered: str = "") -> str:
    """Why a vLLM process ended, in one clause for people, from what it wrote and its exit code.

    `unanswered` is why it was ended by us, if it was: the log may know better.
    """
    for pattern, words in _CAUSES:
        if found := re.search(pattern, log):
            return words.format(python=python, what=found.groupdict().get("what", ""))
    if unanswered:
        return unanswered
    if code in {-signal.SIGKILL, 128 + signal.SIGKILL}:
        return "it was killed, most often because the machine ran out of memory"
    lines = [_PREFIX.sub("", _PREFIX.sub("", line)).strip() for line in log.splitlines()]
    errors = [line for line in lines if re.match(r"(\w+\.)*\w*(Error|Exception)\b", line)]
    last = errors[-1] if errors else next((line for line in reversed(lines) if line), "it wrote nothing")
    return f"it ended with code {code} ({last[:200]})"
