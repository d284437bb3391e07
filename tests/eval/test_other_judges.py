"""How each judge over a model reads what the model says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from eval.calibration import FILE, Calibration, read_calibration, write_calibration
from eval.classifier import Encoded
from eval.encoder_judge import Reading, joined
from eval.hhem_judge import HhemJudge
from eval.llm_judge import ChatJudge, Finding
from eval.nli_judge import NliJudge
from eval.token_judge import TokenJudge, numbered, prompt
from eval.types import Fault
from eval.windows import windows
from ingest.errors import InputRefused, Unavailable
from tests.eval.tiny_judges import write_tiny_detector, write_tiny_encoder, write_tiny_hhem, write_tiny_nli

EVIDENCE = ["The pump has a pressure of 42 bar.", "The harbour was opened in 1907."]


@pytest.mark.parametrize("tokens", [4, 7, 10, 100])
def test_windows_hold_all_of_a_text_and_overlap(tokens: int) -> None:
    words = [f"w{i}" for i in range(40)]
    text = " ".join(words)
    places = [(text.index(word + " ") if word != "w39" else len(text) - 3, 0) for word in words]
    places = [(start, start + len(word)) for (start, _), word in zip(places, words, strict=True)]
    parts = [part.split() for part in windows(text, places, tokens=tokens)]
    assert all(len(part) <= max(tokens, 1) or tokens >= 40 for part in parts)
    assert [word for word in words if any(word in part for part in parts)] == words
    assert all(set(one) & set(next_) for one, next_ in pairwise(parts))


def test_spans_with_nothing_between_are_one_and_hold_no_white_space_at_their_ends() -> None:
    assert joined("a bc  d e", [(5, 7), (0, 1), (1, 4)]) == [(0, 4 + 3)]
    assert joined("ab cd", [(2, 3)]) == []


# Entailment


@pytest.fixture(scope="module")
def nli(tmp_path_factory: pytest.TempPathFactory) -> NliJudge:
    return NliJudge(str(write_tiny_nli(tmp_path_factory.mktemp("judges") / "nli")), device="cpu")


def rows(*entailed: Sequence[float]) -> list[Any]:
    return [np.array(row, dtype=np.float32) for row in entailed]


def test_the_window_that_entails_best_decides(nli: NliJudge) -> None:
    # contradiction, neutral, ENTAILMENT: as the checkpoint names them
    assert nli._reading([], rows([0.1, 0.8, 0.1], [0.0, 0.1, 0.9])) == Reading(pytest.approx(0.9))
    assert nli._reading([], rows([0.7, 0.2, 0.1], [0.1, 0.8, 0.1])) == Reading(pytest.approx(0.1), contradicted=True)


def test_what_the_evidence_contradicts_is_told_from_what_it_lacks(tmp_path: Path) -> None:
    import torch
    from transformers import BertForSequenceClassification

    faults = []
    for favoured in (0, 1):
        folder = write_tiny_nli(tmp_path / str(favoured))
        model = BertForSequenceClassification.from_pretrained(folder)
        with torch.no_grad():
            model.classifier.weight.zero_()
            model.classifier.bias.copy_(torch.nn.functional.one_hot(torch.tensor(favoured), 3) * 5.0)
        model.save_pretrained(folder)
        (verdict,) = NliJudge(str(folder), device="cpu").judge(["It is closed."], evidence=EVIDENCE)
        faults.append(verdict.fault)
    assert faults == [Fault.CONTRADICTED, Fault.NOT_IN_EVIDENCE]


def test_scores_are_the_models_own(nli: NliJudge) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = nli.classifier.folder
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        logits = model(**tokenizer("\n".join(EVIDENCE), "The pump was opened.", return_tensors="pt")).logits[0]
    (verdict,) = nli.judge(["The pump was opened."], evidence=EVIDENCE)
    assert verdict.support == pytest.approx(float(torch.softmax(logits, 0)[2]), abs=1e-5)


@pytest.mark.parametrize("labels", [{0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}, {0: "not_entailment", 1: "other"}])
def test_a_model_whose_labels_name_no_entailment_is_refused(labels: dict[int, str], tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no label for entailment"):
        NliJudge(str(write_tiny_nli(tmp_path / "nli", labels)))


def test_a_model_that_was_not_trained_for_it_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_encoder(tmp_path / "encoder")
    with pytest.raises(InputRefused, match="no trained classifier"):
        TokenJudge(str(folder), device="cpu").judge(["A sentence."], evidence=EVIDENCE)


# Tokens


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> TokenJudge:
    return TokenJudge(str(write_tiny_detector(tmp_path_factory.mktemp("judges") / "token")), device="cpu")


def test_a_token_is_as_bad_as_the_window_says_that_bears_it_out_best(detector: TokenJudge) -> None:
    one = Encoded({"input_ids": [0] * 5}, second=((3, 0, 4), (4, 5, 9)))
    longer = Encoded({"input_ids": [0] * 6}, second=((4, 0, 4), (5, 5, 9)))
    first = np.array([[1, 0]] * 3 + [[0.9, 0.1], [0.2, 0.8]])
    second = np.array([[1, 0]] * 4 + [[0.3, 0.7], [0.6, 0.4]])
    reading = detector._reading([one, longer], [first, second])
    assert reading.parts == ((0, 4, pytest.approx(0.9)), (5, 9, pytest.approx(0.6)))
    assert reading.score == pytest.approx(0.6)


def test_the_first_text_is_question_and_numbered_passages() -> None:
    asked = prompt(numbered(EVIDENCE), "How high is the pressure?")
    assert asked.startswith("Briefly answer the following question:\nHow high is the pressure?\n")
    assert "following 2 passages:\npassage 1: The pump" in asked
    assert asked.endswith("output:")
    assert prompt("passage 1: x", " ") == "Summarize the following text:\npassage 1: x\noutput:"


@pytest.mark.parametrize(
    ("labels", "index"),
    [({0: "supported", 1: "hallucinated"}, 1), ({0: "UNSUPPORTED", 1: "SUPPORTED"}, 0), ({0: "LABEL_0", 1: "LABEL_1"}, 1)],
)
def test_which_label_is_bad_is_read_from_the_checkpoint(labels: dict[int, str], index: int, tmp_path: Path) -> None:
    assert TokenJudge(str(write_tiny_detector(tmp_path / "token", labels)))._bad == index


def test_labels_that_tell_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="do not tell"):
        TokenJudge(str(write_tiny_detector(tmp_path / "token", {0: "O", 1: "B-PER", 2: "I-PER"})))


def test_a_calibration_beside_the_checkpoint_makes_probabilities(tmp_path: Path) -> None:
    folder = str(write_tiny_detector(tmp_path / "token"))
    (raw,) = TokenJudge(folder, device="cpu").judge(["The pump."], evidence=EVIDENCE)
    calibration = Calibration(slope=0.5, offset=4.0, n=100, auroc=0.8, made_from="a test")
    write_calibration(folder, calibration)
    assert read_calibration(folder) == calibration
    (calibrated,) = TokenJudge(folder, device="cpu").judge(["The pump."], evidence=EVIDENCE)
    assert calibrated.support == pytest.approx(calibration.support(raw.support), abs=1e-5)
    assert "not calibrated" not in calibrated.reason
    (Path(folder) / FILE).write_text("{}")
    with pytest.raises(InputRefused, match=FILE):
        TokenJudge(folder)


# HHEM


def test_hhem_is_the_librarys_token_classifier_asked_at_its_first_token(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file
    from transformers import T5Config, T5ForTokenClassification

    folder = write_tiny_hhem(tmp_path / "hhem")
    judge = HhemJudge(str(folder), device="cpu")
    (verdict,) = judge.judge(["The pump was opened."], evidence=EVIDENCE)

    model = T5ForTokenClassification(T5Config.from_pretrained(folder)).eval()
    tensors = {name.removeprefix("t5."): value for name, value in load_file(folder / "model.safetensors").items()}
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert missing == ["transformer.encoder.embed_tokens.weight"]  # tied to the shared one
    evidence = "\n".join(EVIDENCE)
    asked = f"Determine if the hypothesis is true given the premise?\n\nPremise: {evidence}\n\nHypothesis: The pump was opened."
    encoded = judge.classifier.encoder.encoded(asked)
    ids = [0, *encoded.inputs["input_ids"]]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids])).logits[0, 0]
    assert verdict.support == pytest.approx(float(torch.softmax(logits, 0)[1]), abs=1e-5)


# A chat model


class Replying(BaseChatModel):
    """A chat model that gives these replies, one a request, the last one again and again."""

    replies: list[Any]
    asked: list[dict[str, Any]]

    @property
    def _llm_type(self) -> str:
        return "replying"

    def _generate(self, messages: list[BaseMessage], *_: Any, **options: Any) -> ChatResult:
        rules, given = (str(message.content) for message in messages)
        self.asked.append({"rules": rules, "given": json.loads(given), **options})
        reply = self.replies[min(len(self.asked), len(self.replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        if callable(reply):
            reply = reply(self.asked[-1]["given"]["passages"])
        return ChatResult(generations=[ChatGeneration(message=AIMessage(reply))])


def said(*rows: tuple[int, str, str]) -> str:
    return json.dumps({"verdicts": [{"number": n, "verdict": verdict, "quote": quote} for n, verdict, quote in rows]})


def chat(*replies: Any) -> tuple[ChatJudge, Replying]:
    model = Replying(replies=list(replies), asked=[])
    return ChatJudge(lambda: model, name="a model"), model


def test_a_chat_model_is_bound_to_a_schema_with_a_verdict_a_sentence() -> None:
    judge, model = chat(said((1, "supported", "pressure of 42 bar"), (2, "contradicted", "opened in 1907")))
    first, second = judge.judge(["It is 42 bar.", "It opened in 1912."], evidence=EVIDENCE, question="How much?")
    assert first.supported
    assert (second.supported, second.fault) == (False, Fault.CONTRADICTED)
    assert "opened in 1907" in second.reason
    (asked,) = model.asked
    verdicts = asked["response_format"]["json_schema"]["schema"]["properties"]["verdicts"]
    assert (verdicts["minItems"], verdicts["maxItems"]) == (2, 2)
    assert asked["given"]["question"] == "How much?"
    assert asked["temperature"] == 0


def test_a_chat_model_is_given_its_rules_in_the_language_of_the_sentences() -> None:
    judge, model = chat(said((1, "not found", "")))
    judge.judge(["The pump sank."], evidence=EVIDENCE)
    judge.judge(["水泵沉没了。"], evidence=EVIDENCE)
    english, chinese = (asked["rules"] for asked in model.asked)
    assert english.startswith("You check sentences against passages.")
    assert chinese.startswith("你的任务是对照段落核查句子。")
    assert all(f'"{finding}"' in chinese for finding in Finding)
    assert judge.version.startswith("a model (prompts 1-")


@pytest.mark.parametrize("quote", ["a pressure of 43 bar", "THE PUMP HAS", "", "bar"])
def test_a_verdict_whose_quote_does_not_stand_in_the_evidence_does_not_count(quote: str) -> None:
    judge, model = chat(said((1, "supported", quote)))
    (verdict,) = judge.judge(["It is 43 bar."], evidence=EVIDENCE)
    assert (verdict.judged, verdict.supported) == (False, False)
    assert "does not stand in the evidence" in verdict.reason
    assert len(model.asked) == 2  # it was asked again


@pytest.mark.parametrize("reply", ["", "I think so.", "[]", "{}", said(), said((7, "supported", "The pump"))])
def test_a_reply_that_cannot_be_read_is_asked_for_again_and_then_not_judged(reply: str) -> None:
    judge, model = chat(reply)
    (verdict,) = judge.judge(["It is 42 bar."], evidence=EVIDENCE)
    assert (verdict.judged, verdict.supported) == (False, False)
    assert "no reply that can be read" in verdict.reason
    assert len(model.asked) == 2
    judge, _ = chat(reply, said((1, "supported", "pressure of 42 bar")))
    assert judge.judge(["It is 42 bar."], evidence=EVIDENCE)[0].supported


def test_only_what_got_no_verdict_is_asked_again() -> None:
    judge, model = chat(said((1, "not found", ""), (2, "supported", "no such words")), said((1, "supported", "opened in 1907")))
    first, second = judge.judge(["It sank.", "It opened in 1907."], evidence=EVIDENCE)
    assert (first.judged, first.fault, second.supported) == (True, Fault.NOT_IN_EVIDENCE, True)
    assert [row["sentence"] for row in model.asked[1]["given"]["sentences"]] == ["It opened in 1907."]


def test_one_part_of_long_evidence_that_supports_is_enough_and_one_that_was_not_read_is_not_forgotten() -> None:
    evidence = ["x" * 9000, EVIDENCE[0]]
    right, none = said((1, "supported", "pressure of 42 bar")), said((1, "not found", ""))
    judge, _ = chat(lambda part: right if "pump" in part else none)
    assert judge.judge(["It is 42 bar."], evidence=evidence)[0].supported
    judge, _ = chat(lambda part: "nonsense" if "pump" in part else none)
    assert not judge.judge(["It is 42 bar."], evidence=evidence)[0].judged


def test_a_chat_model_that_is_away_is_an_error() -> None:
    judge, _ = chat(openai.APIConnectionError(request=None))  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="chat model"):
        judge.judge(["It is 42 bar."], evidence=EVIDENCE)
