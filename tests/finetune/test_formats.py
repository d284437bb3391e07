"""Files of conversations: every broken rule is named with its place, and content survives every way there and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune import formats
from finetune.formats import Format, alpaca, messages
from finetune.formats.records import Conversation
from finetune.types import Message
from ingest.errors import InputRefused

ASK = {"role": "user", "content": "When?"}
SAY = {"role": "assistant", "content": "In 1994."}
RULES = {"role": "system", "content": "Be short."}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1).filter(str.strip)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Any conversation that the rules allow."""
    system = [Message("system", draw(texts))] if draw(st.booleans()) else []
    pairs = draw(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
    return (*system, *(Message(role, text) for pair in pairs for role, text in zip(("user", "assistant"), pair, strict=True)))


def file(folder: Path, *lines: Any) -> Path:
    """A file with these lines, JSON where they are not text."""
    path = folder / "file.jsonl"
    written = (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_text("".join(f"{line}\n" for line in written), encoding="utf-8")
    return path


def told(path: Path) -> list[str]:
    return [str(problem) for problem in formats.validate(path)]


# Content


@settings(deadline=None)
@given(conversations())
def test_a_conversation_is_the_same_after_a_way_through_each_format(one: Conversation) -> None:
    for module in (messages, alpaca):
        record = json.loads(json.dumps(module.record(one), ensure_ascii=False))
        assert module.faults(record) == []
        assert module.conversation(record) == one


@settings(deadline=None)
@given(texts, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), texts)
def test_an_alpaca_record_says_the_same_after_a_way_through_messages(asked: str, beside: str, answer: str) -> None:
    first = alpaca.conversation({"instruction": asked, "input": beside, "output": answer})
    there = messages.conversation(messages.record(first))
    assert alpaca.conversation(alpaca.record(there)) == first
    assert first[0].content == (f"{asked}\n{beside}" if beside else asked)


@settings(deadline=None, max_examples=30)
@given(st.lists(conversations(), min_size=1, max_size=4), st.sampled_from(Format))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, written: list[Conversation], kind: Format
) -> None:
    path = tmp_path_factory.mktemp("written") / "out.jsonl"
    assert formats.write(path, formats.lines(written, kind)) == len(written)
    assert formats.validate(path) == []
    assert formats.read(path) == written


def test_characters_that_break_lines_elsewhere_do_not_break_them_here(tmp_path: Path) -> None:
    odd = "one\u2028two\u0085threefour"
    path = file(tmp_path, {"messages": [{"role": "user", "content": odd}, SAY]})
    assert odd in path.read_text(encoding="utf-8")
    assert formats.read(path)[0][0].content == odd


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("old")

    def breaking() -> Any:
        yield "new\n"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        formats.write(path, breaking())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


# Messages


@pytest.mark.parametrize(
    ("found", "rules"),
    [
        ([ASK, SAY], []),
        ([RULES, ASK, SAY], []),
        ([RULES, ASK, SAY, ASK, SAY], []),
        ([], ["`messages` must be an array that is not empty"]),
        ("text", ["`messages` must be an array that is not empty"]),
        ([RULES], ["there is no pair"]),
        ([ASK], ["the last message must be the assistant's"]),
        ([ASK, SAY, ASK], ["the last message must be the assistant's"]),
        ([SAY], ["message 1 is the assistant's where the user's is expected: the first message"]),
        ([RULES, SAY], ["message 2 is the assistant's where the user's is expected: the first message"]),
        ([ASK, ASK, SAY], ["message 2 is the user's where the assistant's is expected: user and assistant take turns"]),
        ([ASK, SAY, SAY], ["message 3 is the assistant's where the user's is expected"]),
        ([ASK, SAY, RULES, ASK, SAY], ["message 3 is a system message: only the first may be one"]),
        ([RULES, RULES, ASK, SAY], ["message 2 is a system message: only the first may be one"]),
        (["text", SAY], ["message 1 must be an object"]),
        ([{"content": "x"}, SAY], ["message 1 has no `role`"]),
        ([{"role": "user"}, SAY], ["message 1 has no `content`"]),
        ([{"role": "human", "content": "x"}, SAY], ["message 1 has role 'human'; allowed: system, user, assistant"]),
        ([{"role": ["user"], "content": "x"}, SAY], ["message 1 has role ['user']"]),
        ([{"role": "user", "content": ""}, SAY], ["content of message 1 is empty"]),
        ([{"role": "user", "content": " \n"}, SAY], ["content of message 1 is empty"]),
        ([{"role": "user", "content": None}, SAY], ["content of message 1 must be a string, not null"]),
        ([{"role": "user", "content": [{"type": "text"}]}, SAY], ["content of message 1 must be a string, not an array"]),
        ([{"role": "user", "content": "a\x00b"}, SAY], ["content of message 1 holds a character that is no text"]),
        ([ASK, {"role": "assistant", "content": ""}, SAY], ["content of message 2 is empty", "message 3 is the assistant's"]),
    ],
)
def test_a_record_of_messages_is_told_each_rule_that_it_breaks(tmp_path: Path, found: Any, rules: list[str]) -> None:
    problems = told(file(tmp_path, {"messages": found}))
    assert len(problems) == len(rules), problems
    for problem, rule in zip(problems, rules, strict=True):
        assert problem.startswith(f"line 1: {rule}")


def test_all_problems_of_a_file_are_told_with_their_lines(tmp_path: Path) -> None:
    good = {"messages": [ASK, SAY]}
    path = file(tmp_path, good, "{broken", good, "", [1], {"text": "x"}, {"messages": [SAY]}, good)
    assert [(problem.line, problem.rule.split(":")[0]) for problem in formats.validate(path)] == [
        (2, "the line is not JSON"),
        (4, "the line is empty"),
        (5, "a record must be a JSON object, not an array"),
        (6, "key `messages` is missing"),
        (7, "message 1 is the assistant's where the user's is expected"),
    ]


def test_a_file_with_problems_is_refused_whole_and_says_where_the_first_is(tmp_path: Path) -> None:
    path = file(tmp_path, {"messages": [ASK, SAY]}, {"messages": []}, "x")
    with pytest.raises(InputRefused, match=r"line 2: `messages` must be .*1 more"):
        formats.read(path)


def test_an_empty_file_is_no_file_of_conversations(tmp_path: Path) -> None:
    assert told(file(tmp_path)) == ["line 1: the file is empty: it must hold at least one record"]


def test_line_feeds_at_the_end_and_a_byte_order_mark_are_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"messages": [ASK, SAY]}).encode() + b"\r\n\r\n\n")
    assert formats.validate(path) == []


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b'{"messages": "\xff"}', "byte 15 of the line is not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"messages": ' + b"[" * 200_000, "nested too deeply"),
        (b'{"messages": ' + b"9" * 5000 + b"}", "the line is not JSON"),
        (b'{"messages": [{"role": "user", "content": "\\ud800"}, {"role": "assistant", "content": "x"}]}', "no text"),
    ],
)
def test_hostile_files_are_told_of_and_do_no_harm(tmp_path: Path, line: bytes, rule: str) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(line + b"\n")
    (problem,) = told(path)
    assert rule in problem


# Alpaca


@pytest.mark.parametrize(
    ("found", "rules"),
    [
        ({"instruction": "Add.", "input": "1 2", "output": "3"}, []),
        ({"instruction": "Add.", "output": "3", "system": "", "history": []}, []),
        ({"instruction": "Add.", "output": "3", "system": "Be short.", "history": [["Hello", "Hi"]]}, []),
        ({"instruction": "Add."}, ["key `output` is missing"]),
        ({"output": "3"}, ["key `instruction` is missing"]),
        ({"instruction": "", "output": 3}, ["`instruction` is empty", "`output` must be a string, not a number"]),
        ({"instruction": "Add.", "output": "3", "input": None}, ["`input` must be a string, not null"]),
        ({"instruction": "Add.", "output": "3", "system": " "}, ["`system` is empty"]),
        ({"instruction": "Add.", "output": "3", "history": "x"}, ["`history` must be an array of pairs"]),
        ({"instruction": "Add.", "output": "3", "history": [["x"]]}, ["entry 1 of `history` must be a pair"]),
        (
            {"instruction": "Add.", "output": "3", "history": [["x", ""]]},
            ["the assistant's part of entry 1 of `history` is empty"],
        ),
    ],
)
def test_an_alpaca_record_is_told_each_rule_that_it_breaks(tmp_path: Path, found: Any, rules: list[str]) -> None:
    problems = told(file(tmp_path, found))
    assert len(problems) == len(rules), problems
    for problem, rule in zip(problems, rules, strict=True):
        assert problem.startswith(f"line 1: {rule}")


def test_messages_in_an_array_are_told_that_they_belong_on_lines(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps([{"messages": [ASK, SAY]}]), encoding="utf-8")
    assert told(path) == ["line 1 (item 0): a file of `messages` holds one object a line, and no array around them"]


def test_history_and_system_become_earlier_messages(tmp_path: Path) -> None:
    record = {"instruction": "And then?", "output": "Rain.", "system": "Be short.", "history": [["Weather?", "Sun."]]}
    (one,) = formats.read(file(tmp_path, record))
    assert [(message.role, message.content) for message in one] == [
        ("system", "Be short."),
        ("user", "Weather?"),
        ("assistant", "Sun."),
        ("user", "And then?"),
        ("assistant", "Rain."),
    ]


def test_items_of_an_array_are_told_by_index_and_line(tmp_path: Path) -> None:
    good = {"instruction": "Add.", "output": "3"}
    path = tmp_path / "file.json"
    path.write_text(json.dumps([good, {"instruction": "Add."}, good, 7], indent=1), encoding="utf-8")
    problems = formats.validate(path)
    assert [(problem.index, problem.line) for problem in problems] == [(1, 6), (3, 13)]
    assert str(problems[0]) == "line 6 (item 1): key `output` is missing"


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("[]", ["the array is empty"]),
        ('[{"instruction": "a", "output": "b"}', ["the array is not closed"]),
        ('[{"instruction": "a", "output": "b"} {', ["the array is not closed"]),
        ('[{"instruction": "a", "output": "b"},', ["the item is not JSON"]),
        ('[{"instruction": "a", "output": "b"}] x', ["something stands after the array's end"]),
        ('[{"conversations": []}]', ["key `messages` is missing"]),
    ],
)
def test_a_broken_array_is_told_of(tmp_path: Path, text: str, rules: list[str]) -> None:
    path = tmp_path / "file.json"
    path.write_text(text, encoding="utf-8")
    found = [problem.rule for problem in formats.validate(path)]
    assert len(found) == len(rules)
    assert all(one.startswith(rule) for one, rule in zip(found, rules, strict=True)), found
