"""A judge over a token classifier (LettuceDetect's way): how likely is each token of the sentence one that the evidence lacks?

The model reads question and evidence as its first text, in the words of the prompt that RAGTruth's answers were written for and
LettuceDetect learned with, and the sentence as its second. Our own detectors learn the same form (`finetune.token_detector`).

Where the evidence takes several windows, a token is as bad as the window says that bears it out best: what stands on one page
need not stand on all. LettuceDetect's authors take the worst (their code, `TransformerDetector`, 2026), under which each true
sentence fails that a window without its page is read with. A sentence is as bad as its worst token.

Source: https://github.com/KRLabsOrg/LettuceDetect (MIT), detectors/transformer.py and prompts/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from eval.classifier import Classifier, Encoded, Floats
from eval.encoder_judge import EncoderJudge, Reading
from ingest.checkpoint import Task
from ingest.errors import InputRefused

UNSUPPORTED = "unsupported"
"""The label that our own detectors give to what the evidence lacks."""

_BAD = ("unsupported", "hallucinat", "not_supported", "inconsistent")
_ASKED = """\
Briefly answer the following question:
{question}
Bear in mind that your response should be strictly based on the following {count} passages:
{window}
In case the passages do not contain the necessary information to answer the question, please reply with: \
"Unable to answer based on given passages."
output:"""
_NUMBERED = re.compile(r"^passage \d+: ", re.MULTILINE)
_NOT_ASKED = "Summarize the following text:\n{window}\noutput:"


class TokenJudge(EncoderJudge):
    """A `Judge` over a token classifier with two labels."""

    def __init__(self, folder: str, *, device: str | None = None, alone: bool = True) -> None:
        """Reads the labels; the weights are loaded by the first sentence.

        Raises:
            InputRefused: the folder holds no configuration, or its labels do not tell what is unsupported.
        """
        classifier = Classifier(folder, Task.TOKENS, device=device)
        self._bad = _bad_label(classifier.labels, folder)
        super().__init__(classifier, alone=alone)

    def _evidence(self, texts: Sequence[str]) -> str:
        return numbered(texts)

    def _input(self, window: str, sentence: str, question: str) -> Encoded:
        return self.classifier.encoder.encoded(prompt(window, question), sentence)

    def _reading(self, inputs: Sequence[Encoded], rows: Sequence[Floats]) -> Reading:
        # The sentence has the same tokens beside each window.
        bad = np.min([[row[at, self._bad] for at, _, _ in one.second] for one, row in zip(inputs, rows, strict=True)], axis=0)
        parts = tuple((start, end, 1 - float(p)) for (_, start, end), p in zip(inputs[0].second, bad, strict=True))
        return Reading(min((score for *_, score in parts), default=0.0), parts)


def numbered(texts: Sequence[str]) -> str:
    """The evidence as one text, each passage behind its number."""
    return "\n".join(f"passage {number}: {text}" for number, text in enumerate(texts, start=1))


def prompt(window: str, question: str) -> str:
    """What is read before the sentence: the question, if there is one, and a window of the numbered evidence."""
    if not question.strip():
        return _NOT_ASKED.format(window=window)
    return _ASKED.format(question=question.strip(), count=max(1, len(_NUMBERED.findall(window))), window=window)


def _bad_label(labels: Mapping[int, str], folder: str) -> int:
    """The label for what the evidence lacks, by its name; of two without names the second, as in LettuceDetect's checkpoints."""
    named = [index for index, label in labels.items() if label.strip().lower().replace(" ", "_").startswith(_BAD)]
    if len(named) == 1:
        return named[0]
    if not named and (not labels or sorted(label.lower() for label in labels.values()) == ["label_0", "label_1"]):
        return 1
    raise InputRefused(
        f"the labels of {folder!r} do not tell what is unsupported: its config.json names {list(labels.values())} in id2label; "
        "give a detector with two labels, one of them named unsupported or hallucinated"
    )
