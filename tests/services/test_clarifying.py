"""What is asked back names the things that compete and the words that are missing, and nothing else."""

from __future__ import annotations

from ingest.types import Hit
from services.clarifying import clarifying_question


def hit(text: str, number: int, heading: str, document: str = "manual.pdf") -> Hit:
    return Hit(document, f"doc_{number}", 1, number, f"chk_{number}", 1.0, text, 0, (heading,) if heading else ())


HX = hit("The warranty of the pump is 24 months.", 1, "HX-200", "hx.pdf")
KX = hit("The warranty of the pump is 36 months.", 2, "KX-900", "kx.pdf")
FOOD = hit("The canteen opens at noon.", 3, "Canteen", "site.pdf")


def test_it_asks_which_of_several_things_is_meant() -> None:
    asked = clarifying_question("How long is the pump's warranty?", [HX, KX, FOOD], missing=(), language="en")
    assert asked == "Is it about “HX-200” (hx.pdf) or “KX-900” (kx.pdf)?"


def test_it_asks_for_another_word() -> None:
    asked = clarifying_question("Does the pump's warranty cover meteorites?", [HX], missing=("meteorites",), language="en")
    assert asked == "Is there another word for “meteorites”?"


def test_it_names_the_rarest_words_and_none_that_say_nothing() -> None:
    missing = ("up", "meteorites", "price", "cover")
    asked = clarifying_question("Up to what price does the warranty cover meteorites?", [HX], missing=missing, language="en")
    assert asked is not None
    assert "meteorites" in asked
    assert "up" not in asked.split("for", 1)[1]


def test_it_asks_in_the_language_of_the_question() -> None:
    hits = [hit("泵的保修期为二十四个月。", 1, "HX-200", "甲.pdf"), hit("泵的保修期为三十六个月。", 2, "", "乙.pdf")]
    asked = clarifying_question("泵的陨石保修期多长？", hits, missing=("陨石",), language="zh")
    assert asked == "您问的是“HX-200”（甲.pdf），还是乙.pdf吗？“陨石”有没有别的说法？"


def test_where_there_is_nothing_to_tell_apart_nothing_is_asked() -> None:
    assert clarifying_question("How long is the pump's warranty?", [HX], missing=(), language="en") is None
    assert clarifying_question("How long?", [], missing=(), language="en") is None
