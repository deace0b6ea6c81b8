"""Rules that providers have for the shape of a request: Rule, RULES, rule.

The rule: every rule exists once per provider, with that provider's own words and their day, because the same request is
refused by one, silently changed by another and welcome to a third. `openai` and `anthropic` are the two vendors;
`strict` stands for servers of OpenAI's protocol whose chat template insists on order (many local models).
It leaves out finding breaches (`checking`) and mending them (`repair`).
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
"""Whose rules there are, and how a sentence calls them."""

TITLES = {
    "first_role": "The user speaks first",
    "alternation": "User and assistant take turns",
    "orphan_result": "No tool result without its call",
    "unanswered_call": "No tool call without its results",
    "empty_content": "No message is empty",
    "system_place": "Instructions stand at the beginning",
    "last_role": "The assistant does not have the last word",
    "unknown_part": "Only roles and parts that the provider knows",
    "no_message": "There is something to answer",
    "size": "The request fits into the window",
    "reply_room": "The window has room for the reply",
}
BY_ITSELF = ("empty_content", "unknown_part")
"""Rules that one message breaks whatever stands around it. Leaving out others neither breaks nor mends these."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one provider. `refused`: a breach is answered with an error; else it is unwise or silently changed."""

    name: str
    provider: RuleProvider
    title: str
    text: str
    """What the provider says, or how it refuses. Words in “ ” are its own."""
    source: str
    as_of: date
    refused: bool


RULES: dict[tuple[RuleProvider, str], Rule] = {
    (provider, name): Rule(name, provider, title, *SOURCES[provider][name])
    for provider in PROVIDERS
    for name, title in TITLES.items()
}


def rule(provider: RuleProvider, name: str) -> Rule:
    """One provider's rule of this name. Raises KeyError for a name or provider there is none of.

    Example: rule("anthropic", "last_role").refused -> True
    """
    return RULES[provider, name]
