"""Samples from questions about open passages: what they ask, show and answer, and what they never show."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from finetune.corruptions import Asked, Passage
from finetune.reading import (
    LONGEST_QUOTE,
    ReadingPlan,
    Search,
    bearing_clause,
    held_out_questions,
    split_of,
    training_rows,
    windows,
)
from finetune.run_folder import Row
from finetune.types import SampleKind, Split
from services.prompts import ServingPrompts

PROMPTS = ServingPrompts()
TOWNS = ("Avonby", "Brackle", "Corwen", "Dunmore", "Ellisk", "Farholt", "Gaunt", "Hexley")


def passage(number: int) -> Passage:
    town = TOWNS[number % len(TOWNS)]
    text = f"{town} was founded in {1200 + number}. Its mayor is Lady {town}son, who keeps {10 + number} geese."
    asked = []
    for question, answer in (
        (f"When was {town} founded?", str(1200 + number)),
        (f"Who is the mayor of {town}?", f"Lady {town}son"),
        (f"How many geese does the mayor of {town} keep?", f"{10 + number} geese"),
    ):
        start = text.index(answer)
        asked.append(Asked(question, answer, start, start + len(answer), (answer,)))
    return Passage(f"p{number}", town, text, "en", tuple(asked))


PASSAGES = [passage(number) for number in range(8)]


def search(passages: Sequence[Passage]) -> Search:
    """Finds those that share most words with the question."""

    def found(question: str, limit: int) -> list[int]:
        words = set(question.lower().split())
        order = sorted(range(len(passages)), key=lambda index: -len(words & set(passages[index].text.lower().split())))
        return order[:limit]

    return found


def rows(**plan: Any) -> list[Row]:
    return list(training_rows(PASSAGES, search=search(PASSAGES), prompts=PROMPTS, plan=ReadingPlan("en", **plan)))


def test_an_answer_holds_the_value_the_right_number_and_the_sentence_word_for_word() -> None:
    made = rows(refusals=0.0)
    assert len(made) > 20
    for row in made:
        found = re.fullmatch(r"(.+) \[(\d)\]: “(.+)”", row.answer)
        assert found is not None
        value, number, quote = found.groups()
        shown = row.messages[1].content.split(f"[{number}] ")[1].split("\n[")[0]
        assert quote in shown
        assert row.value in quote
        assert value.lower() == row.value.lower()


def test_questions_about_one_prompt_share_its_beginning() -> None:
    made = rows(refusals=0.0)
    prompts = Counter(row.messages[1].content.rpartition("\n\n")[0] for row in made)
    assert max(prompts.values()) >= 6
    assert len({row.id for row in made}) == len(made)


def test_a_refusal_is_asked_of_passages_that_do_not_answer() -> None:
    made = rows(refusals=1.0)
    assert made
    for row in made:
        assert row.kind == SampleKind.REFUSAL
        assert row.answer == PROMPTS.refusal("en")
        town = next(one for one in TOWNS if one in row.question)
        assert f"{town} was founded" not in row.messages[1].content


def test_the_same_plan_gives_the_same_samples_and_another_seed_others() -> None:
    assert rows(seed=1) == rows(seed=1) != rows(seed=2)
    assert len(rows(prompts=2)) < len(rows())


def test_held_out_questions_know_their_passage_and_some_are_asked_without_it() -> None:
    many = [passage(number) for number in range(8)]
    made = list(held_out_questions(many, search=search(many), prompts=PROMPTS))
    assert sum(one.place > 0 for one in made) == 24
    withheld = [one for one in made if one.place == 0]
    assert withheld
    assert all(one.answers == () for one in withheld)
    for one in made:
        if one.place:
            shown = re.split(r"(?:^|\n)\[\d\] ", one.prompt[1].content)[one.place]
            assert one.answers[0] in shown


def test_a_document_is_in_one_split_whatever_its_passages_are_called() -> None:
    splits = {title: split_of(Passage("a", title, "", "en")) for title in map(str, range(400))}
    assert all(split_of(Passage("b", title, "x", "zh")) is split for title, split in splits.items())
    counts = Counter(splits.values())
    assert counts[Split.TEST] > 20
    assert counts[Split.VALIDATION] > 20
    assert counts[Split.TRAIN] > 280


def test_windows_cut_at_sentences_and_keep_the_questions_they_answer() -> None:
    parts = windows(PASSAGES[0], 40)
    assert [part.text for part in parts] == ["Avonby was founded in 1200.", "Its mayor is Lady Avonbyson, who keeps 10 geese."]
    assert [len(part.asked) for part in parts] == [1, 2]
    for part in parts:
        assert all(part.text[asked.start : asked.end] == asked.answer for asked in part.asked)
    assert windows(PASSAGES[0], 900)[0].text == PASSAGES[0].text


@pytest.mark.parametrize(
    ("clauses", "language"),
    [
        (
            [
                "After a long winter had passed",
                "the council met in the old hall",
                "the vote was 12 to 3",
                "and everyone went home",
            ],
            "en",
        ),
        (
            [
                "经过了一个漫长而寒冷的冬天之后",
                "委员会在旧礼堂里开会讨论了很久",
                "表决结果是十二票对三票",
                "然后大家都各自回家休息去了",
            ],
            "zh",
        ),
    ],
)
def test_a_long_sentence_is_cut_to_the_clauses_around_the_answer(clauses: list[str], language: str) -> None:
    mark = ", " if language == "en" else "，"
    sentence = mark.join(clauses * 3)
    answer = clauses[2]
    start = sentence.index(answer)
    cut = bearing_clause(sentence, start, start + len(answer), language)
    assert answer in cut
    assert cut in sentence
    assert len(cut) <= LONGEST_QUOTE[language] < len(sentence)
    assert bearing_clause(answer, 0, 3, language) == answer


def test_an_answer_longer_than_a_quote_stays_whole() -> None:
    sentence = "word " * 60
    assert bearing_clause(sentence, 0, 280, "en") == sentence.strip()
