"""A judge over Vectara's HHEM-2.1-Open: is the sentence true given a window of the evidence?

Its repository wants code of its own to be run. None is needed: its weights are those of the library's `T5ForTokenClassification`
with two labels under the prefix `t5.`, and its answer is the second label's probability at the first token, which is the padding
token that its prompt begins with. The folder holds that file (`model.safetensors`) beside `config.json` and the tokenizer of
google/flan-t5-base, which it was made from and which its own repository does not hold.

Source: the model's card, https://huggingface.co/vectara/hallucination_evaluation_model (Apache-2.0). Two public programs load it
in the same way; it could not be tried here on the published weights (docs/decisions/0021).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from eval.classifier import Classifier, Encoded, Floats
from eval.encoder_judge import EncoderJudge, Reading
from ingest.checkpoint import Task

WEIGHTS_PREFIX = "t5."

_CONSISTENT = 1
_PROMPT = "Determine if the hypothesis is true given the premise?\n\nPremise: {window}\n\nHypothesis: {sentence}"


class HhemJudge(EncoderJudge):
    """A `Judge` over HHEM's weights in the library's own class."""

    def __init__(self, folder: str, *, device: str | None = None, alone: bool = True) -> None:
        """The weights are loaded by the first sentence.

        Raises:
            InputRefused: the folder holds no configuration, or one that asks for code of its own.
        """
        classifier = Classifier(folder, Task.TOKENS, device=device, renamed={f"^{re.escape(WEIGHTS_PREFIX)}": ""})
        super().__init__(classifier, alone=alone)

    def _input(self, window: str, sentence: str, question: str) -> Encoded:  # noqa: ARG002  it learned without questions
        return self.classifier.encoder.encoded(_PROMPT.format(window=window, sentence=sentence), padding_first=True)

    def _reading(self, inputs: Sequence[Encoded], rows: Sequence[Floats]) -> Reading:  # noqa: ARG002  one token tells it
        return Reading(max(float(row[0, _CONSISTENT]) for row in rows))
