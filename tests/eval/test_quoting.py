from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.quoting import Reading, answering_quotes, best_quotes, select_quotes
from ingest.crosslingual import Group
from ingest.dictionary import Alternative
from ingest.types import Hit

MANUAL = (
    "4 Maintenance\n\nThe oil must be changed every 2,000 hours. Use only ISO VG 46.\n\n"
    "The mechanical seal is replaced after five years. Spare seals are kept in Leeds."
)
TABLE = (
    "Table 1: KX pumps\n\nType | Price | Weight\nKX-200 | EUR 1,940 | 48 kg\nKX-350 | EUR 3,260 | 77 kg\n\n"
    "Prices do not include freight."
)
CHINESE = "第三章 休假\n\n正式员工每年享有十五天带薪年假。年假应在次年三月底前休完。病假须提交医院证明。"


def hit(text: str, *, chunk: str = "c1", document: str = "a.pdf", headings: tuple[str, ...] = ()) -> Hit:
    return Hit(document, document, 1, 1, chunk, 1.0, text, 0, headings)


def test_the_sentence_that_answers_comes_first() -> None:
    (best, *_) = select_quotes("How often must the oil be changed?", [hit(MANUAL)], limit=3)
    assert best.text == "The oil must be changed every 2,000 hours."
    (best, *_) = select_quotes("年假应该在什么时候之前休完？", [hit(CHINESE)], limit=3)
    assert best.text == "年假应在次年三月底前休完。"


def test_a_heading_is_never_quoted() -> None:
    found = select_quotes("maintenance", [hit(MANUAL, headings=("Manual", "4 Maintenance"))], limit=3)
    assert "4 Maintenance" not in {quote.text for quote in found}


@given(
    st.text(alphabet="abc |年假。.\n•1-", max_size=120),
    st.text(alphabet="abc 年假多少?1", max_size=30),
)
def test_a_quote_is_an_exact_substring_of_its_hit(text: str, question: str) -> None:
    for quote in select_quotes(question, [hit(text), hit(text[::-1], chunk="c2")], limit=5, translate=translated):
        assert quote.text == quote.hit.text[quote.start : quote.end]
        assert quote.text.strip()


def test_quotes_come_best_first_and_do_not_overlap() -> None:
    quotes = select_quotes("What about the seal, the oil and Leeds?", [hit(MANUAL)], limit=4)
    assert len(quotes) == 3
    assert [q.score for q in quotes] == sorted((q.score for q in quotes), reverse=True)
    spans = sorted((q.start, q.end) for q in quotes)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_a_heading_alone_is_a_bad_quote() -> None:
    (best,) = select_quotes("Maintenance of the seal", [hit(MANUAL)], limit=1)
    assert best.text != "4 Maintenance"


def test_a_table_row_is_quoted_with_its_head_row() -> None:
    (best,) = select_quotes("What is the weight of the KX-350?", [hit(TABLE)], limit=1)
    assert best.text.startswith("Type | Price | Weight")
    assert best.text.endswith("KX-350 | EUR 3,260 | 77 kg")


def test_a_row_far_down_a_long_table_is_quoted_alone() -> None:
    rows = "\n".join(f"Part NC-{n} | Bearing ring of size {n} | EUR {n}" for n in range(100, 140))
    (best,) = select_quotes("What is the price of part NC-131?", [hit(f"Part | Name | Price\n{rows}")], limit=1)
    assert best.text == "Part NC-131 | Bearing ring of size 131 | EUR 131"


def test_list_items_are_quoted_one_by_one() -> None:
    text = "You need\n• a passport valid for six months\n• a letter of invitation from the customer"
    (best,) = select_quotes("From whom is the letter of invitation?", [hit(text)], limit=1)
    assert best.text == "• a letter of invitation from the customer"


def test_the_same_sentence_is_quoted_once() -> None:
    hits = [hit(MANUAL), hit(MANUAL, chunk="c2", document="copy.pdf")]
    quotes = select_quotes("How often must the oil be changed?", hits, limit=4)
    assert len({q.text for q in quotes}) == len(quotes)


def test_headings_speak_for_the_chunks_beneath() -> None:
    one = hit("Replies arrive within three days.", chunk="c1", headings=("Finance",))
    other = hit("Replies arrive within nine days.", chunk="c2", headings=("People Office",))
    assert select_quotes("When does the People Office reply?", [one, other], limit=1)[0].hit.chunk == "c2"


@pytest.mark.parametrize(
    ("question", "hits"), [("Where is the moon?", [hit(MANUAL)]), ("oil", []), ("oil", [hit("")]), ("", [hit(MANUAL)])]
)
def test_nothing_is_quoted_where_nothing_fits(question: str, hits: list[Hit]) -> None:
    assert select_quotes(question, hits, limit=3) == []


def translated(question: str) -> list[Group]:
    """What a dictionary would say of two words."""
    known = {"年假": ("annual", "leav"), "天": ("day",)}
    return [Group(tuple(word), (Alternative(said, 1.0),)) for word, said in known.items() if word in question]


def test_a_sentence_of_the_other_language_is_quoted_by_its_translations() -> None:
    found = hit("Staff get 27 days of annual leave. Spare seals are kept in Leeds.")
    assert select_quotes("年假有多少天？", [found], limit=1) == []
    (best,) = select_quotes("年假有多少天？", [found], limit=1, translate=translated)
    assert best.text == "Staff get 27 days of annual leave."


def test_an_answer_in_the_question_s_own_language_goes_before_its_translation() -> None:
    other = hit("Staff get 27 days of annual leave.", chunk="c2")
    (best,) = select_quotes("正式员工每年有多少天年假？", [hit(CHINESE), other], limit=1, translate=translated)
    assert best.text == "正式员工每年享有十五天带薪年假。"


def test_a_sentence_with_what_is_asked_for_goes_before_one_that_says_the_question_again() -> None:
    text = "The harbour of Leeds was built by the town. The harbour was built in 1871."
    (best,) = select_quotes("When was the harbour built?", [hit(text)], limit=1)
    assert best.text == "The harbour was built in 1871."


def test_no_more_than_the_limit_is_quoted() -> None:
    assert select_quotes("oil seal Leeds", [hit(MANUAL)], limit=0) == []
    assert len(select_quotes("oil seal Leeds", [hit(MANUAL)], limit=2)) == 2


def test_a_quote_far_behind_the_first_is_beside_the_question() -> None:
    reading = Reading("How often must the oil be changed?", [hit(MANUAL), hit("Oil is kept in Leeds.", chunk="c2")])
    first, *others = best_quotes(reading, limit=3)
    assert others
    assert answering_quotes(reading, limit=3) == [first]


def test_what_answers_nearly_as_well_as_the_first_is_quoted_too() -> None:
    again = "The oil must be changed every 2,000 hours, in summer every 1,500 hours."
    reading = Reading("How often must the oil be changed?", [hit(MANUAL), hit(again, chunk="c2")])
    assert {quote.hit.chunk for quote in answering_quotes(reading, limit=2)} == {"c1", "c2"}
