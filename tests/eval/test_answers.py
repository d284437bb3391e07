from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.answers import evaluate_answers, outcome, read_cases, share, summary
from eval.metrics.text import exact_match, holds_key_fact, token_f1
from eval.types import Case, GoldPage
from ingest.errors import InputRefused

GOLD = GoldPage("handbook.pdf", 5)


def case(name: str = "one", **changes: Any) -> Case:
    given: dict[str, Any] = {"answers": ("27 days",), "gold": (GOLD,), "answerable": True, "lang": "en", "kind": "plain"}
    return Case(id=name, question=f"{name}?", **{**given, **changes})


def answer(*texts: str, cited: GoldPage | None = GOLD, style: str = "quotes", abstained: bool = False) -> dict[str, Any]:
    return {
        "answer": " ".join(f"{text} [1]" for text in texts),
        "style": style,
        "abstained": abstained,
        "sentences": [{"text": text, "style": style, "supported": style == "quotes"} for text in texts],
        "citations": [{"document": cited.document, "page": cited.page}] if cited else [],
    }


def hits(*pages: int) -> list[dict[str, Any]]:
    return [{"document": "handbook.pdf", "page": page} for page in pages]


# Key facts


@pytest.mark.parametrize(
    ("shown", "fact"),
    [
        ("You get 27 days a year.", "27 days"),
        ("You get 27\u00a0Days a year.", "27 days"),
        ("每年27 天年假", "27天"),
        ("每年２７天年假", "27天"),
        ("P5 9800 11500 13200", "11500"),
        ("a fee of 1,250.", "1,250"),
        ("EUR 45, paid monthly", "EUR 45"),
    ],
)
def test_a_key_fact_is_found_whatever_its_spaces_case_and_width(shown: str, fact: str) -> None:
    assert holds_key_fact(shown, [fact])


@pytest.mark.parametrize(
    ("shown", "fact"),
    [
        ("It takes 240 hours.", "40 hours"),
        ("It costs EUR 450.", "EUR 45"),
        ("It costs EUR 45.50.", "EUR 45"),
        ("It costs 11,250 euros.", "1,250 euros"),
        ("Growth was 3.5%.", "5%"),
        ("每班165元", "65元"),
        ("Ask Joanna.", "Anna"),
        ("", "27 days"),
    ],
)
def test_a_part_of_another_number_or_word_is_not_the_key_fact(shown: str, fact: str) -> None:
    assert not holds_key_fact(shown, [fact])


def test_any_of_the_right_answers_will_do_and_none_is_never_held() -> None:
    assert holds_key_fact("135%", ["135 percent", "135%"])
    assert not holds_key_fact("anything", [])


def test_an_exact_match_leaves_punctuation_and_inflection_aside() -> None:
    assert exact_match("27 Days.", ["27 day"])
    assert not exact_match("About 27 days.", ["27 days"])


def test_f1_is_the_overlap_of_stems_and_han_characters_with_the_best_right_answer() -> None:
    assert token_f1("27 days", ["27 days", "a month"]) == 1
    assert token_f1("二十七天", ["二十天"]) == pytest.approx(2 * 3 / (4 + 3))
    assert token_f1("nothing alike", ["27 days"]) == 0
    assert token_f1("", ["27 days"]) == 0


# Outcomes


def test_a_right_quote_with_its_page_counts_everywhere() -> None:
    one = outcome(case(), answer("You get 27 days."), hits(4, 5))
    assert (one.key_fact, one.exact_match, one.cited_gold_page, one.found_gold_page) == (True, False, True, True)
    assert (one.sentences, one.supported_sentences, one.model_sentences) == (1, 1, 0)


def test_the_key_fact_must_stand_in_a_sentence_and_not_in_the_frame_around_it() -> None:
    shown = answer("See the handbook.")
    shown["answer"] = "27 days is what you asked for: See the handbook."
    assert outcome(case(), shown, None).key_fact is False


def test_an_abstention_on_an_answerable_question_is_a_miss_and_cites_nothing() -> None:
    one = outcome(case(), answer(abstained=True, cited=None), hits(5))
    assert (one.key_fact, one.f1, one.cited_gold_page, one.found_gold_page) == (False, 0.0, None, True)


def test_an_unanswerable_question_has_no_key_fact_and_no_gold_page() -> None:
    one = outcome(case(answerable=False, answers=(), gold=()), answer("27 days."), hits(5))
    assert (one.key_fact, one.exact_match, one.f1, one.cited_gold_page, one.found_gold_page) == (None,) * 5


def test_what_a_case_does_not_tell_is_not_held_against_the_answer() -> None:
    without_gold = outcome(case(gold=()), answer("27 days."), hits(5))
    assert (without_gold.key_fact, without_gold.cited_gold_page, without_gold.found_gold_page) == (True, None, None)
    without_answers = outcome(case(answers=()), answer("27 days."), hits(5))
    assert (without_answers.key_fact, without_answers.f1, without_answers.cited_gold_page) == (None, None, True)


def test_sentences_of_the_model_are_told_from_quotes() -> None:
    one = outcome(case(), answer("The model says 27 days.", style="generated"), None)
    assert (one.model_sentences, one.supported_sentences, one.found_gold_page) == (1, 0, None)


# Figures


def test_abstention_has_a_precision_over_what_abstained_and_a_recall_over_what_should() -> None:
    unanswerable = {"answerable": False, "answers": (), "gold": ()}
    outcomes = [
        outcome(case("right", **unanswerable), answer(abstained=True, cited=None), None),
        outcome(case("missed", **unanswerable), answer("Something."), None),
        outcome(case("wrong"), answer(abstained=True, cited=None), None),
        outcome(case("answered"), answer("27 days."), None),
    ]
    figures = summary(outcomes)
    assert figures["abstention_precision"]["value"] == 0.5
    assert figures["abstention_recall"]["value"] == 0.5
    assert figures["wrongly_abstained"]["value"] == 0.5
    assert (figures["key_fact"]["value"], figures["key_fact"]["n"]) == (0.5, 2)


def test_a_measure_that_applies_to_no_case_is_left_out() -> None:
    figures = summary([outcome(case(answerable=False, answers=(), gold=()), answer(abstained=True, cited=None), None)])
    assert "key_fact" not in figures
    assert "supported_sentences" not in figures
    assert figures["sentences"] == 0


def test_a_share_comes_with_the_wilson_interval_and_n() -> None:
    # 8 of 10: .490 to .943, as in tables of the Wilson score interval.
    assert share([True] * 8 + [False] * 2 + [None]) == {"value": 0.8, "low": 0.49, "high": 0.943, "n": 10}
    assert share([None]) is None


def test_cases_are_asked_with_their_groups_and_reported_by_language_kind_and_style() -> None:
    cases = [case("en", groups=("hr",)), case("zh", lang="zh", answers=("27天",), kind="paraphrase")]
    asked: list[tuple[str, tuple[str, ...]]] = []

    def ask(question: str, groups: tuple[str, ...]) -> dict[str, Any]:
        asked.append((question, groups))
        return answer("27 days.", style="generated" if groups else "quotes")

    def find(question: str, groups: tuple[str, ...], limit: int) -> list[dict[str, Any]]:
        return hits(5 if groups else 1)[:limit]

    seen = []
    report = evaluate_answers(cases, ask, find, progress=seen.append)
    assert asked == [("en?", ("hr",)), ("zh?", ())]
    assert [one.case.id for one in seen] == ["en", "zh"]
    assert report["overall"]["recall@5"]["value"] == 0.5
    assert report["by_language"]["en"]["key_fact"]["value"] == 1
    assert report["by_language"]["zh"]["key_fact"]["value"] == 0
    assert set(report["by_kind_and_language"]) == {"plain en", "paraphrase zh"}
    assert report["by_style"]["generated"]["sentences_written_by_the_model"] == 1
    assert [row["id"] for row in report["cases"]] == ["en", "zh"]


def test_faults_are_counted_by_kind() -> None:
    told = answer("27 days.", "30 days.")
    told["sentences"][0]["fault"] = "disputed"
    told["sentences"][1]["fault"] = None
    faults = evaluate_answers([case("one")], lambda _question, _groups: told)["overall"]["faults"]
    assert faults["disputed"] == 1
    assert sum(faults.values()) == 1
    assert "off question" in faults


# Files


def written(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines))
    return path


def test_a_case_needs_an_id_a_question_and_whether_it_can_be_answered(tmp_path: Path) -> None:
    path = written(tmp_path / "cases.jsonl", {"id": 1, "question": "Why?", "answerable": False}, "", "")
    assert read_cases(path) == [Case(id="1", lang="", kind="", question="Why?", answerable=False)]


def test_a_line_separator_within_a_text_does_not_end_the_line(tmp_path: Path) -> None:
    path = written(tmp_path / "cases.jsonl", {"id": "a", "question": "Why\u2028not?", "answerable": False})
    assert read_cases(path)[0].question == "Why\u2028not?"


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        ["a list"],
        {"id": "a", "answerable": True},
        {"id": "a", "question": "Why?", "answerable": True, "gold": [{"page": 1}]},
        {"id": "a", "question": "Why?", "answerable": True, "answers": "27 days"},
        {"id": "a", "question": "Why?", "answerable": True, "groups": "hr"},
        {"id": "a", "question": 7, "answerable": True},
    ],
)
def test_a_line_that_is_no_case_is_named(tmp_path: Path, line: object) -> None:
    path = written(tmp_path / "cases.jsonl", {"id": "a", "question": "Why?", "answerable": False}, line)
    with pytest.raises(InputRefused, match="line 2"):
        read_cases(path)


def test_a_file_that_cannot_be_read_or_holds_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="cannot be read"):
        read_cases(tmp_path / "missing.jsonl")
    with pytest.raises(InputRefused, match="holds no case"):
        read_cases(written(tmp_path / "empty.jsonl", ""))
    (tmp_path / "other.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(InputRefused, match="UTF-8"):
        read_cases(tmp_path / "other.jsonl")
