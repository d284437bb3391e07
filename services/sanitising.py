"""What may pass between documents, the chat model and readers: text, and nothing that acts.

Into the model: `without_prompt_marks` takes away what a passage or a question could pass itself off with as part of the prompt.
Out of it: `plain` leaves no image, link or markup in what the model wrote, `inert` breaks the marks of them in what is shown of
documents, and `Held` holds back those tokens that could still become one. Ordinary text is given back as it is.
This module knows nothing of what is true; instructions in words are `eval.instructions`' business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ingest.text_cleaning import clean_text

# Control marks of chat templates, which a tokenizer would read as what they stand for: <|im_start|>, <｜User｜>, [INST], <<SYS>>,
# <start_of_turn>, <s>. Their words stay, in brackets that no tokenizer knows.
_TEMPLATE_MARK = re.compile(
    r"<[|｜]\s*(?P<bar>[^|｜<>\n]{1,40}?)\s*[|｜]>|<<\s*(?P<sys>/?SYS)\s*>>|\[\s*(?P<inst>/?\s*INST)\s*\]"
    r"|<\s*(?P<tag>/?\s*(?:s|start_of_turn|end_of_turn|bos|eos|unk|pad))\s*>",
    re.IGNORECASE,
)
# What the prompt numbers its passages with.
_NUMBER_MARK = re.compile(r"[\[【［]\s*(\d{1,3}(?:\s*[,，]\s*\d{1,3})*)\s*[\]】］]")
# A line that begins as a turn of a conversation, or as the prompt's own question does.
_ROLE_LINE = re.compile(
    r"^(?=[ \t>#*_\-]*(?:system(?: (?:prompt|message|note))?|user|human|assistant|developer|tool|question|answer|instructions?"
    r"|系统(?:提示|消息)?|用户|助手|助理|开发者|问题|回答|答案|指令)[*_ ]*[:：])",
    re.IGNORECASE | re.MULTILINE,
)
_ROLE_LINE_MARK = "· "
_LINE_BREAK = re.compile(r"\s*\n\s*")

_IMAGE_OR_LINK = re.compile(r"!?\[(?P<label>[^\[\]\n]*)\]\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)?")
_TAG = re.compile(r"<!--.*?(?:-->|$)|</?[a-z!?][^<>]{0,2000}>", re.IGNORECASE | re.DOTALL)
# What a reader's program would make a link of by itself: an address with a scheme, one that begins with www, a host with a path,
# a mail address. It ends where ordinary writing goes on.
_ADDRESS = re.compile(
    r"[ \t]?(?<![a-zA-Z0-9_])(?P<address>"
    r"(?:[a-z][a-z0-9+.\-]{1,20}://|www\.|(?:javascript|vbscript|mailto|data):(?=\S)|(?:[a-z0-9\-]{1,63}\.){1,8}[a-z]{2,24}/)"
    r"[^\s<>\"“”‘’「」《》（）()\[\]，。；、！？\u3400-\u9fff]*"
    r"|[\w.+\-]{1,64}@(?:[a-z0-9\-]{1,63}\.){1,8}[a-z]{2,24})",
    re.IGNORECASE,
)
_ENDS_ADDRESS = ".,;:!?'*_"
# Marks that would still open a link, a definition of one or a tag, however they got there.
_OPENS = re.compile(r"(?<=\])(?=\()|(?<=\])(?=:)|(?<=<)(?=[a-zA-Z/!?])")

# Marks of a tag or a link that are open for longer than this are text.
_LONGEST_OPEN = 400
_LAST_WORD = re.compile(r"[!-~]*$")
_OPEN = re.compile(r"!?\[[^\[\]\n]*(?:\]\([^()\n]*)?$|<[a-zA-Z/!?][^<>]*$")


def without_prompt_marks(text: str, *, one_line: bool = False) -> str:
    """The text as a prompt may hold it: clean, without marks of chat templates, of the prompt's numbers and of its turns."""
    text = _until_stable(_neutralised, text)
    return _LINE_BREAK.sub(" ", text).strip() if one_line else text


def _neutralised(text: str) -> str:
    text = _TEMPLATE_MARK.sub(lambda mark: f"({mark[mark.lastgroup or 0]})", clean_text(text))
    text = _NUMBER_MARK.sub(r"(\1)", text)
    return _ROLE_LINE.sub(_ROLE_LINE_MARK, text)


def plain(text: str, *, evidence: Sequence[str] = ()) -> str:
    """What the model wrote, as text alone: links and images keep their words; addresses only where the evidence holds them."""
    return _until_stable(lambda one: _once_plain(one, evidence), text)


def _once_plain(text: str, evidence: Sequence[str]) -> str:
    text = _TAG.sub("", clean_text(text))
    text = _IMAGE_OR_LINK.sub(lambda found: "" if found["label"].strip().isdigit() else found["label"], text)
    return inert(_ADDRESS.sub(lambda found: _kept(found, evidence), text))


def _kept(found: re.Match[str], evidence: Sequence[str]) -> str:
    address = found["address"].rstrip(_ENDS_ADDRESS)
    if any(address in text for text in evidence):
        return found.group()
    return found["address"][len(address) :]


def inert(text: str) -> str:
    """The text with a space wherever a link, an image or a tag would begin: shown as it is by whatever renders it."""
    return _OPENS.sub(" ", text)


def _until_stable(step: Callable[[str], str], text: str) -> str:
    """The text after as many steps as change it: what is taken out may bring two halves of another mark together."""
    while (after := step(text)) != text:
        text = after
    return text


class Held:
    """Tokens on their way to a reader: given on, as `plain` text, as soon as they cannot become part of a link or a tag."""

    def __init__(self, evidence: Sequence[str] = ()) -> None:
        """`evidence`: the texts whose addresses may be shown."""
        self._evidence = evidence
        self._text = ""

    def feed(self, token: str) -> str:
        """What may be shown now; often nothing, at least for the length of a word."""
        self._text += token
        settled = self._settled()
        shown, self._text = self._text[:settled], self._text[settled:]
        return plain(shown, evidence=self._evidence)

    def rest(self) -> str:
        """What was still held, once no token follows."""
        shown, self._text = self._text, ""
        return plain(shown, evidence=self._evidence)

    def _settled(self) -> int:
        last = _LAST_WORD.search(self._text)
        settled = last.start() if last else len(self._text)
        opened = _OPEN.search(self._text, 0, settled)
        if opened and len(self._text) - opened.start() <= _LONGEST_OPEN:
            return opened.start()
        return settled
