"""Settings: what is not known or cannot be used is refused by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.errors import UsageError
from services.settings import load_settings


@pytest.fixture(autouse=True)
def no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GRAFT_")]:
        monkeypatch.delenv(name)


def test_an_unknown_name_in_a_group_of_settings_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFT_ANSWER__QUOTE", "1")
    with pytest.raises(UsageError, match=r"answer\.quote"):
        load_settings()


def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFT_HOME", str(tmp_path))
    (tmp_path / "config.toml").write_text("prot = 9000\n")
    with pytest.raises(UsageError, match="prot"):
        load_settings()


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFT_HOME", str(tmp_path))
    (tmp_path / "config.toml").write_text("port = 9000\n[answer]\nquotes = 3\n")
    assert load_settings().port == 9000
    monkeypatch.setenv("GRAFT_PORT", "9001")
    assert (load_settings().port, load_settings().answer.quotes) == (9001, 3)
