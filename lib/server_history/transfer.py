"""Moves a conversation to a server that keeps it: what can be moved, and what cannot.

Whatever stays behind is named before the move. The conversation it comes from stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lib.errors import ProviderError
from lib.messages import Message
from lib.server_history import Handle, ServerHistory

MOVABLE_ROLES = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class Transfer:
    """The messages that can be moved, and a sentence for each kind of thing that stays behind."""

    messages: list[Message]
    left_behind: tuple[str, ...]


def prepare_transfer(messages: Sequence[Message]) -> Transfer:
    """Sort a conversation into what a server can take over (texts of the user and the assistant) and what stays behind.

    Example: prepare_transfer([Message("tool", "42")]).left_behind -> ("1 message of the role tool cannot move.",)
    """
    movable = [message for message in messages if message.role in MOVABLE_ROLES]
    other_roles = Counter(message.role for message in messages if message.role not in MOVABLE_ROLES)
    sentences = [f"{_messages(count)} of the role {role} cannot move." for role, count in other_roles.items()]
    for count, sentence in (
        (sum(not isinstance(message.content, str) for message in movable), "with other parts: only their text moves."),
        (
            sum(bool(message.extra.get("tool_calls")) for message in movable),
            "that called tools: the calls stay behind.",
        ),
        (sum(not message.text for message in movable), "without text: there is nothing to move."),
    ):
        if count:
            sentences.append(f"{_messages(count)} {sentence}")
    return Transfer([Message(message.role, message.text) for message in movable if message.text], tuple(sentences))


def adopt(history: ServerHistory, system_prompt: str, messages: Sequence[Message]) -> Handle:
    """Start a conversation that already holds these messages. Raises ProviderError if this approach cannot."""
    adopt_on_server = getattr(history, "adopt", None)
    if adopt_on_server is not None:
        adopted: Handle = adopt_on_server(system_prompt, messages)
        return adopted
    handle = history.create(system_prompt)
    if handle.approach in ("manual", "claude"):  # both can send our own copy
        return handle.plus(messages=messages)
    raise ProviderError(
        f"{history.facts.name} cannot start from existing messages: each turn is answered as it is added.",
        safe="Nothing was moved.",
        next_step="Move it to Conversations, or run its messages as a script.",
    )


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"
