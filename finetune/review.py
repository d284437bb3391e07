"""The review queue: what people decide of samples that no person has seen.

Invariants. A sample is decided once; whoever comes second is told so. A decision keeps who made it and when. An edit makes a
new sample and leaves the old one as it was made, so that its lineage stays true. Knows no interface.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, update

from eval.types import Judge
from finetune.samples import SampleStore, insert_sample
from finetune.schema import samples
from finetune.types import Message, Review, Sample, SampleKind, SampleStatus
from ingest.errors import Conflict, InputRefused
from ingest.schema import now
from ingest.types import Access

_MARKER = re.compile(r"\s*\[\d+\]")

PERSON = "person"
"""The source of samples that a person worded."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided. `sample` is the one that counts from now on: the new one after an edit.

    `warning` says what is doubtful about an edited answer: that the evidence does not bear it out, or that it no longer cites.
    """

    sample: Sample
    reviewer: str
    reviewed_at: str
    edited_from: str | None = None
    warning: str = ""


class ReviewQueue:
    """Offers accepted samples to people and keeps what they decide. `judge` looks at what they write."""

    def __init__(self, engine: Engine, *, judge: Judge) -> None:
        self._engine = engine
        self._store = SampleStore(engine)
        self._judge = judge

    def pending(self, *, access: Access, limit: int) -> list[Sample]:
        """The samples without a decision, at most `limit`, the most doubtful first.

        Doubtful is what a model wrote before what rules made before what was imported; among equals the rarer kind and source
        first, because fewer samples speak for it.
        """
        records = self._store.list(access=access, status=SampleStatus.ACCEPTED, review=Review.OPEN)
        return by_doubt([record.sample for record in records])[:limit]

    def accept(self, sample_id: str, *, reviewer: str, access: Access) -> Decision:
        """The sample, accepted.

        Raises:
            NotFound: there is none that the caller may read. Conflict: it is decided, or not to be trained on anyway.
        """
        sample = self._open(sample_id, access)
        with self._engine.begin() as connection:
            at = _decide(connection, sample_id, Review.ACCEPTED, reviewer=reviewer)
        return Decision(replace(sample, review=Review.ACCEPTED), reviewer, at)

    def reject(self, sample_id: str, *, reason: str, reviewer: str, access: Access) -> Decision:
        """The sample, rejected for this reason; no later data set holds it.

        Raises:
            InputRefused: there is no reason. NotFound, Conflict: as `accept`.
        """
        if not reason.strip():
            raise InputRefused("a rejection needs a reason: say in a few words what is wrong with the sample")
        sample = self._open(sample_id, access)
        with self._engine.begin() as connection:
            at = _decide(connection, sample_id, Review.REJECTED, reviewer=reviewer, reason=reason.strip())
        return Decision(replace(sample, review=Review.REJECTED, reason=reason.strip()), reviewer, at)

    def edit(
        self, sample_id: str, *, question: str | None = None, answer: str | None = None, reviewer: str, access: Access
    ) -> Decision:
        """A new sample in other words, accepted; the old one is in no later data set.

        Raises:
            InputRefused: nothing was changed, a text is empty, or the conversation does not hold the question word for word.
            NotFound: as `accept`. Conflict: as `accept`, or there is a sample with these words already.
        """
        old = self._open(sample_id, access)
        new = edited(old, question=question, answer=answer)
        with self._engine.begin() as connection:
            at = _decide(connection, sample_id, Review.EDITED, reviewer=reviewer)
            if not insert_sample(connection, new, edited_from=sample_id, reviewer=reviewer, reviewed_at=at):
                raise Conflict(f"a sample with these words is there already ({new.id}): reject this one instead")
        return Decision(new, reviewer, at, edited_from=sample_id, warning="; ".join(self._warnings(old, new)))

    def _open(self, sample_id: str, access: Access) -> Sample:
        """The sample, if there is still something to decide.

        Raises:
            NotFound: there is none that the caller may read. Conflict: it is decided, rejected by the curation, or purged.
        """
        record = self._store.get(sample_id, access=access)
        sample = record.sample
        if sample.status is not SampleStatus.ACCEPTED:
            raise Conflict(
                f"sample {sample_id} is {sample.status} ({sample.reason or 'its document is gone'}): nothing to decide"
            )
        if sample.review is not Review.OPEN:
            raise Conflict(f"sample {sample_id} was {sample.review} by {record.reviewer} at {record.reviewed_at} already")
        return sample

    def _warnings(self, old: Sample, new: Sample) -> Iterator[str]:
        """What a person should look at again."""
        if _MARKER.search(old.answer) and not _MARKER.search(new.answer):
            yield f"the old answer cites its passage and the new one does not: {old.answer}"
        evidence = new.origin.evidence if new.origin else ""
        if evidence and new.kind is not SampleKind.REFUSAL:
            verdict = self._judge.judge([_MARKER.sub("", new.answer)], evidence=[evidence], question=new.question)[0]
            if not verdict.supported:
                yield f"the evidence may not bear the answer out (support {verdict.support:.2f}): {evidence}"


def _decide(connection: Connection, sample_id: str, review: Review, *, reviewer: str, reason: str = "") -> str:
    """When it was decided.

    Raises:
        Conflict: somebody else decided meanwhile.
    """
    at = now()
    undecided = samples.c.review == Review.OPEN
    values = {"review": review, "reviewer": reviewer, "reason": reason, "reviewed_at": at}
    if not connection.execute(update(samples).where(samples.c.id == sample_id, undecided).values(values)).rowcount:
        raise Conflict(f"sample {sample_id} was decided meanwhile: ask for the queue again")
    return at


def by_doubt(samples: Sequence[Sample]) -> list[Sample]:
    """The samples, the most doubtful first; see `ReviewQueue.pending`."""
    numbers: dict[tuple[str, str], int] = {}
    for sample in samples:
        group = (sample.kind, sample.source)
        numbers[group] = numbers.get(group, 0) + 1
    return sorted(samples, key=lambda one: (_trust(one.source), numbers[one.kind, one.source], one.kind, one.source, one.id))


def _trust(source: str) -> int:
    """How much less a source errs: a model may invent, a rule copies, an import was chosen by a person."""
    return {"model": 0, "rule": 1}.get(source.partition(":")[0], 2)


def edited(sample: Sample, *, question: str | None = None, answer: str | None = None) -> Sample:
    """The sample as a person words it; what is None stays. Messages are the old ones with the new words in their place.

    Raises:
        InputRefused: nothing was changed, a text is empty, or the conversation does not hold the question word for word.
    """
    asked = sample.question if question is None else question.strip()
    answered = sample.answer if answer is None else answer.strip()
    if not asked or not answered:
        raise InputRefused("question and answer must hold text: leave out what shall stay as it is")
    if (asked, answered) == (sample.question, sample.answer):
        raise InputRefused("nothing was changed: give another question or answer, or accept the sample")
    *before, last = sample.messages
    said = last.content.replace(sample.answer, answered, 1) if sample.answer in last.content else answered
    if asked != sample.question:
        before = _asking(before, sample.question, asked)
    return replace(
        sample,
        source=PERSON,
        question=asked,
        answer=answered,
        messages=(*before, Message(last.role, said)),
        review=Review.ACCEPTED,
        reason="",
    )


def _asking(messages: list[Message], old: str, new: str) -> list[Message]:
    """The messages with the question replaced where it was last asked: in a prompt it follows the passages."""
    for place in range(len(messages) - 1, -1, -1):
        before, found, after = messages[place].content.rpartition(old)
        if messages[place].role == "user" and found:
            return [*messages[:place], Message("user", before + new + after), *messages[place + 1 :]]
    raise InputRefused("the conversation does not hold the question word for word: edit the answer alone, or reject the sample")
