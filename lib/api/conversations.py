"""What the HTTP routes need of the app. The pages' composition root provides it, so that both share one service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from lib.chat.service import ChatService
    from lib.chat_settings import ChatSettings
    from lib.providers import Provider
    from lib.settings import Endpoint


class Conversations(Protocol):
    """The conversations of this installation. Every method may block, and raises ChatError."""

    def chat(self) -> ChatService:
        """The service that everybody shares, for what belongs to no session."""

    def endpoints(self) -> Mapping[str, Endpoint]:
        """The providers to choose from, by name."""

    def settings(self, stored: Mapping[str, Any], provider: str | None = None) -> ChatSettings:
        """A chat's stored settings, completed; those of a new chat where nothing is stored.

        With a `provider`, the model and the window are those that a new chat on this provider starts with.
        """

    def open_provider(self, settings: ChatSettings) -> Provider:
        """The provider for these settings, with the configured key. Called in the thread of a turn."""
