"""A token detector is trained from a folder, learns which parts are wrong, goes on after a kill, and is loaded by its judge."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from eval.calibration import read_calibration
from eval.classifier import PairEncoder
from eval.token_judge import TokenJudge
from finetune.corruptions import SupportSample
from finetune.run_folder import RunFolder
from finetune.token_detector import DetectorConfig, TrainedDetector, learned_row, read_labelled, train_token_detector
from ingest.errors import Conflict, InputRefused
from tests.eval.tiny_judges import tiny_tokenizer, write_tiny_encoder

PLACES = "Leeds Boston Porto Bergen Lyon Turin Ghent Basel Cork Graz Brno Kiel".split()
BEASTS = "unicorns dragons griffins".split()
CONFIG = DetectorConfig(epochs=3, batch_size=8, learning_rate=3e-3, checkpoint_every_steps=10)


def samples(places: Sequence[str], count: int, *, seed: int) -> list[SupportSample]:
    """Sentences of harbours; every other one has beasts in the place of its ships."""
    choose = random.Random(seed)
    made = []
    for i in range(count):
        place, label = choose.choice(places), i % 2
        evidence = (f"The harbour of {place} handles forty ships.", "The pump has a pressure of 42 bar.")
        what = choose.choice(BEASTS) if label else "ships"
        sentence = f"The harbour of {place} handles forty {what}."
        start = sentence.index(what)
        spans = ((start, start + len(what)),) if label else ()
        made.append(SupportSample(sentence, evidence, "", label, "name" if label else "noise", "en", spans, place))
    return made


TRAIN, HELD_OUT = samples(PLACES[:9], 96, seed=1), samples(PLACES[9:], 40, seed=2)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [text for sample in [*TRAIN, *HELD_OUT] for text in (sample.sentence, *sample.evidence)]
    return write_tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny", texts)


@pytest.fixture(scope="module")
def trained(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedDetector:
    return train_token_detector(encoder, TRAIN, HELD_OUT, tmp_path_factory.mktemp("trained") / "detector", config=CONFIG)


def test_it_flags_an_obvious_corruption_of_documents_that_it_has_not_seen(trained: TrainedDetector) -> None:
    assert trained.auroc.low > 0.5
    assert trained.auroc.n == len(HELD_OUT)
    judge = TokenJudge(str(trained.folder), device="cpu")
    bad, good = HELD_OUT[1], HELD_OUT[0]
    (verdict,) = judge.judge([bad.sentence], evidence=bad.evidence)
    assert not verdict.supported
    assert verdict.unsupported_spans == bad.spans
    assert judge.judge([good.sentence], evidence=good.evidence)[0].supported


def test_the_folder_is_whole_with_safetensors_calibration_and_card(trained: TrainedDetector) -> None:
    held = {file.name for file in trained.folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "graft-judge.json", "README.md"} <= held
    assert not list(trained.folder.parent.glob(".detector*"))
    assert json.loads((trained.folder / "config.json").read_text())["id2label"] == {"0": "supported", "1": "unsupported"}
    calibration = read_calibration(str(trained.folder))
    assert calibration is not None
    assert calibration.n == len(HELD_OUT)
    assert f"{trained.auroc.value:.3f}" in (trained.folder / "README.md").read_text()


def test_what_is_there_already_is_not_overwritten(encoder: Path, trained: TrainedDetector) -> None:
    with pytest.raises(Conflict, match="is there already"):
        train_token_detector(encoder, TRAIN, HELD_OUT, trained.folder, config=CONFIG)


def test_a_killed_training_goes_on_and_ends_with_the_same_weights(
    encoder: Path, trained: TrainedDetector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import load_file

    whole = RunFolder.complete_checkpoint

    def killed(folder: RunFolder, checkpoint: Path, **remembered: object) -> None:
        whole(folder, checkpoint, **remembered)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(RunFolder, "complete_checkpoint", killed)
        train_token_detector(encoder, TRAIN, HELD_OUT, tmp_path / "detector", config=CONFIG)
    assert not (tmp_path / "detector").exists()
    train_token_detector(encoder, TRAIN, HELD_OUT, tmp_path / "detector", config=CONFIG)
    one, other = (load_file(folder / "model.safetensors") for folder in (trained.folder, tmp_path / "detector"))
    assert all((one[name] == other[name]).all() for name in one)


def test_of_long_evidence_the_window_is_learned_that_has_most_of_the_sentence() -> None:
    tokenizer = tiny_tokenizer([TRAIN[1].sentence, *TRAIN[1].evidence])
    pairs = PairEncoder(tokenizer, {"max_position_embeddings": 96}, folder="tiny")
    filler = ("The pump has a pressure of 42 bar. " * 20,)
    sample = SupportSample(TRAIN[1].sentence, (*filler, *TRAIN[1].evidence, *filler), "", 1, "name", "en", TRAIN[1].spans)
    row = learned_row(pairs, sample)
    assert row is not None
    read = tokenizer.convert_ids_to_tokens(row["input_ids"])
    assert "harbour" in read[: read.index("[SEP]")]
    assert [token for token, label in zip(read, row["labels"], strict=True) if label == 1] == [
        TRAIN[1].sentence[start:end] for start, end in TRAIN[1].spans
    ]
    endless = SupportSample("harbour " * 200, TRAIN[0].evidence, "", 0, "noise", "en")
    assert learned_row(pairs, endless) is None


def test_labelled_answers_are_learned_from_where_they_say_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "items.jsonl"
    lines = [
        {"id": 1, "context": "The pump is red.", "answer": "It is red.", "label": 0, "question": None},
        {"id": 2, "context": ["The pump", "is red."], "answer": "It is blue.", "label": 1, "spans": [{"start": 6, "end": 10}]},
        {"id": 3, "context": "The pump is red.", "answer": "It is green.", "label": 1},
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    read, left_out = read_labelled(file)
    assert [(sample.label, sample.spans, sample.kind) for sample in read] == [(0, (), "items"), (1, ((6, 10),), "items")]
    assert left_out == 1
    spans: list[object] = [[{"start": 6, "end": 60}], [{"start": 6}], ["6-10"]]
    broken = [*({**lines[1], "spans": one} for one in spans), {**lines[0], "label": 2}, {**lines[0], "spans": lines[1]["spans"]}]
    for line in broken:
        file.write_text(json.dumps(line))
        with pytest.raises(InputRefused, match=r"items\.jsonl"):
            read_labelled(file)


def test_samples_of_one_label_are_refused(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="held out are too few"):
        train_token_detector(encoder, TRAIN, HELD_OUT[::2], tmp_path / "detector")
