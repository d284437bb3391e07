"""Groups of a question, and that they find what the question's own words cannot, within the caller's rights."""

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.crosslingual import FAINT_WEIGHT, KEPT_WEIGHT, Group, Translator
from ingest.dictionary import Alternative, Dictionary
from ingest.glossary import Entry, Glossary
from ingest.index.hybrid import HybridIndex
from ingest.index.lexical import LexicalIndex
from ingest.index.vector import MemoryVectorStore, VectorIndex
from ingest.types import EVERYONE, Access, IndexRow

WORDS = {
    "员 工": [("employe", 1.0)],
    "年 假": [("annual leav", 0.7)],
    "年": [("year", 1.0)],
    "假": [("fake", 1.0), ("holiday", 0.8)],
    "试 用 期": [("trial period", 0.7)],
    "试 用": [("probat", 0.8)],
    "annual leav": [("年 假", 1.0)],
    "annual": [("每 年", 1.0)],
    "leav": [("离 开", 1.0)],
    "employe": [("员 工", 1.0)],
    "的": [("of", 1.0)],
}


class SmallDictionary:
    """What `Translator` asks of a `Dictionary`."""

    def find(self, keys: Iterable[str]) -> dict[str, tuple[Alternative, ...]]:
        return {
            key: tuple(Alternative(tuple(said.split(" ")), weight) for said, weight in WORDS[key]) for key in keys if key in WORDS
        }


SMALL = cast(Dictionary, SmallDictionary())


def groups(question: str, glossary: Glossary | None = None) -> dict[str, Group]:
    return {" ".join(group.word): group for group in Translator(SMALL, glossary).groups(question)}


def said(group: Group) -> list[str]:
    return [" ".join(one.units) for one in group.alternatives]


# Groups


def test_a_chinese_question_is_cut_into_the_fewest_words() -> None:
    found = groups("员工的年假有几天？")
    assert said(found["员 工"]) == ["employe"]
    assert said(found["年 假"]) == ["annual leav"]
    assert "年" not in found


def test_english_words_that_belong_together_are_one_group_and_may_stand_untranslated() -> None:
    found = groups("How many days of annual leave does an employee get?")
    assert said(found["annual leav"])[:2] == ["annual leav", "年 假"]
    assert "leav" not in found
    assert "mani" not in found


def test_the_parts_of_a_long_word_count_less() -> None:
    (group,) = [one for one in Translator(SMALL).groups("试用期") if one.word == ("试", "用", "期")]
    assert [(one.units, one.weight) for one in group.alternatives] == [(("trial", "period"), 0.7), (("probat",), 0.4)]


def test_names_codes_and_numbers_are_kept_and_count_more() -> None:
    found = groups("KX-500的年假是21,012吗？")
    for kept in ("kx", "500", "21012", "kx500"):
        assert (said(found[kept]), found[kept].weight) == ([kept], KEPT_WEIGHT)


def test_single_characters_count_little_and_function_words_not_at_all() -> None:
    found = groups("假有了")
    assert found["假"].weight == FAINT_WEIGHT
    assert said(found["了"]) == said(found["有"]) == []


def test_words_are_not_joined_over_what_stands_between() -> None:
    assert "年 假" not in groups("今年，假")
    assert "年 假" in groups("今年假")


def test_a_glossary_joins_the_groups_in_both_directions_and_goes_first() -> None:
    glossary = Glossary((Entry((("特", "休"), ("annual", "leav"), ("pto",))),))
    assert said(groups("特休几天", glossary)["特 休"]) == ["annual leav", "pto"]
    assert said(groups("annual leave", glossary)["annual leav"])[:3] == ["annual leav", "特 休", "pto"]
    assert said(groups("PTO days", glossary)["pto"])[:2] == ["pto", "特 休"]


def test_a_long_name_of_the_glossary_is_found_whole() -> None:
    name = tuple("葵澜流控有限公司质量管理体系认证")
    found = groups("葵澜流控有限公司质量管理体系认证何时通过？", Glossary((Entry((name, ("qms",))),)))
    assert said(found[" ".join(name)])[0] == "qms"


def test_synonyms_come_from_the_glossary_alone() -> None:
    glossary = Glossary((Entry((("pto",), ("annual", "leav"))),))
    assert [group.word for group in Translator(SMALL, glossary).synonyms("How much PTO do employees get?")] == [("pto",)]
    assert Translator(SMALL).synonyms("How much PTO?") == []


@given(st.text(max_size=80))
def test_any_question_gives_groups_of_positive_weight_whose_words_it_holds(question: str) -> None:
    found = Translator(SMALL).groups(question)
    assert len({group.word for group in found}) == len(found)
    for group in found:
        assert group.word and all(group.word) and group.weight > 0
        weights = [one.weight for one in group.alternatives]
        assert all(one.units and all(one.units) and one.terms for one in group.alternatives)
        assert all(0 < weight <= 1 for weight in weights)


# Searching


def row(chunk_id: str, text: str, *of: str) -> IndexRow:
    return IndexRow(chunk_id, "", text, frozenset(of or {EVERYONE}))


ENGLISH = row("en", "Every employee has twelve days of annual leave.")
CHINESE = row("zh", "员工每年享有十二天年假。")


def index(folder: Path, rows: list[IndexRow], glossary: Glossary | None = None) -> HybridIndex:
    lexical = LexicalIndex(None, translator=Translator(SMALL, glossary))
    built = HybridIndex(lexical, VectorIndex(folder, MemoryVectorStore()))
    built.add(rows)
    return built


def found(of: HybridIndex, query: str, access: Access | None = None) -> list[str]:
    return [hit.chunk_id for hit in of.search(query, access=access or Access.of(), limit=10)]


@pytest.mark.parametrize(("question", "held"), [("员工的年假有几天？", ENGLISH), ("annual leave of employees", CHINESE)])
def test_a_question_finds_what_is_held_in_the_other_language_alone(tmp_path: Path, question: str, held: IndexRow) -> None:
    noise = [row(f"{i}", text) for i, text in enumerate(["The pump runs.", "水泵在运行。", "Travel is paid.", "差旅费报销。"])]
    assert found(index(tmp_path, [*noise, held]), question)[0] == held.chunk_id


def test_the_questions_own_language_leads_where_both_answer(tmp_path: Path) -> None:
    both = index(tmp_path, [ENGLISH, CHINESE, row("more", "员工手册")])
    assert found(both, "员工的年假有几天？")[0] == "zh"
    assert found(both, "annual leave of employees")[0] == "en"
    assert "en" in found(both, "员工的年假有几天？")


def test_without_a_chunk_of_the_other_language_nothing_changes(tmp_path: Path) -> None:
    rows = [CHINESE, row("more", "员工手册"), row("other", "年假申请")]
    plain = HybridIndex(LexicalIndex(None), VectorIndex(tmp_path / "plain", MemoryVectorStore()))
    plain.add(rows)
    asked = "员工的年假有几天？"
    crossing = index(tmp_path / "crossing", rows)
    assert crossing.search(asked, access=Access.of(), limit=10) == plain.search(asked, access=Access.of(), limit=10)


def test_groups_never_lift_a_chunk_that_the_caller_may_not_read(tmp_path: Path) -> None:
    secret = row("secret", "Every employee of the board has forty days of annual leave.", "board")
    built = index(tmp_path, [secret, row("zh", "水泵手册")])
    assert found(built, "员工的年假有几天？") == []
    assert found(built, "员工的年假有几天？", Access.of("board")) == ["secret"]
    assert found(built, "员工的年假有几天？", Access.everything()) == ["secret"]


@given(permitted=st.sets(st.integers(0, 5)), limit=st.integers(1, 8))
def test_a_search_gives_each_permitted_chunk_at_most_once_with_falling_scores(permitted: set[int], limit: int) -> None:
    texts = ["annual leave of employees", "employee 员工", "年假", "员工年假 annual leave", "holiday", "员工 fake"]
    lexical = LexicalIndex(None, translator=Translator(SMALL))
    lexical.add([row(str(i), text, f"g{i}") for i, text in enumerate(texts)])
    access = Access.of(*(f"g{i}" for i in permitted))
    candidates, _ = lexical.across("员工的年假", access=access, limit=limit)
    assert {one.chunk_id for one in candidates} <= {str(i) for i in permitted}
    assert len({one.chunk_id for one in candidates}) == len(candidates) <= limit
    assert all(one.language == "en" and one.score > 0 for one in candidates)


def test_scores_fall_where_both_languages_meet(tmp_path: Path) -> None:
    rows = [row(f"e{i}", f"employee number {i} has annual leave") for i in range(12)]
    rows += [row(f"z{i}", f"员工编号{i}的年假") for i in range(12)]
    hits = index(tmp_path, rows).search("员工的年假", access=Access.of(), limit=24)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len({hit.chunk_id for hit in hits}) == 24


def test_a_longer_list_begins_like_a_shorter_one(tmp_path: Path) -> None:
    rows = [row(f"e{i}", f"employee number {i} has annual leave") for i in range(12)]
    rows += [row(f"z{i}", f"员工编号{i}的年假") for i in range(12)]
    built = index(tmp_path, rows)
    whole = [hit.chunk_id for hit in built.search("员工的年假", access=Access.of(), limit=24)]
    short = [hit.chunk_id for hit in built.search("员工的年假", access=Access.of(), limit=5)]
    assert whole[:5] == short


def test_a_synonym_is_found_within_one_language(tmp_path: Path) -> None:
    rows = [row("pto", "PTO is granted by the manager."), row("other", "The manager signs invoices."), CHINESE]
    glossary = Glossary((Entry((("pto",), ("paid", "time"))),))
    assert "pto" not in found(index(tmp_path / "a", rows), "paid time")
    assert found(index(tmp_path / "b", rows, glossary), "paid time")[0] == "pto"


def test_a_glossary_changes_nothing_in_the_index(tmp_path: Path) -> None:
    glossary = Glossary((Entry((("pto",), ("annual", "leav"))),))
    LexicalIndex(tmp_path).add([ENGLISH])
    assert LexicalIndex(tmp_path, translator=Translator(None, glossary)).ids() == {"en"}
