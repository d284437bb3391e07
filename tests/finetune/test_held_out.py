"""Held-out answers: what counts as right, and the paired gain with its interval."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from finetune.held_out import Prediction, answer_held_out, compare_models, judge_answer, paired_gain
from finetune.run_folder import Row
from finetune.types import Message
from tests.finetune.tiny_model import tiny_tokenizer, write_tiny_adapter, write_tiny_model


def row(written: str, *, kind: str = "closed-book", answer: str = "", value: str = "", question: str = "How long is it?") -> Row:
    messages = (Message("user", question), Message("assistant", written))
    return Row("r", kind, "en", question, answer or written, messages, "fact", value)


def prediction(number: int, model: str, *, right: bool, kind: str = "grounded", cited: bool | None = None) -> Prediction:
    return Prediction(str(number), "test", kind, "en", model, "q", "a", "said", right, cited)


@pytest.mark.parametrize(
    ("said", "right"), [("It is two months long.", True), ("It is twelve months.", False), ("2 months", False), ("", False)]
)
def test_an_answer_is_right_where_it_holds_the_value(said: str, right: bool) -> None:
    assert judge_answer(row("The notice period is two months.", value="two months"), said) == (right, None)


def test_without_a_value_all_that_the_question_does_not_say_must_be_there() -> None:
    asked = row("The notice period for staff is two months.", question="How long is the notice period for staff?")
    assert judge_answer(asked, "It lasts two months.")[0]
    assert not judge_answer(asked, "The notice period for staff is three months.")[0]


def test_a_grounded_answer_is_right_by_what_stands_before_the_marker_and_cited_by_the_marker() -> None:
    asked = row("42 m [2]: “The rated head is 42 m.”", kind="grounded", answer="42 m [2]: “The rated head is 42 m.”")
    assert judge_answer(asked, "42 m [2].") == (True, True)
    assert judge_answer(asked, "42 m [1].") == (True, False)
    assert judge_answer(asked, "41 m") == (False, False)


def test_a_refusal_is_right_where_it_says_the_words() -> None:
    asked = row("The documents do not say.", kind="refusal")
    assert judge_answer(asked, "The documents do not say") == (True, None)
    assert judge_answer(asked, "It is two months.") == (False, None)


def test_the_gain_is_paired_and_its_interval_follows_from_the_seed() -> None:
    base, tuned = [False] * 50 + [True] * 50, [True] * 100
    gain, (low, high) = paired_gain(base, tuned, seed=1)
    assert gain == 0.5
    assert 0.38 < low < 0.5 < high < 0.62
    assert paired_gain(base, tuned, seed=1) == (gain, (low, high))
    assert paired_gain(base, base, seed=1) == (0.0, (0.0, 0.0))


def test_models_are_compared_over_the_questions_that_both_answered() -> None:
    found = [prediction(n, "base", right=n < 2, cited=False) for n in range(4)]
    found += [prediction(n, "tuned", right=n < 3, cited=True) for n in range(5)]
    gains = compare_models(found, seed=1)
    assert list(gains) == ["test:grounded"]
    one = gains["test:grounded"]
    assert (one.n, one.base, one.tuned, one.gain, one.base_cited, one.tuned_cited) == (4, 0.5, 0.75, 0.25, 0.0, 1.0)


def test_measuring_that_was_killed_goes_on_after_its_last_whole_batch(tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = write_tiny_model(tmp_path / "base")
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model = PeftModel.from_pretrained(plain, write_tiny_adapter(base, tmp_path / "adapter")).eval()
    rows = [replace(row("three days.", question=f"{'Really? ' * n}What is it?"), id=f"r{n}") for n in range(5)]
    file, told = tmp_path / "predictions.jsonl", list[tuple[int, int]]()

    def measure() -> list[Prediction]:
        told.clear()
        return answer_held_out(
            model,
            tiny_tokenizer(),
            {"rephrased": rows, "test": []},
            file=file,
            batch=2,
            max_new_tokens=4,
            tell=lambda done, total: told.append((done, total)),
        )

    found, text = measure(), file.read_text()
    assert [done for done, _ in told] == [0, 2, 4, 5, 7, 9, 10]
    file.write_text(text[: text.index("\n", text.index('"r4", "split": "rephrased"')) - 40])  # in the middle of the fifth line
    assert measure() == found
    assert file.read_text() == text
    assert told[0] == (4, 10)
