"""Lists the rules that each provider has for the shape of a request.

Every rule exists once per provider, with that provider's own words and their date, because a request that one provider
refuses may be changed silently by another and accepted by a third. What breaks a rule is in lib/request_rules/check.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from lib.request_rules.sources import SOURCES

RuleProvider = Literal["openai", "anthropic", "strict"]
PROVIDERS: dict[RuleProvider, str] = {
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "strict": "a server with a strict chat template",
}
"""Whose rules there are, and their names within a sentence. "strict" is any server with OpenAI's API whose chat
template insists on the order of messages, as those of many local models do."""

TITLES = {
    "first_role": "The user speaks first",
    "alternation": "User and assistant take turns",
    "orphan_result": "No tool result without its call",
    "unanswered_call": "No tool call without its results",
    "empty_content": "No message is empty",
    "system_place": "Instructions come first",
    "last_role": "The assistant does not have the last word",
    "unknown_part": "Only roles and parts that the provider knows",
    "no_message": "There is something to answer",
    "size": "The request fits into the window",
    "reply_room": "The window has room for the reply",
}
SINGLE_MESSAGE_RULES = ("empty_content", "unknown_part")
"""Rules that a message breaks by itself. Leaving out other messages neither causes nor cures such a breach."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one provider. `refused` is False if the provider accepts a breach or changes it silently."""

    name: str
    provider: RuleProvider
    title: str
    text: str
    """What the provider says, or how it refuses. The words between “ and ” are its own."""
    source: str
    as_of: date
    refused: bool


RULES: dict[tuple[RuleProvider, str], Rule] = {
    (provider, name): Rule(name, provider, title, *SOURCES[provider][name])
    for provider in PROVIDERS
    for name, title in TITLES.items()
}


def rule(provider: RuleProvider, name: str) -> Rule:
    """The provider's rule with this name. Raises KeyError if there is none.

    Example: rule("anthropic", "last_role").refused -> True
    """
    return RULES[provider, name]
