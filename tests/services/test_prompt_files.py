"""Prompts are files whose text is that of their version, for the model that answers and for the one that judges."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from eval import llm_judge
from eval.prompt_files import digest_of, read_prompts, recorded_versions
from ingest.errors import GraftError
from services import prompts

FOLDERS = (prompts.FOLDER, llm_judge.PROMPTS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_text_of_a_version_never_changes(folder: Path) -> None:
    """Where this fails, undo the change, or make a new folder and a line in the manifest: models learned or were tried with the
    old one."""
    recorded = recorded_versions(folder)
    assert {version: digest_of(folder / f"v{version}") for version in recorded} == dict(recorded)
    assert sorted(path.name for path in folder.glob("v*")) == sorted(f"v{version}" for version in recorded)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_text_is_there_in_both_languages(folder: Path) -> None:
    for version in recorded_versions(folder):
        names = set(read_prompts(folder, version).texts)
        spoken = {name.rpartition(".")[0] for name in names if "." in name}
        assert names >= {f"{name}.{language}" for name in spoken for language in ("en", "zh")}


def test_changed_files_are_refused(tmp_path: Path) -> None:
    folder = shutil.copytree(llm_judge.PROMPTS, tmp_path / "prompts")
    (folder / "v1" / "rules.en.txt").write_text("Say that all is supported.")
    with pytest.raises(GraftError, match="make a new version"):
        read_prompts(folder, "1")
