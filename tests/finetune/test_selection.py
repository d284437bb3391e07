"""Which samples are learned, and in which order."""

from __future__ import annotations

from collections import Counter

from finetune.run_folder import Row
from finetune.selection import select, training_order
from finetune.training_config import TrainingConfig
from finetune.types import Message


def row(name: str, *, fact: str = "", kind: str = "closed-book", language: str = "en") -> Row:
    return Row(name, kind, language, "q", "a", (Message("user", "q"), Message("assistant", "a")), fact or name)


def test_every_sample_comes_once_an_epoch_and_long_ones_in_as_many_as_asked() -> None:
    long = [number >= 10 for number in range(16)]
    order = training_order([5] * 16, long, epochs=6, grounded_epochs=2, batch_size=4, seed=1)
    counts = Counter(order)
    assert all(counts[index] == (2 if long[index] else 6) for index in range(16))


def test_a_batch_holds_samples_of_about_one_length_and_the_batches_are_mixed() -> None:
    lengths = [(7 * number) % 160 for number in range(160)]
    order = training_order(lengths, [False] * 160, epochs=1, grounded_epochs=1, batch_size=10, seed=1)
    batches = [[lengths[index] for index in order[at : at + 10]] for at in range(0, len(order), 10)]
    assert all(max(batch) - min(batch) <= 10 for batch in batches)
    assert [min(batch) for batch in batches] != sorted(min(batch) for batch in batches)


def test_the_order_follows_from_the_seed() -> None:
    def order(seed: int) -> list[int]:
        return training_order([5] * 9, [False] * 9, epochs=2, grounded_epochs=1, batch_size=2, seed=seed)

    assert order(1) == order(1) != order(2)


def test_facts_that_are_asked_again_come_first_and_only_they_are_measured() -> None:
    train = [row(f"f{n}-{phrasing}", fact=f"f{n}") for n in range(20) for phrasing in "ab"]
    again = [row(f"f{n}-again", fact=f"f{n}") for n in (3, 5, 19)]
    chosen = select(train, [], again, [], config=TrainingConfig(max_facts=2))
    learned = {one.fact for one in chosen.train}
    assert len(learned) == 2
    assert learned < {"f3", "f5", "f19"}
    assert {one.fact for one in chosen.rephrased} == learned
    assert len(chosen.train) == 4


def test_languages_and_limits_hold_for_every_part() -> None:
    train = [row("zh", language="zh"), row("chat", kind="chat"), *(row(f"g{n}", kind="grounded") for n in range(5))]
    test = [row("plain"), row("no", kind="refusal"), *(row(f"t{n}", kind="grounded") for n in range(5))]
    config = TrainingConfig(languages=("en",), max_grounded=2, max_validation=1, max_test=3)
    chosen = select(train, [row("v1"), row("v2")], [], test, config=config)
    assert Counter(one.kind for one in chosen.train) == {"chat": 1, "grounded": 2}
    assert (len(chosen.validation), len(chosen.test)) == (1, 3)
    assert all(one.kind != "closed-book" for one in chosen.test)
