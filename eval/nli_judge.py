"""A judge over an entailment model (NLI cross-encoder): does a window of the evidence entail the sentence?

The sentence's score is the probability of entailment by the window that entails it best; a contradiction is one where a window
speaks against it with at least even odds and none supports it. Which label means what is read from the checkpoint: models differ
in their order. The question is not read: such models learned from premise and hypothesis alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eval.classifier import Classifier, Encoded, Floats
from eval.encoder_judge import EncoderJudge, Reading
from ingest.checkpoint import Task
from ingest.errors import InputRefused

_ENTAILMENT = frozenset({"entailment", "entail", "entails", "entailed"})
_CONTRADICTION = frozenset({"contradiction", "contradict", "contradicts", "contradicted", "contradictory"})
_EVEN = 0.5


class NliJudge(EncoderJudge):
    """A `Judge` over a sequence classifier with an entailment label."""

    def __init__(self, folder: str, *, device: str | None = None, alone: bool = True) -> None:
        """Reads the labels; the weights are loaded by the first sentence.

        Raises:
            InputRefused: the folder holds no configuration, or none of its labels is entailment.
        """
        classifier = Classifier(folder, Task.TEXT, device=device)
        entailment = label_among(classifier.labels, _ENTAILMENT)
        if entailment is None:
            seen = list(classifier.labels.values()) or "none"
            raise InputRefused(
                f"model {folder!r} has no label for entailment: its config.json names {seen} in id2label; give a model with "
                "named labels, e.g. entailment, neutral, contradiction"
            )
        self._entailment = entailment
        self._contradiction = label_among(classifier.labels, _CONTRADICTION)
        super().__init__(classifier, alone=alone)

    def _input(self, window: str, sentence: str, question: str) -> Encoded:  # noqa: ARG002  see the module
        return self.classifier.encoder.encoded(window, sentence)

    def _reading(self, inputs: Sequence[Encoded], rows: Sequence[Floats]) -> Reading:  # noqa: ARG002  one row tells it
        by_window = np.stack(rows)
        entailed = float(by_window[:, self._entailment].max())
        against = float(by_window[:, self._contradiction].max()) if self._contradiction is not None else 0.0
        return Reading(entailed, contradicted=against >= _EVEN)


def label_among(labels: Mapping[int, str], names: frozenset[str]) -> int | None:
    """The index of the label that has one of the names, however it is written; None where none has."""
    return next((index for index, label in labels.items() if label.strip().lower() in names), None)
