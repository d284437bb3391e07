"""Samples in the serving prompt: the right passage somewhere among distractors, the answer cited and quoted, or refused."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from eval.judge import HouseJudge
from eval.quoting import select_quotes
from finetune.curation import Draft, Judged
from finetune.grounded import REFUSAL_SHARE, chosen, cited_answer, distractors, grounded, is_for_refusal, refused
from finetune.points import Asked, Point
from ingest.sentences import split_sentences
from ingest.types import Hit

EVIDENCE = "You receive EUR 310 for each turn, whether or not the telephone rings."


def hit(number: int, text: str) -> Hit:
    return Hit("handbook.pdf", "doc_1", 1, number, f"chunk_{number}", 1.0, text, 0, ("Handbook",))


RIGHT = hit(1, f"A turn lasts one week. {EVIDENCE}")
OTHERS = (
    hit(2, "Rental cars are limited to the compact class."),
    hit(3, "A bonus of EUR 310 is paid."),
    hit(4, "Lunch is free."),
    hit(5, "Badges are handed in."),
)


class Prompts:
    """A prompt builder that numbers the passages as the serving one does."""

    version = "test"

    def grounded(self, question: str, hits: Sequence[Hit], *, language: str) -> list[BaseMessage]:
        passages = "\n".join(f"[{number}] {one.text}" for number, one in enumerate(hits, 1))
        return [SystemMessage("Answer and cite."), HumanMessage(f"{passages}\n\n{question}")]

    def closed_book(self, question: str, *, language: str) -> list[BaseMessage]:
        return [SystemMessage("Answer."), HumanMessage(question)]

    def refusal(self, language: str) -> str:
        return "The documents do not say."


def judged(question: str = "How much do you get for a turn?", *, value: str = "EUR 310", source: str = "model") -> Judged:
    point = Point(
        "how-much", Asked.AMOUNT, "en", EVIDENCE, EVIDENCE[:33], value, "You receive EUR 310 for each turn.", "", (question,)
    )
    return Judged(Draft(RIGHT, point, question, source), "", (OTHERS[0], RIGHT, *OTHERS[1:]))


def test_distractors_were_found_for_the_question_and_do_not_hold_its_answer() -> None:
    assert [one.chunk for one in distractors(judged())] == ["chunk_2", "chunk_4", "chunk_5"]


def test_the_right_passage_stands_at_the_place_that_the_answer_cites() -> None:
    places = set()
    for number in range(12):
        made = grounded(judged(f"How much do you get for turn {number}?"), prompts=Prompts(), passages=3, seed=0)
        assert made is not None
        messages, answer = made
        cited = int(answer[answer.index("[") + 1])
        assert f"[{cited}] {RIGHT.text}" in str(messages[-1].content)
        places.add(cited)
    assert places == {1, 2, 3}


def test_the_same_seed_gives_the_same_place() -> None:
    one = grounded(judged(), prompts=Prompts(), passages=4, seed=3)
    assert one == grounded(judged(), prompts=Prompts(), passages=4, seed=3)


def test_too_few_distractors_make_no_sample() -> None:
    assert grounded(judged(), prompts=Prompts(), passages=5, seed=0) is None
    assert refused(judged(), prompts=Prompts(), passages=4) is None


def test_the_answer_is_one_sentence_that_the_judge_and_quoting_bear_out() -> None:
    answer = cited_answer(judged().draft, 2)
    assert answer == f"EUR 310 [2]: “{EVIDENCE}”"
    assert split_sentences(answer) == [answer]
    said = answer.replace(" [2]", "")
    assert HouseJudge().judge([said], evidence=[one.text for one in (OTHERS[0], RIGHT)])[0].supported
    assert select_quotes(said, [OTHERS[0], RIGHT], limit=1)[0].hit == RIGHT


def test_a_refusal_leaves_the_right_passage_out() -> None:
    made = refused(judged(), prompts=Prompts(), passages=3)
    assert made is not None
    messages, answer = made
    assert answer == "The documents do not say."
    assert "EUR 310" not in str(messages[-1].content)


def test_few_questions_are_for_refusal_and_always_the_same_ones() -> None:
    drafts = [judged(f"How much do you get for turn {number}?").draft for number in range(2000)]
    picked = [draft for draft in drafts if is_for_refusal(draft, seed=1)]
    assert picked == [draft for draft in drafts if is_for_refusal(draft, seed=1)]
    assert abs(len(picked) / len(drafts) - REFUSAL_SHARE) < 0.02


def test_each_chosen_question_is_of_another_fact_and_a_rules_one_only_where_the_model_has_none() -> None:
    ruled, modelled = judged("How much is a turn?", source="rule:how-much"), judged("What amount is a turn?")
    other = judged("How many turns?", value="one turn", source="rule:number")
    second = judged("How many turns are there?", value="one turn")
    assert chosen([ruled, modelled, other], limit=5, seed=0) == [modelled]
    assert set(chosen([second, ruled, modelled], limit=5, seed=0)) == {second, modelled}
    assert len(chosen([second, modelled], limit=1, seed=0)) == 1
    assert chosen([ruled], limit=2, seed=0) == [ruled]
