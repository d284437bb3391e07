"""Which language a passage is written in, by its script, and among those in Latin script by their commonest words.

A code of ISO 639-1, or `und` where a text says too little to tell: figures, names, a few words. Rougher than a model with
n-grams, and right where it matters here: a passage is some sentences long, and function words are every second word of them.
"""

from __future__ import annotations

import re
from collections import Counter

from ingest.tokens import HAN, normalise

UNDETERMINED = "und"

# Fewer letters than this say nothing.
_LEAST_LETTERS = 8
# In Latin script so many words of a language's list must stand in the text, and this share of its words.
_LEAST_WORDS = 2
_LEAST_SHARE = 0.08

_SCRIPTS = (
    ("zh", f"[{HAN}]"),
    ("ja", r"[\u3041-\u3096\u30a1-\u30fa]"),
    ("ko", r"[\uac00-\ud7a3]"),
    ("ru", r"[\u0400-\u04ff]"),
    ("el", r"[\u0370-\u03ff]"),
    ("ar", r"[\u0620-\u06ff]"),
    ("he", r"[\u05d0-\u05ea]"),
    ("th", r"[\u0e00-\u0e7f]"),
    ("hi", r"[\u0900-\u097f]"),
    ("latin", r"[a-zà-öø-ɏ]"),
)
_SCRIPT = re.compile("|".join(f"(?P<{name}>{characters})" for name, characters in _SCRIPTS))
_WORD = re.compile(r"[a-zà-öø-ɏ]+")

# A Han character says as much as three letters; Japanese is told from Chinese by kana, of which any text has a tenth.
_HAN_WORTH = 3
_KANA_SHARE = 0.1

_COMMON_WORDS = {
    "en": "the of and to in is that for it with as was on are by be this at from or have an which not were has their will",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass",
    "fr": "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec aux ou cette son",
    "es": "de la que el en y a los del se las por un para con no una su al lo como más o pero sus le este ya entre cuando",
    "it": "di e il la che in a per un del è della non le i con una si da dei nel al sono come più alla delle anche gli ha",
    "pt": "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou",
    "nl": "de van een het en in is dat op te zijn met voor niet aan er om ook als dan maar bij door wordt naar uit deze heeft",
    "pl": "w i z na do nie się że jest to od przez po o dla oraz za jak ale lub tego być są tym może ich co",
    "sv": "och i att det som en på är av för med till den har de inte om ett var jag sig så från vi kan eller",
}
_COMMON = {code: frozenset(words.split()) for code, words in _COMMON_WORDS.items()}


def language_of(text: str) -> str:
    """The language's code, or `und`."""
    folded = normalise(text)
    counts = Counter(found.lastgroup for found in _SCRIPT.finditer(folded))
    counts["zh"] *= _HAN_WORTH
    counts["ja"] *= _HAN_WORTH
    if counts["ja"] and counts["ja"] >= _KANA_SHARE * counts["zh"]:
        counts["ja"] += counts.pop("zh")
    script, letters = max(counts.items(), key=lambda pair: pair[1], default=("", 0))
    if letters < _LEAST_LETTERS:
        return UNDETERMINED
    if script == "latin":
        return _latin_language(_WORD.findall(folded))
    return str(script)


def _latin_language(words: list[str]) -> str:
    """The language whose common words are the most of these."""
    counts = {code: sum(word in common for word in words) for code, common in _COMMON.items()}
    best = max(counts, key=lambda code: counts[code])
    enough = counts[best] >= max(_LEAST_WORDS, _LEAST_SHARE * len(words))
    return best if enough else UNDETERMINED
