"""Chooses the provider for an endpoint, and the counter for its tokens."""

from __future__ import annotations

from urllib.parse import urlsplit

from lib.errors import ProviderError
from lib.providers import Provider
from lib.providers.anthropic import ANTHROPIC, AnthropicProvider
from lib.providers.llama.counter import known_counter
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.providers.openai import OpenAIProvider, is_openai
from lib.settings import Endpoint
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.model_counters import counter_for


def open_provider(endpoint: Endpoint, key: str | None, local: LocalModel) -> Provider:
    """The provider of this endpoint, with this key. Imports no SDK and sends nothing yet."""
    if endpoint.kind == "local":
        return LocalProvider(local)
    return AnthropicProvider(endpoint, key) if endpoint.kind == "anthropic" else OpenAIProvider(endpoint, key)


def open_counter(endpoint: Endpoint, model: str, local: LocalModel, provider: Provider | None) -> TokenCounter:
    """The best counter for this model of this endpoint.

    With a provider, its server may be asked whether it can count. Without one, only what is already known is used, so
    that drawing a page never waits.
    """
    if endpoint.kind == "anthropic":
        return counter_for("anthropic", model)
    if endpoint.kind == "openai" and is_openai(endpoint.base_url):
        return counter_for("openai", model)
    return _servers_counter(provider) or known_counter(endpoint, local) or _stand_in(endpoint, model)


def _servers_counter(provider: Provider | None) -> TokenCounter | None:
    """The server's own counter. If it cannot be asked now, something else counts, and the turn can be sent."""
    try:
        return None if provider is None else provider.counter()
    except ProviderError:
        return None


def _stand_in(endpoint: Endpoint, model: str) -> TokenCounter:
    return ESTIMATE if endpoint.kind == "local" else counter_for("other", model)


def vendor_of(endpoint: Endpoint) -> str | None:
    """Whose list prices apply: "openai", "anthropic", "local" (free), or None if the server's owner sets the prices."""
    if endpoint.kind == "local":
        return "local"
    if endpoint.kind == "openai":
        return "openai" if is_openai(endpoint.base_url) else None
    host = urlsplit(endpoint.base_url or ANTHROPIC).hostname or ""
    return "anthropic" if f".{host}".endswith(".anthropic.com") else None
