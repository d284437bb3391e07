"""Conversations in Alpaca's format: objects of `instruction`, `input`, `output`, and where wanted `system` and `history`.

Invariants. `input` is the second part of the user's message, after a line feed, as the trainers that made the format join them;
so a conversation that came from here goes back with both parts in `instruction`, and its content is the same. `history` holds
earlier pairs `[user, assistant]`. Other keys are not read.
"""

from __future__ import annotations

from typing import Any

from finetune.formats.records import Conversation, not_an_object, text_fault
from finetune.types import Message


def faults(value: Any) -> list[str]:
    """Every rule that this record breaks."""
    if fault := not_an_object(value):
        return [fault]
    broken = []
    for name in ("instruction", "output"):
        if name not in value:
            broken.append(f"key `{name}` is missing")
        elif fault := text_fault(value[name], f"`{name}`"):
            broken.append(fault)
    if fault := text_fault(value.get("input", ""), "`input`", may_be_blank=True):
        broken.append(fault)
    if value.get("system", "") != "" and (fault := text_fault(value["system"], "`system`")):
        broken.append(fault)
    return broken + _history_faults(value.get("history", []))


def _history_faults(history: Any) -> list[str]:
    if not isinstance(history, list):
        return ["`history` must be an array of pairs [user, assistant]"]
    broken = []
    for number, pair in enumerate(history, 1):
        if not isinstance(pair, list) or len(pair) != 2:
            broken.append(f"entry {number} of `history` must be a pair [user, assistant]")
            continue
        named = zip(("user", "assistant"), pair, strict=True)
        broken += [f for role, text in named if (f := text_fault(text, f"the {role}'s part of entry {number} of `history`"))]
    return broken


def conversation(value: dict[str, Any]) -> Conversation:
    """The conversation of a record without faults."""
    asked = "\n".join(filter(None, [value["instruction"], value.get("input", "")]))
    pairs = [*value.get("history", []), [asked, value["output"]]]
    system = [Message("system", value["system"])] if value.get("system") else []
    turns = [(Message("user", user), Message("assistant", assistant)) for user, assistant in pairs]
    return (*system, *(message for turn in turns for message in turn))


def record(messages: Conversation) -> dict[str, Any]:
    """The conversation as this format's object; `system` and `history` only where there are some."""
    system = [message.content for message in messages if message.role == "system"]
    texts = [message.content for message in messages if message.role != "system"]
    pairs = [list(pair) for pair in zip(texts[::2], texts[1::2], strict=True)]
    found: dict[str, Any] = {"instruction": pairs[-1][0], "input": "", "output": pairs[-1][1]}
    if system:
        found["system"] = system[0]
    if pairs[:-1]:
        found["history"] = pairs[:-1]
    return found
