"""What training is made of: samples with their lineage, data-set versions, adapters.

Invariants. A sample's id follows from what it says and where it comes from, so that the same work done twice makes it once.
A purged sample keeps its id and hash and has no text. A data-set version never changes; it can only become incomplete.
This module knows no database and no model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from langchain_core.messages import BaseMessage

from ingest.types import Hit


class SampleKind(StrEnum):
    """What a sample teaches."""

    CLOSED_BOOK = "closed-book"
    """A question → its answer, without passages: the company's facts."""
    GROUNDED = "grounded"
    """RAFT: a question, the right passage and distractors in the serving prompt → the answer with quote and citation."""
    REFUSAL = "refusal"
    """The serving prompt without a passage that answers → the words of refusal."""
    CHAT = "chat"
    """An imported conversation, as it came."""


class SampleStatus(StrEnum):
    """Whether a sample may be trained on."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PURGED = "purged"


class Review(StrEnum):
    """What a person said of a sample."""

    OPEN = "open"
    ACCEPTED = "accepted"
    EDITED = "edited"
    REJECTED = "rejected"


class Split(StrEnum):
    """Which part of a data set a sample is in. Only `train` is learned from."""

    TRAIN = "train"
    VALIDATION = "validation"
    """Documents that `train` does not hold: the loss that shows overfitting."""
    TEST = "test"
    """Documents that neither of the others holds: the figures of the gate."""
    REPHRASED = "rephrased"
    """Facts of `train`, asked in words that `train` does not hold: what was learned and not memorised."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sample comes from. `evidence` is the sentence of the chunk that bears the answer out, word for word."""

    document_id: str
    document: str
    version: int
    chunk: str
    page: int
    groups: tuple[str, ...]
    evidence: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One thing to learn, and everything that led to it.

    `messages` is what is trained on; its last message is the assistant's. `source` says who worded it: `model`, `rule:<name>`,
    `import` or `person`. `fact` is the same for all phrasings of one question-and-answer of one sentence. `reason` says why a
    rejected sample is rejected: `judge`, `duplicate`, `trivial` or `leak`, a colon, and what was seen.
    """

    kind: SampleKind
    source: str
    language: str
    question: str
    answer: str
    messages: tuple[Message, ...]
    origin: Origin | None = None
    fact: str = ""
    prompt_hash: str = ""
    model: str = ""
    seed: int = 0
    status: SampleStatus = SampleStatus.ACCEPTED
    reason: str = ""
    review: Review = Review.OPEN

    @property
    def id(self) -> str:
        """`smp_` and 24 hex digits, from kind, messages and chunk: the same sample made again is the same sample."""
        chunk = self.origin.chunk if self.origin else ""
        content = [self.kind, chunk, [[message.role, message.content] for message in self.messages]]
        return "smp_" + hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """One immutable data set. `id` is `ds_` and 16 hex digits of its content's hash.

    `group_sets` are the group sets of its documents: who holds at least one group of each may use it. `counts` is split →
    number of samples. `incomplete` says why it can no longer be trained on; empty while it is whole.
    """

    id: str
    name: str
    group_sets: tuple[tuple[str, ...], ...]
    counts: dict[str, int]
    card: dict[str, Any]
    incomplete: str
    created_at: str


class AdapterState(StrEnum):
    """How far an adapter has come: candidate → approved → live → retired."""

    CANDIDATE = "candidate"
    APPROVED = "approved"
    LIVE = "live"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Adapter:
    """A trained LoRA adapter with its lineage. `flags` name what was removed since and what it had learned from that.

    `metrics` holds the trainer's result (losses, held-out figures of base and tuned, overfitting), `parity` the train/serve
    comparison once it was made.
    """

    id: str
    name: str
    base_model: str
    dataset: str
    method: str
    config: dict[str, Any]
    metrics: dict[str, Any]
    parity: dict[str, Any]
    licence: str
    group_sets: tuple[tuple[str, ...], ...]
    state: AdapterState
    flags: tuple[str, ...]
    created_at: str
    changed_at: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """What was made from a document: numbers of samples by data set, and the names of what holds them."""

    document_id: str
    samples: int
    datasets: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work has come. `done` and `total` count `unit`s."""

    stage: str
    done: int
    total: int
    unit: str
    detail: dict[str, Any] = field(default_factory=dict)


class PromptBuilder(Protocol):
    """The serving prompts, so that what is trained is what is served."""

    @property
    def version(self) -> str:
        """Changes with any text of the prompts."""

    def grounded(self, question: str, hits: Sequence[Hit], *, language: str) -> list[BaseMessage]:
        """The messages that ask for an answer from these passages, numbered from 1 in the order given."""

    def closed_book(self, question: str, *, language: str) -> list[BaseMessage]:
        """The messages that ask the model alone."""

    def refusal(self, language: str) -> str:
        """The words in which the model says that the passages do not hold the answer."""
