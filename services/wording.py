"""The product's own words in an answer, in the question's language; the documents' words stay in theirs.

An answer is the concatenation of its pieces, one a sentence, so that a stream of pieces and the whole answer are the same text.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.types import Sentence, Style
from ingest import tokens
from ingest.text_cleaning import clean_text
from ingest.types import Hit

ENGINE_AWAY = {
    "en": "the chat model is not running, so the answer is quoted",
    "zh": "对话模型没有运行，因此直接引用原文",
}
NOT_JUDGED = {
    "en": "not judged: answered without documents",
    "zh": "未核查：回答时未查阅文档",
}
MODEL_REFUSED = {
    "en": "the chat model found no answer in the passages",
    "zh": "对话模型在找到的段落中没有看到答案",
}
MODEL_DOES_NOT_KNOW = {
    "en": "the chat model, which was given no passages, says that it does not know",
    "zh": "对话模型在没有段落的情况下表示不知道答案",
}
NOTHING_TO_SHOW = {
    "en": "no sentence of the documents answers the question",
    "zh": "文档中没有能回答该问题的句子",
}
_UNSUPPORTED = {"en": " (not supported by the documents)", "zh": "（文档未证实）"}
_FRAME = {"en": "The documents say:", "zh": "文档原文："}
_FRAME_OTHER = {"en": "The documents say, in Chinese:", "zh": "文档原文（英文）："}
_ABSTAINED = {
    "en": "I cannot answer this from the documents: {reason}.",
    "zh": "根据现有文档无法回答：{reason}。",
}
_NEAREST = {"en": " Nearest passages: {places}.", "zh": "最接近的段落：{places}。"}
_PLACE = {"en": "{document}, page {page}", "zh": "{document} 第{page}页"}
_BETWEEN = {"en": "; ", "zh": "；"}


def piece(sentence: Sentence, *, before: Sentence | None, language: str) -> str:
    """What the sentence adds to the answer's text after the sentence `before` it: a separator or a frame, itself, its markers."""
    markers = "".join(f"[{marker}]" for marker in sentence.citations)
    text = clean_text(sentence.text)  # to be read; what was cited stays as it is printed
    if sentence.style is Style.QUOTES:
        frame = ""
        if before is None or before.style is not Style.QUOTES:
            frame = (_FRAME if tokens.language(sentence.text) == language else _FRAME_OTHER)[language] + "\n"
        return ("\n" if before else "") + f"{frame}“{text}” {markers}"
    joint = " " if before and language == "en" else ""
    mark = "" if sentence.supported or sentence.reason == NOT_JUDGED[language] else _UNSUPPORTED[language]
    return f"{joint}{text}{mark}{' ' if markers else ''}{markers}"


def abstention(reason: str, nearest: Sequence[Hit], *, language: str) -> str:
    """The words that say that, and why, there is no answer, and where a reader may look."""
    text = _ABSTAINED[language].format(reason=reason.rstrip(".。"))
    places = dict.fromkeys(_PLACE[language].format(document=hit.document, page=hit.page) for hit in nearest)
    return text + (_NEAREST[language].format(places=_BETWEEN[language].join(places)) if places else "")


def profile_note(writes: frozenset[str]) -> dict[str, str] | None:
    """What a reader should know of a chat model that does not write both languages; None of one that does."""
    if {"zh", "en"} <= writes:
        return None
    if "en" in writes:
        return {
            "en": "The chat model does not write Chinese: Chinese questions are answered with quotes.",
            "zh": "当前对话模型不会写中文：中文问题以引用原文的方式回答。",
        }
    return {
        "en": "The chat model does not write your language reliably: answers are quoted.",
        "zh": "当前对话模型写作不够可靠：回答以引用原文的方式给出。",
    }
