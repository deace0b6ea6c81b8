"""The settings of a chat: what a new one starts with, and what a stored one has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib.chat_settings import ChatSettings
from lib.context import DEFAULT_STRATEGY, STRATEGIES
from lib.ui.shell import services, session

SYSTEM_PROMPT = "You are a helpful assistant."
"""Of the prompts tried, the small model answers best under this one; a longer one confuses it."""


def defaults(endpoint: str = "local") -> ChatSettings:
    """What a new chat on this endpoint starts with."""
    chosen = services.endpoint(endpoint)
    return ChatSettings(chosen.name, chosen.model, SYSTEM_PROMPT, chosen.window, chosen.reserve, DEFAULT_STRATEGY)


def of_new_chat() -> ChatSettings:
    """What a new chat starts with: the settings chosen last in this browser session, else the preferred endpoint's."""
    return completed(session.last_settings())


def restored(stored: Mapping[str, Any]) -> ChatSettings:
    """A chat's stored settings, completed; a chat without any has those of a new one."""
    return completed(stored) if stored else of_new_chat()


def completed(stored: Mapping[str, Any]) -> ChatSettings:
    """Stored settings. What is missing is as in a new chat on the same endpoint, and so is an unknown strategy; empty
    ones are those of the preferred endpoint. Reads no browser session."""
    endpoint = str(stored.get("provider", "local")) if stored else services.settings().preferred
    settings = defaults(endpoint).updated(stored)
    return settings if settings.strategy in STRATEGIES else replace(settings, strategy=DEFAULT_STRATEGY)
