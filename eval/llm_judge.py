"""A judge that asks a chat model, whose reply is bound to a schema: a verdict a sentence, and the words of the evidence for it.

Invariants. A verdict counts only with a quote that stands in the evidence character for character; "not found" needs none. What
is no such reply is asked for once more; then the sentence is *not judged*, with the reason. All of the evidence is read, in
parts that overlap: a sentence is supported where one part supports it. Evidence and sentences are given as JSON strings, so
that no text of a document can end its own marking. This module opens no connection: the model is handed to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import openai
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from eval.answer_parts import judged_part
from eval.encoder_judge import UNKNOWN, joined
from eval.prompt_files import read_prompts
from eval.types import Fault, Verdict
from eval.windows import evidence_texts, windows
from ingest.errors import Unavailable
from ingest.tokens import language

PROMPTS = Path(__file__).parent / "judge_prompts"
PROMPT_VERSION = "1"

_SENTENCES = 5
"""Sentences of one request: few, because a small model loses count, and because evidence and reply share the context."""
_WINDOW_CHARACTERS = 4000
"""Of the evidence in one request: some 1,000 tokens of English or 3,000 of Chinese, which our smallest context of 4,096 holds."""
_CONCURRENT = 8
_TOKENS_A_SENTENCE = 200
_TRIES = 2
# A quote of fewer characters stands in any text. Without a bound a small model copies until its tokens are used up: 38 of 139
# replies had no end (docs/decisions/0021).
_LEAST_QUOTE = 4
_LONGEST_QUOTE = 100


class Finding(StrEnum):
    """What the model says of a sentence."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_FOUND = "not found"


# The model's word as a measure of support; in an ensemble it is calibrated like any other.
_SCORES = {Finding.SUPPORTED: 0.9, Finding.NOT_FOUND: 0.1, Finding.CONTRADICTED: 0.05}

_REASONS = {
    "empty": {"en": "not judged: there is nothing in it", "zh": "未核查：句中没有内容"},
    "no reply": {"en": "not judged: {name} gave no reply that can be read", "zh": "未核查：{name}没有给出可读的结论"},
    "no quote": {
        "en": "not judged: what {name} quotes does not stand in the evidence",
        "zh": "未核查：{name}引用的文字不在依据中",
    },
    "not found": {"en": "{name} finds nothing in the evidence that bears it out", "zh": "{name}在依据中没有找到支持此句的内容"},
    "contradicted": {"en": "the evidence says otherwise: “{quote}”", "zh": "依据与此句相反：“{quote}”"},
}
_UNCALIBRATED = {"en": "the verdict of {name}, which is not calibrated", "zh": "{name}的结论，未经校准"}


@dataclass(frozen=True, slots=True)
class _Said:
    """What came of one sentence and one part of the evidence; no finding: `why` is a key of the reasons."""

    finding: Finding | None
    quote: str = ""
    why: str = ""


class ChatJudge:
    """A `Judge` over a chat model that keeps to a JSON schema (`response_format`), as vLLM and OpenAI's service do."""

    def __init__(self, chat: Callable[[], BaseChatModel], *, name: str, alone: bool = True) -> None:
        """`chat` gives the model, or raises `Unavailable` while there is none; `name` stands in the reasons, and
        `version` beside it says which prompts were used. A judge that is not `alone` is calibrated together with others, and
        says nothing of its own.

        Raises:
            GraftError: the prompts were changed.
        """
        self.name = name
        self._prompts = read_prompts(PROMPTS, PROMPT_VERSION)
        self.version = f"{name} (prompts {self._prompts.version})"
        self._chat = chat
        self._alone = alone

    def judge(self, sentences: Sequence[str], *, evidence: Sequence[str], question: str = "") -> list[Verdict]:
        """See `Judge`.

        Raises:
            InputRefused: there is no evidence text at all. Unavailable: the chat model is not there or failed.
        """
        text = "\n\n".join(evidence_texts(evidence))
        bodies = [judged_part(sentence)[0].strip() for sentence in sentences]
        places = [at for at, body in enumerate(bodies) if body]
        parts = windows(text, [(at, at + 1) for at in range(len(text))], tokens=_WINDOW_CHARACTERS)
        tasks = [(places[first : first + _SENTENCES], part) for first in range(0, len(places), _SENTENCES) for part in parts]
        if not tasks:
            return [self._verdict(sentence, []) for sentence in sentences]
        ask = partial(_asked, self._chat(), self._prompts.texts, question)
        said: dict[int, list[_Said]] = {at: [] for at in places}
        with ThreadPoolExecutor(_CONCURRENT) as pool:
            for (asked, _), found in zip(
                tasks, pool.map(lambda task: ask([bodies[at] for at in task[0]], task[1]), tasks), strict=True
            ):
                for at, one in zip(asked, found, strict=True):
                    said[at].append(one)
        return [self._verdict(sentence, said.get(at, [])) for at, sentence in enumerate(sentences)]

    def _verdict(self, sentence: str, said: Sequence[_Said]) -> Verdict:
        lang = language(sentence)
        decided = _decided(said)
        if decided.finding is None:
            return Verdict(UNKNOWN, False, (), _REASONS[decided.why][lang].format(name=self.name), judged=False)
        score = _SCORES[decided.finding]
        note = _UNCALIBRATED[lang].format(name=self.name) if self._alone else ""
        if decided.finding is Finding.SUPPORTED:
            return Verdict(score, True, (), note)
        why = "contradicted" if decided.finding is Finding.CONTRADICTED else "not found"
        reason = _REASONS[why][lang].format(name=self.name, quote=decided.quote)
        fault = Fault.CONTRADICTED if decided.finding is Finding.CONTRADICTED else Fault.NOT_IN_EVIDENCE
        whole = tuple(joined(sentence, [(0, len(sentence))]))
        return Verdict(score, False, whole, ("；" if lang == "zh" else "; ").join(filter(None, [reason, note])), fault)


def _decided(said: Sequence[_Said]) -> _Said:
    """The verdict over all parts of the evidence: one that supports, else one that contradicts, else one that could not be read;
    not found where all parts were read in vain."""
    for finding in (Finding.SUPPORTED, Finding.CONTRADICTED, None):
        if found := next((one for one in said if one.finding is finding), None):
            return found
    return next(iter(said), _Said(None, why="empty"))


def _asked(chat: BaseChatModel, texts: Mapping[str, str], question: str, sentences: Sequence[str], part: str) -> list[_Said]:
    """What the model says of each sentence by one part of the evidence; asked again for what it gave no verdict on."""
    said: dict[int, _Said] = {}
    for _ in range(_TRIES):
        missing = [at for at in range(len(sentences)) if at not in said or said[at].finding is None]
        if not missing:
            break
        reply = _reply(chat, _messages(texts, question, [sentences[at] for at in missing], part), len(missing))
        said |= {missing[number]: one for number, one in _read(reply, part, len(missing)).items()}
    return [said.get(at, _Said(None, why="no reply")) for at in range(len(sentences))]


def _reply(chat: BaseChatModel, messages: list[BaseMessage], count: int) -> str:
    schema = _schema(count)
    try:
        reply = chat.invoke(
            messages,
            response_format={"type": "json_schema", "json_schema": {"name": "verdicts", "schema": schema, "strict": True}},
            temperature=0,
            max_completion_tokens=_TOKENS_A_SENTENCE * count,
        )
    except openai.LengthFinishReasonError:
        return ""  # its tokens were used up before the reply had an end
    except (openai.APIError, OSError) as error:
        raise Unavailable(f"the chat model failed while it judged sentences ({error}): start it again and repeat") from error
    return str(reply.text)


def _messages(texts: Mapping[str, str], question: str, sentences: Sequence[str], part: str) -> list[BaseMessage]:
    numbered = [{"number": number, "sentence": sentence} for number, sentence in enumerate(sentences, start=1)]
    given = {"question": question, "passages": part, "sentences": numbered}
    return [SystemMessage(texts[f"rules.{language(' '.join(sentences))}"]), HumanMessage(json.dumps(given, ensure_ascii=False))]


def _schema(count: int) -> dict[str, Any]:
    """A verdict for each of `count` sentences; the quote first, so that the model has read before it decides."""
    verdict = {
        "type": "object",
        "properties": {
            "number": {"type": "integer", "minimum": 1, "maximum": count},
            "quote": {"type": "string", "maxLength": _LONGEST_QUOTE},
            "verdict": {"type": "string", "enum": [str(finding) for finding in Finding]},
        },
        "required": ["number", "quote", "verdict"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"verdicts": {"type": "array", "items": verdict, "minItems": count, "maxItems": count}},
        "required": ["verdicts"],
        "additionalProperties": False,
    }


def _read(reply: str, part: str, count: int) -> dict[int, _Said]:
    """The verdicts of a reply by the place of their sentence; what is no verdict on one of the sentences is left out."""
    try:
        rows = json.loads(reply)["verdicts"]
        found = {int(row["number"]) - 1: (Finding(row["verdict"]), str(row["quote"]).strip()) for row in rows}
    except (ValueError, KeyError, TypeError):
        return {}
    return {at: _checked(finding, quote, part) for at, (finding, quote) in found.items() if 0 <= at < count}


def _checked(finding: Finding, quote: str, part: str) -> _Said:
    if finding is Finding.NOT_FOUND:
        return _Said(finding)
    if len(quote) < _LEAST_QUOTE or quote not in part:
        return _Said(None, why="no quote")
    return _Said(finding, quote)
