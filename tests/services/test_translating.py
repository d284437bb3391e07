"""The settings decide which glossary speaks and where the dictionary's file lies."""

from pathlib import Path

import pytest

from ingest.errors import InputRefused, UsageError
from services.settings import Settings, load_settings
from services.translating import FOLDER, translator_of


def test_the_glossary_of_the_settings_speaks(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terms = tmp_path / "terms.csv"
    terms.write_text("term,translation,synonyms\n特休,annual leave,PTO\n", encoding="utf-8")
    monkeypatch.setenv("GRAFT_SEARCH__GLOSSARY", str(terms))
    (group,) = translator_of(load_settings(models_dir=tmp_path), tmp_path).synonyms("特休有几天？")
    assert [one.units for one in group.alternatives] == [("annual", "leav"), ("pto",)]


def test_a_bad_glossary_stops_the_start_with_its_line(tmp_path: Path) -> None:
    terms = tmp_path / "terms.csv"
    terms.write_text("term,translation,synonyms\n特休,,\n", encoding="utf-8")
    with pytest.raises(InputRefused, match=r"terms\.csv:2"):
        translator_of(load_settings(search={"glossary": terms}, models_dir=tmp_path), tmp_path)


def test_an_unknown_search_setting_is_refused() -> None:
    with pytest.raises(UsageError, match=r"search\.dictionary"):
        load_settings(search={"dictionary": "x"})


def test_where_the_models_folder_cannot_be_written_the_file_lies_beside_the_indexes(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    settings = load_settings(models_dir=tmp_path / "file")
    assert translator_of(settings, tmp_path / "indexes")._dictionary._folder == tmp_path / "indexes"  # type: ignore[union-attr]
    settings = load_settings(models_dir=tmp_path / "models")
    assert translator_of(settings, tmp_path)._dictionary._folder == tmp_path / "models" / FOLDER  # type: ignore[union-attr]


def test_the_dictionary_is_made_in_a_process_of_its_own(tmp_path: Path) -> None:
    translator = translator_of(load_settings(models_dir=tmp_path), tmp_path)
    (group,) = [one for one in translator.groups("发票") if one.alternatives]
    assert ("invoic",) in [one.units for one in group.alternatives]
    assert [file.suffix for file in (tmp_path / FOLDER).iterdir()] == [".sqlite"]
