"""Biased or stereotyping wording: a sentence that says of a whole group of people what they are by nature.

A flag with its reason, never a removal: whoever reads decides. Groups by sex, age, origin, religion, disability, orientation and
means; a plain mention of a group ("women are entitled to 14 weeks of leave") says nothing of its nature and is left alone, and so
is a sentence that speaks of such a generalisation as wrong. A list of words cannot know irony, quotation or context.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from ingest.text_cleaning import clean_text
from ingest.tokens import fold, language

PATTERNS_FILE = Path(__file__).with_name("bias_patterns.txt")

_REASONS = {
    "en": "it generalises about a group of people: “{words}”",
    "zh": "对某一人群作了概括性的评判：“{words}”",
}
_REASONS_OF_DOCUMENT = {
    "en": "the document's own words generalise about a group of people: “{words}”",
    "zh": "文档原文对某一人群作了概括性的评判：“{words}”",
}


def biased_wording(sentence: str, *, quoted: bool = False) -> str:
    """Why the sentence is flagged, in its own language; empty for one that is not. `quoted`: it is a document's own."""
    folded = fold(clean_text(sentence))
    shown, told_of_others = _patterns()
    found = shown.search(folded)
    if found is None or told_of_others.search(folded):
        return ""
    reasons = _REASONS_OF_DOCUMENT if quoted else _REASONS
    return reasons[language(sentence)].format(words=found.group().strip(' .,;:，。；：“"('))


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What generalises, and what speaks of a generalisation as wrong."""
    sections = re.findall(r"^== (.+)\n((?:.+\n)+)", PATTERNS_FILE.read_text(encoding="utf-8"), re.MULTILINE)
    lists = {name.removeprefix("list "): lines.strip() for name, lines in sections if name.startswith("list ")}
    shown: list[str] = []
    others: list[str] = []
    for name, lines in sections:
        if not name.startswith("list "):
            (others if name.startswith("said of others") else shown).extend(lines.splitlines())
    whole = "|".join(f"(?:{line})" for line in shown)
    for name, words in lists.items():
        whole = whole.replace(f"{{{name}}}", words)
    return re.compile(whole), re.compile("|".join(others))
