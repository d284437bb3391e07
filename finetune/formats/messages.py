"""Conversations as TRL reads them: one JSON object a line, `{"messages": [{"role", "content"}, …]}`.

Invariants. A system message comes first or not at all; then user and assistant take turns, at least one pair, none unanswered.
Content is kept character for character. Other keys of an object are not read.
"""

from __future__ import annotations

from typing import Any

from finetune.formats.records import Conversation, not_an_object, text_fault
from finetune.types import Message

ROLES = ("system", "user", "assistant")


def faults(value: Any) -> list[str]:
    """Every rule that this record breaks."""
    if fault := not_an_object(value):
        return [fault]
    if "messages" not in value:
        return ["key `messages` is missing"]
    found = value["messages"]
    if not isinstance(found, list) or not found:
        return ["`messages` must be an array that is not empty"]
    broken = [fault for number, message in enumerate(found, 1) for fault in _message_faults(message, number)]
    return broken + _order_faults([message.get("role") if isinstance(message, dict) else None for message in found])


def _message_faults(message: Any, number: int) -> list[str]:
    if not isinstance(message, dict):
        return [f"message {number} must be an object with `role` and `content`"]
    broken = []
    if "role" not in message:
        broken.append(f"message {number} has no `role`")
    elif message["role"] not in ROLES:
        broken.append(f"message {number} has role {message['role']!r:.40}; allowed: {', '.join(ROLES)}")
    if "content" not in message:
        broken.append(f"message {number} has no `content`")
    elif fault := text_fault(message["content"], f"content of message {number}"):
        broken.append(fault)
    return broken


def _order_faults(roles: list[Any]) -> list[str]:
    """What is wrong with the order, as far as the roles are known; each wrong turn is told once."""
    broken = []
    expected, begun = "user", False
    for number, role in enumerate(roles, 1):
        if role == "system":
            if number > 1:
                broken.append(f"message {number} is a system message: only the first may be one")
            continue
        if role not in ROLES:  # told already; it stands for whatever should be here
            role = expected
        if role != expected:
            rule = "user and assistant take turns" if begun else "the first message that is not the system's is the user's"
            broken.append(f"message {number} is the {role}'s where the {expected}'s is expected: {rule}")
        expected, begun = "assistant" if role == "user" else "user", True
    if not begun:
        broken.append("there is no pair of a user's and an assistant's message")
    elif expected == "assistant":
        broken.append("the last message must be the assistant's: each message of the user is answered")
    return broken


def conversation(value: dict[str, Any]) -> Conversation:
    """The conversation of a record without faults."""
    return tuple(Message(message["role"], message["content"]) for message in value["messages"])


def record(messages: Conversation) -> dict[str, Any]:
    """The conversation as this format's object."""
    return {"messages": [{"role": message.role, "content": message.content} for message in messages]}
