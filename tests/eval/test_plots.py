"""Drawings that stand in a page: valid, self-contained, readable on both grounds, and the same every time."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from eval.plots import bars, reliability, roc, scatter, times


def figure(value: float) -> dict[str, Any]:
    return {"value": value, "low": value - 0.05, "high": value + 0.05, "n": 100}


FIGURES: dict[str, dict[str, Any]] = {
    "base": {"right": figure(0.1), "wrong": figure(0.9), "p50": figure(900.0)},
    "rag": {"right": figure(0.6), "wrong": None, "p50": figure(2000.0)},
}
DRAWN = {
    "bars": lambda: bars({"all": FIGURES, "zh <&>": FIGURES}, "right", title="A < B", label="$share$ of cases"),
    "bars without a value": lambda: bars({"all": FIGURES}, "wrong", title="t", label="l"),
    "scatter": lambda: scatter(FIGURES, "wrong", "right", title="t", labels=("wrong", "right")),
    "times": lambda: times(FIGURES, [("p50", "median")], title="t", label="seconds"),
    "roc": lambda: roc({"all": [(0, 0), (0.2, 0.7), (1, 1)], "zh": [(0, 0), (1, 1)]}, title="t", labels=("alarms", "found")),
    "reliability": lambda: reliability({"en": [{"mean": 0.2, "share": 0.3, "n": 5}]}, title="t", labels=("said", "seen")),
    "nothing at all": lambda: times({}, [("p50", "median")], title="t", label="seconds"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawing_is_whole_fetches_nothing_and_takes_the_pages_colour(name: str) -> None:
    drawing = DRAWN[name]()
    root = ElementTree.fromstring(drawing)  # noqa: S314 - our own
    assert root.tag.endswith("}svg")
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"script", "style", "image", "metadata", "foreignObject"}
    links = [value for element in root.iter() for key, value in element.attrib.items() if key.rpartition("}")[2] == "href"]
    assert all(link.startswith("#") for link in links)
    assert "currentColor" in drawing
    assert "#000000" not in drawing
    assert "#010203" not in drawing


def test_words_stay_words_whatever_they_hold() -> None:
    drawing = DRAWN["bars"]()
    texts = ["".join(element.itertext()) for element in ElementTree.fromstring(drawing).iter() if element.tag.endswith("}text")]  # noqa: S314
    assert {"zh <&>", "$share$ of cases", "base", "rag"} <= {text.strip() for text in texts}


def test_the_same_figures_give_the_same_bytes() -> None:
    assert DRAWN["scatter"]() == DRAWN["scatter"]()


def test_drawings_of_one_page_do_not_share_names_of_what_differs() -> None:
    """Names that refer to something are made from its content: where two are equal, so is what they name."""
    defined: dict[str, set[str]] = {}
    for draw in DRAWN.values():
        for element in ElementTree.fromstring(draw()).iter():  # noqa: S314
            if name := element.attrib.get("id"):
                defined.setdefault(name, set()).add(ElementTree.tostring(element, encoding="unicode").strip())
    assert all(len(contents) == 1 for contents in defined.values()), defined
