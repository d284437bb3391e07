"""CC-CEDICT's file: what is a translation, and a file that appears whole or not at all."""

import multiprocessing
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import dictionary
from ingest.dictionary import WORKPLACE_FILE, Alternative, Dictionary, glosses, version
from ingest.tokens import is_han

LINES = [
    ("年休假 年休假 [nian2 xiu1 jia4]", "annual leave"),
    ("發票 发票 [fa1 piao4]", "invoice; receipt/uniform invoice (abbr. for 統一發票|统一发票[tong3 yi1 fa1 piao4])"),
    ("公里 公里 [gong1 li3]", "kilometer"),
]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dictionary of three entries in place of the whole."""

    def pairs() -> list[tuple[str, str, float]]:
        spelling = dictionary._other_spellings()
        out = []
        for words, senses in LINES:
            for said, weight in glosses(senses):
                for english in {said, tuple(spelling.get(unit, unit) for unit in said)}:
                    for chinese in words.split(" ")[:2]:
                        out += dictionary._both_ways(english, " ".join(chinese), weight)
        return out

    monkeypatch.setattr(dictionary, "_pairs", pairs)


def names(senses: str) -> list[str]:
    return [" ".join(said) for said, _ in glosses(senses)]


@pytest.mark.parametrize(
    ("senses", "said"),
    [
        ("invoice; receipt/bill", ["invoic", "receipt", "bill"]),
        ("to apply for reimbursement", ["appli reimburs"]),
        ("surname Wang/king", ["king"]),
        ("variant of 發|发[fa1]/old variant of 法", []),
        ("CL:張|张[zhang1],個|个[ge4]", []),
        ("cat/CL:隻|只[zhi1]", ["cat"]),
        ("(of a person) tall (slang)", ["tall"]),
        ("Rotterdam, port city in the Netherlands", ["rotterdam", "port citi netherland"]),
        ("not suitable/no good", []),
        ("a type of receipt issued to a business with a number for tax", []),
        ("to give sb sth", ["give"]),
        ("", []),
    ],
)
def test_glosses_are_translations_only(senses: str, said: list[str]) -> None:
    assert names(senses) == said


def test_a_gloss_weighs_less_the_more_words_it_has_and_the_later_its_sense_stands() -> None:
    weights = {" ".join(said): weight for said, weight in glosses("annual leave/holiday/rest")}
    assert weights["annual leav"] == pytest.approx(1 / 2**0.5)
    assert weights["holiday"] == pytest.approx(dictionary.SENSE_DECAY)
    assert weights["rest"] == pytest.approx(dictionary.SENSE_DECAY**2)


@given(st.text())
def test_any_senses_give_weights_up_to_one_and_no_chinese(senses: str) -> None:
    for said, weight in glosses(senses):
        assert said and 0 < weight <= 1
        assert len(said) <= dictionary.LONGEST_GLOSS


@pytest.mark.usefixtures("small")
def test_words_are_found_both_ways_in_both_scripts_and_spellings(tmp_path: Path) -> None:
    found = Dictionary(tmp_path).find(["年 休 假", "annual leav", "發 票", "发 票", "kilomet", "kilometr", "nothing"])
    assert found["年 休 假"] == (Alternative(("annual", "leav"), 0.707),)
    assert Alternative(("年", "休", "假"), 1.0) in found["annual leav"]
    assert found["發 票"] == found["发 票"]
    assert {one.units for one in found["kilomet"]} == {one.units for one in found["kilometr"]} == {("公", "里")}
    assert "nothing" not in found


@pytest.mark.usefixtures("small")
def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    Dictionary(tmp_path).find(["发 票"])
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"not a database" * 1000)
    assert Dictionary(tmp_path).find(["发 票"])


@pytest.mark.usefixtures("small")
def test_files_of_other_versions_go_and_one_that_is_being_made_stays(tmp_path: Path) -> None:
    (tmp_path / "dictionary-0.9-0-00000000.sqlite").write_bytes(b"old")
    (tmp_path / "dictionary-x.abc.new").write_bytes(b"being made")
    Dictionary(tmp_path).find(["发 票"])
    assert {file.name for file in tmp_path.iterdir()} == {f"dictionary-{version()}.sqlite", "dictionary-x.abc.new"}


def test_a_making_that_fails_leaves_nothing_and_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> list[tuple[str, str, float]]:
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(dictionary, "_pairs", breaks)
    assert Dictionary(tmp_path).find(["发 票"]) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("small")
def test_many_threads_and_dictionaries_may_begin_at_once(tmp_path: Path) -> None:
    shared = Dictionary(tmp_path)
    found: list[int] = []

    def look(mine: Dictionary) -> None:
        found.append(len(mine.find(["发 票", "公 里"])))

    threads = [
        threading.Thread(target=look, args=(one,)) for one in [shared, shared, shared, Dictionary(tmp_path), Dictionary(tmp_path)]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [2] * 5
    assert [file.suffix for file in tmp_path.iterdir()] == [".sqlite"]


def _make(folder: str) -> None:
    dictionary.make(Path(folder) / f"dictionary-{version()}.sqlite")


def test_a_maker_that_is_killed_leaves_no_file_that_is_used(tmp_path: Path) -> None:
    maker = multiprocessing.get_context("spawn").Process(target=_make, args=(str(tmp_path),))
    maker.start()
    while maker.is_alive() and not list(tmp_path.iterdir()):
        maker.join(0.01)
    maker.kill()
    maker.join(60)
    assert [file for file in tmp_path.iterdir() if file.suffix == ".sqlite"] == []


def test_the_real_dictionary_knows_words_of_offices(dictionary_folder: Path) -> None:
    found = Dictionary(dictionary_folder).find(["年 假", "annual leav", "发 票"])
    assert ("annual", "leav") in [one.units for one in found["年 假"]]
    assert ("年", "假") in [one.units for one in found["annual leav"]]
    assert {("invoic",), ("receipt",)} <= {one.units for one in found["发 票"]}


def test_our_own_list_names_each_word_once_in_both_languages() -> None:
    lines = WORKPLACE_FILE.read_text(encoding="utf-8").splitlines()
    words = [line.partition(" ")[0] for line in lines]
    assert len(set(words)) == len(words)
    for line in lines:
        word, _, senses = line.partition(" ")
        assert all(is_han(character) for character in word), line
        assert list(glosses(senses)), line
