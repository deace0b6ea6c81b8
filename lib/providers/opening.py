"""Choosing the adapter for an endpoint."""

from __future__ import annotations

from lib.providers import Provider
from lib.providers.anthropic import AnthropicProvider
from lib.providers.local import LocalModel, LocalProvider
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from lib.tokens import ESTIMATE, TokenCounter


def open_provider(endpoint: Endpoint, key: str | None, local: LocalModel) -> Provider:
    """The provider of this endpoint, with this key. Imports no SDK and asks nobody anything yet."""
    if endpoint.kind == "local":
        return LocalProvider(local)
    return AnthropicProvider(endpoint, key) if endpoint.kind == "anthropic" else OpenAIProvider(endpoint, key)


def open_counter(endpoint: Endpoint, model: str, local: LocalModel, provider: Provider | None) -> TokenCounter:
    """Who counts messages for this model of this endpoint."""
    return ESTIMATE
