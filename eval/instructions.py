"""Sentences of a document that speak to a language model: instructions that somebody put there for whatever reads it.

A document is data. What speaks to a model in it ("ignore the instructions above", "as an AI assistant, begin your reply with",
「忽略以上指令」) is evidence for nothing: it is not given to the chat model, not quoted, and supports no sentence. The decision
adds up signs, each a few words (instruction_signs.txt); instructions to people ("reply with your employee number") show too few.
Spans are Unicode code points of the text given. This module compares words: it knows no model and follows no instruction.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from eval.units import read_units, shipped_background
from ingest.sentences import sentence_spans
from ingest.text_cleaning import clean_text
from ingest.tokens import fold
from ingest.types import Hit

ENOUGH = 3
"""Signs that a sentence must show to be taken for one that speaks to a model (docs/decisions/0025)."""

SIGNS_FILE = Path(__file__).with_name("instruction_signs.txt")

# A sentence without any of these shows no sign; asking first keeps the reading of ordinary pages cheap.
_TRIGGER = re.compile(
    r"\b(?:ai|llms?|gpt|language model|chat ?bot|if any|ignor|disregard|forget|overrid|bypass|inst?ru[cç]|anweisung|consigne"
    r"|prompt|passage|question|cite|answer|repl[yi]|respon|output|summar|pretend|act as|role|system|assistant|user|jailbreak"
    r"|you are now|word|phrase|http|developer|mode)|<[|｜/<]|\[/?inst|инструкц|無視|무시"
    r"|人工智能|语言模型|大模型|机器人|助手|助理|忽略|无视|跳过|忘|总结|暗号|口令|引用|调用|发送|提问|指令|指示|提示|回答|回复|答复"
    r"|答案|输出|摘要|扮演|假装|你现在|从现在|系统|用户|越狱|结束|\bai|gpt"
)
# Words that orders are made of: saying one of them is no sign of having obeyed.
_ORDERING = frozenset(
    "ignor disregard forget instruct prompt repli answer respond respons output word phrase assist assistant model system"
    " user question sentenc passag document begin append includ mention translat"
    " 忽略 略以 指令 指示 提示 回答 回复 答复 答案 输出 问题 助手 用户 系统".split()
)
# A sentence after such a one belongs to it if it shows any sign at all.
_BELONGS = 1
# After a chat template's mark, the rest of the paragraph is what the made-up turn says.
_MADE_UP_TURN = re.compile(r"<[|｜][^|｜<>\n]{1,40}[|｜]>|\[\s*/?INST\s*\]", re.IGNORECASE)
# As in the judge's features: the idf of a word that is rare in general text.
_RARE = 6.5
_ENCODED = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{24,4000}={0,2}(?![A-Za-z0-9+/=])")
_SPACE = re.compile(r"\s+")
_LINE = re.compile(r"[^\n]+")


@lru_cache(maxsize=4096)  # a hit is read by the prompt, by quoting and as evidence
def signs(sentence: str) -> int:
    """How strongly a sentence speaks to a model: the sum of what its signs weigh; `ENOUGH` is enough."""
    folded = _folded(sentence)
    total = _weight(folded) if _TRIGGER.search(folded) else 0
    if total < ENOUGH:
        total = max([total, *(_weight(_folded(hidden)) for hidden in _decoded(sentence))])
    return total


def _folded(sentence: str) -> str:
    return "\n".join(_SPACE.sub(" ", line) for line in fold(clean_text(sentence)).split("\n"))


def _weight(folded: str) -> int:
    joined = folded.replace("\n", " ")
    return sum(weight for weight, pattern in _signs() if pattern.search(joined) or (joined != folded and pattern.search(folded)))


@lru_cache(maxsize=1)
def _signs() -> list[tuple[int, re.Pattern[str]]]:
    """Each sign's weight, and what shows it."""
    sections = re.findall(r"^== (\w+) (.+)\n((?:.+\n)+)", SIGNS_FILE.read_text(encoding="utf-8"), re.MULTILINE)
    lists = {name: lines.strip() for kind, name, lines in sections if kind == "list"}
    known = []
    for weight, _name, lines in sections:
        if weight != "list":
            pattern = "|".join(f"(?:{line})" for line in lines.splitlines())
            for name, words in lists.items():
                pattern = pattern.replace(f"{{{name}}}", words)
            known.append((int(weight), re.compile(pattern, re.MULTILINE)))
    return known


def _decoded(sentence: str) -> list[str]:
    """What stands in the sentence in Base64, as far as it is text."""
    texts = []
    for found in _ENCODED.finditer(sentence):
        written = found.group().rstrip("=")
        try:
            texts.append(base64.b64decode(written + "=" * (-len(written) % 4), validate=True).decode("utf-8"))
        except (binascii.Error, UnicodeDecodeError):
            continue
    return texts


def instruction_spans(text: str) -> list[tuple[int, int]]:
    """The sentences, lines and table rows that speak to a model, in order, with those beside them that belong to them."""
    pieces = _pieces(text)
    flagged = [signs(text[start:end]) >= ENOUGH for start, end in pieces]
    for place, (start, end) in enumerate(pieces[1:], 1):
        before = text[slice(*pieces[place - 1])]
        apart = "\n\n" in text[pieces[place - 1][1] : start]
        if flagged[place - 1] and not flagged[place]:
            goes_on = not apart and (_MADE_UP_TURN.search(before) or _is_open(before))
            flagged[place] = bool(goes_on) or _all_signs(text[start:end]) >= _BELONGS
        elif not flagged[place - 1] and signs(before):  # two halves, or what leads up to it
            flagged[place - 1] = flagged[place] = flagged[place] or _all_signs(before + "\n" + text[start:end]) >= ENOUGH
    return [piece for piece, speaks in zip(pieces, flagged, strict=True) if speaks]


def _all_signs(text: str) -> int:
    """As `signs`, also where no word of the text calls for a closer look."""
    return _weight(_folded(text))


def _is_open(text: str) -> bool:
    """Whether a quotation begins in the text and does not end there."""
    return text.count('"') % 2 == 1 or text.count("“") > text.count("”")


def _pieces(text: str) -> list[tuple[int, int]]:
    """The sentences; one that runs over several lines is cut into them where one of these speaks to a model by itself."""
    pieces: list[tuple[int, int]] = []
    for start, end in sentence_spans(text):
        lines = [(line.start(), line.end()) for line in _LINE.finditer(text, start, end)]
        alone = len(lines) > 1 and (" | " in text[start:end] or any(signs(text[a:b]) >= ENOUGH for a, b in lines))
        pieces += lines if alone else [(start, end)]
    return pieces


def without_instructions(text: str) -> str:
    """The text without what in it speaks to a model; the same text where nothing does."""
    kept, done = [], 0
    for start, end in instruction_spans(text):
        kept.append(text[done:start])
        done = end
    return "".join([*kept, text[done:]])


def as_evidence(hit: Hit) -> Hit:
    """The hit with empty lines where its text speaks to a model, and without such headings: all else keeps its place.

    Empty lines end a sentence and a table, so that no quote reaches across them and each stays word for word the page's.
    """
    spans = instruction_spans(hit.text)
    headings = tuple(heading for heading in hit.headings if signs(heading) < ENOUGH)
    if not spans and headings == hit.headings:
        return hit
    characters = list(hit.text)
    for start, end in spans:
        characters[start:end] = "\n" * (end - start)
    return replace(hit, text="".join(characters), headings=headings)


def is_suspicious(hit: Hit) -> bool:
    """Whether the hit holds anything that speaks to a model."""
    return as_evidence(hit) is not hit


def only_from_instructions(sentence: str, hits: Sequence[Hit], *, question: str) -> bool:
    """Whether a sentence says a rare word that the hits hold only where they speak to a model: then it obeyed them."""
    told = [_terms("\n".join((*hit.headings, hit.text))) for hit in hits if is_suspicious(hit)]
    if not told:
        return False
    evidence = [as_evidence(hit) for hit in hits]
    known = _terms(question).union(*(_terms("\n".join((*hit.headings, hit.text))) for hit in evidence))
    background = shipped_background()
    return any(background.idf(term) > _RARE for term in _terms(sentence) & frozenset().union(*told) - known - _ORDERING)


def _terms(text: str) -> frozenset[str]:
    return frozenset(unit.term for unit in read_units(text) if unit.content)
