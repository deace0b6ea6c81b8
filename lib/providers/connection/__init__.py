"""Tests a connection without sending a message: who answers, which models it has, how much they hold, who counts.

Nothing here costs tokens. What does is in probe.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lib import outside_values
from lib.errors import ProviderError
from lib.providers import Provider
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from lib.settings.known_servers import KNOWN_SERVERS
from lib.tokens import TokenCounter

MOST_LISTED = 500
"""Models that are looked through for the window of one."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a server says of itself. `window` is in tokens, None if it does not say."""

    server: str
    window: int | None = None
    source: str = ""
    """Where the window is from, as words for people."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An endpoint that answered. `model` is the one that was asked about; empty if there is none."""

    identity: Identity
    models: Sequence[str]
    model: str
    counter: TokenCounter


def connect(
    provider: Provider, endpoint: Endpoint, model: str, counter_of: Callable[[str, Provider], TokenCounter]
) -> Connection:
    """Ask an endpoint what it is, about this model or else the first that it lists. Raises ProviderError.

    `counter_of` gives the counter for a model of the endpoint, and may ask the server.
    """
    models = provider.models()
    chosen = model or endpoint.model or next(iter(models), "")
    return Connection(identify(provider, endpoint, chosen), models, chosen, counter_of(chosen, provider))


def known_vendor(url: str | None, kind: str) -> str:
    """The vendor whose address this is, by its host; empty for other servers. None is the protocol's own vendor."""
    if url is None:
        return {"openai": "OpenAI", "anthropic": "Anthropic"}.get(kind, "")
    host = urlsplit(url).hostname or ""
    vendors = {urlsplit(each.base_url).hostname: each.label for each in KNOWN_SERVERS.values() if each.key_variable}
    return "Azure OpenAI" if host.endswith(".openai.azure.com") else vendors.get(host, "")


def identify(provider: Provider, endpoint: Endpoint, model: str) -> Identity:
    """Who answers at this endpoint. Vendors are known by their host; other servers are asked. Raises nothing.

    Ollama, llama.cpp, LM Studio and vLLM each have an address that the others do not have.
    """
    if endpoint.kind == "local":
        from lib.providers.llama.process import SLOT_TOKENS  # here, because the others need no local model

        return Identity("llama.cpp, inside Windowseat", SLOT_TOKENS, "set by Windowseat")
    vendor = known_vendor(endpoint.base_url, endpoint.kind)
    if vendor or not isinstance(provider, OpenAIProvider):
        return Identity(vendor or "a server of Anthropic's protocol")
    for look in (_ollama, _llama_cpp, _lm_studio, _vllm):
        found = look(provider, model)
        if found is not None:
            return found
    return Identity("a server of OpenAI's protocol")


def _ollama(provider: OpenAIProvider, model: str) -> Identity | None:
    version = outside_values.word(_part(_answer(provider, "/api/version"), "version"))
    if version is None:
        return None
    running = _entry(_part(_answer(provider, "/api/ps"), "models"), "name", model)
    window = outside_values.count(_part(running, "context_length"))
    return Identity(f"Ollama {version}", window or None, "of the loaded model, as Ollama says" if window else "")


def _llama_cpp(provider: OpenAIProvider, model: str) -> Identity | None:
    props = _answer(provider, "/props")
    settings = _part(props, "default_generation_settings")
    if not isinstance(settings, Mapping):
        return None
    build = outside_values.word(_part(props, "build_info")) or ""
    window = outside_values.count(_part(settings, "n_ctx"))
    return Identity(f"llama.cpp {build}".strip(), window or None, "of each slot, as llama.cpp says" if window else "")


def _lm_studio(provider: OpenAIProvider, model: str) -> Identity | None:
    entry = _entry(_part(_answer(provider, "/api/v0/models"), "data"), "id", model, any_else=True)
    if outside_values.count(_part(entry, "max_context_length")) is None:
        return None
    if entry is not None and entry.get("id") != model:
        return Identity("LM Studio")
    window = outside_values.count(_part(entry, "loaded_context_length"))
    return Identity("LM Studio", window or None, "of the loaded model, as LM Studio says" if window else "")


def _vllm(provider: OpenAIProvider, model: str) -> Identity | None:
    version = outside_values.word(_part(_answer(provider, "/version"), "version"))
    try:
        listed = _part(provider.ask("/models"), "data")
    except ProviderError:
        return None
    entry = _entry(listed, "id", model, any_else=True)
    if _part(entry, "owned_by") != "vllm":
        return None
    own = entry is not None and entry.get("id") == model
    window = outside_values.count(_part(entry, "max_model_len")) if own else None
    return Identity(f"vLLM {version or ''}".strip(), window or None, "as vLLM says" if window else "")


def _answer(provider: OpenAIProvider, path: str) -> Any:
    """The JSON at an address beside /v1; None if the server does not have it, or answers with an error."""
    try:
        return provider.ask_root(path, None)
    except ProviderError:
        return None


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _entry(entries: Any, name: str, value: str, *, any_else: bool = False) -> Mapping[str, Any] | None:
    """The entry with this value of `name`; with `any_else`, the first one if there is none."""
    usable = [each for each in entries[:MOST_LISTED] if isinstance(each, Mapping)] if isinstance(entries, list) else []
    found = [each for each in usable if each.get(name) == value]
    return next(iter(found or (usable if any_else else [])), None)
