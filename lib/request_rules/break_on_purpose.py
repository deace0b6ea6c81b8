"""Break it: ways to build, on purpose, a request that breaks one rule, for showing a room what happens then.

The rule: from a request that breaks no rule, a break makes one that breaks exactly the rule it names, in the words of the
provider it is sent to. What is put in is short and plain, so that it is seen at once in the request.
It leaves out sending, and rules that no message can break (sizes are broken by making the window small).
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
    """One way. `name` is also the name of the rule that it breaks."""

    name: str
    label: str
    sentence: str
    build: Callable[[RuleProvider, list[Message]], list[Message]]

    @property
    def refused_by(self) -> tuple[RuleProvider, ...]:
        """Which providers answer it with an error. The others accept it, or change it silently: see the rule's text."""
        return tuple(provider for provider in PROVIDERS if rule(provider, self.name).refused)

    def break_(self, provider: RuleProvider, messages: Sequence[Message]) -> list[Message]:
        """The same request, broken. One in which the user says nothing is given a first question.

        Example: BREAKS["alternation"].break_("openai", [user("Why?")]) -> [user("One more thing."), user("Why?")]
        """
        asked = any(opens_exchange(message) for message in messages)
        return self.build(provider, [*messages] if asked else [*messages, user(QUESTION)])


def call(provider: RuleProvider, text: str | None = None) -> Message:
    """A tool's call in this provider's words, with or without words beside it."""
    if provider == "anthropic":
        said = [{"type": "text", "text": text}] if text else []
        used = {"type": "tool_use", "id": CALL_ID, "name": "weather", "input": {"city": "Oslo"}}
        return Message("assistant", [*said, used])
    function = {"name": "weather", "arguments": '{"city":"Oslo"}'}
    return Message("assistant", text, {"tool_calls": [{"id": CALL_ID, "type": "function", "function": function}]})


def result(provider: RuleProvider) -> Message:
    """Its result in this provider's words."""
    if provider == "anthropic":
        return Message("user", [{"type": "tool_result", "tool_use_id": CALL_ID, "content": "Rain"}])
    return Message("tool", "Rain", {"tool_call_id": CALL_ID})


def _lead(messages: Sequence[Message]) -> int:
    """Where the conversation begins, behind the instructions."""
    return next((at for at, message in enumerate(messages) if not message.is_system), len(messages))


def _newest(messages: Sequence[Message]) -> int:
    return next(at for at in reversed(range(len(messages))) if opens_exchange(messages[at]))


def _put(messages: list[Message], at: int, *new: Message) -> list[Message]:
    return [*messages[:at], *new, *messages[at:]]


def _assistant_first(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    return _put(messages, _lead(messages), assistant("Hello, how can I help?"))


def _orphan_result(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    return _put(messages, _lead(messages), user(QUESTION), result(provider), assistant("It rains."))


def _unanswered_call(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    return _put(messages, _lead(messages), user(QUESTION), call(provider))


def _empty_message(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    nothing: Any = "" if provider == "anthropic" else None
    return _put(messages, _lead(messages), user(QUESTION), Message("assistant", nothing))


def _system_in_the_middle(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    newest = _newest(messages)
    at = newest if newest > _lead(messages) else newest + 1
    return _put(messages, at, system("Answer in one word."))


def _two_users(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    return _put(messages, _newest(messages), user("One more thing."))


def _last_word(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    return [*messages, assistant("The answer is (")]


def _others_words(provider: RuleProvider, messages: list[Message]) -> list[Message]:
    other: RuleProvider = "openai" if provider == "anthropic" else "anthropic"
    exchange = (user(QUESTION), call(other, "Let me look."), result(other), assistant("It rains."))
    return _put(messages, _lead(messages), *exchange)


BREAKS: dict[str, Break] = {
    way.name: way
    for way in (
        Break(
            "first_role",
            "Let the assistant speak first",
            "A greeting stands before the first question, as many chat pages draw one.",
            _assistant_first,
        ),
        Break(
            "orphan_result",
            "Leave out a tool's call",
            "A tool's result is sent and its call is not: what cutting off the oldest messages one by one leaves"
            " behind.",
            _orphan_result,
        ),
        Break(
            "unanswered_call",
            "Leave out a tool's result",
            "A tool is called and nothing comes of it: what a tool that failed, or a stopped turn, leaves behind.",
            _unanswered_call,
        ),
        Break(
            "empty_content",
            "Send an empty message",
            "The assistant's reply holds nothing: what many apps store when it is stopped before its first word.",
            _empty_message,
        ),
        Break(
            "system_place",
            "Put instructions in the middle",
            "New instructions stand between the messages, where they begin to matter.",
            _system_in_the_middle,
        ),
        Break(
            "alternation",
            "Let the user speak twice",
            "Two messages of the user follow each other: what a failed reply in between leaves behind.",
            _two_users,
        ),
        Break(
            "last_role",
            "Give the assistant the last word",
            "The request ends with the beginning of a reply, which the model is to go on with.",
            _last_word,
        ),
        Break(
            "unknown_part",
            "Write calls in the other provider's words",
            "A conversation that used tools at one provider goes on at the other, as it was stored.",
            _others_words,
        ),
    )
}
