"""The product's own words in an answer, in the question's language; the documents' words stay in theirs.

An answer is the concatenation of its pieces, one a sentence, so that a stream of pieces and the whole answer are the same text.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.types import Fault, Sentence, Style
from ingest import tokens
from ingest.text_cleaning import clean_text
from ingest.types import Hit
from services.sanitising import inert

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
NOTHING_BORNE_OUT = {
    "en": "nothing that the chat model wrote is borne out by the passages",
    "zh": "对话模型写出的内容均未得到所找到段落的证实",
}
WEAK = {
    "en": "the evidence is weak: {reason}",
    "zh": "依据薄弱：{reason}",
}
OBEYED = {
    "en": "the chat model followed an instruction that stands in a document",
    "zh": "对话模型执行了文档中的一条指令",
}
OBEYED_TEXT = "[…]"
"""Shown for such a sentence: what it says is what somebody else wants the reader to see."""
_UNSUPPORTED = {"en": "not supported by the documents", "zh": "文档未证实"}
_NOT_JUDGED = {"en": "not checked against the documents", "zh": "未与文档核对"}
_FAULTS = {
    Fault.CONTRADICTED: {"en": "the documents say otherwise", "zh": "与文档不符"},
    Fault.NOT_IN_EVIDENCE: _UNSUPPORTED,
    Fault.OFF_QUESTION: {"en": "does not answer the question", "zh": "答非所问"},
    Fault.DISPUTED: {"en": "the documents disagree", "zh": "文档之间说法不一"},
    Fault.BIASED: {"en": "biased wording", "zh": "措辞带有偏见"},
}
_MARK = {"en": " ({})", "zh": "（{}）"}
_FRAME = {"en": "The documents say:", "zh": "文档原文："}
_FRAME_OTHER = {"en": "The documents say, in Chinese:", "zh": "文档原文（英文）："}
_ABSTAINED = {
    "en": "I cannot answer this from the documents: {reason}.",
    "zh": "根据现有文档无法回答：{reason}。",
}
_WHICH = {"en": "Is it about {}?", "zh": "您问的是{}吗？"}
_OR = {"en": " or ", "zh": "，还是"}
_SECTION = {"en": "“{section}” ({document})", "zh": "“{section}”（{document}）"}
_OTHER_WORD = {"en": "Is there another word for {}?", "zh": "{}有没有别的说法？"}
_REWORD = {"en": "Could you ask it in other words?", "zh": "能否换一种说法提问？"}
_QUOTED = "“{}”"
_AND = {"en": ", ", "zh": "、"}
_NEAREST = {"en": " Nearest passages: {places}.", "zh": "最接近的段落：{places}。"}
_PLACE = {"en": "{document}, page {page}", "zh": "{document} 第{page}页"}
_BETWEEN = {"en": "; ", "zh": "；"}


def piece(sentence: Sentence, *, before: Sentence | None, language: str) -> str:
    """What the sentence adds to the answer's text after the sentence `before` it: a separator or a frame, itself, its markers."""
    markers = "".join(f"[{marker}]" for marker in sentence.citations)
    text = inert(clean_text(sentence.text))  # to be read; what was cited stays as it is printed
    if sentence.style is Style.QUOTES:
        frame = ""
        if before is None or before.style is not Style.QUOTES:
            frame = (_FRAME if tokens.language(sentence.text) == language else _FRAME_OTHER)[language] + "\n"
        return ("\n" if before else "") + f"{frame}“{text}”{_mark(sentence, language)} {markers}"
    joint = " " if before and (language == "en" or text.startswith("(")) else ""  # [1](a) would be a link
    return f"{joint}{text}{_mark(sentence, language)}{' ' if markers else ''}{markers}"


def _mark(sentence: Sentence, language: str) -> str:
    """What is to be known of a sentence where it stands; empty for what is borne out, and where no document was read."""
    if sentence.fault is not None:
        words = {language: sentence.reason} if sentence.fault is Fault.DISPUTED else _FAULTS[sentence.fault]
    elif sentence.supported or sentence.reason == NOT_JUDGED[language]:
        return ""
    else:
        words = _UNSUPPORTED if sentence.judged else _NOT_JUDGED
    return _MARK[language].format(words[language])


def asked_back(choices: Sequence[tuple[str, str]], missing: Sequence[str], *, reword: bool, language: str) -> str | None:
    """Asks which of these sections (heading, document) is meant, and what else the missing words could be called; to `reword` the
    question where none can be named."""
    places = [
        _SECTION[language].format(section=section, document=document) if section else document for section, document in choices
    ]
    words = _AND[language].join(map(_QUOTED.format, missing))
    asked = [_WHICH[language].format(_OR[language].join(places))] if places else []
    if words:
        asked.append(_OTHER_WORD[language].format(words))
    elif reword:
        asked.append(_REWORD[language])
    return (" " if language == "en" else "").join(asked) or None


def abstention(reason: str, nearest: Sequence[Hit], *, language: str, asks: str | None = None) -> str:
    """The words that say that, and why, there is no answer, what is asked back, and where a reader may look."""
    text = _ABSTAINED[language].format(reason=reason.rstrip(".。"))
    if asks:
        text += (" " if language == "en" else "") + asks
    places = dict.fromkeys(_PLACE[language].format(document=clean_text(hit.document), page=hit.page) for hit in nearest)
    return inert(text + (_NEAREST[language].format(places=_BETWEEN[language].join(places)) if places else ""))


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
