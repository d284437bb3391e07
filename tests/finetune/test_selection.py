"""Which samples are learned, and in which order."""

from __future__ import annotations

from collections import Counter
from itertools import chain

from finetune.run_folder import Row
from finetune.selection import select, training_batches
from finetune.training_config import TrainingConfig
from finetune.types import Message


def row(name: str, *, fact: str = "", kind: str = "closed-book", language: str = "en") -> Row:
    return Row(name, kind, language, "q", "a", (Message("user", "q"), Message("assistant", "a")), fact or name)


def batches_of(
    lengths: list[int], *, packs: list[tuple[int, ...]] | None = None, long: list[bool] | None = None, **config: int
) -> list[tuple[int, ...]]:
    asked = {"epochs": 1, "grounded_epochs": 1, "batch_size": 4, "accumulation": 1, "seed": 1, **config}
    alone = [(index,) for index in range(len(lengths))]
    return training_batches(packs or alone, lengths, long or [False] * len(lengths), **asked)


def test_every_sample_comes_once_an_epoch_and_long_ones_in_as_many_as_asked() -> None:
    long = [number >= 10 for number in range(16)]
    counts = Counter(chain(*batches_of([5] * 16, long=long, epochs=6, grounded_epochs=2)))
    assert all(counts[index] == (2 if long[index] else 6) for index in range(16))


def test_a_step_holds_samples_of_about_one_length_and_the_steps_are_mixed() -> None:
    lengths = [(7 * number) % 160 for number in range(160)]
    batches = batches_of(lengths, batch_size=5, accumulation=2)
    assert all(len(batch) == 5 for batch in batches)
    steps = [[lengths[index] for index in chain(*batches[at : at + 2])] for at in range(0, len(batches), 2)]
    assert all(max(step) - min(step) <= 10 for step in steps)
    assert [min(step) for step in steps] != sorted(min(step) for step in steps)


def test_packs_are_batches_of_their_own_between_the_others() -> None:
    packs = [*((index,) for index in range(40)), *((index, index + 1, index + 2) for index in range(40, 70, 3))]
    batches = batches_of([5] * 70, packs=packs, epochs=2)
    counts = Counter(batches)
    assert all(counts[pack] == 2 for pack in packs if len(pack) > 1)
    assert set(Counter(chain(*batches)).values()) == {2}
    shapes = [len(batch) for batch in batches]
    assert sorted(shapes) == [3] * 20 + [4] * 20 != shapes


def test_the_order_follows_from_the_seed() -> None:
    packs = [(0,), (1,), (2,), (3, 4), (5, 6), (7, 8)]
    assert batches_of([5] * 9, packs=packs) == batches_of([5] * 9, packs=packs) != batches_of([5] * 9, packs=packs, seed=2)


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
