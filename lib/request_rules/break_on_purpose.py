"""Breaks one rule on purpose in a request, to show what the provider does then.

From a request without faults, each Break makes one that breaks exactly the rule it is named after, in the format of the
provider it is sent to. What it adds is short, so that it is easy to see. Rules about size are not here: a small window
breaks them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lib.messages import Message, assistant, system, user
from lib.request_rules.rules import PROVIDERS, RuleProvider, rule
from lib.tool_calls import opens_exchange

CALL_ID = "call_broken"
QUESTION = "What is the weather in Oslo?"


@dataclass(frozen=True, slots=True)
class Break:
    """One way to break a rule. `name` is the name of the rule."""

    name: str
    label: str
    sentence: str
    build: Callable[[RuleProvider, list[Message]], list[Message]]

    @property
    def refused_by(self) -> tuple[RuleProvider, ...]:
        """The providers that refuse it. The others accept it or change it silently: see the rule's text."""
        return tuple(provider for provider in PROVIDERS if rule(provider, self.name).refused)

    def apply(self, provider: RuleProvider, messages: Sequence[Message]) -> list[Message]:
        """The same request, broken. If it has no user message, it gets a question first.

        Example: BREAKS["alternation"].apply("openai", [user("Why?")]) -> [user("One more thing."), user("Why?")]
        """
        has_question = any(opens_exchange(message) for message in messages)
        return self.build(provider, [*messages] if has_question else [*messages, user(QUESTION)])


def tool_call(provider: RuleProvider, text: str | None = None) -> Message:
    """A message with a tool call in this provider's format, and with `text` beside the call."""
    if provider == "anthropic":
        parts: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
        parts.append({"type": "tool_use", "id": CALL_ID, "name": "weather", "input": {"city": "Oslo"}})
        return Message("assistant", parts)
    function = {"name": "weather", "arguments": '{"city":"Oslo"}'}
    return Message("assistant", text, {"tool_calls": [{"id": CALL_ID, "type": "function", "function": function}]})


def tool_result(provider: RuleProvider) -> Message:
    """The result of `tool_call` in this provider's format."""
    if provider == "anthropic":
        return Message("user", [{"type": "tool_result", "tool_use_id": CALL_ID, "content": "Rain"}])
    return Message("tool", "Rain", {"tool_call_id": CALL_ID})


def _first_position(messages: Sequence[Message]) -> int:
    """The position of the first message after the instructions."""
    return next((index for index, message in enumerate(messages) if not message.is_system), len(messages))


def _newest_question(messages: Sequence[Message]) -> int:
    return next(index for index in reversed(range(len(messages))) if opens_exchange(messages[index]))


def _insert(messages: list[Message], index: int, *new: Message) -> list[Message]:
    return [*messages[:index], *new, *messages[index:]]


def _assistant_first(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    return _insert(messages, _first_position(messages), assistant("Hello, how can I help?"))


def _orphan_result(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    return _insert(
        messages, _first_position(messages), user(QUESTION), tool_result(provider), assistant("It is raining.")
    )


def _unanswered_call(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    return _insert(messages, _first_position(messages), user(QUESTION), tool_call(provider))


def _empty_message(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    empty = Message("assistant", "" if provider == "anthropic" else None)
    return _insert(messages, _first_position(messages), user(QUESTION), empty)


def _system_in_the_middle(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    newest = _newest_question(messages)
    index = newest if newest > _first_position(messages) else newest + 1
    return _insert(messages, index, system("Answer in one word."))


def _two_user_messages(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    return _insert(messages, _newest_question(messages), user("One more thing."))


def _assistant_last(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    return [*messages, assistant("The answer is (")]


def _other_format(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    other: RuleProvider = "openai" if provider == "anthropic" else "anthropic"
    exchange = (user(QUESTION), tool_call(other, "Let me look."), tool_result(other), assistant("It is raining."))
    return _insert(messages, _first_position(messages), *exchange)


BREAKS: dict[str, Break] = {
    way.name: way
    for way in (
        Break(
            "first_role",
            "Let the assistant speak first",
            "A greeting comes before the first question, as on many chat pages.",
            _assistant_first,
        ),
        Break(
            "orphan_result",
            "Leave out a tool call",
            "A tool result is sent without its call. This happens when the oldest messages are dropped one by one.",
            _orphan_result,
        ),
        Break(
            "unanswered_call",
            "Leave out a tool result",
            "A tool is called, but there is no result. This happens when a tool fails or a turn is stopped.",
            _unanswered_call,
        ),
        Break(
            "empty_content",
            "Send an empty message",
            "The assistant's reply is empty. Many apps store such a reply when it is stopped before its first word.",
            _empty_message,
        ),
        Break(
            "system_place",
            "Put instructions in the middle",
            "New instructions come between the messages, at the point where they begin to matter.",
            _system_in_the_middle,
        ),
        Break(
            "alternation",
            "Let the user speak twice",
            "Two user messages follow each other. This happens when the reply between them failed.",
            _two_user_messages,
        ),
        Break(
            "last_role",
            "Give the assistant the last word",
            "The request ends with the beginning of a reply, for the model to continue.",
            _assistant_last,
        ),
        Break(
            "unknown_part",
            "Use the other provider's format",
            "A conversation that used tools with one provider goes on with the other, just as it was stored.",
            _other_format,
        ),
    )
}
