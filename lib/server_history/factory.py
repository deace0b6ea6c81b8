"""Chooses the adapter for an approach at an endpoint. Imports no SDK and sends nothing."""

from __future__ import annotations

from lib.providers import Provider
from lib.server_history import Approach, ServerHistory, ThreadSettings
from lib.server_history.adapters.assistants import AssistantsHistory
from lib.server_history.adapters.claude import ClaudeHistory
from lib.server_history.adapters.conversations import ConversationsHistory
from lib.server_history.adapters.manual import ManualHistory
from lib.server_history.adapters.responses import ResponsesHistory
from lib.settings import Endpoint, EndpointKind

APPROACHES_OF_KIND: dict[EndpointKind, tuple[Approach, ...]] = {
    "local": ("manual",),
    "openai": ("manual", "conversations", "responses", "assistants"),
    "anthropic": ("manual", "claude"),
}
"""Approaches to offer for each kind of endpoint. A server of that kind may still not support one."""


def open_server_history(
    approach: Approach, endpoint: Endpoint, key: str | None, provider: Provider, settings: ThreadSettings | None = None
) -> ServerHistory:
    """The adapter. `provider` belongs to the same endpoint; the manual approach sends through it."""
    if approach == "conversations":
        return ConversationsHistory(endpoint, key, settings)
    if approach == "responses":
        return ResponsesHistory(endpoint, key, settings)
    if approach == "assistants":
        return AssistantsHistory(endpoint, key, settings)
    if approach == "claude":
        return ClaudeHistory(endpoint, key, settings)
    path = "/v1/messages" if endpoint.kind == "anthropic" else "/v1/chat/completions"
    return ManualHistory(provider, endpoint.model, settings, path)
