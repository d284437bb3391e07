"""The run that makes training samples: every passage in turn, then a data set of what was accepted.

Invariants. A batch of passages is a step: after a kill the next one goes on. What a batch makes follows from the seed, the
passages and the model, and is stored under ids that follow from it, so a batch that runs twice adds nothing twice.
A batch beside which a document was removed or restricted is made again from what is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel

from eval.types import Retriever
from finetune.synthesis import Synthesis, SynthesisSettings
from finetune.types import Progress, PromptBuilder
from ingest.types import Access
from services.runs import Task
from services.workshop import Workshop

# Passages of a step: few enough that a kill costs a minute, many enough that the engine always has 16 requests to work on.
_BATCH = 32

RULES_ONLY = "the chat model is not running, so every sample was worded by rules"


class Synthesizing:
    """Makes samples from what a caller may read."""

    def __init__(
        self,
        workshop: Workshop,
        *,
        retriever: Retriever,
        prompts: PromptBuilder,
        passages: int,
        chat: Callable[[], tuple[BaseChatModel, str] | None],
    ) -> None:
        """`chat` gives the model and its name, or None where none is ready."""
        self._workshop = workshop
        self._retriever = retriever
        self._prompts = prompts
        self._passages = passages
        self._chat = chat

    def __call__(self, task: Task) -> dict[str, Any]:
        """Counts of accepted and rejected samples by source, and the data set's id."""
        request = task.request
        access = _access_of(request["groups"])
        chunks: list[str] = task.step("plan", lambda: [hit.chunk for hit in self._workshop.catalog.passages(access=access)])
        model = None if request["rules_only"] else self._chat()
        counts: Counter[str] = Counter()
        for number, batch in enumerate(_batches(chunks)):
            made = task.step(f"batch {number}", self._make, batch, model, request["seed"], access)
            counts.update(made)
            done = min((number + 1) * _BATCH, len(chunks))
            task.report(Progress("samples", done, len(chunks), "passages", dict(counts)))
        task.report(Progress("data set", len(chunks), len(chunks), "passages"))
        version = self._workshop.build_dataset(request["name"], access=access, seed=request["seed"])  # the same if done twice
        stored = self._workshop.samples.counts(access=access)
        return {
            "accepted": stored["source"],
            "rejected": stored["reason"],
            "dataset": version.id,
            "counts": version.counts,
            "note": "" if model or request["rules_only"] else RULES_ONLY,
        }

    def _make(self, chunks: Sequence[str], model: tuple[BaseChatModel, str] | None, seed: int, access: Access) -> dict[str, int]:
        """How many new samples the chunks gave, by status."""
        samples = self._workshop.samples
        while True:
            readers = self._workshop.readers(access=access)  # before any text is read, for `keep`
            synthesis = self._synthesis(model, seed=seed, readers=readers)
            wanted = set(chunks) - samples.chunks_with(**synthesis.marks)
            hits = [hit for hit in self._workshop.catalog.passages(access=access) if hit.chunk in wanted]
            made = synthesis.samples_of(hits, known=samples.known_questions(beside=wanted), access=access)
            if self._workshop.keep(made, readers=readers):
                return dict(Counter(str(sample.status) for sample in made))

    def _synthesis(
        self, model: tuple[BaseChatModel, str] | None, *, seed: int, readers: Mapping[str, tuple[str, ...]]
    ) -> Synthesis:
        chat, name = model or (None, "")
        return Synthesis(
            chat=chat,
            model_name=name,
            retriever=self._retriever,
            prompts=self._prompts,
            passages=self._passages,
            protected=self._workshop.protected(),
            settings=SynthesisSettings(seed=seed),
            groups_of=readers,
        )


def _access_of(groups: Sequence[str] | None) -> Access:
    """What a run may read: what the holders of these groups may, or everything."""
    return Access.everything() if groups is None else Access.of(*groups)


def _batches(chunks: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(chunks), _BATCH):
        yield chunks[start : start + _BATCH]
