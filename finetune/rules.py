"""Passages → points, by rules: prose in English and Chinese, and tables.

The same passage gives the same points in the same order. This module knows no model, no index and no judge; what reads badly
in spite of the rules is filtered by `finetune.curation`.
"""

from __future__ import annotations

import re

from finetune import rules_en, rules_table, rules_zh
from finetune.points import Point, topic_of
from ingest.sentences import split_sentences
from ingest.tokens import language
from ingest.types import Hit

# Pages of contents state nothing.
_CONTENTS = re.compile(r"^(?:table of )?contents$|^目\s*录$", re.IGNORECASE)


def points_of(hit: Hit) -> list[Point]:
    """The points of a passage in the order of its text; none for pages of contents."""
    if any(_CONTENTS.search(heading) for heading in hit.headings):
        return []
    topic = topic_of(hit.headings)
    points = rules_table.points(hit.text, topic=topic)
    before = ""
    for sentence in prose_sentences(hit):
        if language(sentence) == "zh":
            points.extend(rules_zh.points(sentence, topic=topic))
        else:
            points.extend(rules_en.points(sentence, before=before, topic=topic))
        before = sentence
    return points


def prose_sentences(hit: Hit) -> list[str]:
    """The sentences of the passage that stand in no table and are no heading or fragment, word for word."""
    out: list[str] = []
    plain = {" ".join(heading.split()) for heading in hit.headings}
    for sentence in split_sentences(hit.text):
        whole = sentence.rstrip('"”’』」）)').endswith((".", "。", "；", ";", "!", "！"))
        if whole and " | " not in sentence and " ".join(sentence.split()) not in plain:
            out.append(sentence)
    return out
