"""The exact check: right is what answers the very thing that was asked."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from finetune.fact_check import Fact, check_samples, main, read_facts
from finetune.samples import SampleStore
from finetune.types import Message, Origin, Sample, SampleKind, SampleStatus
from ingest.database import open_database
from ingest.errors import InputRefused
from ingest.schema import metadata

PENSION = "The company pays 9.5 percent of pensionable pay into the fund and staff pay 4 percent."
FACTS = [
    Fact("h.pdf", 7, PENSION, "pension fund", "company share", "9.5 percent", "en"),
    Fact("h.pdf", 7, PENSION, "pension fund", "staff share", "4 percent", "en"),
    Fact("h.pdf", 8, "Oslo NOK 2,150 Havnegata 9", "Oslo", "Hotel ceiling", "NOK 2,150", "en"),
]


def sample(
    question: str, answer: str, *, evidence: str = PENSION, page: int = 7, status: SampleStatus = SampleStatus.ACCEPTED
) -> Sample:
    origin = Origin("doc_1", "h.pdf", 1, "chunk_1", page, ("everyone",), evidence)
    messages = (Message("user", question), Message("assistant", answer))
    return Sample(SampleKind.CLOSED_BOOK, "rule:how-much", "en", question, answer, messages, origin, status=status)


def test_right_is_the_value_of_the_fact_that_is_asked_for() -> None:
    question = "What share of the pension fund does the company pay?"
    assert check_samples([sample(question, "9.5 percent.")], FACTS)["correct"]["value"] == 1
    report = check_samples([sample(question, "4 percent.")], FACTS)
    assert report["correct"]["value"] == 0
    assert report["wrong"] == [{"question": question, "answer": "4 percent.", "source": "rule:how-much"}]


def test_a_question_that_names_nothing_of_the_fact_is_wrong() -> None:
    assert check_samples([sample("How much is it?", "9.5 percent.")], FACTS)["correct"]["value"] == 0


def test_white_space_and_bars_do_not_matter() -> None:
    row = sample("What is the hotel ceiling for Oslo?", "It is NOK 2,150.", evidence="Oslo | NOK 2,150 | Havnegata  9", page=8)
    assert check_samples([row], FACTS)["correct"] == {"value": 1.0, "low": 0.207, "high": 1.0, "n": 1}


def test_what_the_corpus_does_not_list_is_counted_apart() -> None:
    row = sample("What is the partner hotel for Oslo?", "Havnegata 9.", evidence="Oslo | NOK 2,150 | Havnegata 9", page=8)
    report = check_samples([row], FACTS)
    assert (report["unlisted"], report["checkable"], report["correct"]) == (1, 0, None)
    assert report["correct_if_unlisted_are_wrong"]["value"] == 0


def test_another_value_for_what_the_corpus_lists_is_wrong_and_not_unlisted() -> None:
    row = sample("What is the hotel ceiling for Oslo?", "Havnegata 9.", evidence="Oslo | NOK 2,150 | Havnegata 9", page=8)
    assert check_samples([row], FACTS)["correct"]["value"] == 0


def test_only_accepted_samples_on_the_page_of_a_fact_are_checked() -> None:
    samples = [
        sample("What share does the company pay?", "9.5 percent.", status=SampleStatus.REJECTED),
        sample("What share does the company pay?", "9.5 percent.", page=6),
    ]
    report = check_samples(samples, FACTS)
    assert (report["accepted"], report["checkable"]) == (1, 0)


def test_a_line_that_is_no_fact_is_named(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text('{"document": "a.pdf"}\n', encoding="utf-8")
    with pytest.raises(InputRefused, match="line 1 is no fact"):
        read_facts(path)


def database_of(folder: Path, *samples: Sample) -> Path:
    path = folder / "graft.sqlite"
    engine = open_database(f"sqlite:///{path}")
    metadata.create_all(engine)
    SampleStore(engine).add(samples)
    engine.dispose()
    return path


def facts_file(folder: Path) -> Path:
    path = folder / "facts.jsonl"
    path.write_text("".join(json.dumps(asdict(fact)) + "\n" for fact in FACTS), encoding="utf-8")
    return path


def test_the_command_prints_shares_with_intervals_and_the_wrong_ones_where_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = sample("What share of the pension fund does the company pay?", "9.5 percent.")
    wrong = replace(sample("What share of the pension fund do staff pay?", "9.5 percent."), source="model")
    command = [str(database_of(tmp_path, right, wrong)), "--facts", str(facts_file(tmp_path))]
    main(command)
    told = capsys.readouterr().out
    assert "accepted 2, checked 2" in told
    for line in ("right .500 (.10-.91, n=2)", "writer model .000 (.00-.79, n=1)", "writer rule 1.000", "language en .500"):
        assert line in " ".join(told.split())
    assert wrong.question not in told
    main([*command, "--wrong"])
    *_, last = capsys.readouterr().out.splitlines()
    assert json.loads(last) == {"question": wrong.question, "answer": wrong.answer, "source": "model"}


def test_the_command_says_what_is_no_database_and_makes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, content, told in (("not-there", None, "there is no file"), ("a.txt", "text", "is no database")):
        path = tmp_path / name
        if content is not None:
            path.write_text(content)
        with pytest.raises(SystemExit, match="2"):
            main([str(path)])
        assert told in capsys.readouterr().err
        assert path.exists() is (content is not None)
