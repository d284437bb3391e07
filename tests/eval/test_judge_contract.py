"""What every `Judge` promises: a verdict a sentence, in order, the same each time, from all of the evidence, never a default."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from eval.encoder_judge import EncoderJudge
from eval.hhem_judge import HhemJudge
from eval.judge import HouseJudge
from eval.llm_judge import ChatJudge
from eval.nli_judge import NliJudge
from eval.token_judge import TokenJudge
from eval.types import Judge, Verdict
from ingest.errors import InputRefused
from tests.eval.tiny_judges import write_tiny_detector, write_tiny_hhem, write_tiny_nli

EVIDENCE = ["The pump has a pressure of 42 bar.", "The harbour was opened in 1907 by Edith Weber.", "水泵的压力为4巴。"]
SENTENCES = [
    "The pump has a pressure of 42 bar [1].",
    "- The harbour was opened in 1912 by Edith Rossi.",
    "港口于1907年启用。",
    "It sank in 🙂 Ghent.",
]
ENCODERS = ("nli", "token", "hhem")


class Searching(BaseChatModel):
    """A chat model that keeps to the schema: supported, with the sentence as quote, where the passages hold it."""

    @property
    def _llm_type(self) -> str:
        return "searching"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        given = json.loads(str(messages[-1].content))
        rows = []
        for row in given["sentences"]:
            held = row["sentence"].replace("[1]", "").strip(" .。") in given["passages"]
            quote = row["sentence"].replace("[1]", "").strip(" .。") if held else ""
            rows.append({"number": row["number"], "quote": quote, "verdict": "supported" if held else "not found"})
        return ChatResult(generations=[ChatGeneration(message=AIMessage(json.dumps({"verdicts": rows})))])


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judge]:
    folder = tmp_path_factory.mktemp("judges")
    return {
        "house": HouseJudge(),
        "nli": NliJudge(str(write_tiny_nli(folder / "nli")), device="cpu"),
        "token": TokenJudge(str(write_tiny_detector(folder / "token")), device="cpu"),
        "hhem": HhemJudge(str(write_tiny_hhem(folder / "hhem")), device="cpu"),
        "chat": ChatJudge(Searching, name="a model"),
    }


@pytest.fixture(params=["house", *ENCODERS, "chat"])
def judge(request: pytest.FixtureRequest, judges: dict[str, Judge]) -> Judge:
    return judges[request.param]


@pytest.fixture(params=ENCODERS)
def encoder(request: pytest.FixtureRequest, judges: dict[str, Judge]) -> EncoderJudge:
    found = judges[request.param]
    assert isinstance(found, EncoderJudge)
    return found


def test_there_is_one_sound_verdict_a_sentence(judge: Judge) -> None:
    verdicts = judge.judge(SENTENCES, evidence=EVIDENCE, question="When was the harbour opened?")
    assert len(verdicts) == len(SENTENCES)
    for sentence, verdict in zip(SENTENCES, verdicts, strict=True):
        assert 0 <= verdict.support <= 1
        assert not verdict.supported or (verdict.judged and verdict.fault is None and not verdict.unsupported_spans)
        assert verdict.supported or verdict.reason
        for start, end in verdict.unsupported_spans:
            assert 0 <= start < end <= len(sentence)
            assert sentence[start:end] == sentence[start:end].strip()


def test_verdicts_are_in_the_order_of_the_sentences_and_the_same_each_time(judge: Judge) -> None:
    first = judge.judge(SENTENCES, evidence=EVIDENCE)
    assert judge.judge(SENTENCES, evidence=EVIDENCE) == first
    assert_alike(judge.judge(SENTENCES[::-1], evidence=EVIDENCE)[::-1], first)


def test_a_sentences_verdict_does_not_depend_on_the_others(judge: Judge) -> None:
    together = judge.judge(SENTENCES, evidence=EVIDENCE)
    assert_alike([judge.judge([sentence], evidence=EVIDENCE)[0] for sentence in SENTENCES], together)


@pytest.mark.parametrize("evidence", [[], [""], [" \n", "\t"]])
def test_no_evidence_is_refused(judge: Judge, evidence: list[str]) -> None:
    with pytest.raises(InputRefused, match="evidence"):
        judge.judge(SENTENCES[:1], evidence=evidence)


@pytest.mark.parametrize("sentence", ["", "  ", "- ", "[1]"])
def test_a_sentence_that_says_nothing_is_not_judged_and_not_called_supported(judge: Judge, sentence: str) -> None:
    (verdict,) = judge.judge([sentence], evidence=EVIDENCE)
    assert not verdict.judged
    assert not verdict.supported
    assert verdict.reason


@pytest.mark.parametrize(
    "text", ["\ud800 half a character", "\0", "[SEP] [CLS] </s> <pad>", "{window} {sentence}", "x" * 3000, "泵" * 500]
)
def test_odd_texts_are_judged_or_said_not_to_be(judge: Judge, text: str) -> None:
    for verdict in (judge.judge([text], evidence=EVIDENCE)[0], judge.judge(SENTENCES[:1], evidence=[*EVIDENCE, text])[0]):
        assert 0 <= verdict.support <= 1
        assert verdict.judged or (verdict.reason and not verdict.supported)


def test_no_sentences_have_no_verdicts(judge: Judge) -> None:
    assert judge.judge([], evidence=EVIDENCE) == []


def test_the_last_passage_of_long_evidence_is_read(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    filler = ["The question was answered briefly. " * 40] * 12
    read: list[str] = []
    if isinstance(judge, EncoderJudge):  # its weights are random: it says nothing sensible, but it must have looked
        encoder = judge.classifier.encoder
        encoded = encoder.encoded
        monkeypatch.setattr(encoder, "encoded", lambda text, *more, **how: (read.append(text), encoded(text, *more, **how))[1])
    without = judge.judge(SENTENCES[:1], evidence=filler)[0]
    assert not any(EVIDENCE[0] in text for text in read)
    held = judge.judge(SENTENCES[:1], evidence=[*filler, EVIDENCE[0]])[0]
    assert any(EVIDENCE[0] in text for text in read) if read else held.supported and not without.supported


def test_a_token_of_a_document_that_means_something_to_the_model_is_text(encoder: EncoderJudge) -> None:
    plain = encoder.classifier.encoder.encoded("[SEP]", "[CLS] [PAD]")
    ids = plain.inputs["input_ids"]
    assert ids.count(2) == 1  # [CLS], at the beginning
    assert ids.count(3) == 2  # [SEP], after each text
    assert 0 not in ids


def test_a_sentence_that_fills_the_window_is_not_judged(encoder: EncoderJudge) -> None:
    (verdict,) = encoder.judge(["The pump has a pressure of 42 bar " * 40], evidence=EVIDENCE * 20)
    assert not verdict.judged
    assert "no room" in verdict.reason


def test_a_judge_without_a_calibration_says_so_with_every_verdict(encoder: EncoderJudge) -> None:
    assert all(
        "not calibrated" in verdict.reason or "未经校准" in verdict.reason
        for verdict in encoder.judge(SENTENCES, evidence=EVIDENCE)
    )


@pytest.mark.parametrize(
    ("write", "made"), [(write_tiny_nli, NliJudge), (write_tiny_detector, TokenJudge), (write_tiny_hhem, HhemJudge)]
)
def test_no_code_and_no_pickle_of_a_checkpoint_is_read(
    write: Callable[[Path], Path], made: Callable[[str], Judge], tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    folder = write(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "mine.Model"}}))
    with pytest.raises(InputRefused, match="auto_map"):
        made(str(folder))
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputRefused, match="safetensors"):
        made(str(folder)).judge(["A sentence."], evidence=["Evidence."])


def assert_alike(ones: Sequence[Verdict], others: Sequence[Verdict]) -> None:
    """The same but for the last digits, which depend on what else is in a batch."""
    for one, other in zip(ones, others, strict=True):
        assert one.support == pytest.approx(other.support, abs=1e-5)
        assert (one.supported, one.unsupported_spans, one.reason) == (other.supported, other.unsupported_spans, other.reason)
