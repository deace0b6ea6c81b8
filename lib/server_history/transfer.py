"""Moving a conversation from one keeper to another: what can go along, and what cannot.

The rule: nothing is lost in silence: whatever stays behind is named before it is left. The conversation it came from stays as it
is. It leaves out where an exported conversation is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.errors import ProviderError
from lib.messages import Message
from lib.server_history import Handle, ServerHistory

MOVABLE = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class Transfer:
    """What can be moved, and what cannot, in sentences."""

    messages: list[Message]
    left: tuple[str, ...]


def prepare_transfer(messages: Sequence[Message]) -> Transfer:
    """What of these a server-kept history can take: texts of the user and the assistant.

    Example: prepare_transfer([user("a"), Message("tool", "42", {"tool_call_id": "c"})]).left -> ("1 message of the role tool cannot move.",)
    """
    moved, roles, parts, calls = [], dict[str, int](), 0, 0
    for message in messages:
        if message.role not in MOVABLE:
            roles[message.role] = roles.get(message.role, 0) + 1
            continue
        parts += not isinstance(message.content, str)
        calls += bool(message.extra.get("tool_calls"))
        if message.text:
            moved.append(Message(message.role, message.text))
    left = [f"{_many(count)} of the role {role} cannot move." for role, count in roles.items()]
    if parts:
        left.append(f"{_many(parts)} with parts beside text: only their text moves.")
    if calls:
        left.append(f"{_many(calls)} that called tools: the calls stay behind.")
    empty = sum(message.role in MOVABLE and not message.text for message in messages)
    if empty:
        left.append(f"{_many(empty)} without text: there is nothing to move.")
    return Transfer(moved, tuple(left))


def adopted(history: ServerHistory, system_prompt: str, messages: Sequence[Message]) -> Handle:
    """Have a server keep these messages from now on. Raises ProviderError where this way of keeping cannot begin with any."""
    adopt = getattr(history, "adopt", None)
    if adopt is not None:
        handle: Handle = adopt(system_prompt, messages)
        return handle
    handle = history.create(system_prompt)
    if handle.approach in ("manual", "claude"):  # both send our own copy: the whole of it, or where the server lost it
        return handle.plus(said=messages)
    raise ProviderError(
        f"{history.facts.name} cannot begin with messages that are there already: each turn is answered as it is"
        " added.",
        safe="Nothing was moved.",
        next_step="Move it to Conversations, or run its messages as a script.",
    )


def _many(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"
