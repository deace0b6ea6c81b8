"""Joins the HTTP routes to the app: the same conversations as the pages have, and this installation's settings.

Nothing is opened when the routes are made, so that the first page does not wait for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from lib import api
from lib.api.access import Everyone
from lib.api.guards import Guard
from lib.api.security_headers import SecurityHeaders
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.providers import Provider
from lib.settings import Endpoint
from lib.ui.shell import services, session_settings


class AppConversations:
    """The conversations of the pages. Nothing here reads a browser session, so keys are the configured ones."""

    def chat(self) -> ChatService:
        """The service that the pages use."""
        return services.chat()

    def endpoints(self) -> Mapping[str, Endpoint]:
        """The providers that the chat settings offer."""
        return services.offered_endpoints()

    def settings(self, stored: Mapping[str, Any], provider: str | None = None) -> ChatSettings:
        """A chat's stored settings, completed, with another provider where one is named."""
        settings = session_settings.completed(stored)
        if provider is None or provider == settings.provider:
            return settings
        other = session_settings.defaults(provider)
        return replace(
            settings,
            provider=other.provider,
            model=other.model,
            max_tokens=other.max_tokens,
            reserved_for_reply=other.reserved_for_reply,
        )

    def open_provider(self, settings: ChatSettings) -> Provider:
        """The provider for these settings, with the configured key."""
        return services.provider_of(settings, services.endpoint(settings.provider).key)


def _hosts() -> Sequence[str]:
    """The names that the server answers to besides those of this machine."""
    hosts: Sequence[str] = st.get_option("server.allowedHosts") or ()
    return hosts


GUARD = Guard(lambda: services.settings().api_token, lambda: st.get_option("server.address"), _hosts)


def routes() -> list[BaseRoute]:
    """The HTTP routes, for st.App."""
    return api.routes(AppConversations(), GUARD, Everyone())


def middleware() -> list[Middleware]:
    """What every response of the app passes through, for st.App."""
    return [Middleware(SecurityHeaders)]
