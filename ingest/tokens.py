"""Text → the terms that BM25 and the judge count, the same for documents and questions, Chinese and English.

Terms are made from a normalised copy (cleaned, NFKC, lower case); the stored text is never touched. A unit is one position of the
text: a Han character in its simplified form, or a word's Porter2 stem. Index terms are the units without English stop words, plus
the bigrams of each Han run, and codes. What each step is worth is measured in `docs/decisions/0003-search-without-an-encoder.md`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import opencc
from Stemmer import Stemmer

from ingest.text_cleaning import clean, clean_text

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_HAN_CHARACTER = re.compile(f"[{HAN}]")
_PIECE = re.compile(
    rf"[{HAN}]+"  # a Han run
    r"|\d+(?:[.,]\d+)*%?"  # a number with its separators: 21,012 or 3.5%
    rf"|[^\W_{HAN}]+(?:'[^\W_{HAN}]+)?"  # a word; a Han character beside it begins a run of its own
)
# Part numbers and standards. Begins only where a run does, which keeps the search linear in the text's length.
_CODE = re.compile(
    r"(?<![a-z0-9])(?:"
    r"(?:[a-z]{1,5}/[a-z]{1,3}|gb|iso|iec|ieee|astm|ansi|din) ?\d[a-z0-9]*(?:[-_/.:][a-z0-9]+)*"  # gb/t 19001-2016, iso 9001
    r"|[a-z0-9]+(?:[-_/.][a-z0-9]+)+"  # hx-200, v2.1
    r")"
)
_YEAR_OF_STANDARD = re.compile(r"(?<=\d)[-:](?:19|20)\d\d$")
_CODE_SEPARATORS = str.maketrans("", "", "-_/: ")

# Lucene's 33 stop words, then interrogatives, auxiliaries and pronouns: question words carry no topic.
STOP_WORDS = frozenset(
    """a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to
    was will with
    what which who whom whose how when where why do does did doing done has have had having can could would should may might
    shall must its his her hers he him she we us our ours you your yours i me my mine them from about than so been being were
    am there's it's s""".split()
)

# Longest first, so that 为什么 goes before 什么 and no bare 为 stays.
CHINESE_QUESTION_WORDS = (
    "什么时候 什麼時候 什么样 什麼樣 为什么 為什麼 怎么样 怎麼樣 请问 請問 什么 什麼 为何 為何 怎么 怎麼 如何 哪些 哪一 哪个 "
    "哪個 哪里 哪裡 哪儿 哪兒 哪位 何时 何時 多少 几个 幾個 是谁 是誰 是否 哪 谁 誰 吗 嗎 呢 的"
).split()
_CHINESE_QUESTION_WORD = re.compile("|".join(CHINESE_QUESTION_WORDS))

# Fonts of Chinese PDFs often give these radicals in place of the characters that look the same. NFKC knows the 214 of Kangxi,
# but not these. Source: https://www.unicode.org/Public/UCD/latest/ucd/EquivalentUnifiedIdeograph.txt
_RADICALS = str.maketrans(
    "⺟⺠⻁⻄⻅⻆⻉⻋⻑⻓⻔⻘⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳", "母民虎西见角贝车長长门青页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟"
)
_RADICAL = re.compile(r"[\u2e80-\u2eff]")

# A character and the marks that are written on it, which may fold into one.
_CLUSTER = re.compile(r".[\u0300-\u036f\u3099\u309a]*", re.DOTALL)
_TRADITIONAL_BLOCKS = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF))


@lru_cache(maxsize=32)  # an index row is cut into terms, units and 3-grams one after another
def normalise(text: str) -> str:
    """The clean text, folded; its length may differ from the original's."""
    return fold(clean_text(text))


def fold(text: str) -> str:
    """The text in NFKC and lower case, with straight apostrophes and with characters for radicals; its length may differ."""
    folded = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    return folded.translate(_RADICALS) if _RADICAL.search(folded) else folded


def is_han(character: str) -> bool:
    """Whether the character is a Chinese (Han) one."""
    return _HAN_CHARACTER.match(character) is not None


def language(text: str) -> str:
    """`zh` or `en`, whichever the text is mostly written in: one Han character weighs as much as a short word."""
    han = len(_HAN_CHARACTER.findall(text))
    if not han:
        return "en"
    latin = sum(1 for c in text if c.isascii() and c.isalpha())
    return "zh" if han * 3 > latin else "en"


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The Porter2 stem of a lower-case word; numbers lose their thousands separators."""
    if word[0].isdigit():
        return word.replace(",", "")
    # A stemmer has state and serves one thread at a time. Making one costs less than a microsecond (docs/decisions/0019).
    return str(Stemmer("english", 0).stemWord(word.removesuffix("'s")))


def pieces(text: str) -> list[str]:
    """The Han runs, numbers and words of the normalised text, in order; Han runs in simplified characters."""
    return _PIECE.findall(simplified(normalise(text)))


def simplified(text: str) -> str:
    """The text with its traditional characters as simplified ones; its length stays."""
    return text.translate(_simplified_characters()) if _HAN_CHARACTER.search(text) else text


@lru_cache(maxsize=1)
def _simplified_characters() -> dict[int, str]:
    """The simplified character of each traditional one: one for one, so that a text's length stays."""
    traditional = [chr(code) for first, last in _TRADITIONAL_BLOCKS for code in range(first, last + 1)]
    simplified = opencc.OpenCC("t2s").convert("\n".join(traditional)).split("\n")
    return {ord(one): other for one, other in zip(traditional, simplified, strict=True) if one != other and len(other) == 1}


def units(text: str) -> list[str]:
    """One entry a position: each Han character by itself, each other word as its stem, stop words kept as they are."""
    out: list[str] = []
    for piece in pieces(text):
        if is_han(piece[0]):
            out.extend(piece)
        else:
            out.append(piece if piece in STOP_WORDS else stem(piece))
    return out


def placed_units(text: str) -> list[tuple[str, int, int]]:
    """`units`, each with its span in the text as given, in Unicode code points, end exclusive."""
    folded, starts, ends = fold_with_places(text)
    out: list[tuple[str, int, int]] = []
    for piece in _PIECE.finditer(simplified(folded)):
        word, first = piece.group(), piece.start()
        if is_han(word[0]):
            out.extend((character, starts[first + i], ends[first + i]) for i, character in enumerate(word))
        else:
            out.append((word if word in STOP_WORDS else stem(word), starts[first], ends[piece.end() - 1]))
    return out


def fold_with_places(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """The normalised text and, for each of its characters, where in the original it begins and ends."""
    cleaned = clean(text)
    folded = fold(cleaned.text)
    if len(folded) == len(cleaned.text):
        return folded, cleaned.starts, cleaned.ends
    parts: list[str] = []
    places: list[int] = []
    for cluster in _CLUSTER.finditer(cleaned.text):
        part = fold(cluster.group())
        parts.append(part)
        places.extend([cluster.start()] * (len(part) - 1) + [cluster.end() - 1] if part else [])
    return "".join(parts), [cleaned.starts[place] for place in places], [cleaned.ends[place] for place in places]


def index_terms(text: str) -> list[str]:
    """The terms of a document: stems without stop words; Han characters and bigrams; a number or word together with the Han
    character that it touches, such as `30万`; codes without their separators as well, such as `hx200` for HX-200.
    """
    out: list[str] = []
    cut = simplified(normalise(text))
    touching, before = 0, ""
    for piece in _PIECE.finditer(cut):
        word = piece.group()
        if is_han(word[0]):
            out.extend(word)
            out.extend(word[i : i + 2] for i in range(len(word) - 1))
            first, last = word[0], word[-1]
        elif word not in STOP_WORDS:
            first = last = stem(word)
            out.append(first)
        else:
            first = last = ""
        if first and before and touching == piece.start() and is_han(first[0]) != is_han(before[0]):
            out.append(before + first)
        touching, before = piece.end(), last
    out.extend(_codes(cut))
    return out


def _codes(normalised: str) -> list[str]:
    """The words that hold both a digit and a letter and are written with separators, without these; standards without their
    year as well.
    """
    written = [code for code in _CODE.findall(normalised) if any(c.isdigit() for c in code) and any(c.isalpha() for c in code)]
    undated = [short for code in written if (short := _YEAR_OF_STANDARD.sub("", code)) != code]
    return [code.translate(_CODE_SEPARATORS) for code in (*written, *undated)]


def without_question_words(question: str) -> str:
    """The question with its Chinese question words replaced by spaces; English ones are stop words already."""
    return _CHINESE_QUESTION_WORD.sub(" ", question)


def query_terms(question: str) -> list[str]:
    """The distinct terms of a question, in order of first mention; all terms where nothing but question words was asked."""
    terms = index_terms(without_question_words(question)) or index_terms(question)
    return list(dict.fromkeys(terms))


def character_trigrams(text: str) -> list[str]:
    """3-grams of `<word>` for each word that is neither Han nor a stop word: they bridge inflections and misspellings."""
    out: list[str] = []
    for piece in pieces(text):
        if not is_han(piece[0]) and piece not in STOP_WORDS:
            marked = f"<{piece}>"
            out.extend(marked[i : i + 3] for i in range(len(marked) - 2))
    return out
